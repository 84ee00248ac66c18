"""Which variables of a kernel's text live where: what each statement reads first, writes, and may write."""
from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Flow:
    """What statements do to variables: read before they write them, write on every way, write on some way."""

    reads: frozenset = frozenset()
    always_writes: frozenset = frozenset()
    writes: frozenset = frozenset()

    def before(self, after: frozenset) -> frozenset:
        """The variables that live before the statements, if those of `after` live behind them."""
        return self.reads | (after - self.always_writes)

    def then(self, other: Flow) -> Flow:
        """What this and then `other` do."""
        return Flow(self.before(other.reads), self.always_writes | other.always_writes, self.writes | other.writes)


class Flows:
    """The flow of every statement of a function, found once; what it does not know counts as reading all its names."""

    def __init__(self):
        self._statements: dict = {}
        self._turns: dict = {}

    def of_block(self, statements: list) -> Flow:
        """What a block does, from its first statement to its last."""
        reads, always, writes = set(), set(), set()
        for flow in map(self.of, statements):
            reads |= flow.reads - always
            always |= flow.always_writes
            writes |= flow.writes
        return Flow(frozenset(reads), frozenset(always), frozenset(writes))

    def of(self, statement: ast.stmt) -> Flow:
        """What one statement does."""
        if statement not in self._statements:
            self._statements[statement] = self._made(statement)
        return self._statements[statement]

    def turn(self, loop: ast.For | ast.While) -> Flow:
        """What one turn of a loop does: for ``while`` with its test before, for ``for`` with the target written."""
        if loop not in self._turns:
            body = self.of_block(loop.body)
            if isinstance(loop, ast.While):
                first = Flow(names(loop.test))
            else:
                target = names(loop.target)
                first = Flow(frozenset(), target, target)
            self._turns[loop] = first.then(body)
        return self._turns[loop]

    def _made(self, statement: ast.stmt) -> Flow:
        if isinstance(statement, ast.Assign):
            written = frozenset().union(*map(names, statement.targets))
            return Flow(names(statement.value), written, written)
        if isinstance(statement, ast.AugAssign):
            written = names(statement.target)
            return Flow(names(statement.value) | written, written, written)
        if isinstance(statement, ast.If):
            one, other = self.of_block(statement.body), self.of_block(statement.orelse)
            return Flow(names(statement.test) | one.reads | other.reads, one.always_writes & other.always_writes,
                        one.writes | other.writes)
        if isinstance(statement, (ast.For, ast.While)):
            turn = self.turn(statement)
            first = names(statement.iter) if isinstance(statement, ast.For) else frozenset()
            return Flow(first | turn.reads, frozenset(), turn.writes)
        return Flow(names(statement))


def names(node: ast.AST) -> frozenset:
    """All names in an expression."""
    found, waiting = set(), [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Call):
            waiting += part.args        # the name of the function is no variable
        elif isinstance(part, ast.BinOp):
            waiting += part.left, part.right
        elif not isinstance(part, ast.Constant):
            waiting += ast.iter_child_nodes(part)
    return frozenset(found)
