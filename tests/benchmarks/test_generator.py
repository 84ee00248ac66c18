"""The generated numbers are those that the expected losses belong to, on every platform."""
import numpy as np
import pytest

from benchmarks.expected import GRADIENT_NORMS, LOSSES
from benchmarks.nets import NETS, make_inference, make_net
from benchmarks.reference import fused, fused_gradients, outputs
from benchmarks.runners.for_graphcore import Framework
from benchmarks.runners.task import check, compared
from benchmarks.weights import mobilenetv2_blocks, resnet18_blocks
from benchmarks.workloads import (
    TRAIN,
    WORKLOADS,
    batches,
    cell_names,
    given,
    inference_inputs,
    params,
    select,
    workload,
)
from graphcore import Tensor

WEIGHT_SUMS = [
    ("mlp", "fc1.weight", (512, 784), 28.446507244892665),
    ("mlp", "fc3.bias", (10,), 0.004630080657079816),
    ("lenet5", "conv2.weight", (16, 6, 5, 5), -6.729010621835187),
    ("lenet5", "fc3.weight", (10, 84), -4.838823284997488),
    ("tiny", "fc2.weight", (1, 32), 0.6105544525198638),
    ("resnet18_cifar", "layer4.1.bn2.running_var", (512,), 514.2815568447113),
    ("resnet18_cifar", "fc.weight", (10, 512), 0.4595288187103961),
    ("mobilenetv2_224", "b1.econv.weight", (96, 16, 1, 1), -2.6319756394659635),
    ("mobilenetv2_224", "b16.pbn.running_var", (320,), 316.9423171877861),
    ("mobilenetv2_224", "fc.weight", (1000, 1280), 23.974336264734813),
    ("gpt", "h.3.out.bias", (256,), -0.19265395091861137),
    ("gpt", "head.weight", (1000, 256), -11.160771859525731),
    ("lstm", "lstm.weight_hh_l0", (512, 128), -3.763216127933248),
    ("lstm", "fc.bias", (10,), -0.04078450950328261),
]
BATCH_SUMS = [
    ("mlp", (5, 128, 784), 5.394472730088182, [3, 0, 4, 8, 0, 2], 2848),
    ("lenet5", (5, 64, 1, 32, 32), -755.9447728803111, [9, 8, 0, 5, 1, 2], 1438),
    ("resnet18_cifar", (5, 32, 3, 32, 32), -898.8922497308704, [7, 7, 8, 3, 4, 6], 692),
    ("lstm", (5, 32, 50, 64), -1102.2394617651607, [4, 6, 0, 8, 4, 9], 728),
]
INPUT_SUMS = [("tiny", "infer", (1, 16), -2.026743732392788), ("mlp", "infer_b1", (1, 784), -25.79462582943961),
              ("resnet18_224", "infer", (1, 3, 224, 224), 40.483297934329926),
              ("mobilenetv2_224", "infer", (1, 3, 224, 224), 428.43212908292344)]
FUSED_SUMS = [3542.061651546621, -96.99823219422387, 960.4130606186236, 693.5394488833474]


def total(array) -> float:
    return float(array.astype(np.float64).sum())


@pytest.mark.parametrize("name, weight, shape, expected", WEIGHT_SUMS)
def test_weights(name, weight, shape, expected):
    value = params(name)[weight]
    assert (value.dtype, value.shape) == (np.float32, shape)
    assert total(value) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name, shape, x_sum, first_labels, y_sum", BATCH_SUMS)
def test_batches(name, shape, x_sum, first_labels, y_sum):
    x, y = batches(name)
    assert (x.dtype, x.shape, y.dtype, y.shape) == (np.float32, shape, np.int32, shape[:2])
    assert total(x) == pytest.approx(x_sum, rel=1e-9)
    assert (y[0, :6].tolist(), int(y.sum())) == (first_labels, y_sum)


@pytest.mark.parametrize("name, mode, shape, expected", INPUT_SUMS)
def test_inference_inputs(name, mode, shape, expected):
    x, = inference_inputs(name, mode)
    assert (x.dtype, x.shape) == (np.float32, shape)
    assert total(x) == pytest.approx(expected, rel=1e-9)


def test_texts():
    x, y = batches("gpt")
    assert (x.dtype, x.shape, y.dtype, y.shape) == (np.int32, (5, 8, 128), np.int32, (5, 8, 128))
    assert (x[0, 0, :6].tolist(), int(x.sum()), int(y.sum())) == ([92, 145, 483, 666, 223, 50], 2517796, 2521495)
    np.testing.assert_array_equal(x[:, :, 1:], y[:, :, :-1])
    np.testing.assert_array_equal(inference_inputs("gpt", "infer_b1")[0], x[0, :1])


def test_inputs_of_fused():
    inputs = inference_inputs("fused", "fwd")
    assert [(x.dtype, x.shape) for x in inputs] == [(np.float32, (4 << 20,))] * 4
    assert [total(x) for x in inputs] == pytest.approx(FUSED_SUMS, rel=1e-9)


def test_a_second_draw_gives_arrays_of_its_own():
    params("tiny")["fc1.weight"][:] = 0
    assert params("tiny")["fc1.weight"].any()


def test_inference_only_workloads_have_no_batches():
    with pytest.raises(ValueError, match="tiny is for inference only"):
        batches("tiny")


def test_given_holds_the_arguments_of_every_step():
    for_training, for_inference = given("mlp", TRAIN), given("mlp", "infer_b128")
    assert [x.shape for x, _ in for_training.arguments] == [(128, 784)] * 5
    assert [x.shape for x, in for_inference.arguments] == [(128, 784)]
    assert for_training.trains and not for_inference.trains


def test_every_trained_workload_has_expectations_for_what_it_trains():
    for name, described in WORKLOADS.items():
        if TRAIN in described.modes:
            trained = [n for n in params(name) if not n.endswith(("running_mean", "running_var"))]
            assert list(GRADIENT_NORMS[name]) == trained
            assert len(LOSSES[name]) == 5


def test_cell_names():
    names = cell_names(params("resnet18_cifar"))
    assert names["conv1.weight"] == "conv1.weight"
    assert names["fc.bias"] == "fc.bias"
    assert [names[f"layer2.0.dbn.{own}"] for own in ("weight", "bias", "running_mean", "running_var")] == [
        "layer2.0.dbn.gamma", "layer2.0.dbn.beta", "layer2.0.dbn.moving_mean", "layer2.0.dbn.moving_variance"]


def test_cell_names_of_other_layers():
    names = cell_names([*params("gpt"), *params("mobilenetv2_224")])
    assert [names[n] for n in ("wte.weight", "h.1.ln2.bias", "h.1.qkv.bias", "head.weight", "b12.ebn.weight")] == [
        "wte.embedding_table", "h.1.ln2.beta", "h.1.qkv.bias", "head.weight", "b.12.ebn.gamma"]


def test_mobilenet_blocks():
    blocks = mobilenetv2_blocks()
    assert len(blocks) == 17 and [b.name for b in blocks if not b.expands] == ["b0"]
    assert [(b.inputs, b.hidden, b.outputs, b.stride) for b in blocks][:3] == [
        (32, 32, 16, 1), (16, 96, 24, 2), (24, 144, 24, 1)]
    assert [b.name for b in blocks if b.residual] == ["b2", "b4", "b5", "b7", "b8", "b9", "b11", "b12", "b14", "b15"]


def test_resnet_blocks():
    blocks = resnet18_blocks()
    assert [b.name for b in blocks if b.projected] == ["layer2.0", "layer3.0", "layer4.0"]
    assert [(b.inputs, b.outputs, b.stride) for b in blocks][:3] == [(64, 64, 1), (64, 64, 1), (64, 128, 2)]


@pytest.mark.parametrize("name", ["mlp", "lenet5", "resnet18_cifar", "mobilenetv2_224", "gpt", "lstm",
                                  "tiny", "fused"])
def test_the_nets_take_the_weights_by_name(name):
    weights = params(name)
    net = make_net(name, weights)
    found = {p.name: p.peek() for p in net.get_parameters()}
    for torch_name, cell_name in cell_names(weights).items():
        np.testing.assert_array_equal(found.pop(cell_name), weights[torch_name])
    assert not found
    assert name in NETS


def test_wrong_weights_are_refused():
    with pytest.raises(ValueError, match="no Parameters fc9.weight"):
        make_net("tiny", {**params("tiny"), "fc9.weight": np.zeros(1, np.float32)})


@pytest.mark.parametrize("name, mode", [("tiny", "infer"), ("mlp", "infer_b1")])
def test_graphcore_computes_what_the_reference_does(name, mode):
    net = make_net(name, params(name))
    found = net(*map(Tensor, inference_inputs(name, mode))).asnumpy()
    np.testing.assert_allclose(found, outputs(name, mode), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, mode", [
    ("lstm", TRAIN), ("gpt", "infer_b1"), pytest.param("gpt", TRAIN, marks=pytest.mark.slow),
    pytest.param("mobilenetv2_224", "infer", marks=pytest.mark.slow)])
def test_graphcore_passes_the_check_of_the_runners(name, mode):
    numbers = given(name, mode)
    assert check(Framework(1, "").prepare(numbers), numbers) < 1e-5


@pytest.mark.parametrize("mode", ["fwd", "fwdbwd"])
def test_fused_on_a_part(mode):
    call = make_inference("fused", mode, {})
    inputs = [x[::workload("fused").compared_every] for x in inference_inputs("fused", mode)]
    found = compared(call(*map(Tensor, inputs)), lambda tensor: tensor.asnumpy(), every=1)
    np.testing.assert_allclose(found, outputs("fused", mode), rtol=1e-4, atol=1e-5)


def test_the_gradients_of_fused_are_slopes():
    x, b, c, d = np.random.RandomState(1).standard_normal((4, 100))
    gradients, nudge = fused_gradients(x, b, c, d, {}), 1e-6
    for i in range(4):
        above, below = ([v + sign * nudge * (i == j) for j, v in enumerate((x, b, c, d))] for sign in (1, -1))
        np.testing.assert_allclose(gradients[i], (fused(*above, {}) - fused(*below, {})) / (2 * nudge), rtol=1e-6,
                                   atol=1e-8)


def test_select():
    assert [(w.name, mode) for w, mode in select("tiny, mlp/infer_b1,tiny")] == [("mlp", "infer_b1"), ("tiny", "infer")]
    assert len(select(None)) == sum(len(w.modes) for w in WORKLOADS.values())
    with pytest.raises(KeyError, match="no workload 'mlq'"):
        select("mlq")
    with pytest.raises(KeyError, match="tiny has no mode 'train'"):
        select("tiny/train")
