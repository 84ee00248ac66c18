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


class Flows(dict):
    """The flow of every statement of a function, by node; what it does not know counts as reading all its names."""

    def of_block(self, statements: list) -> Flow:
        """What a block does, from its first statement to its last."""
        total = Flow()
        for statement in statements:
            total = total.then(self.of(statement))
        return total

    def of(self, statement: ast.stmt) -> Flow:
        """What one statement does."""
        if statement not in self:
            self[statement] = self._made(statement)
        return self[statement]

    def loop(self, statement) -> Flow:
        """What one turn of a loop does: for ``while`` with its test before, for ``for`` with the target written."""
        if isinstance(statement, ast.While):
            return Flow(names(statement.test)).then(self.of_block(statement.body))
        target = names(statement.target)
        return Flow(frozenset(), target, target).then(self.of_block(statement.body))

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
            turn = self.loop(statement)
            first = names(statement.iter) if isinstance(statement, ast.For) else frozenset()
            return Flow(first | turn.reads, frozenset(), turn.writes)
        return Flow(names(statement))


def names(node: ast.AST) -> frozenset:
    """All names in an expression."""
    return frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name))
