"""What is known of integers that count: values linear in a loop's index, and `while` loops that are counted loops."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from graphcore.compiler.passes.algebra import constant_value
from graphcore.compiler.passes.loops import LoopDraft
from graphcore.compiler.passes.regions import Successor, succeeded_by
from graphcore.dtype import int64
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise

_MOST = 1 << 31


def progression(node: Node, index: Node, length: int | None, known: dict):
    """(step, first value) of an integer that is step * index + first, or None.

    length: the index is at least 0 and less than that (None: it may be anything); known: what was found before.
    """
    if node not in known:
        known[node] = _find_progression(node, index, length, known)
    return known[node]


def _find_progression(node: Node, index: Node, length: int | None, known: dict):
    if node is index:
        return 1, 0
    value = constant_value(node)
    if isinstance(value, int) and not isinstance(value, bool):
        return 0, value
    if node.op == "cast" and node.dtype.name in ("int32", "int64"):
        return progression(node.inputs[0], index, length, known)
    if node.op in ("reshape", "broadcast_to"):
        return progression(node.inputs[0], index, length, known)
    if node.op == "select":
        return _chosen(node, index, length, known)
    if node.op not in ("add", "sub", "mul") or node.dtype.is_float:
        return None
    a, b = (progression(i, index, length, known) for i in node.inputs)
    if a is None or b is None:
        return None
    if node.op == "mul":
        if a[0] and b[0]:
            return None
        return a[0] * b[1] + a[1] * b[0], a[1] * b[1]
    sign = 1 if node.op == "add" else -1
    return a[0] + sign * b[0], a[1] + sign * b[1]


def _chosen(node: Node, index: Node, length: int | None, known: dict):
    """select(e < 0, a, b), as indexing writes it, where e has one sign in all iterations."""
    condition, negative, other = node.inputs
    if length is None or condition.op != "lt" or constant_value(condition.inputs[1]) != 0:
        return None
    tested = progression(condition.inputs[0], index, length, known)
    if tested is None:
        return None
    ends = (tested[1], tested[1] + tested[0] * (length - 1))
    if (ends[0] < 0) != (ends[1] < 0):
        return None
    return progression(negative if ends[0] < 0 else other, index, length, known)


def counted(region: Node, used: tuple) -> Successor | None:
    """while i < bound: ...; i += step -> a loop of known length, where no tape is used"""
    if any(k > region.attrs["carried"] for k in used):
        return None
    draft = LoopDraft.of(region)
    found = _counter(draft)
    if found is None:
        return None
    counter, start, step, length = found
    index = ir.input_("i'", TensorType(int64, ()))
    value = pointwise.cast(index, dtype=counter.dtype) if counter.dtype is not int64 else index
    value = pointwise.add(pointwise.mul(value, pointwise.literal(step, counter)), pointwise.literal(start, counter))
    number = list(draft.starts).index(counter)
    starts = {leaf: s for leaf, s in draft.starts.items() if leaf is not counter}
    after = draft.after[:number] + draft.after[number + 1:]
    new = replace(draft, parts=replace(draft.parts, length=length), index=(index,), starts=starts, after=after, kept=(),
                  condition=()).with_roots({counter: value}).make()
    known = {number: pointwise.literal(start + step * length, counter), len(draft.starts): ir.const(np.int64(length))}
    others = succeeded_by(new, {k: k - (k > number) for k in used if k not in known})
    return Successor({**others.results, **{k: v for k, v in known.items() if k in used}}, others.effects)


def _counter(draft: LoopDraft):
    """(leaf, start, step, number of iterations) of the carried integer that alone decides when a `while` ends."""
    flag, *effects = draft.condition
    if flag.op not in ("lt", "le", "gt", "ge") or effects:
        return None
    leaf, bound = flag.inputs[0], constant_value(flag.inputs[1])
    if leaf not in draft.starts or not leaf.dtype.is_integer or bound is None:
        return None
    start = constant_value(draft.starts[leaf])
    change = progression(draft.after[list(draft.starts).index(leaf)], leaf, None, {})
    if start is None or change is None or change[0] != 1 or not change[1]:
        return None
    step, sign = change[1], 1 if flag.op in ("lt", "le") else -1
    if step * sign <= 0:
        return None
    distance = (bound - start) * sign + (flag.op in ("le", "ge"))
    length = max(0, -(-distance // abs(step)))
    return (leaf, start, step, length) if length < _MOST and _holds(leaf, start + step * length) else None


def _holds(leaf: Node, value: int) -> bool:
    limits = np.iinfo(leaf.dtype.storage)
    return limits.min <= value <= limits.max


COUNT = (("while", counted),)
