"""Mixed precision: to_float, amp levels, loss scalers."""
import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, amp, nn, ops

from tests.language.table import Fails, f16, f32, program, script


def dense():
    return nn.Dense(2, 2, weight_init="ones", bias_init="ones")


@script()
def to_float_of_a_layer():
    n = dense()
    n.to_float(ms.float16)
    return n(Tensor([[1.0, 2.0]])), n.weight.dtype


@script()
def to_float_of_one_layer_of_two():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.a, self.b = dense().to_float(ms.float16), dense()

        def construct(self, x):
            y = self.a(x)
            return y, self.b(y.astype(ms.float32))
    return Net()(Tensor([[1.0, 2.0]]))


@script(expected=Fails(ValueError))
def to_float_of_an_int():
    return dense().to_float(ms.int32)


@script()
def gradients_under_to_float():
    n = dense()
    n.to_float(ms.float16)
    return ms.grad(n, 0, n.trainable_params())(Tensor([[1.0, 2.0]]))


@program([f16([1, 2])], finite=False)
def half_precision_inputs(x):
    return x * x + 1, x.sum()


@program([f32([1, 2])], finite=False)
def casts_there_and_back(x):
    y = x.astype(ms.float16)
    return (y * y).astype(ms.float32) + x


@program([f32([1, 2]), f16([3, 4])], finite=False)
def mixed_inputs(x, y):
    return x * y, y * 2


@script()
def amp_levels():
    found = {}
    for level in ("O0", "O1", "O2", "O3", "auto"):
        net = nn.SequentialCell(nn.Dense(2, 2), nn.BatchNorm1d(2), nn.ReLU(), nn.Dense(2, 1))
        mixed = amp.auto_mixed_precision(net, level)
        out = mixed(Tensor(np.array([[1, 2], [2, 3]], np.float32)))
        found[level] = (str(out.dtype), str([p for p in mixed.get_parameters() if "gamma" in p.name][0].dtype))
    return found


@script()
def dynamic_loss_scaler():
    s = amp.DynamicLossScaler(scale_value=2**10, scale_factor=2, scale_window=1)
    scaled = s.scale(Tensor(2.0))
    unscaled = s.unscale((Tensor([2048.0]),))
    adjusted = s.adjust(Tensor(True))
    grown = s.scale_value.asnumpy().item()
    s.adjust(Tensor(False))
    return scaled, unscaled, bool(adjusted), grown, s.scale_value.asnumpy().item()


@script()
def static_loss_scaler():
    s = amp.StaticLossScaler(8.0)
    return s.scale(Tensor(2.0)), s.unscale((Tensor([16.0]), Tensor([8.0])))


@script()
def all_finite():
    return (bool(amp.all_finite((Tensor([1.0]), Tensor([np.inf])))), bool(amp.all_finite((Tensor([1.0]),))),
            bool(amp.all_finite((Tensor([np.nan]),))))


@script()
def scaled_training_step():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor([2.0]), name="w")

        def construct(self, x):
            return (x * self.w).sum()
    n = Net()
    scaler = amp.StaticLossScaler(4.0)
    def forward(x):
        return scaler.scale(n(x))
    value, grads = ms.value_and_grad(forward, None, n.trainable_params())(Tensor([3.0]))
    return value, scaler.unscale(grads)


@script(expected=(f32(1), False, 4.0, True, 2.0, f32([[0.8]])),
        why="MindSpore lacks the kernels on a CPU [limit]; the step with infinity changes the scale alone")
def loss_scale_cell_skips_an_overflow():
    net = nn.Dense(1, 1, weight_init="ones", bias_init="zeros")
    with_loss = nn.WithLossCell(net, nn.MSELoss())
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    scale = nn.DynamicLossScaleUpdateCell(loss_scale_value=4.0, scale_factor=2, scale_window=10)
    step = nn.TrainOneStepWithLossScaleCell(with_loss, optimizer, scale_sense=scale)
    step.set_train()
    x, y = Tensor([[1.0]]), Tensor([[0.0]])
    first = step(x, y)
    second = step(Tensor([[float("inf")]]), y)
    return (first[0], bool(first[1]), float(first[2]), bool(second[1]), step.scale_sense.asnumpy().item(),
            net.weight.value())


@program([f32([1, 2])], finite=False)
def float16_branch(x):
    y = x.astype(ms.float16)
    if y.sum() > 0:
        return y * 2
    return y


@program([f16(1)], [f16(100)], finite=False)
def float16_while(x):
    while x < 50:
        x = x * 2
    return x


@script()
def float64_stays():
    @ms.jit
    def f(x):
        return x * 2 + ops.sqrt(x)
    return f(Tensor(np.array([2.0, 3.0]))), ms.grad(f)(Tensor(np.array([2.0, 4.0])))
