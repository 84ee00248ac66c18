"""Cell: attributes, calls, hooks, modes, copies, printing."""
import copy
import pickle

import numpy as np
import pytest

from graphcore import context
from graphcore import dtype as dt
from graphcore.capture import epoch, guards
from graphcore.capture.compiled import capture_call
from graphcore.capture.trace import Trace
from graphcore.errors import CaptureError
from graphcore.initializer import initializer
from graphcore.nn import Cell, CellList, SequentialCell
from graphcore.ops import pointwise
from graphcore.ops.dispatch import apply, operands
from graphcore.parameter import Parameter, ParameterTuple
from graphcore.tensor import Tensor

PAIR = Tensor([1.0, 2.0])


def multiply(x, y):
    return apply(pointwise.mul, *operands(x, y))


def plus(x, y):
    return apply(pointwise.add, *operands(x, y))


@pytest.fixture
def pynative():
    context.set_context(mode=context.PYNATIVE_MODE)


class Scale(Cell):
    """x * w"""

    def __init__(self, value=2.0, n=2):
        super().__init__()
        self.w = Parameter(Tensor([value] * n))

    def construct(self, x):
        return multiply(x, self.w)

    def extend_repr(self):
        return f"n={self.w.shape[0]}"


class Double(Cell):
    """Two Scales, one after the other."""

    def __init__(self):
        super().__init__()
        self.first = Scale(2.0)
        self.second = Scale(3.0)
        self.alpha = 1.5

    def construct(self, x):
        return multiply(self.second(self.first(x)), Tensor(self.alpha))


def capture(cell, *args):
    return capture_call(cell._run_construct, args, {}, "t", cell)


# -- calls ---------------------------------------------------------------------------------------------
def test_eager_call(pynative):
    assert Double()(PAIR).asnumpy().tolist() == [9, 18]


def test_capture_names_parameters_and_scopes():
    net = Double()
    captured = capture(net, PAIR)
    assert list(captured.parameters) == ["first.w", "second.w"]
    scopes = {o.scope for node in captured.graph.nodes for o in captured.graph.origins.of(node)}
    assert {"first", "second"} <= scopes


def test_reads_in_construct_are_guarded():
    net = Double()
    reads = capture(net, PAIR).reads
    assert guards.changed(reads) is None
    for change in (lambda: setattr(net, "alpha", 2.5), lambda: setattr(net, "first", Scale()),
                   lambda: setattr(net.second, "w", Parameter(PAIR)),
                   lambda: net.first.register_forward_hook(lambda cell, x, y: y)):
        reads = capture(net, PAIR).reads
        before = epoch.structure[0]
        change()
        assert epoch.structure[0] != before and guards.changed(reads) is not None
    reads = capture(net, PAIR).reads
    net.alpha, before = 2.5, epoch.structure[0]
    net.alpha = 2.5
    net.set_train(False)
    assert guards.changed(reads) is None


def test_assigning_to_a_parameter_in_construct(pynative):
    class Net(Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor([1.0, 1.0]))

        def construct(self, x):
            self.w = plus(self.w, x)
            return multiply(self.w, Tensor(10.0))

    net = Net()
    w = net.w
    captured = capture(net, PAIR)
    assert [name for name, _ in captured.graph.updates] == ["w"] and w.value().tolist() == [1, 1]
    assert net(PAIR).asnumpy().tolist() == [20, 30] and net.w is w and w.value().tolist() == [2, 3]


def test_graph_mode_sees_every_change():
    net = Double()
    assert net(PAIR).asnumpy().tolist() == [9, 18]
    net.first.w.set_data(Tensor([1.0, 1.0]))
    assert net(PAIR).asnumpy().tolist() == [4.5, 9]
    net.first.w.asnumpy()[0] = 0
    assert net(PAIR).asnumpy().tolist() == [0, 9]
    net.alpha = 1.0
    assert net(PAIR).asnumpy().tolist() == [0, 6]
    net.second.w = Tensor([1.0, 1.0])
    assert net(PAIR).asnumpy().tolist() == [0, 2]
    net.first = Scale(5.0)
    assert net(PAIR).asnumpy().tolist() == [5, 10]
    net.second.w = Parameter(Tensor([2.0, 2.0]))
    assert net(PAIR).asnumpy().tolist() == [10, 20]
    net.register_forward_hook(lambda cell, inputs, output: plus(output, output))
    assert net(PAIR).asnumpy().tolist() == [20, 40]
    for cell in (net.first, net.second):
        cell.w.set_data(Tensor([1.0, 1.0, 1.0]), slice_shape=True)
    assert net(Tensor([1.0, 2.0, 3.0])).asnumpy().tolist() == [2, 4, 6]


def test_tensors_do_not_leak_out_of_a_capture():
    class Net(Cell):
        def construct(self, x):
            self.kept = x
            return x

    net = Net()
    capture(net, PAIR)
    assert not hasattr(net, "kept"), "what construct does to its Cell is done after each run, not by the capture"


def test_no_construct_and_no_init(pynative):
    with pytest.raises(AttributeError, match="construct"):
        Cell()(PAIR)

    class Bare(Cell):
        def __init__(self):
            self.plain = 3
            super().__init__()

    assert Bare().plain == 3, "plain attributes may come before super().__init__()"

    class Forgot(Cell):
        def __init__(self):
            pass

    with pytest.raises(AttributeError, match=r"super\(\).__init__"):
        Forgot().w = Parameter(PAIR)
    with pytest.raises(AttributeError, match=r"super\(\).__init__"):
        Forgot().c = Scale()
    with pytest.raises(AttributeError, match=r"super\(\).__init__"):
        Forgot()(PAIR)
    with pytest.raises(AttributeError, match=r"super\(\).__init__"):
        Scale().child = Forgot()


# -- attributes ----------------------------------------------------------------------------------------
def test_assigning_to_registered_names():
    net = Scale()
    w = net.w
    net.w = Tensor([5.0, 6.0])
    assert net.w is w and w.value().tolist() == [5, 6]
    for wrong in (3, "x"):
        with pytest.raises(TypeError, match="w is a Parameter"):
            net.w = wrong
    with pytest.raises(KeyError):
        net.w = Scale()
    net.w = Parameter(PAIR, name="other")
    assert net.w.name == "other" and len(list(net.get_parameters())) == 1
    net.w = None
    assert net.w is None and list(net._params) == ["w"] and not list(net.get_parameters())
    net.w = Parameter(PAIR)
    assert net.w.name == "w"
    net.child = Scale()
    with pytest.raises(TypeError, match="child is a sub-cell"):
        net.child = 3
    with pytest.raises(TypeError):
        net.child = Parameter(PAIR)
    net.child = None
    assert net.child is None and not list(net.cells())


def test_none_can_become_a_layer_and_a_parameter():
    net = Cell()
    net.down, net.bias = None, None
    net.down, net.bias = Scale(), Parameter(PAIR)
    assert [p.name for p in net.get_parameters()] == ["bias", "down.w"]


def test_delete_and_missing_attributes():
    net = Double()
    del net.first
    assert not hasattr(net, "first") and [p.name for p in net.get_parameters()] == ["second.w"]
    del net.second.w, net.alpha
    assert not list(net.get_parameters())
    with pytest.raises(AttributeError, match="The 'Scale' object has no attribute 'nope'"):
        getattr(Scale(), "nope")  # noqa: B009
    with pytest.raises(AttributeError, match="Did you mean 'second'"):
        getattr(Double(), "secnod")  # noqa: B009
    with pytest.raises(AttributeError):
        del net.nothing


def test_plain_tensor_is_no_parameter():
    net = Cell()
    net.t = PAIR
    assert net.t is PAIR and not list(net.get_parameters())


def test_parameter_tuple_attribute():
    net = Cell()
    net.ws = ParameterTuple([Parameter(PAIR, name=f"w{i}") for i in range(3)])
    assert [(k, p.name) for k, p in net.parameters_and_names()] == [("w0", "w0"), ("w1", "w1"), ("w2", "w2")]
    net.ws = ParameterTuple([Parameter(PAIR), Parameter(PAIR)])
    assert [p.name for p in net.get_parameters()] == ["ws.0", "ws.1"]
    outer = Cell()
    outer.sub = net
    assert [p.name for p in outer.get_parameters()] == ["sub.ws.0", "sub.ws.1"]
    del net.ws
    assert not list(outer.get_parameters())


def test_property_setters_are_respected():
    class Net(Cell):
        @property
        def weight(self):
            return self._weight

        @weight.setter
        def weight(self, value):
            self.set_by = "setter"
            self.inner = value

    net = Net()
    net.weight = Parameter(PAIR)
    assert net.set_by == "setter" and [p.name for p in net.get_parameters()] == ["inner"]


def test_insert_param_and_child():
    net = Cell()
    net.insert_param_to_cell("w", Parameter(PAIR))
    net.insert_param_to_cell("w", Parameter(PAIR))
    net.insert_child_to_cell("kid", Scale())
    assert [p.name for p in net.get_parameters()] == ["w", "kid.w"]
    for args, error in ((("a.b", Parameter(PAIR)), KeyError), (("", Parameter(PAIR)), KeyError),
                        (("q", PAIR), TypeError), (("training", Parameter(PAIR)), KeyError)):
        with pytest.raises(error):
            net.insert_param_to_cell(*args)
    for args, error in ((("kid", Scale()), KeyError), (("x", 3), TypeError), (("a.b", Scale()), KeyError)):
        with pytest.raises(error):
            net.insert_child_to_cell(*args)


# -- modes and options -----------------------------------------------------------------------------------
def test_modes():
    net = Double()
    assert not net.training and net.phase == "train"
    assert net.set_train() is net and net.first.training and net.second.phase == "train"
    before = epoch.structure[0]
    net.set_train()
    assert epoch.structure[0] == before, "nothing changed"
    net.set_train(False)
    assert not net.first.training and net.first.phase == "predict" and epoch.structure[0] != before
    assert net.set_grad() is net and net.recompute() is None
    assert net.cls_name == "Double" and net.get_flags()["training"] is False
    assert net.add_flags_recursive(fused=True).first.fused and net.second.get_flags()["fused"]


def test_to_float(pynative):
    net = Double().to_float(dt.float16)
    result = net(PAIR)
    assert result.dtype is dt.float16 and result.asnumpy().tolist() == [9, 18] and net.first.w.dtype is dt.float32
    assert net.first.get_flags()["fp16"] is True and net.first(PAIR).dtype is dt.float16
    assert capture(net, PAIR).graph.outputs[0].dtype is dt.float16
    with pytest.raises(ValueError):
        net.to_float(dt.int32)


def test_set_inputs():
    net = Scale()
    assert net.get_inputs() is None
    spec = Tensor(shape=(None, 2), dtype=dt.float32)
    net.set_inputs(spec)
    assert net.get_inputs() == (spec,)
    net.set_inputs(x=spec)
    assert net.get_inputs() == {"x": spec}
    with pytest.raises(ValueError):
        net.set_inputs()


def test_hooks(pynative):
    net, seen = Scale(), []
    pre = net.register_forward_pre_hook(lambda cell, inputs: seen.append(("pre", inputs)))
    change = net.register_forward_hook(lambda cell, inputs, output: plus(output, output))
    first = net.register_forward_pre_hook(lambda cell, args, kwargs: (seen.append("first"), ((PAIR,), kwargs))[1],
                                          prepend=True, with_kwargs=True)
    assert net(Tensor([5.0, 5.0])).asnumpy().tolist() == [4, 8]
    assert seen == ["first", ("pre", (PAIR,))]
    assert capture(net, PAIR).graph.outputs[0].op == "add"
    for handle in (pre, change, first, first):
        handle.remove()
    assert net(PAIR).asnumpy().tolist() == [2, 4] and len(seen) == 4
    for register in (net.register_forward_hook, net.register_backward_hook, net.register_backward_pre_hook):
        with pytest.raises(TypeError):
            register(3)


def test_buffers_and_state_dict():
    net = Double()
    net.first.register_buffer("seen", Tensor([0.0]))
    net.register_buffer("scratch", Tensor([1.0]), persistent=False)
    assert net.first.seen.asnumpy() == 0 and list(net.state_dict()) == ["first.w", "first.seen", "second.w"]
    assert [n for n, _ in net.named_buffers()] == ["scratch", "first.seen"]
    assert len(list(net.buffers(recurse=False))) == 1
    assert net.get_buffer("first.seen") is net.first.seen
    assert [p.name for p in net.get_parameters()] == ["first.w", "second.w"]
    net.first.seen = Tensor([4.0])
    assert net.state_dict()["first.seen"].asnumpy() == 4
    with pytest.raises(RuntimeError, match='Missing key.*"first.seen".*\n.*|Missing'):
        net.load_state_dict({"first.w": PAIR})
    with pytest.raises(RuntimeError, match="size mismatch for first.w"):
        net.load_state_dict({"first.w": Tensor([1.0]), "second.w": Tensor([0.0, 0.0])}, strict=False)
    assert net.second.w.value().tolist() == [3, 3], "nothing is written if anything is wrong"
    result = net.load_state_dict({"first.w": np.array([7.0, 8.0]), "x": PAIR}, strict=False)
    assert result == (["first.seen", "second.w"], ["x"]) and net.first.w.value().tolist() == [7, 8]
    for args, error in (((3, PAIR), TypeError), (("a.b", PAIR), KeyError), (("alpha", PAIR), KeyError),
                        (("b", 3), TypeError)):
        with pytest.raises(error):
            net.register_buffer(*args)


# -- copies and printing ---------------------------------------------------------------------------------
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_deep_copies(duplicate, pynative):
    net = Double()
    net(PAIR)
    other = duplicate(net)
    assert [p.name for p in other.get_parameters()] == ["first.w", "second.w"] and other.alpha == 1.5
    assert other.first.w is other.first._params["w"] is not net.first.w
    other.first.w.set_data(Tensor([0.0, 0.0]))
    assert other(PAIR).asnumpy().tolist() == [0, 0] and net(PAIR).asnumpy().tolist() == [9, 18]


def test_shallow_copy_has_a_registry_of_its_own():
    net = Double()
    other = copy.copy(net)
    other.first = Scale(5.0)
    assert net.first is not other.first and net._cells["first"] is net.first


def test_repr_is_mindspores_tree():
    class Net(Cell):
        def __init__(self):
            super().__init__()
            self.a = Scale()
            self.b = SequentialCell(SequentialCell(Cell()), Scale())
            self.c = CellList()

        def extend_repr(self):
            return "one=1,\ntwo=2"

    assert repr(Net()) == ("Net(\n  one=1,\n  two=2\n  (a): Scale(n=2)\n  (b): SequentialCell(\n"
                           "    (0): SequentialCell(\n      (0): Cell()\n    )\n"
                           "    (1): Scale(n=2)\n  )\n  (c): CellList()\n)")


def test_a_cell_made_inside_construct():
    class Doubled(Cell):
        def construct(self, x):
            return x + x

    class Net(Cell):
        def __init__(self, kind):
            super().__init__()
            self.kind = kind

        def construct(self, x):
            return self.kind()(x)

    with Trace("t").active():
        assert Net(Doubled)._run_construct(PAIR).shape == (2,)
        with pytest.raises(CaptureError, match="their weights would be new in every call"):
            Net(Scale)._run_construct(PAIR)


def test_lazy_parameters_stay_lazy_through_a_capture():
    net = Cell()
    net.w = Parameter(initializer("ones", [2]))
    net.construct = lambda x: plus(x, net.w)
    capture(net, PAIR)
    assert net.w.has_init
