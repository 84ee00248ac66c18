"""Training as scripts write it: scaled losses, mixed precision, accumulated and clipped gradients."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, ParameterTuple, Tensor, amp, nn, ops
from tests.gradients.support import plain

X = Tensor([[1.0, 2.0], [3.0, 4.0]])
LABEL = Tensor([[1.0], [2.0]])


class Linear(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([[2.0], [3.0]]), name="w")
        self.b = Parameter(Tensor([1.0]), name="b")

    def construct(self, x):
        return ops.matmul(x, self.w) + self.b


def test_the_functional_step(mode):
    net, loss_fn = Linear(), nn.MSELoss()
    optimizer = nn.SGD(net.trainable_params(), 0.1)

    def forward(x, y):
        logits = net(x)
        return loss_fn(logits, y), logits
    gradient = gc.value_and_grad(forward, None, optimizer.parameters, has_aux=True)

    @gc.jit
    def step(x, y):
        (loss, _), gradients = gradient(x, y)
        optimizer(gradients)
        return loss
    assert [float(step(X, LABEL)) for _ in range(3)] == pytest.approx([176.5, 825.04016, 3856.6155], rel=1e-5)
    assert net.w.asnumpy().ravel() == pytest.approx([-18.724003, -26.504005], rel=1e-5)


def test_scalers_in_a_compiled_step(mode):
    scaler = amp.DynamicLossScaler(8.0, 2, 2)

    @gc.jit
    def step(x):
        scaler.adjust(amp.all_finite((x,)))
        return scaler.scale(x), scaler.unscale((x,))[0]
    x = Tensor([1.0, 2.0])
    assert [plain(step(x))[0] for _ in range(4)] == [[8, 16], [16, 32], [16, 32], [32, 64]]
    assert plain(step(x / 0))[0] == [np.inf, np.inf] and float(scaler.scale_value) == 16
    assert plain(step(x)) == ([16, 32], [1 / 16, 2 / 16])
    static = amp.StaticLossScaler(4.0)
    assert plain(gc.jit(lambda v: static.unscale(static.scale(v)))(x)) == [1, 2]
    assert static.adjust(Tensor(True)) is False


def test_a_step_that_is_left_out_where_gradients_overflow(mode):
    net = Linear()
    optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    scaler = amp.DynamicLossScaler(2.0 ** 4, 2, 1)

    def forward(x):
        return scaler.scale(net(x).sum())

    @gc.jit
    def step(x):
        loss, gradients = gc.value_and_grad(forward, None, optimizer.parameters)(x)
        loss, gradients = scaler.unscale(loss), scaler.unscale(gradients)
        finite = amp.all_finite(gradients)
        if finite:
            optimizer(gradients)
        scaler.adjust(finite)
        return loss, finite
    assert plain(step(X)) == (28, True) and plain(net.w.value()) == [[pytest.approx(1.6)], [pytest.approx(2.4)]]
    before, moments = plain(net.w.value()), plain(optimizer.moments[0].value())
    assert plain(step(X / 0))[1] is False
    assert plain(net.w.value()) == before and plain(optimizer.moments[0].value()) == moments
    assert float(scaler.scale_value) == 16


class Accumulating(nn.Cell):
    """Adds gradients up, and lets the optimiser move after every `every` calls."""

    def __init__(self, net, optimizer, every):
        super().__init__(auto_prefix=False)
        self.net, self.optimizer, self.every = net, optimizer, every
        self.sums = optimizer.parameters.clone(prefix="accumulated", init="zeros")
        self.count = Parameter(Tensor(1, gc.int32), name="count")
        self.map = ops.HyperMap()
        self.gradient = ops.GradOperation(get_by_list=True)

    def construct(self, x):
        gradients = self.gradient(self.net, self.optimizer.parameters)(x)
        self.map(ops.partial(accumulate, 1.0 / self.every), self.sums, gradients)
        if self.count % self.every == 0:
            self.optimizer(tuple(s * 1.0 for s in self.sums))
            self.map(reset, self.sums)
        self.count += 1
        return self.count


accumulate, reset = ops.MultitypeFuncGraph("accumulate"), ops.MultitypeFuncGraph("reset")


@accumulate.register("Number", "Tensor", "Tensor")
def _accumulate(factor, total, gradient):
    return ops.assign_add(total, gradient * factor)


@reset.register("Tensor")
def _reset(total):
    return ops.assign(total, ops.zeros_like(total))


def test_accumulated_gradients(mode):
    net, other = Linear(), Linear()
    step = Accumulating(net, nn.SGD(net.trainable_params(), 0.5), 2)
    step(X)
    assert plain(net.w.value()) == [[2], [3]] and plain(step.sums[0].value()) == [[2], [3]]
    assert int(step(X * 2)) == 3 and plain(step.sums[1].value()) == [0]
    gradients = [gc.grad(other, None, other.trainable_params())(x) for x in (X, X * 2)]
    for got, start, a, b in zip(net.trainable_params(), other.trainable_params(), *gradients):
        np.testing.assert_allclose(got.asnumpy(), start.asnumpy() - 0.5 * (a + b).asnumpy() / 2, rtol=1e-6)


def test_clipped_gradients(mode):
    net = Linear()
    scale = ops.MultitypeFuncGraph("scale")

    @scale.register("Number", "Tensor")
    def _scale(k, g):
        return g * k

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.map, self.net, self.weights = ops.HyperMap(), net, ParameterTuple(net.trainable_params())
            self.gradient = ops.GradOperation(get_by_list=True)

        def construct(self, x):
            gradients = self.map(ops.partial(scale, 0.5), self.gradient(self.net, self.weights)(x))
            return (ops.clip_by_global_norm(gradients, 1.0), ops.clip_by_norm(gradients[0], 1.0),
                    ops.clip_by_value(gradients[0], 0.0, 2.5))
    together, by_norm, by_value = Net()(X)
    assert together[0].asnumpy().ravel() == pytest.approx([0.534522474, 0.801783681])
    assert together[1].asnumpy() == pytest.approx([0.267261237])
    assert by_norm.asnumpy().ravel() == pytest.approx([2 / 13 ** 0.5, 3 / 13 ** 0.5])
    assert plain(by_value) == [[2], [2.5]]


@pytest.mark.parametrize("level", ["O0", "O1", "O2", "O3", "auto"])
def test_mixed_precision(level, mode):
    net = nn.SequentialCell(nn.Dense(2, 2), nn.BatchNorm1d(2), nn.ReLU(), nn.Dense(2, 1))
    net = amp.auto_mixed_precision(net, level)
    gradients = gc.grad(net, None, net.trainable_params())(X)
    assert net(X).dtype is gc.float32
    assert {p.dtype for p in net.get_parameters()} == {gc.float32} == {g.dtype for g in gradients}


def test_to_float_in_nestings(mode):
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.half = nn.SequentialCell(nn.Dense(2, 2, weight_init="ones"),
                                          nn.Dense(2, 2, weight_init="ones").to_float(gc.float32))
            self.half[0].to_float(gc.float16)
            self.half.recompute()
            self.plain = nn.Dense(2, 1, weight_init="ones")

        def construct(self, x, flag):
            y = self.half[0](x)
            if flag:
                y = self.half[0](y)
            return self.plain(self.half[1](y)).sum(), y
    net = Net()
    for flag, expected in ((True, [[2, 2], [2, 2]]), (False, [[1, 1], [1, 1]])):
        (loss, y), gradients = gc.value_and_grad(net, (0,), net.trainable_params(), has_aux=True)(X, Tensor(flag))
        assert (loss.dtype, y.dtype) == (gc.float32, gc.float16)
        assert {g.dtype for g in gradients[1]} == {gc.float32} and gradients[0].dtype is gc.float32
        np.testing.assert_allclose(gradients[0].asnumpy(), np.array(expected) * 4, rtol=1e-3)


@pytest.mark.parametrize("manager", [None, amp.FixedLossScaleManager(8.0), amp.FixedLossScaleManager(8.0, False),
                                     amp.DynamicLossScaleManager(2 ** 10, 2, 3)])
def test_build_train_network(manager, mode):
    net = Linear()
    scale = 8.0 if manager is not None and manager.get_update_cell() is None else 1.0
    optimizer = nn.SGD(net.trainable_params(), 0.01, loss_scale=scale)
    step = amp.build_train_network(net, optimizer, nn.MSELoss(), "O0", loss_scale_manager=manager)
    found = step(X, LABEL)
    loss = found[0] if isinstance(found, tuple) else found
    assert float(loss) == pytest.approx(176.5)
    assert net.b.asnumpy() == pytest.approx([1 - 0.01 * 25])
    if isinstance(manager, amp.DynamicLossScaleManager):
        assert plain(step(X / 0, LABEL))[1:] == (True, 1024) and float(step.scale_sense) == 512


def test_gradients_do_not_depend_on_set_grad(mode):
    net = Linear().set_grad(False)
    assert plain(gc.grad(net, None, net.b)(X)) == [2]


def test_two_nets_with_an_optimiser_each_in_one_step(mode):
    """Parameters and the optimisers' counters share names; one net learns from the output of the other."""
    maker, judge = Linear(), Linear()
    optimizers = [nn.Momentum(net.trainable_params(), 0.01, 0.9) for net in (maker, judge)]
    judging = gc.value_and_grad(lambda x: (judge.w.sum() * ops.stop_gradient(maker(x))).mean(), None,
                                optimizers[1].parameters)
    making = gc.value_and_grad(lambda x: (maker(x) - LABEL).abs().mean(), None, optimizers[0].parameters)

    @gc.jit
    def step(x):
        found, gradients = judging(x)
        optimizers[1](gradients)
        error, gradients = making(x)
        optimizers[0](gradients)
        return found, error
    assert plain(step(X)) == pytest.approx((5 * 14, 12.5)) and plain(step(X))[1] < 12.5
    assert judge.w.asnumpy()[0, 0] < 2 and judge.b.asnumpy() == [1] and maker.b.asnumpy() < 1
    assert [int(o.global_step.asnumpy()[0]) for o in optimizers] == [2, 2]


@pytest.mark.parametrize("take", [lambda w: w.clone(), lambda w: w.copy(), lambda w: ops.deepcopy(w)],
                         ids=["clone", "copy", "deepcopy"])
def test_a_copy_of_a_parameter_is_of_its_values_at_that_point(take, mode):
    net = Linear()

    @gc.jit
    def f(x):
        before = take(net.w)
        net.w[0] = x
        return before.sum(), net.w.sum()
    assert plain(f(Tensor([5.0]))) == (5, 8) and plain(f(Tensor([7.0]))) == (8, 10)
    assert plain(gc.grad(lambda x: (take(net.w) * x).sum(), None, net.w)(Tensor(3.0))) == [[3], [3]]


def test_parameter_tuples_in_and_out_of_functions(mode):
    net = Linear()
    weights = ParameterTuple(net.trainable_params())
    doubled = gc.jit(lambda: ops.HyperMap()(lambda w: w * 2, weights))()
    assert plain(doubled) == ([[4], [6]], [2])
    assert plain(gc.jit(lambda: weights)()) == ([[2], [3]], [1])
    assert type(ops.stop_gradient(weights)) is tuple
