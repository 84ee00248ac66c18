"""Primitive classes: construction, attributes, MindSpore's calls; and the helpers of `ops.composite`."""
import copy
import inspect

import numpy as np
import pytest

import graphcore as gc
import graphcore.ops.composite as C
import graphcore.ops.functional as F
import graphcore.ops.operations as P
from graphcore import Parameter, Tensor, nn, ops
from graphcore import dtype as dt

X = Tensor(np.arange(6, dtype=np.float32).reshape(2, 3))


def _check(found, expected):
    np.testing.assert_allclose(found.asnumpy(), np.asarray(expected), rtol=1e-5, atol=1e-6)


def test_the_three_homes_hold_the_same_classes():
    assert ops.Concat is P.Concat and ops.ReLU is P.ReLU and ops.operations is P
    assert issubclass(P.ReLU, ops.Primitive) and isinstance(P.Concat(1), ops.Primitive)
    assert ops.HyperMap is C.HyperMap and ops.functional is F and ops.composite is C
    assert ops.grad is F.grad and C.GradOperation is ops.GradOperation
    with pytest.raises(AttributeError, match="did you mean 'Concat'"):
        ops.Conact  # noqa: B018


def test_constructors_take_the_attributes():
    assert P.Concat(axis=1).axis == 1 and P.Concat().axis == 0 and P.Softmax(0).axis == 0
    assert P.ReduceSum(True).keep_dims is True
    assert list(inspect.signature(P.StridedSlice).parameters)[:2] == ["begin_mask", "end_mask"]
    assert list(inspect.signature(P.MatMul).parameters) == ["transpose_a", "transpose_b"]
    with pytest.raises(TypeError, match="Concat"):
        P.Concat(dim=1)
    with pytest.raises(TypeError):
        P.ReLU(1)
    assert P.Concat(1).name == "Concat" and "axis" in repr(P.Concat(1))


def test_what_other_devices_want_is_accepted():
    relu = P.ReLU().shard(((1, 1),)).add_prim_attr("primitive_target", "CPU").set_device("CPU").recompute()
    _check(relu(X - 2), np.maximum(X.asnumpy() - 2, 0))
    assert copy.deepcopy(relu) is relu


A = X.asnumpy()


@pytest.mark.parametrize("found, expected", [
    (lambda: P.Add()(X, 1), A + 1), (lambda: P.TensorAdd()(X, X), 2 * A), (lambda: P.RealDiv()(X, 2), A / 2),
    (lambda: P.DivNoNan()(X, X), np.where(A == 0, 0, 1)), (lambda: P.Pow()(X, 2), A ** 2),
    (lambda: P.Cast()(X, dt.int32), A),
    (lambda: P.Concat(1)((X, X)), np.concatenate([A, A], 1)), (lambda: P.Stack(2)([X, X]), np.stack([A, A], 2)),
    (lambda: P.Reshape()(X, (3, 2)), A.reshape(3, 2)), (lambda: P.Transpose()(X, (1, 0)), A.T),
    (lambda: P.ExpandDims()(X, 0), A[None]), (lambda: P.Squeeze()(X[None]), A), (lambda: P.Squeeze(0)(X[None]), A),
    (lambda: P.Tile()(X, (2, 1)), np.tile(A, (2, 1))), (lambda: P.BroadcastTo((2, 2, 3))(X), np.stack([A, A])),
    (lambda: P.ReduceSum(True)(X, 1), A.sum(1, keepdims=True)), (lambda: P.ReduceSum()(X), A.sum()),
    (lambda: P.ReduceSum(skip_mode=True)(X, ()), A), (lambda: P.ReduceMean()(X, (0, 1)), A.mean()),
    (lambda: P.ReduceMax()(X, 0), A.max(0)), (lambda: P.ReduceProd()(X, 1), A.prod(1)),
    (lambda: P.MatMul(transpose_b=True)(X, X), A @ A.T),
    (lambda: P.BatchMatMul(True)(X[None], X[None]), (A.T @ A)[None]),
    (lambda: P.OneHot()(Tensor([1, 0], dt.int32), 3, Tensor(1.0), Tensor(0.0)), [[0, 1, 0], [1, 0, 0]]),
    (lambda: P.Gather()(X, Tensor([2, 0]), 1), A[:, [2, 0]]), (lambda: P.GatherNd()(X, Tensor([[0, 1]])), [1]),
    (lambda: P.Select()(X > 2, X, -X), np.where(A > 2, A, -A)), (lambda: P.Fill()(dt.float32, (2,), 3), [3, 3]),
    (lambda: P.Zeros()((2,), dt.float32), [0, 0]), (lambda: P.OnesLike()(X), np.ones((2, 3))),
    (lambda: P.StridedSlice()(X, (0, 1), (2, 3), (1, 1)), A[:, 1:]), (lambda: P.Slice()(X, (0, 1), (2, 1)), A[:, 1:2]),
    (lambda: P.GeLU()(Tensor([1.0])), [0.841192]), (lambda: P.LeakyReLU(0.1)(-X), -0.1 * A),
    (lambda: P.L2Loss()(X), 27.5),
    (lambda: P.CumSum()(X, 1), A.cumsum(1)), (lambda: P.Pad(((0, 0), (1, 0)))(X), np.pad(A, ((0, 0), (1, 0)))),
    (lambda: P.AddN()((X, X, X)), 3 * A), (lambda: P.Einsum("ij,kj->ik")((X, X)), A @ A.T),
    (lambda: P.BiasAdd()(X, Tensor([1.0, 2, 3])), A + [1, 2, 3]), (lambda: P.DiagPart()(P.Diag()(X)), A),
    (lambda: P.Identity()(X), A), (lambda: P.StopGradient()(X), A), (lambda: P.Depend()(X, 3), A),
    (lambda: P.ReverseV2([0])(X), A[::-1]), (lambda: P.SquaredDifference()(X, 1.0), (A - 1) ** 2),
    (lambda: P.SplitV([1, -1], 1, 2)(X)[1], A[:, 1:]),
    (lambda: P.SigmoidCrossEntropyWithLogits()(X * 0, X * 0), [[0.693147] * 3] * 2),
])
def test_calls(found, expected):
    _check(found(), expected)


def test_calls_with_several_results():
    values, places = P.TopK()(X, 2)
    assert places.dtype is dt.int32 and values.tolist() == [[2, 1], [5, 4]]
    index, value = P.ArgMaxWithValue(axis=1, keep_dims=True)(X)
    assert index.tolist() == [[2], [2]] and value.tolist() == [[2], [5]]
    assert [p.shape for p in P.Split(1, 3)(X)] == [(2, 1)] * 3
    with pytest.raises(ValueError, match="divided"):
        P.Split(1, 2)(X)
    y, mask = P.Dropout(0.5)(Tensor(np.ones((40, 40), np.float32)))
    assert set(np.unique(mask.asnumpy())) == {0, 1} and (y.asnumpy() == 2 * mask.asnumpy()).all()
    loss, gradient = P.SoftmaxCrossEntropyWithLogits()(X, ops.one_hot(Tensor([0, 2]), 3, 1.0, 0.0))
    _check(loss, [2.4076059, 0.4076059])
    _check(gradient.sum(1), [0, 0])


def test_layers():
    x, w = Tensor(np.arange(50, dtype=np.float32).reshape(1, 2, 5, 5)), Tensor(np.ones((3, 2, 3, 3), np.float32))
    conv = P.Conv2D(3, 3, pad_mode="same", stride=(1, 1, 2, 2))
    assert conv.out_channel == 3
    y = conv(x, w)
    _check(y, ops.conv2d(x, w, pad_mode="same", stride=2).asnumpy())
    back = P.Conv2DBackpropInput(3, 3, pad_mode="same", stride=2)(y, w, x.shape)
    assert back.shape == x.shape
    assert P.MaxPool(2, 2)(x).shape == (1, 2, 2, 2)
    assert P.AvgPool((1, 1, 2, 2), (1, 1, 2, 2), "SAME")(x).shape == (1, 2, 3, 3)
    y, place = P.MaxPoolWithArgmax(2, 2)(x)
    assert place[0, 0].tolist() == [[6, 8], [16, 18]] and y[0, 0].tolist() == [[6, 8], [16, 18]]
    y, mean, variance = P.LayerNorm(begin_norm_axis=1)(X, Tensor([1.0, 1, 1]), Tensor([0.0, 0, 0]))
    _check(mean, A.mean(1, keepdims=True))
    with pytest.raises(ValueError, match="NCHW"):
        P.Conv2D(3, 3, data_format="NHWC")(x, w)


def test_parameters_are_written():
    w = Parameter(X.copy())
    P.Assign()(w, X * 2)
    P.AssignAdd()(w, 1)
    _check(w, 2 * A + 1)
    P.ScatterUpdate()(w, Tensor([1], dt.int32), Tensor([[7.0, 8.0, 9.0]]))
    P.ScatterNdAdd()(w, Tensor([[0, 0]]), Tensor([10.0]))
    expected = 2 * A + 1
    expected[1], expected[0, 0] = [7, 8, 9], expected[0, 0] + 10
    _check(w, expected)


def test_primitives_work_in_a_cell():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.concat, self.reduce, self.cast = P.Concat(1), P.ReduceMean(keep_dims=True), P.Cast()
            self.one_hot, self.on, self.off = P.OneHot(), Tensor(1.0), Tensor(0.0)

        def construct(self, x, labels):
            x = self.reduce(self.concat((x, x)), 1)
            return self.cast(x, dt.int32), self.one_hot(labels, 4, self.on, self.off)
    mean, hot = Net()(X, Tensor([3, 0]))
    assert mean.tolist() == [[1], [4]] and hot.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]


def test_steps_of_optimisers():
    w, m = Parameter(Tensor([1.0, 2.0])), Parameter(Tensor([0.5, 0.5]))
    P.ApplyMomentum()(w, m, 0.1, Tensor([1.0, -1.0]), 0.9)
    _check(m, [1.45, -0.55])
    _check(w, [0.855, 2.055])
    w, m = Parameter(Tensor([1.0])), Parameter(Tensor([0.0]))
    P.Adam()(w, m, Parameter(Tensor([0.0])), Tensor(0.9), Tensor(0.999), 0.1, 0.9, 0.999, 1e-8, Tensor([3.0]))
    _check(w, [0.9])
    w, m = Parameter(Tensor([1.0])), Parameter(Tensor([0.0]))
    P.AdamWeightDecay()(w, m, Parameter(Tensor([0.0])), 0.1, 0.0, 0.0, 0.0, 0.5, Tensor([3.0]))
    _check(w, [0.85])


def test_one_process_is_all_there_is():
    _check(P.AllReduce(P.ReduceOp.SUM)(X), A)
    _check(P.AllGather(group="nccl_world_group")(X), A)
    assert P.Broadcast(0)((X,))[0] is X
    assert P.FloatStatus()(X).tolist() == [0] and P.FloatStatus()(X / 0).tolist() == [1]
    assert P.NPUGetFloatStatus()(P.NPUAllocFloatStatus()()).tolist() == [0] * 8


def test_a_primitive_of_ones_own():
    class Shift(ops.PrimitiveWithInfer):
        @ops.prim_attr_register
        def __init__(self, by=1):
            self.by = by

        def __call__(self, x):
            return x + self.by
    shift = Shift(by=3)
    assert shift.attrs == {"by": 3} and shift.name == "Shift"
    _check(shift(X), A + 3)


# -- composite ------------------------------------------------------------------------------------------------

def test_functions_by_argument_types():
    scale = C.MultitypeFuncGraph("scale")

    @scale.register("Tensor", "Number")
    def _tensor(x, k):
        return x * k

    @scale.register("Tuple", "Number")
    def _tuple(xs, k):
        return tuple(scale(x, k) for x in xs)

    @scale.register("Tensor", "Tensor")
    def _both(x, y):
        return x + y
    _check(scale(X, 2), 2 * A)
    _check(scale((X, X), 3)[1], 3 * A)
    _check(scale(X, X), 2 * A)
    with pytest.raises(TypeError, match=r"\(str, int\)"):
        scale("a", 1)


def test_maps():
    add = C.MultitypeFuncGraph("add")

    @add.register("Tensor", "Tensor")
    def _add(x, y):
        return x + y
    one, two = Tensor(1.0), Tensor(2.0)
    mapped = C.HyperMap()(add, (one, [two, two]), (two, [one, one]))
    assert mapped[0].item() == 3 and isinstance(mapped[1], list)
    assert C.Map(add)((one,), (two,))[0].item() == 3
    assert C.HyperMap()(F.partial(add, one), (two, two))[1].item() == 3
    with pytest.raises(ValueError, match="one length"):
        C.HyperMap()(add, (one,), (one, two))
    with pytest.raises(TypeError, match="structure"):
        C.HyperMap()(add, (one,), one)


def test_maps_in_a_graph():
    scale = C.MultitypeFuncGraph("scale")

    @scale.register("Number", "Tensor")
    def _scale(k, x):
        return x * k

    @gc.jit
    def function(x, y):
        return C.HyperMap()(F.partial(scale, 2), (x, y))
    assert [t.item() for t in function(Tensor(1.0), Tensor(3.0))] == [2, 6]


def test_constexpr_and_flags():
    @ops.constexpr
    def sizes(n):
        return tuple(range(n))

    @C.add_flags(has_effect=True)
    def flagged(x):
        return x
    assert sizes(3) == (0, 1, 2) and flagged(1) == 1
    assert ops.constexpr(get_instance=False)(lambda: 5)() == 5


def test_clipping_of_gradients():
    grads = (X, X * 2)
    total = np.sqrt((A ** 2).sum() * 5)
    _check(C.clip_by_global_norm(grads, 1.0)[1], 2 * A / total)
    _check(ops.clip_by_global_norm(grads, 100.0)[0], A)
    _check(C.clip_by_value(X, 1, 3), np.clip(A, 1, 3))
    assert [t.shape for t in ops.clip_by_value([X, X], Tensor(1.0), Tensor(2.0))] == [(2, 3)] * 2


def test_every_primitive_is_documented_and_can_be_made():
    needed = {"BroadcastTo": {"shape": (1,)}, "SplitV": {"size_splits": [1], "split_dim": 0}, "ReverseV2": {"axis": 0},
              "HookBackward": {"hook_fn": print}, "InsertGradientOf": {"function": print},
              "Custom": {"func": print, "out_shape": (1,), "out_dtype": gc.float32},
              "PyFunc": {"fn": print, "out_types": (gc.float32,), "out_shapes": ((1,),)}}
    for name in P.__all__:
        cls = getattr(P, name)
        assert cls.__doc__ and cls.__name__, name
        if not inspect.isclass(cls) or not issubclass(cls, ops.Primitive) or cls is ops.Primitive:
            continue
        required = [p for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
        made = cls(**{p.name: 1 for p in required} | needed.get(name, {}))
        assert isinstance(made, ops.Primitive)
