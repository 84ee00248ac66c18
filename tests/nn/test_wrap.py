"""Wrapped nets: loss, gradients and update in one call."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops

DATA = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 1.0]], np.float32)
LABEL = np.array([[1.0], [0.0], [2.0]], np.float32)


class Linear(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(2, 1, weight_init=Tensor(np.array([[0.5, -1.0]], np.float32)), bias_init="ones")

    def construct(self, x):
        return self.fc(x)


def loss_and_gradients(weight, bias):
    error = DATA.astype(np.float64) @ weight.T + bias - LABEL
    return (error ** 2).mean(), 2 * error.T @ DATA / error.size, 2 * error.sum(0) / error.size


def after(steps, rate, weight=((0.5, -1.0),), bias=(1.0,)):
    """(losses, weight, bias) of plain gradient descent in float64."""
    weight, bias, losses = np.array(weight), np.array(bias), []
    for _ in range(steps):
        loss, dw, db = loss_and_gradients(weight, bias)
        losses.append(loss)
        weight, bias = weight - rate * dw, bias - rate * db
    return losses, weight, bias


def test_train_one_step(mode):
    net = Linear()
    train = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params(), 0.1)).set_train()
    losses = [float(train(Tensor(DATA), Tensor(LABEL))) for _ in range(5)]
    expected, weight, bias = after(5, 0.1)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(net.fc.weight.asnumpy(), weight, rtol=1e-4)
    np.testing.assert_allclose(net.fc.bias.asnumpy(), bias, rtol=1e-4)
    if mode == "compiled":
        assert train._compiled.programs == 1


def test_names_stay_those_of_the_net():
    net = Linear()
    train = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.Momentum(net.trainable_params(), 0.1, 0.9))
    assert [p.name for p in train.get_parameters()] == [
        "fc.weight", "fc.bias", "global_step", "learning_rate", "momentum", "moments.fc.weight", "moments.fc.bias"]
    assert repr(train) == """TrainOneStepCell(
  (network): WithLossCell(
    (_backbone): Linear(
      (fc): Dense(input_channels=2, output_channels=1, has_bias=True)
    )
    (_loss_fn): MSELoss()
  )
  (optimizer): Momentum()
  (grad_reducer): Identity()
)"""
    assert train.network.backbone_network is net


def test_sens_scales_the_gradients(mode):
    net = Linear()
    optimizer = nn.SGD(net.trainable_params(), 0.1, loss_scale=8.0)
    train = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer, sens=8.0)
    loss = train(Tensor(DATA), Tensor(LABEL))
    expected, weight, _ = after(1, 0.1)
    assert float(loss) == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(net.fc.weight.asnumpy(), weight, rtol=1e-5)
    with pytest.raises(ValueError, match="sens"):
        nn.TrainOneStepCell(net, optimizer, sens=0)


def test_return_grad(mode):
    net = Linear()
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    train = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer, return_grad=True)
    loss, gradients = train(Tensor(DATA), Tensor(LABEL))
    expected, dw, db = loss_and_gradients(np.array([[0.5, -1.0]]), np.array([1.0]))
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradients["fc.weight"].asnumpy(), dw, rtol=1e-5)
    np.testing.assert_allclose(gradients["fc.bias"].asnumpy(), db, rtol=1e-5)


def test_batch_statistics_move_once_per_step(mode):
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.bn = nn.BatchNorm1d(2)

        def construct(self, x):
            return ops.mean(ops.square(self.bn(x) - 1.0))

    net = Net()
    train = nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 0.1)).set_train()
    train(Tensor(DATA))
    np.testing.assert_allclose(net.bn.moving_mean.asnumpy(), 0.1 * DATA.mean(0), rtol=1e-5)
    np.testing.assert_allclose(net.bn.moving_variance.asnumpy(), 0.9 + 0.1 * DATA.var(0, ddof=1), rtol=1e-5)
    assert not np.allclose(net.bn.beta.asnumpy(), 0)


def test_with_eval_cell(mode):
    net = Linear()
    loss, outputs, label = nn.WithEvalCell(net, nn.MSELoss())(Tensor(DATA), Tensor(LABEL))
    assert float(loss) == pytest.approx(after(1, 0)[0][0], rel=1e-5)
    assert outputs.shape == (3, 1)
    np.testing.assert_array_equal(label.asnumpy(), LABEL)


def test_forward_value_and_grad(mode):
    net = Linear()
    with_loss = nn.WithLossCell(net, nn.MSELoss())
    expected, dw, db = loss_and_gradients(np.array([[0.5, -1.0]]), np.array([1.0]))

    loss, gradients = nn.ForwardValueAndGrad(with_loss, net.trainable_params(), get_by_list=True)(
        Tensor(DATA), Tensor(LABEL))
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradients[0].asnumpy(), dw, rtol=1e-5)

    _, (by_data, by_label) = nn.ForwardValueAndGrad(with_loss, get_all=True)(Tensor(DATA), Tensor(LABEL))
    assert by_data.shape == DATA.shape and by_label.shape == LABEL.shape

    outputs, doubled = nn.ForwardValueAndGrad(net, net.trainable_params(), get_by_list=True, sens_param=True)(
        Tensor(DATA), Tensor(np.full((3, 1), 2.0, np.float32)))
    assert outputs.shape == (3, 1)
    np.testing.assert_allclose(doubled[0].asnumpy(), 2 * DATA.sum(0, keepdims=True), rtol=1e-5)
    with pytest.raises(TypeError, match="weights"):
        nn.ForwardValueAndGrad(net, get_by_list=True)


def test_with_grad_cell(mode):
    net = Linear()
    gradients = nn.WithGradCell(net, nn.MSELoss())(Tensor(DATA), Tensor(LABEL))
    _, dw, db = loss_and_gradients(np.array([[0.5, -1.0]]), np.array([1.0]))
    np.testing.assert_allclose(gradients[0].asnumpy(), dw, rtol=1e-5)
    np.testing.assert_allclose(gradients[1].asnumpy(), db, rtol=1e-5)


def test_distributed_grad_reducer_passes_gradients_on(mode):
    net = Linear()
    assert nn.DistributedGradReducer(net.trainable_params(), True, 1)((Tensor(DATA),))[0].shape == DATA.shape


def test_parameter_update(mode):
    param = Parameter(np.zeros(2, np.float32), name="p")
    x = nn.ParameterUpdate(param)(Tensor([1.0, 2.0]))
    assert param.asnumpy().tolist() == [1.0, 2.0] == x.asnumpy().tolist()


def loss_scaled(scale):
    net = Linear()
    optimizer = nn.Adam(net.trainable_params(), 0.1)
    return net, optimizer, nn.TrainOneStepWithLossScaleCell(nn.WithLossCell(net, nn.MSELoss()), optimizer, scale)


def test_loss_scale_does_not_change_the_step(mode):
    net, _, train = loss_scaled(Tensor(1024.0))
    loss, overflow, scale = train(Tensor(DATA), Tensor(LABEL))
    plain = Linear()
    nn.TrainOneStepCell(nn.WithLossCell(plain, nn.MSELoss()), nn.Adam(plain.trainable_params(), 0.1))(
        Tensor(DATA), Tensor(LABEL))
    assert float(loss) == pytest.approx(after(1, 0)[0][0], rel=1e-5)
    assert not bool(overflow) and float(scale) == 1024.0
    np.testing.assert_allclose(net.fc.weight.asnumpy(), plain.fc.weight.asnumpy(), rtol=1e-5)


def test_an_overflow_skips_the_step_and_lowers_the_scale(mode):
    net, optimizer, train = loss_scaled(nn.DynamicLossScaleUpdateCell(16.0, 2, 2))
    bad = DATA.copy()
    bad[0, 0] = np.inf
    results = [train(Tensor(data), Tensor(LABEL)) for data in (bad, DATA, DATA, DATA)]
    assert [bool(overflow) for _, overflow, _ in results] == [True, False, False, False]
    assert [float(scale) for _, _, scale in results] == [16.0, 8.0, 8.0, 16.0]
    assert optimizer.global_step.asnumpy().tolist() == [3]
    assert np.isfinite(net.fc.weight.asnumpy()).all() and np.isfinite(optimizer.moment1[0].asnumpy()).all()


def test_fixed_scale(mode):
    _, _, train = loss_scaled(nn.FixedLossScaleUpdateCell(4.0))
    _, overflow, scale = train(Tensor(DATA), Tensor(LABEL))
    assert float(scale) == 4.0 and not bool(overflow)
    train.set_sense_scale(Tensor(2.0, gc.float32))
    assert float(train(Tensor(DATA), Tensor(LABEL))[2]) == 2.0
    with pytest.raises(TypeError):
        loss_scaled(3.0)
    with pytest.raises(ValueError):
        loss_scaled(Tensor([1.0, 2.0]))
