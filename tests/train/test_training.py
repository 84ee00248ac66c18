"""Training for real: digits, resuming, mixed precision, loss scales."""
from pathlib import Path

import numpy as np
import pytest

import graphcore as gc
from graphcore import dataset as ds
from graphcore import dtype as dt
from graphcore import nn
from graphcore.tensor import Tensor
from graphcore.train import (
    CheckpointConfig,
    DynamicLossScaleManager,
    EarlyStopping,
    FixedLossScaleManager,
    LambdaCallback,
    LearningRateScheduler,
    LossMonitor,
    Model,
    ModelCheckpoint,
    load_checkpoint,
    load_param_into_net,
)
from graphcore.train.amp import (
    DynamicLossScaler,
    StaticLossScaler,
    all_finite,
    auto_mixed_precision,
    build_train_network,
)

DIGITS = Path(__file__).parents[2] / "examples" / "data" / "digits.npz"


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Dense(64, 32), nn.Dense(32, 10)
        self.relu = nn.ReLU()

    def construct(self, x):
        return self.fc2(self.relu(self.fc1(x)))


def digits(part=slice(None), batch=64, shuffle=False):
    data = np.load(DIGITS)
    images = (data["images"].reshape(-1, 64) / 16).astype(np.float32)[part]
    return ds.NumpySlicesDataset({"x": images, "y": data["labels"][part]}, shuffle=shuffle).batch(batch, True)


def made(net=None, **options):
    net = net or Net()
    return Model(net, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"),
                 nn.Momentum(net.trainable_params(), 0.1, 0.9), metrics={"acc", "loss"}, **options)


def weights(net):
    return {p.name: p.asnumpy().copy() for p in net.get_parameters()}


def test_digits_are_learnt(capsys):
    gc.set_seed(1)
    model = made()
    history = model.fit(4, digits(slice(0, 1500), shuffle=True), digits(slice(1500, None)),
                        callbacks=[LossMonitor(23), EarlyStopping("loss", patience=3)])
    losses, accuracy = history.history["net_output"], history.history["acc"]
    assert losses[-1] < 0.5 * losses[0]
    assert accuracy[-1] > 0.85
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("epoch: 1 step: 23, loss is ")]
    assert lines[-1].startswith("Eval result: epoch 4, metrics: {")


def test_the_step_equals_a_loop_of_ones_own():
    gc.set_seed(3)
    model, net = made(), Net()
    load_param_into_net(net, {k: gc.Parameter(Tensor(v), name=k) for k, v in weights(model.predict_network).items()})
    loss_fn = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    step = gc.value_and_grad(lambda x, y: loss_fn(net(x), y), None, optimizer.parameters)
    losses = []
    for x, y in digits(slice(0, 256)):
        loss, gradients = step(x, y)
        optimizer(gradients)
        losses.append(float(loss.asnumpy()))
    history = model.train(1, digits(slice(0, 256)))
    assert history.history["net_output"][-1] == pytest.approx(losses[-1], rel=1e-5)
    for name, value in weights(net).items():
        np.testing.assert_allclose(weights(model.predict_network)[name], value, rtol=1e-4, atol=1e-6)


def test_checkpoints_have_mindspores_names_and_resume_bit_for_bit(tmp_path):
    gc.set_seed(5)
    model = made()
    checkpoint = ModelCheckpoint("net", tmp_path, CheckpointConfig(4, keep_checkpoint_max=9))
    model.train(2, digits(slice(0, 256)), callbacks=checkpoint)
    saved = load_checkpoint(str(tmp_path / "net-1_4.ckpt"))
    assert set(saved) == {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "global_step", "learning_rate",
                          "momentum", "moments.fc1.weight", "moments.fc1.bias", "moments.fc2.weight",
                          "moments.fc2.bias"}
    resumed = made()
    assert load_param_into_net(resumed.train_network, saved) == ([], [])
    resumed.train(2, digits(slice(0, 256)), initial_epoch=1)
    expected = weights(model.train_network)
    for name, value in weights(resumed.train_network).items():
        assert value.tobytes() == expected[name].tobytes(), name


def test_resumes_bit_for_bit_with_shuffled_rows_and_dropout(tmp_path):
    x = np.random.default_rng(0).standard_normal((24, 4)).astype(np.float32)

    def trained(epochs, first=0, state=None):
        gc.set_seed(7)
        net = nn.SequentialCell(nn.Dense(4, 8, weight_init="ones"), nn.Dropout(p=0.3), nn.Dense(8, 1))
        model = gc.Model(net, nn.MSELoss(), nn.Adam(net.trainable_params(), 0.01))
        if state is not None:
            load_param_into_net(model.train_network, state)
            gc.set_rng_state(state["rng_state"])
        rows = ds.NumpySlicesDataset((x, x.sum(1, keepdims=True)), ["x", "y"], shuffle=True).shuffle(5).batch(8)
        losses = []
        model.train(epochs, rows, initial_epoch=first, callbacks=[
            LambdaCallback(on_train_step_end=lambda run: losses.append(float(run.original_args().net_outputs))),
            ModelCheckpoint("net", tmp_path, CheckpointConfig(3, keep_checkpoint_max=9, append_info=["rng_state"]))])
        return losses

    whole = trained(4)
    assert trained(4, 2, load_checkpoint(str(tmp_path / "net-2_3.ckpt"))) == whole[6:]


def test_loading_into_a_compiled_net_takes_effect(tmp_path):
    net, x = Net(), Tensor(np.ones((2, 64), np.float32))
    gc.save_checkpoint(net, str(tmp_path / "a.ckpt"))
    before = net(x).asnumpy().copy()
    for parameter in net.get_parameters():
        parameter.set_data(Tensor(np.zeros(parameter.shape, np.float32)))
    assert not net(x).asnumpy().any()
    load_checkpoint(str(tmp_path / "a.ckpt"), net)
    assert (net(x).asnumpy() == before).all()


def test_learning_rate_changes_are_seen_by_the_compiled_step():
    model = made()
    before = weights(model.predict_network)
    model.train(1, digits(slice(0, 128)), callbacks=LearningRateScheduler(lambda rate, step: 0.0))
    after_first = weights(model.predict_network)
    assert any((before[name] != after_first[name]).any() for name in before)
    assert float(model.train_network.optimizer.learning_rate.asnumpy()) == 0


def test_build_compiles_before_the_first_step():
    model = made()
    before = weights(model.predict_network)
    model.build(digits(slice(0, 64)), digits(slice(0, 64)))
    assert all((before[name] == value).all() for name, value in weights(model.predict_network).items())
    model.train(1, digits(slice(0, 64)))


@pytest.mark.parametrize("manager", [FixedLossScaleManager(64.0, False), FixedLossScaleManager(64.0),
                                     DynamicLossScaleManager(64.0, 2, 3)])
def test_loss_scales_do_not_change_the_training(manager):
    gc.set_seed(7)
    plain = made()
    scaled_net = Net()
    load_param_into_net(scaled_net, {k: gc.Parameter(Tensor(v), name=k)
                                     for k, v in weights(plain.predict_network).items()})
    rate = 0.1 if manager.get_update_cell() is not None else 0.1 / 64
    optimizer = nn.SGD(scaled_net.trainable_params(), rate)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    scaled = Model(scaled_net, loss, optimizer, loss_scale_manager=manager)
    plain = Model(plain.predict_network, loss, nn.SGD(plain.predict_network.trainable_params(), 0.1))
    scaled.train(1, digits(slice(0, 320)))
    plain.train(1, digits(slice(0, 320)))
    for name, value in weights(plain.predict_network).items():
        np.testing.assert_allclose(weights(scaled_net)[name], value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("level", ["O1", "O2", "O3"])
def test_mixed_precision_learns(level):
    gc.set_seed(9)
    model = made(amp_level=level, loss_scale_manager=FixedLossScaleManager(128.0, True))
    model.train(2, digits(slice(0, 640)))
    assert model.eval(digits(slice(0, 640)))["acc"] > 0.6
    assert all(p.dtype is dt.float32 for p in model.predict_network.trainable_params())
    assert model.predict(Tensor(np.ones((2, 64), np.float32))).dtype is dt.float32


def test_mixed_precision_arguments():
    net = Net()
    assert auto_mixed_precision(net) is net
    for call, error in ((lambda: auto_mixed_precision(3, "O1"), TypeError),
                        (lambda: auto_mixed_precision(net, "O9"), ValueError),
                        (lambda: auto_mixed_precision(net, "O1", dt.float32), ValueError),
                        (lambda: build_train_network(net, 3), TypeError),
                        (lambda: build_train_network(net, nn.SGD(net.trainable_params()), level="O9"), ValueError),
                        (lambda: build_train_network(net, nn.SGD(net.trainable_params()), x=1), ValueError)):
        with pytest.raises(error):
            call()


def test_loss_scalers():
    scaler = DynamicLossScaler(1024.0, 2, 2)
    assert scaler.scale(Tensor([1.0])).asnumpy() == 1024
    unscaled = scaler.unscale((Tensor([2048.0]), Tensor([512.0], dt.float16)))
    assert [float(t.asnumpy()[0]) for t in unscaled] == [2.0, 0.5] and unscaled[1].dtype is dt.float16
    for gradients, scale in (([1.0], 1024), ([1.0], 2048), ([float("inf")], 1024), ([1.0], 1024), ([1.0], 2048)):
        assert scaler.adjust(all_finite((Tensor(gradients), Tensor([0.0])))) is True
        assert scaler.scale_value.asnumpy() == scale
    fixed = StaticLossScaler(8)
    assert fixed.adjust(Tensor(True)) is False and fixed.scale_value.asnumpy() == 8
    low = DynamicLossScaler(1.0, 4, 100)
    low.adjust(all_finite([Tensor([float("nan")])]))
    assert low.scale_value.asnumpy() == 1
    for make in (lambda: StaticLossScaler(0.5), lambda: DynamicLossScaler(2, 0, 1)):
        with pytest.raises(ValueError):
            make()


def test_scalers_in_a_loop_of_ones_own():
    net, scaler = Net(), DynamicLossScaler(256.0, 2, 1000)
    loss_fn = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.SGD(net.trainable_params(), 0.1)

    def forward(x, y):
        loss = loss_fn(net(x), y)
        return scaler.scale(loss), loss

    gradient = gc.value_and_grad(forward, None, optimizer.parameters, has_aux=True)

    @gc.jit
    def step(x, y):
        (_, loss), gradients = gradient(x, y)
        gradients = scaler.unscale(gradients)
        return loss, gradients, all_finite(gradients)

    losses = []
    for _ in range(4):
        for x, y in digits(slice(0, 256)):
            loss, gradients, finite = step(x, y)
            scaler.adjust(finite)
            if finite:
                optimizer(gradients)
            losses.append(float(loss.asnumpy()))
    assert losses[-1] < losses[0]
    assert scaler.scale_value.asnumpy() == 256


def test_normalisation_stays_in_float32_at_level_o2():
    net = nn.SequentialCell(nn.Dense(64, 16), nn.BatchNorm1d(16), nn.Dense(16, 10))
    model = made(net, amp_level="O2", loss_scale_manager=None)
    model.train(1, digits(slice(0, 256)))
    assert (net[0]._float_type, net[1]._float_type, net[2]._float_type) == (dt.float16, dt.float32, dt.float16)
    assert np.isfinite(net[1].moving_mean.asnumpy()).all() and net[1].moving_mean.asnumpy().any()
