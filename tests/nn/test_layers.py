"""Layers: values against MindSpore 2.10 (recorded) or NumPy formulas, names, printed forms, errors."""
import math

import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.errors import DTypeError, ShapeError
from tests.nn.cases import IMAGES, close, ramp, results_of

ACT = np.array([[-4.0, -1.5, -0.4], [0.3, 1.2, 5.0]], np.float32)


# -- activations -------------------------------------------------------------------------------------------
ACTIVATIONS = [
    ("ReLU", (), [0.0, 0.0, 0.0, 0.3, 1.2, 5.0]),
    ("ReLU6", (), [0.0, 0.0, 0.0, 0.3, 1.2, 5.0]),
    ("LeakyReLU", (), [-0.8, -0.3, -0.08, 0.3, 1.2, 5.0]),
    ("LeakyReLU", (0.1,), [-0.4, -0.15, -0.04, 0.3, 1.2, 5.0]),
    ("PReLU", (), [-1.0, -0.375, -0.1, 0.3, 1.2, 5.0]),
    ("PReLU", (3, [0.1, 0.2, 0.3]), [-0.4, -0.3, -0.12, 0.3, 1.2, 5.0]),
    ("ELU", (), [-0.981684, -0.77687, -0.329681, 0.3, 1.2, 5.0]),
    ("CELU", (2.0,), [-1.729329, -1.055267, -0.362538, 0.3, 1.2, 5.0]),
    ("SeLU", (), [-1.725899, -1.365814, -0.57961, 0.31521, 1.260841, 5.253505]),
    ("GELU", (), [-7e-05, -0.100428, -0.137839, 0.185371, 1.061703, 5.0]),
    ("GELU", (False,), [-0.000127, -0.100211, -0.137831, 0.185373, 1.061916, 4.999999]),
    ("FastGelu", (), [-0.004415, -0.108338, -0.134433, 0.187484, 1.062213, 4.998993]),
    ("SiLU", (), [-0.071945, -0.273638, -0.160525, 0.172333, 0.92223, 4.966536]),
    ("Mish", (), [-0.072592, -0.2981, -0.188916, 0.208001, 1.077946, 4.999552]),
    ("HSwish", (), [0.0, -0.375, -0.173333, 0.165, 0.84, 5.0]),
    ("HSigmoid", (), [0.0, 0.25, 0.433333, 0.55, 0.7, 1.0]),
    ("Sigmoid", (), [0.017986, 0.182425, 0.401313, 0.574443, 0.768525, 0.993307]),
    ("LogSigmoid", (), [-4.01815, -1.701413, -0.913014, -0.554355, -0.263282, -0.006715]),
    ("Tanh", (), [-0.999329, -0.905148, -0.379949, 0.291313, 0.833655, 0.999909]),
    ("Tanhshrink", (), [-3.000671, -0.594852, -0.020051, 0.008687, 0.366345, 4.000091]),
    ("Hardtanh", (), [-1.0, -1.0, -0.4, 0.3, 1.0, 1.0]),
    ("Hardtanh", (-0.5, 2.0), [-0.5, -0.5, -0.4, 0.3, 1.2, 2.0]),
    ("Softsign", (), [-0.8, -0.6, -0.285714, 0.230769, 0.545455, 0.833333]),
    ("Softplus", (), [0.01815, 0.201413, 0.513015, 0.854355, 1.463282, 5.006715]),
    ("SoftShrink", (), [-3.5, -1.0, 0.0, 0.0, 0.7, 4.5]),
    ("HShrink", (), [-4.0, -1.5, 0.0, 0.0, 1.2, 5.0]),
    ("Threshold", (0.5, 9.0), [9.0, 9.0, 9.0, 9.0, 1.2, 5.0]),
    ("Softmax", (), [0.020088, 0.244723, 0.735189, 0.008818, 0.021688, 0.969494]),
    ("Softmax", (0,), [0.013387, 0.062973, 0.004496, 0.986613, 0.937027, 0.995504]),
    ("LogSoftmax", (), [-3.907626, -1.407626, -0.307626, -4.730984, -3.830985, -0.030985]),
    ("Softmin", (), [0.901381, 0.07399, 0.024629, 0.706382, 0.287193, 0.006425]),
]


@pytest.mark.parametrize("name, arguments, expected", ACTIVATIONS)
def test_activations(name, arguments, expected, eager):
    close(getattr(nn, name)(*arguments)(Tensor(ACT)), np.reshape(expected, (2, 3)))


def test_compiled_activations(compiled):
    cells = [getattr(nn, name)(*arguments) for name, arguments, _ in ACTIVATIONS]
    for result, (_, _, expected) in zip(results_of(cells, [(ACT,)] * len(cells)), ACTIVATIONS):
        close(result, np.reshape(expected, (2, 3)))


def test_activations_over_channels(mode):
    close(nn.GLU()(Tensor(ACT[:, :2])), [[-0.72970194], [0.23055747]])
    image = IMAGES[:1]
    close(nn.Softmax2d()(Tensor(image)), np.exp(image) / np.exp(image).sum(1, keepdims=True))
    x = (np.arange(24).reshape(2, 3, 2, 2) % 7).astype(np.float32)
    close(nn.LRN()(Tensor(x)).reshape(-1)[:6], [0.0, 0.1796053, 0.28284273, 0.5883484, 0.9428091, 0.8980265])


def test_rrelu_draws_slopes_between_its_bounds(mode):
    x = Tensor(-np.ones((50, 40), np.float32))
    y = -nn.RReLU(0.2, 0.4)(x).asnumpy()
    assert 0.2 <= y.min() < 0.21 and 0.39 < y.max() <= 0.4


def test_get_activation():
    assert isinstance(nn.get_activation("relu"), nn.ReLU) and nn.get_activation(None) is None
    with pytest.raises(KeyError, match="no activation called 'foo'"):
        nn.get_activation("foo")


# -- dense and small layers --------------------------------------------------------------------------------
def test_dense(mode):
    dense = nn.Dense(3, 2, weight_init=ramp(2, 3), bias_init=ramp(2), activation="relu")
    weight, bias = dense.weight.asnumpy(), dense.bias.asnumpy()
    for shape in ((4, 3), (3,), (2, 4, 3), (2, 2, 2, 3)):
        x = (np.arange(math.prod(shape)).reshape(shape) % 5 - 2).astype(np.float32)
        close(dense(Tensor(x)), np.maximum(x @ weight.T + bias, 0))
    with pytest.raises(ShapeError, match="last axis of the input must be 3"):
        dense(Tensor(np.ones((2, 5), np.float32)))


def test_dense_first_values_are_mindspores_distribution():
    dense = nn.Dense(100, 400)
    for values in (dense.weight.asnumpy(), dense.bias.asnumpy()):
        assert 0.09 < np.abs(values).max() <= 0.1 and abs(values.mean()) < 0.01
    half = nn.Dense(2, 3, dtype=gc.float16)
    assert half.weight.dtype is gc.float16 and half.bias.dtype is gc.float16
    assert nn.Dense(2, 3, has_bias=False).bias is None


def test_linear_and_bidense(mode):
    linear = nn.Linear(3, 2, weight_init=ramp(2, 3), bias=False)
    close(linear(Tensor(ACT)), ACT @ linear.weight.asnumpy().T)
    bilinear = nn.BiDense(3, 2, 2, weight_init=ramp(2, 3, 2), bias_init=ramp(2))
    close(bilinear(Tensor(IMAGES[0, :2, 0, :3]), Tensor(IMAGES[1, :2, 0, :2])), [[26, -6], [-186, -129]])


def test_dropout(mode):
    layer = nn.Dropout(p=0.25)
    x = Tensor(np.ones((64, 64), np.float32))
    assert layer(x).asnumpy().min() == 1        # a new Cell does not train
    layer.set_train()
    first, second = layer(x).asnumpy(), layer(x).asnumpy()
    assert set(np.unique(first)) == {0.0, np.float32(1 / 0.75)}
    assert abs((first == 0).mean() - 0.25) < 0.05
    assert (first != second).any()
    layer.set_train(False)
    assert layer(x).asnumpy().min() == 1
    assert nn.Dropout(0.9).keep_prob == 0.9        # the first argument


def test_dropout_of_channels(mode):
    y = nn.Dropout2d(0.5).set_train()(Tensor(np.ones((8, 16, 3, 3), np.float32))).asnumpy()
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :, :1, :1]).all()
    assert 0.2 < (y[:, :, 0, 0] == 0).mean() < 0.8


def test_shapes(mode):
    x = Tensor(IMAGES)
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)
    assert nn.Unflatten(2, (2, 2))(x).shape == (2, 3, 2, 2, 5)
    assert nn.Identity(3, a=4)(x).shape == x.shape
    with pytest.raises(ShapeError, match="no axis 1"):
        nn.Flatten()(Tensor(np.ones(2, np.float32)))


def test_small_layers(mode):
    x = Tensor(IMAGES[0, 0])
    close(nn.Norm(axis=1, keep_dims=True)(x), [[5.47723], [15.96872], [10.67708], [13.78405]])
    close(nn.Norm()(x), np.linalg.norm(IMAGES[0, 0]))
    close(nn.OneHot(depth=3)(Tensor([2, 0], gc.int32)), [[0, 0, 1], [1, 0, 0]])
    close(nn.ClipByNorm()(x, Tensor(3.0)), IMAGES[0, 0] * (3 / np.linalg.norm(IMAGES[0, 0])))
    close(nn.L1Regularizer(0.5)(x), 45.5)
    close(nn.Roll([1], [0])(x), np.roll(IMAGES[0, 0], 1, 0))
    close(nn.Tril()(x, 1), np.tril(IMAGES[0, 0], 1))
    close(nn.Triu()(x), np.triu(IMAGES[0, 0]))


@pytest.mark.parametrize("mode_name, numpy_mode", [("CONSTANT", "constant"), ("REFLECT", "reflect"),
                                                   ("SYMMETRIC", "symmetric")])
def test_pad(mode_name, numpy_mode, mode):
    paddings = ((1, 0), (2, 1))
    close(nn.Pad(paddings, mode_name)(Tensor(IMAGES[0, 0])), np.pad(IMAGES[0, 0], paddings, numpy_mode))


@pytest.mark.parametrize("make, paddings, numpy_mode", [
    (lambda: nn.ConstantPad2d((1, 2, 0, 1), 3.0), ((0, 1), (1, 2)), {"constant_values": 3.0}),
    (lambda: nn.ConstantPad1d(1, 3.0), ((0, 0), (1, 1)), {"constant_values": 3.0}),
    (lambda: nn.ZeroPad2d(1), ((1, 1), (1, 1)), {}),
    (lambda: nn.ReflectionPad2d(2), ((2, 2), (2, 2)), {"mode": "reflect"}),
    (lambda: nn.ReplicationPad2d((1, 2, 2, 1)), ((2, 1), (1, 2)), {"mode": "edge"}),
])
def test_padding_layers(make, paddings, numpy_mode, eager):
    close(make()(Tensor(IMAGES)), np.pad(IMAGES, ((0, 0), (0, 0), *paddings), **numpy_mode))


def test_padding_of_rows(eager):
    rows = IMAGES[:, :, 0]
    close(nn.ReflectionPad1d((1, 2))(Tensor(rows)), np.pad(rows, ((0, 0), (0, 0), (1, 2)), mode="reflect"))
    with pytest.raises(ShapeError):
        nn.ReflectionPad1d(1)(Tensor(IMAGES))
    with pytest.raises(ValueError, match="at most 4"):
        nn.ZeroPad2d((1, 2, 3))


def test_layers_of_several(mode):
    block = nn.Conv2dBnAct(3, 2, 3, weight_init=ramp(2, 3, 3, 3), has_bn=True, activation="relu")
    plain = nn.Conv2d(3, 2, 3, weight_init=ramp(2, 3, 3, 3))(Tensor(IMAGES)).asnumpy()
    close(block(Tensor(IMAGES)), np.maximum(plain / np.sqrt(1 + 1e-5), 0))
    assert [p.name for p in block.get_parameters()] == [
        "conv.weight", "batchnorm.moving_mean", "batchnorm.moving_variance", "batchnorm.gamma", "batchnorm.beta"]
    dense = nn.DenseBnAct(3, 2, weight_init=ramp(2, 3), activation="leakyrelu", alpha=0.5)
    linear = ACT @ ramp(2, 3).asnumpy().T
    close(dense(Tensor(ACT)), np.where(linear > 0, linear, 0.5 * linear))


def test_functions_as_layers(eager):
    x = IMAGES[0, 0]
    close(nn.MatMul(transpose_x2=True)(Tensor(x), Tensor(x)), x @ x.T)
    mean, variance = nn.Moments(axis=0, keep_dims=True)(Tensor(x))
    close(mean, x.mean(0, keepdims=True))
    close(variance, x.var(0, keepdims=True))
    close(nn.ReduceLogSumExp(1)(Tensor(x)), np.log(np.exp(x).sum(1)))
    assert nn.Range(1, 8, 2)().asnumpy().tolist() == [1, 3, 5, 7]
    shuffled = nn.PixelShuffle(2)(Tensor(IMAGES.reshape(2, 12, 1, 5)))
    assert shuffled.shape == (2, 3, 2, 10)
    close(nn.PixelUnshuffle(2)(shuffled), IMAGES.reshape(2, 12, 1, 5))
    close(nn.ChannelShuffle(3)(Tensor(IMAGES)), IMAGES)


def test_embedding(mode):
    embedding = nn.Embedding(4, 3, padding_idx=1)
    table = embedding.embedding_table.asnumpy()
    assert (table[1] == 0).all() and 0 < np.abs(table).max() < 0.1
    ids = np.array([[0, 3], [1, 2]], np.int32)
    close(embedding(Tensor(ids)), table[ids])
    by_product = nn.Embedding(4, 3, use_one_hot=True, embedding_table=Tensor(table))
    close(by_product(Tensor(ids)), table[ids])
    assert nn.Embedding(4, 3, dtype=gc.float16).embedding_table.dtype is gc.float16
    with pytest.raises(DTypeError, match="integer ids"):
        embedding(Tensor([0.0]))


def test_embedding_lookup_limits_norms(mode):
    lookup = nn.EmbeddingLookup(3, 2, param_init=ramp(3, 2), max_norm=1.5)
    close(lookup(Tensor([[2, 0]], gc.int32)), [[[0.67082, 1.34164], [-1.24808, -0.83205]]])


# -- normalisation -----------------------------------------------------------------------------------------
BATCH = (np.arange(24).reshape(2, 3, 2, 2) % 7).astype(np.float32)


def test_batch_norm(mode):
    norm = nn.BatchNorm2d(3).set_train()
    y = norm(Tensor(BATCH))
    close(y.reshape(-1)[:6], [-1.0681024, -0.5933902, -0.11867804, 0.35603413, 0.20851408, 0.76455164])
    close(norm.moving_mean, [0.225, 0.3625, 0.2375])
    close(norm.moving_variance, [1.4071429, 1.2696428, 1.2696428])
    norm.set_train(False)
    close(norm(Tensor(BATCH)).reshape(-1)[:6], [-0.1896758, 0.6533277, 1.4963312, 2.3393347, 3.2282007, 4.1156783])
    close(norm.moving_mean, [0.225, 0.3625, 0.2375])


@pytest.mark.parametrize("layer, shape", [(nn.BatchNorm1d, (4, 3)), (nn.BatchNorm1d, (4, 3, 2)),
                                          (nn.SyncBatchNorm, (4, 3)), (nn.BatchNorm3d, (2, 3, 2, 2, 2))])
def test_batch_norm_of_other_ranks(layer, shape, mode):
    x = np.random.RandomState(0).randn(*shape).astype(np.float32)
    axes = (0, *range(2, x.ndim))
    norm = layer(3).set_train()
    close(norm(Tensor(x)), (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5))
    inner = norm.bn2d if layer is nn.BatchNorm3d else norm
    close(inner.moving_variance, 0.9 + 0.1 * x.var(axes, ddof=1))


def test_use_batch_statistics_overrides_the_mode(mode):
    always = nn.BatchNorm2d(3, use_batch_statistics=True)
    close(always(Tensor(BATCH)).reshape(-1)[:2], [-1.0681024, -0.5933902])
    close(always.moving_mean, [0.225, 0.3625, 0.2375])
    never = nn.BatchNorm2d(3, use_batch_statistics=False).set_train()
    close(never(Tensor(BATCH)), BATCH / np.sqrt(1 + 1e-5))
    close(never.moving_mean, [0, 0, 0])


def test_a_batch_of_one_leaves_finite_statistics(mode):
    norm = nn.BatchNorm1d(3).set_train()
    norm(Tensor(np.ones((1, 3), np.float32)))
    close(norm.moving_variance, [0.9, 0.9, 0.9])


def test_layer_norm(mode):
    close(nn.LayerNorm((2, 2), begin_norm_axis=2, begin_params_axis=2)(Tensor(BATCH)).reshape(-1)[:8],
          [-1.3416407, -0.4472136, 0.4472136, 1.3416407, 0.10976426, 0.5488213, 0.9878783, -1.6464639])
    norm = nn.LayerNorm([4, 5], begin_norm_axis=2, begin_params_axis=2, gamma_init=ramp(4, 5), beta_init="ones",
                        epsilon=0.1)
    close(norm(Tensor(IMAGES[:1, :1])),
          [[[[5.58905, 3.38698, 1.85729, 1.0, 0.81509], [1.30257, 2.46244, -1.47102, -1.31974, -0.49606],
             [1.0, -0.52968, -1.38698, -1.57188, 2.5633], [1.36981, 0.84871, 1.0, 1.82367, 3.31974]]]])
    half = nn.LayerNorm([2])(Tensor(BATCH, gc.float16))
    assert half.dtype is gc.float16
    close(half.reshape(-1)[:4], [-1, 1, -1, 1], atol=1e-2)


def test_group_norm(mode):
    close(nn.GroupNorm(1, 3, gamma_init=ramp(3), beta_init="ones")(Tensor(IMAGES[:1, :, :2, :2])),
          [[[[5.34353, 4.41278], [0.68975, -0.24101]], [[-1.68885, -2.30936], [2.03417, 1.41367]],
            [[0.27608, -0.03417], [2.13759, 1.82734]]]])
    close(nn.GroupNorm(3, 3)(Tensor(BATCH)).reshape(-1)[:4], [-1.3416355, -0.4472118, 0.4472118, 1.3416355])


@pytest.mark.parametrize("layer, shape", [(nn.InstanceNorm1d, (2, 3, 5)), (nn.InstanceNorm2d, (2, 3, 4, 5)),
                                          (nn.InstanceNorm3d, (2, 3, 2, 2, 3))])
def test_instance_norm(layer, shape, mode):
    x = np.random.RandomState(0).randn(*shape).astype(np.float32)
    axes = tuple(range(2, x.ndim))
    norm = layer(3, gamma_init=ramp(3), beta_init="ones")
    scale = ramp(3).asnumpy().reshape(1, 3, *[1] * len(axes))
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5) * scale + 1
    close(norm(Tensor(x)), expected)
    close(norm.moving_mean, [0, 0, 0])
    close(norm.set_train()(Tensor(x)), expected)
    close(norm.moving_mean, 0.1 * x.mean(axes).mean(0))
    close(norm.moving_variance, 0.9 + 0.1 * x.var(axes, ddof=1).mean(0))


# -- names and printed forms -------------------------------------------------------------------------------
def test_names_and_order_of_parameters():
    net = nn.SequentialCell(nn.Conv2d(1, 2, 3, has_bias=True), nn.BatchNorm2d(2), nn.PReLU(), nn.Dense(2, 2),
                            nn.Embedding(2, 2), nn.LayerNorm((2,)), nn.BatchNorm3d(2))
    assert [p.name for p in net.get_parameters()] == [
        "0.weight", "0.bias", "1.moving_mean", "1.moving_variance", "1.gamma", "1.beta", "2.w", "3.weight", "3.bias",
        "4.embedding_table", "5.gamma", "5.beta", "6.bn2d.moving_mean", "6.bn2d.moving_variance", "6.bn2d.gamma",
        "6.bn2d.beta"]
    assert [p.name for p in nn.BatchNorm2d(3, affine=False).trainable_params()] == []
    assert [(p.name, p.requires_grad) for p in nn.BatchNorm2d(3).get_parameters()] == [
        ("mean", False), ("variance", False), ("gamma", True), ("beta", True)]


PARAMETER = "Parameter (name={}, shape=(3,), dtype=Float32, requires_grad={})".format
STATISTICS = (f"gamma={PARAMETER('gamma', True)}, beta={PARAMETER('beta', True)}, "
              f"moving_mean={PARAMETER('mean', False)}, moving_variance={PARAMETER('variance', False)}")


@pytest.mark.parametrize("make, expected", [
    (lambda: nn.Dense(2, 3), "Dense(input_channels=2, output_channels=3, has_bias=True)"),
    (lambda: nn.Dense(2, 3, has_bias=False), "Dense(input_channels=2, output_channels=3)"),
    (lambda: nn.Dense(2, 3, activation="relu"),
     "Dense(\n  input_channels=2, output_channels=3, has_bias=True, activation=ReLU()\n  (activation): ReLU()\n)"),
    (lambda: nn.Conv2d(1, 2, (3, 2), pad_mode="pad", padding=(1, 1, 0, 0), has_bias=True, weight_init="normal",
                       bias_init="zeros"),
     "Conv2d(input_channels=1, output_channels=2, kernel_size=(3, 2), stride=(1, 1), pad_mode=pad, "
     "padding=(1, 1, 0, 0), dilation=(1, 1), group=1, has_bias=True, weight_init=normal, bias_init=zeros, "
     "format=NCHW)"),
    (lambda: nn.Conv1d(1, 2, 3, weight_init="ones"),
     "Conv1d(input_channels=1, output_channels=2, kernel_size=(1, 3), stride=(1, 1), pad_mode=same, "
     "padding=(0, 0, 0, 0), dilation=(1, 1), group=1, has_bias=False, weight_init=ones, bias_init=None, format=NCHW)"),
    (lambda: nn.Dropout(p=0.2), "Dropout(p=0.2)"),
    (lambda: nn.Dropout(0.9), "Dropout(keep_prob=0.9)"),
    (lambda: nn.Embedding(3, 2),
     "Embedding(vocab_size=3, embedding_size=2, use_one_hot=False, embedding_table=Parameter (name=embedding_table, "
     "shape=(3, 2), dtype=Float32, requires_grad=True), dtype=Float32, padding_idx=None)"),
    (lambda: nn.BatchNorm2d(3), f"BatchNorm2d(num_features=3, eps=1e-05, momentum=0.9, {STATISTICS})"),
    (lambda: nn.InstanceNorm2d(3), f"InstanceNorm2d(num_features=3, eps=1e-05, momentum=0.1, {STATISTICS})"),
    (lambda: nn.LayerNorm((3,)),
     "LayerNorm(normalized_shape=(3,), begin_norm_axis=-1, begin_params_axis=-1, "
     f"gamma{PARAMETER('gamma', True)}, beta={PARAMETER('beta', True)})"),
    (lambda: nn.GroupNorm(1, 3), "GroupNorm(num_groups=1, num_channels=3)"),
    (lambda: nn.MaxPool2d(2, 2), "MaxPool2d(kernel_size=2, stride=2, pad_mode=VALID)"),
    (lambda: nn.MaxPool2d((2, 2), (2, 1)), "MaxPool2d(kernel_size=(2, 2), stride=(2, 1), pad_mode=VALID)"),
    (lambda: nn.MaxPool1d(2, 2), "MaxPool1d(kernel_size=(1, 2), stride=(1, 2), pad_mode=VALID)"),
    (lambda: nn.AvgPool2d(2, 2, pad_mode="same"), "AvgPool2d(kernel_size=2, stride=2, pad_mode=SAME)"),
    (lambda: nn.AdaptiveAvgPool2d(2), "AdaptiveAvgPool2d()"),
    (lambda: nn.Norm(), "Norm(axis=(), keep_dims=False)"),
    (lambda: nn.GELU(), "GELU()"), (lambda: nn.PReLU(), "PReLU()"), (lambda: nn.Flatten(), "Flatten()"),
])
def test_printed_forms(make, expected):
    assert repr(make()) == expected


# -- errors ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make, error, text", [
    (lambda: nn.Dense(0, 3), ValueError, "in_channels must be an int above 0"),
    (lambda: nn.Dense(2.0, 3), TypeError, "in_channels"),
    (lambda: nn.Dense(2, 3, has_bias=1), TypeError, "has_bias"),
    (lambda: nn.Dense(2, 3, activation="foo"), KeyError, "Dense: there is no activation"),
    (lambda: nn.Dense(2, 3, activation=3), TypeError, "activation"),
    (lambda: nn.Dense(2, 3, weight_init=ramp(2, 3)), ShapeError, "shape"),
    (lambda: nn.Conv2d(3, 2, 3, group=2), ValueError, "divisible by group"),
    (lambda: nn.Conv2d(1, 2, 3, padding=1), ValueError, "pad_mode='pad'"),
    (lambda: nn.Conv2d(1, 2, 3, pad_mode="full"), ValueError, "pad_mode"),
    (lambda: nn.Conv2d(1, 2, 3, pad_mode="pad", padding=(1, 1)), ValueError, "tuple of 4"),
    (lambda: nn.Conv2d(1, 2, 3, pad_mode="pad", padding=-1), ValueError, "negative"),
    (lambda: nn.Conv2d(1, 2, (3, 3, 3)), ValueError, "tuple of two"),
    (lambda: nn.Conv2d(1, 2, 3, data_format="CHWN"), ValueError, "data_format"),
    (lambda: nn.Conv1d(1, 2, (3, 3)), TypeError, "kernel_size"),
    (lambda: nn.Conv2dTranspose(1, 1, 3, output_padding=1), ValueError, "output_padding"),
    (lambda: nn.Conv2dTranspose(1, 1, 3, 2, "pad", 1, output_padding=2), ValueError, "less than the stride"),
    (lambda: nn.Dropout(p=1.0), ValueError, "p must lie in"),
    (lambda: nn.Dropout(keep_prob=0.0), ValueError, "keep_prob"),
    (lambda: nn.Embedding(3, 2, padding_idx=5), ValueError, "padding_idx"),
    (lambda: nn.MaxPool2d(0), ValueError, "kernel_size"),
    (lambda: nn.MaxPool2d(2, 2, padding=1), ValueError, "pad_mode='pad'"),
    (lambda: nn.MaxPool2d(2, 2, ceil_mode=True), ValueError, "ceil_mode"),
    (lambda: nn.MaxPool2d((2, 2, 2)), ValueError, "tuple of 2"),
    (lambda: nn.AvgPool2d(2, pad_mode=3), TypeError, "pad_mode"),
    (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), ValueError, "output_size"),
    (lambda: nn.BatchNorm2d(0), ValueError, "num_features"),
    (lambda: nn.BatchNorm2d(3, momentum=2.0), ValueError, "momentum"),
    (lambda: nn.BatchNorm2d(3, use_batch_statistics=1), TypeError, "use_batch_statistics"),
    (lambda: nn.LayerNorm(3), TypeError, r"write \(3,\)"),
    (lambda: nn.LayerNorm([]), ValueError, "at least one size"),
    (lambda: nn.GroupNorm(2, 3), ValueError, "divisible"),
    (lambda: nn.Hardtanh(1.0, 1.0), ValueError, "min_val"),
    (lambda: nn.PReLU(2, [0.1]), ValueError, "2 slopes"),
    (lambda: nn.PReLU(2, "a"), TypeError, "w must be"),
    (lambda: nn.RReLU(0.5, 0.1), ValueError, "lower"),
    (lambda: nn.Pad([(1, 1)]), TypeError, "tuple of pairs"),
    (lambda: nn.Pad(((1,),)), ValueError, "two sizes"),
    (lambda: nn.Pad(((1, 1),), "WRAP"), ValueError, "mode"),
])
def test_bad_arguments(make, error, text):
    with pytest.raises(error, match=text):
        make()


@pytest.mark.parametrize("make, shape", [
    (lambda: nn.Conv2d(1, 2, 3), (2, 2)), (lambda: nn.Conv2d(1, 2, 3), (1, 2, 3, 3)),
    (lambda: nn.Conv2d(1, 2, 5, pad_mode="valid"), (1, 1, 3, 3)), (lambda: nn.Conv1d(1, 2, 3), (1, 1, 3, 3)),
    (lambda: nn.MaxPool2d(3, 2), (1, 1, 2, 2)), (lambda: nn.MaxPool2d(3, 2), (2, 2)), (lambda: nn.AvgPool1d(2), (3,)),
    (lambda: nn.BatchNorm2d(3), (3,)), (lambda: nn.BatchNorm2d(3), (1, 2, 2, 2)), (lambda: nn.BatchNorm1d(3), (3,)),
    (lambda: nn.LayerNorm((3,)), (2, 4)), (lambda: nn.GroupNorm(1, 3), (1, 2, 2, 2)), (lambda: nn.Softmax2d(), (2, 2)),
    (lambda: nn.InstanceNorm2d(3), (2, 3, 4)), (lambda: nn.Pad(((1, 1),)), (2, 2))])
def test_inputs_that_do_not_fit(make, shape, mode):
    with pytest.raises(ShapeError):
        make()(Tensor(np.ones(shape, np.float32)))


def test_a_layer_in_half_precision(mode):
    conv = nn.Conv2d(3, 2, 3, weight_init="ones", dtype=gc.float16)
    result = conv(Tensor(IMAGES, gc.float16))
    assert result.dtype is gc.float16
    whole = nn.Conv2d(3, 2, 3, weight_init="ones")(Tensor(IMAGES)).asnumpy()
    np.testing.assert_allclose(result.asnumpy().astype(np.float32), whole, rtol=1e-2, atol=0.5)
    assert isinstance(conv.weight, Parameter)


def test_what_subclasses_with_a_construct_of_their_own_call(mode):
    """MindCV's models reach for the primitives that MindSpore's layers hold."""
    class Standardised(nn.Conv2d):
        def construct(self, x):
            return self.bias_add(self.conv2d(x, self.weight * 2), self.bias)

    class ChannelsFirst(nn.LayerNorm):
        def construct(self, x):
            y, _, _ = self.layer_norm(ops.transpose(x, (0, 2, 3, 1)), self.gamma, self.beta)
            return ops.transpose(y, (0, 3, 1, 2))

    x = Tensor(IMAGES)
    given = {"stride": 2, "pad_mode": "pad", "padding": (1, 0, 0, 1), "has_bias": True, "bias_init": "zeros"}
    conv = nn.Conv2d(3, 2, 3, weight_init=ramp(2, 3, 3, 3), **given)
    close(Standardised(3, 2, 3, weight_init=ramp(2, 3, 3, 3), **given)(x), 2 * conv(x).asnumpy())
    expected = nn.LayerNorm([3], epsilon=1e-5)(Tensor(IMAGES.transpose(0, 2, 3, 1).copy())).asnumpy()
    close(ChannelsFirst([3], epsilon=1e-5)(x), expected.transpose(0, 3, 1, 2))


def test_dropout_follows_its_attributes(mode):
    layer, x = nn.Dropout(p=0.5).set_train(), Tensor(np.ones((4, 64), np.float32))
    assert (layer(x).asnumpy() == 0).any()
    layer.p = 0.0
    close(layer(x), x.asnumpy())
    layer.p = 0.9
    assert (layer(x).asnumpy() == 0).mean() > 0.7
    layer.keep_prob = 1.0
    close(layer(x), x.asnumpy())
