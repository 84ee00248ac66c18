"""if, conditional expressions, and, or, not, comparisons: Python on Python values, regions on tensors."""
from __future__ import annotations

import operator
from collections.abc import Callable

from graphcore import dtype as dt
from graphcore.capture import places
from graphcore.capture.language.nests import JoinError, Slot, Undefined, join, pair_nodes, put_together
from graphcore.capture.location import locate
from graphcore.capture.regions import Operands, RegionTrace, place_region
from graphcore.capture.trace import Trace, TracedNumber, TracedTensor, current_trace
from graphcore.errors import CaptureError
from graphcore.ops import regions
from graphcore.tensor import Tensor

_ENDLESS = ("a function calls itself under a condition on a tensor, how often is known only when the program runs; "
            "write a while loop")
_DEEPEST_RECURSION = 16     # of one branch within itself, after which a recursion is taken to have no end


class Raises(BaseException):
    """A branch ends here, since the program raises an exception there; no error of Python's own."""


def truth(value):
    """A condition: a bool, or a traced tensor bool[] where only the program knows.

    Raises ValueError for a tensor of several elements.
    """
    if not isinstance(value, Tensor):
        return bool(value)
    trace = current_trace()
    if trace is None or not trace.symbolic:
        return bool(value)
    node = trace.node_of(value)
    if node.op == "const" or node.type.size != 1:
        return bool(trace.python_value(node, bool))
    from graphcore.ops import functional as F
    value = TracedTensor(node, trace)
    value = value if node.shape == () else F.reshape(value, ())
    return value if value.dtype is dt.bool_ else F.not_equal(value, 0)


def is_known(condition) -> bool:
    """Whether `truth` gave a bool."""
    return condition is True or condition is False


# -- statements -------------------------------------------------------------------------------------------------

def if_(test, then: Callable, orelse: Callable, names: tuple, get, put) -> None:
    """An `if` statement: the blocks as functions, the names that they bind, and how these are read and written."""
    condition = truth(test)
    if is_known(condition):
        (then if condition else orelse)()
    else:
        _branch(condition, then, orelse, names, get, put, returns=False)


def if_return(test, then: Callable, orelse: Callable, names: tuple, get, put):
    """An `if` statement that ends a function: the blocks return its result."""
    condition = truth(test)
    if is_known(condition):
        return then() if condition else orelse()
    return _branch(condition, then, orelse, names, get, put, returns=True)


def if_expression(test, then: Callable, orelse: Callable):
    """``then() if test else orelse()``."""
    return if_return(test, then, orelse, (), None, None)


def if_not_ended(ended: TracedTensor, body: Callable, names: tuple, get, put) -> None:
    """An iteration of an unrolled loop, unless a tensor has `ended` the loop.

    A variable whose values with and without it do not fit (the loop's own, over strings) must not be used behind it.
    """
    _branch(ended, lambda: None, body, names, get, put, returns=False, forgiving=True)


def _branch(condition: TracedTensor, then, orelse, names, get, put, returns: bool, forgiving: bool = False):
    """Both branches, each recorded in a trace of its own, and an `if` node for what differs between them."""
    outer = current_trace()
    before = get() if names else ()
    try:
        if then.__code__ in outer.root.decided:
            raise JoinError(_ENDLESS)
        forgiving = forgiving and outer.root is not outer
        return _recorded(outer, condition, (then, orelse), names, before, get, put, returns, forgiving)
    except JoinError as error:
        if names:
            put(before)
        if outer.root is not outer:
            raise locate(error) from None
        # The outermost trace may decide by the value itself, at the price of a program for each.
        return (then if outer.assume(condition.node) else orelse)()


def _recorded(outer: Trace, condition, blocks, names, before, get, put, returns, forgiving):
    operands, sides = Operands(outer), []
    for block in blocks:
        sides.append(_Side(operands, block, blocks, names, get, returns))
        if names:
            put(before)
    first, second = sides
    if first.raises and second.raises:
        _place(outer, condition, operands, sides, [])
        raise Raises
    pairs: list = []
    join_variable = _join_or_forget if forgiving else _join_sides
    joined = [join_variable(name, a, b, pairs, first, second) for name, a, b in zip(names, first.values, second.values)]
    result = _join_sides("the result", first.result, second.result, pairs, first, second)
    touched = _join_places(first, second, pairs)
    tensors = _place(outer, condition, operands, sides, pairs)
    known = [(side.values, side.result, [new for _, _, new in side.places.values()]) for side in sides]

    def settled(value):
        return places.own_new(put_together(value, tensors), known)

    for place, old, value in touched:
        places.note(outer, place, old)
        place.write(settled(value))
    if names:
        if outer.root is outer:
            for value in joined:
                if isinstance(value, Undefined):
                    value.may_decide(blocks[0].__code__)
        put(tuple(map(settled, joined)))
    return settled(result)


class _Side:
    """One branch, recorded."""

    def __init__(self, operands: Operands, block, blocks, names, get, returns: bool):
        self.trace = RegionTrace(operands, code=block.__code__)
        if self.trace.recursions(block.__code__) > _DEEPEST_RECURSION:
            self.trace.root.decided.update(b.__code__ for b in blocks)
            raise JoinError(_ENDLESS)
        self.raises, self.result, self.values = False, None, ()
        with self.trace.active():
            try:
                result = block()
                self.result = result if returns else None
                self.values = get() if names else ()
            except Raises:
                self.raises = True
            finally:
                self.places = places.restore(self.trace)


def _join_sides(name: str, a, b, pairs: list, first: _Side, second: _Side):
    """One value for the two branches'; that of the other one where a branch raises."""
    if first.raises:
        return join("gc_raises", _missing(), b, pairs)
    if second.raises:
        return join("gc_raises", a, _missing(), pairs)
    return join(name, a, b, pairs)


def _join_or_forget(name: str, a, b, pairs: list, first: _Side, second: _Side):
    known = len(pairs)
    try:
        return _join_sides(name, a, b, pairs, first, second)
    except JoinError as error:
        del pairs[known:]
        return Undefined(name, str(error).partition("\n")[0])


def _missing():
    from graphcore.capture.language.nests import UNBOUND
    return UNBOUND


def _join_places(first: _Side, second: _Side, pairs: list) -> list:
    found = []
    for key in dict.fromkeys((*first.places, *second.places)):
        place, old, _ = first.places.get(key) or second.places[key]
        a, b = (side.places[key][2] if key in side.places else old for side in (first, second))
        found.append((place, old, _join_sides(str(place), a, b, pairs, first, second)))
    return found


def _place(outer: Trace, condition, operands: Operands, sides, pairs) -> list:
    """The `if` node in the outer trace; the tensors for `pairs`.  Parameters written get their new values."""
    first, second = (side.trace for side in sides)
    outputs = [pair_nodes(pair, first, second) for pair in pairs]
    written = {**first.written, **second.written}
    outputs += [(first.value_now(p), second.value_now(p)) for p in written.values()]
    if not outputs and not first.effects and not second.effects:
        return []
    graphs = [side.graph(name, (o[i] for o in outputs)) for i, (name, side) in enumerate((("then", first),
                                                                                        ("else", second)))]
    node = regions.if_(condition.node, *operands.outer, then=graphs[0], orelse=graphs[1])
    tensors = place_region(outer, node, graphs)
    for parameter, tensor in zip(written.values(), tensors[len(pairs):]):
        outer.set_value(parameter, tensor.node)
    return tensors


# -- expressions --------------------------------------------------------------------------------------------------

def not_(value):
    """``not value``."""
    condition = truth(value)
    if is_known(condition):
        return not condition
    from graphcore.ops import functional as F
    return as_number(F.logical_not(condition))


def as_number(condition):
    """A truth value that leaves the graph as a Python bool."""
    return condition if is_known(condition) else TracedNumber(condition.node, condition.recorder)


def and_(first, *others: Callable):
    """``first and others()...``; of tensors the truth values, all computed unless that has effects."""
    return _chain(first, others, lambda a, b: _logical("logical_and", a, b), until=False)


def or_(first, *others: Callable):
    """``first or others()...``; of tensors the truth values, all computed unless that has effects."""
    return _chain(first, others, lambda a, b: _logical("logical_or", a, b), until=True)


def _chain(value, others, combine, until: bool):
    for number, other in enumerate(others):
        condition = truth(value)
        if not is_known(condition):
            for rest in others[number:]:
                condition = truth(rest()) if is_known(condition) else _combined(condition, rest, combine, until)
                if condition is until:
                    return until
            return condition
        if condition is until:
            return value
        value = other()
    return value


def _combined(condition: TracedTensor, rest: Callable, combine, until: bool):
    """`condition` and (or) the truth of rest(): in a branch of its own if that does more than compute."""
    if has_effects(rest):
        ends, goes_on = (lambda: until), (lambda: truth(rest()))
        return truth(if_expression(condition, *((ends, goes_on) if until else (goes_on, ends))))
    right = truth(rest())
    if is_known(right):
        return until if right is until else condition
    return combine(condition, right)


def has_effects(function: Callable, names: tuple = (), get=None, put=None) -> bool:
    """Whether a function writes state, prints, raises or gives a variable another value.

    Seen in a recording that is thrown away.  names, get, put: the variables to look at, as for `if_`.
    """
    before = get() if names else ()
    try:
        side = _Side(Operands(current_trace()), function, (function,), names, get, returns=True)
    except CaptureError:            # it will be raised again where it says more
        return False
    finally:
        if names:
            put(before)
    changed = any(new is not old for new, old in zip(side.values, before))
    return bool(changed or side.raises or side.trace.effects or side.trace.written or side.places)


def _logical(name, a, b):
    from graphcore.ops import functional as F
    return getattr(F, name)(a, b)


_COMPARE = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
            ">=": operator.ge, "is": operator.is_, "is not": operator.is_not}


def compare(left, names: tuple, *others: Callable):
    """A chain of comparisons, each operand evaluated once; ``in`` also among tensors."""
    result = True
    for name, other in zip(names, others):
        right = other()
        step = _contains(right, left, name) if name in ("in", "not in") else _COMPARE[name](left, right)
        if len(names) == 1:
            return step
        result = and_(result, lambda step=step: step)
        if result is False:
            return False
        left = right
    return result


def _contains(container, element, name: str):
    among = isinstance(container, (list, tuple)) and any(
        isinstance(v, TracedTensor) for v in (element, *container)) or isinstance(container, TracedTensor)
    if not among:
        found = element in container
        return found if name == "in" else not found
    if isinstance(container, Tensor):
        from graphcore.ops import functional as F
        found = F.any(F.equal(container, element))
    else:
        found = or_(False, *(lambda v=v: True if v is element else v == element for v in container))
    return as_number(truth(found)) if name == "in" else not_(found)


def local(read: Callable):
    """The value of a local variable, UNBOUND if it has none."""
    from graphcore.capture.language.nests import UNBOUND
    try:
        return read()
    except NameError:
        return UNBOUND


__all__ = ["CaptureError", "Slot", "and_", "compare", "if_", "if_expression", "if_return", "local", "not_", "or_"]
