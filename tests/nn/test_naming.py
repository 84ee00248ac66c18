"""The names of Parameters: structural paths, plain containers, clashes, and the walks over a net."""
import copy
import warnings

import numpy as np
import pytest

from graphcore import context
from graphcore.capture.compiled import capture_call
from graphcore.errors import NameClashError
from graphcore.initializer import initializer
from graphcore.nn import Adam, Cell, CellDict, CellList, SequentialCell
from graphcore.ops import pointwise
from graphcore.ops.dispatch import apply, operands
from graphcore.parameter import Parameter, ParameterTuple
from graphcore.tensor import Tensor

ONE = Tensor([1.0])


class Fc(Cell):
    """A layer with weight and bias, which it names as MindSpore's layers do."""

    def __init__(self, has_bias=True):
        super().__init__()
        self.weight = Parameter(initializer("ones", [1]), name="weight")
        self.bias = Parameter(initializer("zeros", [1]), name="bias") if has_bias else None

    def construct(self, x):
        return apply(pointwise.mul, *operands(x, self.weight))


class Sub(Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(ONE)
        self.v = Parameter(ONE, name="vv")
        self.fc = Fc(False)


class Norm(Cell):
    def __init__(self):
        super().__init__()
        self.moving_mean = Parameter(ONE, name="mean", requires_grad=False)
        self.moving_variance = Parameter(ONE, name="variance", requires_grad=False)
        self.gamma, self.beta = Parameter(ONE, name="gamma"), Parameter(ONE, name="beta")


class ConvBN(Cell):
    def __init__(self):
        super().__init__()
        self.conv = Fc(False)
        self.bn = Norm()


class Pair(Cell):
    """Two Cells as attributes a and b."""

    def __init__(self, a, b, auto_prefix=True):
        super().__init__(auto_prefix=auto_prefix)
        self.a, self.b = a, b


class Named(Cell):
    def __init__(self, name="w"):
        super().__init__()
        self.w = Parameter(ONE, name=name)

    def construct(self, x):
        return apply(pointwise.mul, *operands(x, self.w))


def names(cell) -> list:
    return [p.name for p in cell.get_parameters()]


def quiet_names(cell) -> list:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return names(cell)


# -- structural names ------------------------------------------------------------------------------------
def test_the_documented_example():
    class MyNet(Cell):
        def __init__(self):
            super().__init__()
            self.build_block = SequentialCell(ConvBN(), Cell())

    net = MyNet()
    assert quiet_names(net) == [f"build_block.0.{n}" for n in ("conv.weight", "bn.moving_mean", "bn.moving_variance",
                                                               "bn.gamma", "bn.beta")]
    assert str(next(net.get_parameters())) == \
        "Parameter (name=build_block.0.conv.weight, shape=(1,), dtype=Float32, requires_grad=True)"


def test_every_kind_of_child_is_named_by_its_path():
    class Net(Cell):
        def __init__(self):
            super().__init__()
            self.sub = Sub()
            self.lst = CellList([Fc(), Sub()])
            self.seq = SequentialCell(Fc(False), Cell(), Fc(False))
            self.d = CellDict({"k": Fc(False)})
            self.p = Parameter(ONE)

    net = Net()
    assert [k for k, _ in net.parameters_and_names()] == quiet_names(net) == [
        "p", "sub.w", "sub.v", "sub.fc.weight", "lst.0.weight", "lst.0.bias", "lst.1.w", "lst.1.v", "lst.1.fc.weight",
        "seq.0.weight", "seq.2.weight", "d.k.weight"]


def test_explicit_names_of_own_parameters_are_kept_until_the_cell_is_inserted():
    sub = Sub()
    assert quiet_names(sub) == ["w", "vv", "fc.weight"] and [k for k, _ in sub.parameters_and_names()][1] == "v"
    outer = Pair(sub, Cell())
    assert names(outer) == ["a.w", "a.v", "a.fc.weight"]


def test_containers_filled_after_insertion_are_no_part_of_the_names():
    """What MindSpore 2.10 gives for the same steps, so that its checkpoints fit."""
    net = Cell()
    net.cl, net.blk, net.d = CellList(), SequentialCell([Fc(False)]), CellDict()
    net.cl.append(Fc(False))
    net.cl.extend([Fc(False)])
    net.cl.insert(0, Fc(False))
    net.blk.append(Fc(False))
    net.d["k"] = Fc(False)
    assert quiet_names(net) == ["0.weight", "1.weight", "2.weight", "blk.0.weight", "blk.1.weight", "k.weight"]
    del net.cl[0]
    net.cl[0] = Fc()
    assert quiet_names(net.cl) == ["0.weight", "0.bias", "1.weight"]
    outer = Pair(net, Cell())
    assert quiet_names(outer)[:2] == ["a.cl.0.weight", "a.cl.0.bias"]
    net.cl.append(Fc(False))
    assert quiet_names(outer)[3] == "a.cl.2.weight"


def test_names_without_their_container_that_clash_take_their_paths():
    net = Cell()
    net.a, net.b = CellList(), CellList()
    net.a.append(Fc())
    net.b.extend([Fc(False), SequentialCell(Fc(False))])
    assert quiet_names(net) == ["a.0.weight", "a.0.bias", "b.0.weight", "b.1.0.weight"]
    net.c = CellList()
    net.c.append(Sub())
    assert quiet_names(net)[4:] == ["0.w", "0.v", "0.fc.weight"]


def test_replacing_below_the_root_keeps_the_whole_path():
    net = Pair(Pair(Fc(), Fc()), Cell())
    net.a.b = Fc(False)
    net.a.a.weight = Parameter(ONE)
    assert quiet_names(net) == ["a.a.weight", "a.a.bias", "a.b.weight"]


def test_the_last_insertion_names():
    fc = Fc(False)
    first = Pair(fc, Cell())
    second = Pair(Cell(), fc)
    assert names(first) == names(second) == ["b.weight"]
    wrapper = Pair(first, Cell(), auto_prefix=False)
    assert names(wrapper) == ["b.weight"]


def test_shared_cells_and_parameters_are_listed_once():
    net = Cell()
    net.fc1 = Fc(False)
    net.fc2 = net.fc1
    net.w = Parameter(ONE)
    net.w2 = net.w
    assert [(k, p.name) for k, p in net.parameters_and_names()] == [("w", "w"), ("fc1.weight", "fc2.weight")]
    tied = Pair(Fc(False), Fc(False))
    tied.b.weight = tied.a.weight
    assert [(k, p.name) for k, p in tied.parameters_and_names()] == [("a.weight", "a.weight")]


def test_an_optimisers_view_of_the_weights_does_not_rename_them():
    class Optimizer(Cell):
        def __init__(self, params):
            super().__init__(auto_prefix=False)
            self.parameters = ParameterTuple(params)
            self.moments = self.parameters.clone("moments", init="zeros")
            self.global_step = Parameter(0, name="global_step")

    net = Pair(Fc(False), Cell())
    step = Pair(net, Optimizer(net.trainable_params()), auto_prefix=False)
    assert quiet_names(step) == ["a.weight", "moments.a.weight", "global_step"]
    outer = Pair(step, Cell())
    assert net.a.weight.name == "a.a.a.weight" and "a.b.global_step" in quiet_names(outer)
    careless = Pair(net, Optimizer(net.trainable_params()))       # without auto_prefix=False
    assert net.a.weight.name == "a.a.weight"
    assert sorted(quiet_names(careless)) == ["a.a.weight", "b.global_step", "b.moments.a.a.a.weight"]


def test_attributes_take_the_names_of_parameters_in_tuples():
    net = Cell()
    net.eps, net.momentum = Parameter([0.5], name="eps"), Parameter([1.0], name="momentum")
    adam = Adam(net.trainable_params(), 0.1, eps=1e-9)
    adam.momentum = Tensor([9.0])
    adam(tuple(Tensor([1.0]) for _ in range(2)))
    assert (adam.eps, net.eps.name, net.momentum.name) == (1e-9, "eps", "momentum")
    np.testing.assert_allclose([net.eps.asnumpy()[0], net.momentum.asnumpy()[0]], [0.4, 0.9], atol=1e-3)
    assert {"eps", "momentum"} <= set(adam.parameters_dict())


def test_renaming():
    fc = Fc()
    fc._update_local_parameters_name("local.")
    assert names(fc) == ["local.weight", "local.bias"]
    fc.update_parameters_name("pre.")
    assert names(fc) == ["pre.weight", "pre.bias"]
    fc.update_parameters_name("again.")
    assert names(fc) == ["again.weight", "again.bias"]
    fc.weight.name = "custom"
    assert list(fc.parameters_dict()) == ["custom", "again.bias"]
    net = Cell()
    net.s = SequentialCell(Fc())
    assert (net.param_prefix, net.s.param_prefix, net.s[0].param_prefix) == ("", "s", "s.0")
    with pytest.raises(ValueError):
        fc.update_parameters_name(3)


def test_deep_copies_keep_names():
    layer = Pair(Fc(False), Cell())
    net = Cell()
    net.layers = CellList([copy.deepcopy(layer) for _ in range(2)])
    assert quiet_names(net) == ["layers.0.a.weight", "layers.1.a.weight"]
    assert quiet_names(copy.deepcopy(net)) == names(net)


# -- listing ---------------------------------------------------------------------------------------------
def test_walks():
    net = Cell()
    net.a = Fc()
    net.b = SequentialCell(Cell(), Norm())
    net.w = Parameter(ONE, requires_grad=False)
    assert type(net.get_parameters()).__name__ == "generator" and isinstance(net.trainable_params(), list)
    assert names(net) == ["w", "a.weight", "a.bias", "b.1.moving_mean", "b.1.moving_variance", "b.1.gamma", "b.1.beta"]
    assert [p.name for p in net.trainable_params()] == ["a.weight", "a.bias", "b.1.gamma", "b.1.beta"]
    assert [p.name for p in net.untrainable_params()] == ["w", "b.1.moving_mean", "b.1.moving_variance"]
    assert [p.name for p in net.get_parameters(expand=False)] == list(net.parameters_dict(recurse=False)) == ["w"]
    assert net.trainable_params(recurse=False) == [] and list(net.parameters_broadcast_dict()) == names(net)
    assert [type(c).__name__ for c in net.cells()] == ["Fc", "SequentialCell"] and list(net.name_cells()) == ["a", "b"]
    assert [(k, type(c).__name__) for k, c in net.cells_and_names()] == [
        ("", "Cell"), ("a", "Fc"), ("b", "SequentialCell"), ("b.0", "Cell"), ("b.1", "Norm")]
    assert next(net.parameters_and_names("net"))[0] == "net.w"
    assert net.get_sub_cell("b.1") is net.b[1] and net.get_sub_cell("") is net
    with pytest.raises(AttributeError):
        net.get_sub_cell("b.7")
    visited = []
    assert net.apply(lambda cell: visited.append(type(cell).__name__)) is net
    assert visited == ["Fc", "Cell", "Norm", "SequentialCell", "Cell"]


def test_init_parameters_data():
    net = Pair(Fc(), Cell())
    assert net.a.weight.has_init
    result = net.init_parameters_data()
    assert not net.a.weight.has_init and all(old is new for old, new in result.items()) and len(result) == 2


# -- plain containers --------------------------------------------------------------------------------------
class Listed(Cell):
    def __init__(self):
        super().__init__()
        self.blocks = [Fc(False), Fc(False)]
        self.table = {"x": Fc(False), "deep": [Fc(False)]}
        self.weights = [Parameter(ONE), Parameter(ONE, name="given")]
        self.sizes = [1, 2, 3]
        self.head = Fc(False)

    def construct(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


LISTED = ["weights.0", "given", "head.weight", "blocks.0.weight", "blocks.1.weight", "table.x.weight",
          "table.deep.0.weight"]


def test_plain_containers_are_registered_with_one_warning():
    net = Listed()
    with pytest.warns(UserWarning, match="blocks.0, blocks.1.*CellList") as caught:
        assert names(net) == LISTED
    assert len(caught) == 1 and caught[0].filename == __file__
    assert quiet_names(net) == LISTED and len(net.trainable_params()) == 7
    assert [k for k, _ in net.parameters_and_names()][1] == "weights.1"
    assert net.set_train().blocks[1].training and "(blocks.1): Fc()" in repr(net)
    outer = Pair(net, Cell())
    assert quiet_names(outer)[:3] == ["a.weights.0", "a.weights.1", "a.head.weight"]
    assert quiet_names(copy.deepcopy(outer)) == names(outer)


def test_what_is_appended_later_is_seen():
    net = Listed()
    with pytest.warns(UserWarning):
        net.set_train()
    net.blocks.append(Fc(False))
    assert quiet_names(net)[5] == "blocks.2.weight"
    removed = net.blocks.pop(0)
    assert all(p is not removed.weight for p in net.get_parameters())
    assert quiet_names(net)[3:5] == ["blocks.1.weight", "blocks.2.weight"]


def test_a_capture_names_what_stands_in_a_list():
    net = Listed()
    with pytest.warns(UserWarning):
        captured = capture_call(net._run_construct, (ONE,), {}, "t", net)
    assert list(captured.parameters) == ["blocks.0.weight", "blocks.1.weight", "head.weight"]


def test_references_in_lists_are_neither_renamed_nor_warned_of():
    class Step(Cell):
        def __init__(self, net):
            super().__init__(auto_prefix=False)
            self.net = net
            self.weights = net.trainable_params()
            self.layers = [net.a]
            self.parent_of_itself = [self]

    step = Step(Pair(Fc(), Cell()))
    assert quiet_names(step) == ["a.weight", "a.bias"]
    assert [k for k, _ in step.cells_and_names()] == ["", "net", "net.a", "net.b"]

    class Penalty(Cell):
        def __init__(self, weights):
            super().__init__()
            self.weights = weights

    assert quiet_names(Penalty(step.net.trainable_params())) == ["a.weight", "a.bias"]


def test_cells_listed_and_set_as_attributes():
    class Net(Cell):
        def __init__(self):
            super().__init__()
            self.layers = []
            for i in range(2):
                layer = Fc(False)
                setattr(self, f"fc{i}", layer)
                self.layers.append(layer)

    assert quiet_names(Net()) == ["fc0.weight", "fc1.weight"]


def test_functions_in_lists_need_no_warning():
    class Net(Cell):
        def __init__(self):
            super().__init__()
            self.activations = [Cell(), Cell()]

    net = Net()
    assert quiet_names(net) == [] and net.set_train().activations[0].training


# -- clashes -----------------------------------------------------------------------------------------------
class Clash(Cell):
    def __init__(self):
        super().__init__()
        self.a, self.b = Parameter(ONE, name="w"), Parameter(ONE, name="w")
        self.c = Parameter(ONE, name="own")

    def construct(self, x):
        return apply(pointwise.mul, *operands(self.a, self.b))


@pytest.mark.parametrize("use", [lambda n: n.parameters_dict(), lambda n: n.trainable_params(),
                                 lambda n: list(n.get_parameters()), lambda n: n.state_dict(),
                                 lambda n: n.bind_names(), lambda n: n(ONE),
                                 lambda n: capture_call(n._run_construct, (ONE,), {}, "t", n)])
def test_clashing_names_take_their_paths_before_anybody_sees_them(use):
    context.set_context(mode=context.PYNATIVE_MODE)
    net = Clash()
    with pytest.raises(NameClashError, match="'w'"):
        net.check_names()
    with pytest.warns(UserWarning, match="a and b were both called 'w'") as caught:
        use(net)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert quiet_names(net) == ["a", "b", "own"] and net.check_names() is None


def test_wrappers_without_prefix():
    wrapper = Pair(Named(), Named(), auto_prefix=False)
    with pytest.warns(UserWarning, match="a.w and b.w"):
        assert names(wrapper) == ["a.w", "b.w"]


def test_clashes_below_an_attached_cell_take_the_path_from_the_root():
    net = Pair(Clash(), Cell())
    net.a.a.name = net.a.b.name = "again"
    with pytest.warns(UserWarning, match="a.a and a.b"):
        assert names(net.a) == ["a.a", "a.b", "a.c"]


def test_what_still_clashes_is_refused():
    net = Cell()
    net.a, net.b, net.c = Parameter(ONE, name="c"), Parameter(ONE, name="c"), Parameter(ONE, name="a")
    with pytest.raises(NameClashError, match="'a' and 'c'"):
        net.trainable_params()


def test_a_long_warning_is_cut():
    net = Cell()
    for i in range(6):
        for side in "lr":
            net.insert_param_to_cell(f"{side}{i}", Parameter(ONE, name=f"w{i}"))
    with pytest.warns(UserWarning, match="and 2 more names"):
        net.bind_names()
