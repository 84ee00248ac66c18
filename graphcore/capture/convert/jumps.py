"""return, break and continue as structured branches.

What follows an `if` of which a branch jumps moves into the branches that go on, so that every jump stands at the end of
its block::

    if a:                        if a:
        return x         →           return x
    b()                          else:
    return y                         b()
                                     return y

In the body of a loop a jump then needs no jumping: `continue` is the end of the body, `break` sets a flag that the loop
looks at, `return` sets that flag and keeps its value, and an `if` behind the loop returns it.  The blocks of with, try
and match are treated likewise.

Nodes are marked for `rewrite` by attributes: `If.returns` (both branches end by returning), `For/While.stop` (the name
of the flag that ends the loop), `FunctionDef.generated`, `Call.plain` (not to be converted), `Call.also_binds` (names).
"""
from __future__ import annotations

import ast
import copy
import itertools
from dataclasses import dataclass, field

from graphcore.capture.convert.names import bound_names, statements_of
from graphcore.capture.convert.syntax import PREFIX, assign, at, function_def, load

_LOOPS = (ast.For, ast.While)
_NATIVE = (ast.With, ast.Try, ast.Match, *((ast.TryStar,) if hasattr(ast, "TryStar") else ()))


@dataclass
class _Frame:
    """The construct that jumps leave, and the names of the flags that they set instead; `used` collects those."""

    kind: str                                   # "function", "loop" or "native"
    returned: str = ""
    value: str = ""
    broken: str = ""
    continued: str = ""
    used: set = field(default_factory=set)


def structured(body: list) -> list:
    """The body of a function with jumps at the ends of blocks only, and none inside of loops; `body` is used up."""
    return _Jumps().block(body, _Frame("function"), ends=True)


class _Jumps:
    def __init__(self):
        self._numbers = itertools.count()

    def _frame(self, kind: str) -> _Frame:
        number = next(self._numbers)
        return _Frame(kind, *(f"{PREFIX}{what}_{number}" for what in ("returned", "value", "broken", "continued")))

    def block(self, statements: list, frame: _Frame, ends: bool = False) -> list:
        """`statements` structured.  ends: the block ends the function, so its end returns None."""
        result: list = []
        for position, s in enumerate(statements):
            rest = statements[position + 1:]
            if isinstance(s, (ast.Return, ast.Break, ast.Continue)):
                return result + self._jump(s, frame)
            if isinstance(s, ast.Raise):
                return result + [s]
            if isinstance(s, ast.If) and _jumps(s):
                return result + self._branches(s, rest, frame, ends)
            follow: list = []
            if isinstance(s, _LOOPS):
                before, follow = self._loop(s)
                result += before
            elif isinstance(s, _NATIVE):
                before, follow = self._native(s)
                result += before
            elif isinstance(s, ast.If):
                s.body, s.orelse = self.block(s.body, frame), self.block(s.orelse, frame)
            result.append(s)
            if follow:
                return result + self.block(follow + rest, frame, ends)
        if ends:
            result.append(at(statements[-1] if statements else None, ast.Return(ast.Constant(None))))
        return result

    def _jump(self, s, frame: _Frame) -> list:
        if isinstance(s, ast.Return):
            value = s.value or at(s, ast.Constant(None))
            if frame.kind == "function":
                s.value = value
                return [s]
            flags = [frame.returned, *([frame.broken] if frame.kind == "loop" else [])]
            frame.used.add(frame.returned)
            return [assign(s, frame.value, value), *(assign(s, f, ast.Constant(True)) for f in flags)]
        if isinstance(s, ast.Continue) and frame.kind == "loop":
            return [at(s, ast.Pass())]
        flag = frame.broken if isinstance(s, ast.Break) else frame.continued
        frame.used.add(flag)
        return [assign(s, flag, ast.Constant(True))]

    def _branches(self, s: ast.If, rest: list, frame: _Frame, ends: bool) -> list:
        """An `if` with jumps in it, with `rest` inside its branches; a function of its own where both go on."""
        before: list = []
        if rest and _goes_on(s.body) and _goes_on(s.orelse):
            body = self.block(rest, frame, ends)
            name = f"{PREFIX}rest_{next(self._numbers)}"
            function = function_def(rest[0], name, body)
            function.generated = True
            before.append(function)
            call = at(rest[0], ast.Call(load(name), [], []))
            call.plain, call.also_binds = True, bound_names(body)
            rest = [at(rest[0], ast.Return(call) if ends else ast.Expr(call))]
        for branch in ("body", "orelse"):
            block = getattr(s, branch)
            block = self.block(block + copy.deepcopy(rest) if _goes_on(block) else block, frame, ends)
            setattr(s, branch, block or ([at(s, ast.Pass())] if branch == "body" else []))
        s.returns = ends
        return [*before, s]

    def _loop(self, s):
        frame = self._frame("loop")
        s.body = self.block(s.body, frame) or [at(s, ast.Pass())]
        endless = isinstance(s, ast.While) and isinstance(s.test, ast.Constant) and s.test.value
        orelse, s.orelse = s.orelse, []
        before, follow = [], []
        if frame.used:
            before.append(assign(s, frame.broken, ast.Constant(False)))
            s.stop = frame.broken
        if frame.returned in frame.used:
            back = at(s, ast.Return(load(frame.value)))
            if endless and frame.broken not in frame.used:
                return before, [back]
            before.append(assign(s, frame.returned, ast.Constant(False)))
            follow.append(_if(s, frame.returned, [back]))
        if orelse and frame.broken in frame.used:
            follow.append(_if(s, frame.broken, [at(s, ast.Pass())], orelse))
        else:
            follow += orelse
        return before, follow

    def _native(self, s):
        """with, try, match: the jumps that their blocks ask for stand behind them."""
        frame, in_body = self._frame("native"), []
        for holder, name in _blocks(s):
            block = self.block(getattr(holder, name), frame)
            if name == "orelse" and block:      # of a try: not reached if its body jumps
                for flag in in_body:
                    block = [_if(s, flag, [at(s, ast.Pass())], block)]
            elif holder is s and name == "body":
                in_body = sorted(frame.used)
            setattr(holder, name, block or ([at(s, ast.Pass())] if name == "body" else []))
        jumps = {frame.returned: ast.Return(load(frame.value)), frame.broken: ast.Break(),
                 frame.continued: ast.Continue()}
        used = [flag for flag in jumps if flag in frame.used]
        return ([assign(s, flag, ast.Constant(False)) for flag in used],
                [_if(s, flag, [at(s, jumps[flag])]) for flag in used])


def _jumps(node) -> bool:
    """Whether a statement leaves the block that it stands in by return, break or continue."""
    nested = {id(inner) for n in statements_of(node) if isinstance(n, _LOOPS) and n is not node
              for part in n.body for inner in statements_of(part)}
    return any(isinstance(n, ast.Return) or isinstance(n, (ast.Break, ast.Continue)) and id(n) not in nested
               for n in statements_of(node))


def _goes_on(block: list) -> bool:
    """Whether the end of a block can be reached."""
    if not block:
        return True
    last = block[-1]
    if isinstance(last, ast.If):
        return _goes_on(last.body) or _goes_on(last.orelse)
    return not isinstance(last, (ast.Return, ast.Break, ast.Continue, ast.Raise))


def _blocks(s):
    """(holder, attribute) of each block of a with, try or match statement."""
    if isinstance(s, ast.Match):
        return [(case, "body") for case in s.cases]
    if isinstance(s, ast.With):
        return [(s, "body")]
    return [(s, "body"), *((h, "body") for h in s.handlers), (s, "orelse"), (s, "finalbody")]


def _if(place, flag: str, body: list, orelse=()) -> ast.If:
    return at(place, ast.If(load(flag), body, list(orelse)))
