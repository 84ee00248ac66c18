"""What runs but is hardly meant gets a warning at the user's line; what cannot work is said in the user's words."""
import warnings

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.dataset import NumpySlicesDataset
from graphcore.dataset.errors import DatasetError


def ones(*shape) -> Tensor:
    return Tensor(np.ones(shape, np.float32))


def rows():
    return NumpySlicesDataset((np.ones((4, 3), np.float32), np.ones((4, 2), np.float32))).batch(2)


@pytest.mark.parametrize("loss", [nn.MSELoss, nn.L1Loss])
@pytest.mark.parametrize("labels, warned", [((4,), True), ((4, 1), False), ((1,), False), ((), False), ((1, 1), False)])
def test_a_loss_that_compares_all_with_all(loss, labels, warned):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss()(ones(4, 1), ones(*labels))
    assert [w.filename for w in caught] == [__file__] * warned
    assert not warned or "(4, 1) and (4,) broadcast to (4, 4)" in str(caught[0].message)


def test_the_optimiser_of_another_net():
    net, other = nn.WithLossCell(nn.Dense(3, 2), nn.MSELoss()), nn.Dense(3, 2)
    step = nn.TrainOneStepCell(net, nn.SGD(other.trainable_params(), 0.1))
    with pytest.warns(UserWarning, match="depends on none of the 2 Parameters .*those of another net"):
        step(ones(2, 3), ones(2, 2))
    both = [*net.trainable_params(), *nn.Dense(4, 2).trainable_params()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.grad(lambda x: net(x, ones(2, 2)), None, both)(ones(2, 3))       # one of several is enough
        gc.grad(lambda x: ops.select(x.sum() > 0, net(x, x[:, :2]), x.sum()), None, both)(ones(2, 3))


def test_a_model_that_cannot_learn():
    net = nn.Dense(3, 2)
    with pytest.warns(UserWarning, match="no optimizer, so that"):
        gc.Model(net, nn.MSELoss()).train(1, rows())
    with pytest.raises(ValueError, match=r"2 elements, and Dense is defined as construct\(x\).*give Model a loss_fn"):
        gc.Model(net, None, nn.SGD(net.trainable_params(), 0.1)).train(1, rows())


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere"):
        gc.save_checkpoint(nn.Dense(3, 2), str(tmp_path / "nowhere" / "net.ckpt"))


def test_weights_of_pytorch():
    with pytest.raises(ValueError, match="load_torch_state_dict"):
        gc.load_checkpoint("net.pth")


def test_an_operation_of_a_dataset_that_returns_nothing():
    def forgets(value):
        value + 1
    with pytest.raises(DatasetError, match=r"operation .*forgets.* on columns \['column_0'\], row 0, returned None"):
        list(rows().map(forgets, input_columns=["column_0"]).create_tuple_iterator())


@pytest.mark.parametrize("make, message", [
    (lambda net, optimizer: nn.TrainOneStepCell(optimizer, net), "optimizer must be an nn.Optimizer, got a Dense"),
    (lambda net, optimizer: nn.TrainOneStepCell(net, nn.SGD), "optimizer must be an nn.Optimizer, got class SGD"),
    (lambda net, optimizer: nn.WithLossCell(net, "mse"), "loss_fn must be a Cell or a function, got 'mse'"),
])
def test_parts_of_a_step_in_wrong_places(make, message):
    net = nn.Dense(3, 2)
    with pytest.raises(TypeError, match=message):
        make(net, nn.SGD(net.trainable_params()))
