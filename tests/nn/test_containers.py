"""SequentialCell, CellList and CellDict: items, names, calls, and bad input."""
from collections import OrderedDict

import numpy as np
import pytest

from graphcore import context
from graphcore.capture import guards
from graphcore.capture.compiled import capture_call
from graphcore.nn import Cell, CellDict, CellList, SequentialCell
from graphcore.ops import pointwise
from graphcore.ops.dispatch import apply, operands
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

PAIR = Tensor([1.0, 2.0])


@pytest.fixture
def pynative():
    context.set_context(mode=context.PYNATIVE_MODE)


class Scale(Cell):
    """x * w"""

    def __init__(self, value=2.0):
        super().__init__()
        self.w = Parameter(Tensor([value, value]))

    def construct(self, x):
        return apply(pointwise.mul, *operands(x, self.w))


def capture(cell, *args):
    return capture_call(cell._run_construct, args, {}, "t", cell)


def test_containers_are_guarded():
    class Net(Cell):
        def __init__(self):
            super().__init__()
            self.list, self.seq, self.dict = CellList([Scale()]), SequentialCell(Scale()), CellDict({"k": Scale()})

        def construct(self, x):
            for cell in self.list:
                x = cell(x)
            for cell in self.dict.values():
                x = cell(x)
            return self.list[-1](self.seq(x))

    net = Net()
    for change in (lambda: net.list.append(Scale()), lambda: net.seq.append(Scale()),
                   lambda: net.dict.update({"l": Scale()}),
                   lambda: net.list.insert(0, Scale()), lambda: net.seq.__setitem__(0, Scale()),
                   lambda: net.list.__delitem__(0), lambda: net.dict.pop("k")):
        reads = capture(net, PAIR).reads
        assert guards.changed(reads) is None
        change()
        assert guards.changed(reads) is not None


def test_sequential(pynative):
    a, b, c = Scale(2.0), Scale(3.0), Scale(5.0)
    seq = SequentialCell([a, b])
    assert seq(PAIR).asnumpy().tolist() == [6, 12]
    assert len(seq) == 2 and seq[0] is a and seq[-1] is b and list(seq) == [a, b]
    assert seq.append(c) is seq and seq(PAIR).asnumpy().tolist() == [30, 60]
    assert [p.name for p in seq.get_parameters()] == ["0.w", "1.w", "2.w"]
    del seq[0]
    assert list(seq) == [b, c] and [p.name for p in seq.get_parameters()] == ["0.w", "1.w"]
    seq[0] = a
    assert list(seq[0:1]) == [a] and isinstance(seq[0:1], SequentialCell) and a.w.name == "0.w"
    named = SequentialCell(OrderedDict([("x", a), ("y", b)]))
    assert named.x is a and named[1] is b and [p.name for p in named.get_parameters()] == ["x.w", "y.w"]
    named.y = c
    assert named(PAIR).asnumpy().tolist() == [10, 20] and bool(SequentialCell())
    assert SequentialCell()(PAIR) is PAIR
    for wrong, error in ((lambda: SequentialCell(a, lambda x: x), TypeError), (lambda: seq[5], IndexError),
                         (lambda: SequentialCell([Scale]), TypeError), (lambda: seq["a"], TypeError),
                         (lambda: seq.append(3), TypeError)):
        with pytest.raises(error):
            wrong()


def test_cell_list():
    a, b, c = Scale(), Scale(), Scale()
    cells = CellList([a])
    cells += [b]
    cells.insert(0, c)
    assert list(cells) == [c, a, b] and list(reversed(cells)) == [b, a, c]
    assert cells[-1] is b and cells[np.int64(0)] is c
    assert [p.name for p in cells.get_parameters()] == ["0.w", "1.w", "2.w"]
    assert list(cells[1:]) == [a, b] and a.w.name == "1.w", "a slice does not rename"
    del cells[0]
    assert list(cells) == [a, b] and a.w.name == "0.w"
    cells[1] = c
    assert list(cells) == [a, c] and list(CellList(a, b)) == [a, b] and list(CellList(CellList([a]))) == [a]
    for wrong, error in ((lambda: CellList([a, 3]), TypeError), (lambda: cells[3], IndexError),
                         (lambda: cells.extend(3), TypeError), (lambda: cells.insert(9, a), IndexError)):
        with pytest.raises(error):
            wrong()
    with pytest.raises(NotImplementedError):
        cells.construct(PAIR)


def test_cell_dict():
    a, b, c = Scale(), Scale(), Scale()
    cells = CellDict([["a", a], ["b", b]])
    cells["c"] = c
    cells.update({"d": a})
    assert list(cells) == list(cells.keys()) == ["a", "b", "c", "d"] and len(cells) == 4
    assert cells["b"] is b and cells.c is c
    assert [p.name for p in cells.get_parameters()] == ["d.w", "b.w", "c.w"]
    assert cells.pop("a") is a and "a" not in cells and [k for k, _ in cells.items()] == ["b", "c", "d"]
    assert list(CellDict(cells)) == ["b", "c", "d"]
    cells.clear()
    assert not list(cells.values()) and bool(cells)
    for wrong, error in ((lambda: CellDict({"a.b": a}), KeyError), (lambda: CellDict({"keys": a}), KeyError),
                         (lambda: CellDict({1: a}), TypeError), (lambda: CellDict({"a": 3}), TypeError),
                         (lambda: CellDict()["x"], KeyError), (lambda: CellDict(3), TypeError)):
        with pytest.raises(error):
            wrong()


def test_attributes_of_a_sequential_subclass_are_no_links():
    class Head(SequentialCell):
        def __init__(self):
            super().__init__(Scale(2.0), Scale(3.0))
            self.extra = Scale(5.0)

    head = Head()
    assert len(head) == 2 and [p.name for p in head.get_parameters()] == ["0.w", "1.w", "extra.w"]
    del head[0]
    assert len(head) == 1 and [p.name for p in head.get_parameters()] == ["0.w", "extra.w"]


def test_insert_child_to_cell():
    cells = CellList()
    cells.insert_child_to_cell("0", Scale())
    named = CellDict()
    named.insert_child_to_cell("k", Scale())
    assert len(cells) == len(named) == 1 and cells[0].w.name == "0.w" and named["k"].w.name == "k.w"


def test_subclassed_containers_keep_their_constructor():
    class Block(SequentialCell):
        def __init__(self, n):
            super().__init__(*[Scale() for _ in range(n)])

    block = Block(3)
    assert len(block[:2]) == 2 and [p.name for p in block.get_parameters()] == ["0.w", "1.w", "2.w"]
