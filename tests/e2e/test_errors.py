"""Bad input gives a short error of graphcore's own class that shows the user's line, and leaves nothing half-done."""
from __future__ import annotations

import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.dataset import NumpySlicesDataset
from graphcore.errors import (
    CaptureError,
    DTypeError,
    FormatError,
    GraphcoreError,
    NameClashError,
    NonFiniteError,
    ShapeError,
    UnboundParameterError,
)


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(4, 3)

    def construct(self, x, y=None):
        h = self.fc(x)
        if y is not None:
            h = h + y       # the line that a wrong y is seen at
        return h


def ones(*shape, dtype=np.float32):
    return Tensor(np.ones(shape, dtype))


def message(error):
    text = str(error.value)
    assert "numba" not in text.lower() and "Traceback" not in text
    return text


def test_a_wrong_shape_shows_the_users_line():
    with pytest.raises(ShapeError) as error:
        Net()(ones(2, 5))
    assert "(2, 5)" in message(error) and "h = self.fc(x)" in message(error) and "test_errors.py" in message(error)


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ShapeError) as error:
        Net()(ones(2, 4), ones(5))
    assert "h = h + y" in message(error) and "(2, 3)" in message(error) and "^" in message(error)


def test_a_wrong_dtype():
    @gc.jit
    def shift(x):
        return ops.bitwise_and(x, x)

    with pytest.raises(DTypeError) as error:
        shift(ones(2))
    assert "float32" in message(error) and "ops.bitwise_and(x, x)" in message(error)


def test_a_weight_that_is_no_parameter():
    with pytest.raises(UnboundParameterError, match="Parameters"):
        gc.value_and_grad(Net(), None, [ones(1)])(ones(2, 4))


def test_two_parameters_of_one_name():
    a, b = Parameter(ones(1), name="w"), Parameter(ones(2), name="w")
    with pytest.raises(NameClashError, match="'w'"):
        nn.SGD([a, b])


def test_a_number_of_a_tensor_is_refused_with_the_way_out():
    class Number(nn.Cell):
        def construct(self, x):
            return x * len(x.asnumpy())

    with pytest.raises(CaptureError) as error:
        Number()(ones(2))
    assert "x.asnumpy()" in message(error) and "ops.where" in message(error)


def test_a_failed_capture_is_not_kept():
    net = Net()
    for _ in range(2):
        with pytest.raises(ShapeError):
            net(ones(2, 5))
    assert net(ones(2, 4)).shape == (2, 3)


def test_nan_in_training_data_stops_with_the_step():
    data = np.ones((8, 4), np.float32)
    data[5, 2] = np.nan
    dataset = NumpySlicesDataset((data, np.zeros(8, np.int32)), ["x", "y"], shuffle=False).batch(4)
    net = Net()
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    model = gc.Model(net, loss, nn.Momentum(net.trainable_params(), 0.1, 0.9))
    with pytest.raises(NonFiniteError) as error:
        model.train(1, dataset, callbacks=[gc.LossMonitor()], dataset_sink_mode=False)
    assert "step: 2" in message(error)


def test_check_nan_names_the_input():
    gc.set_context(check_nan=True)
    try:
        with pytest.raises(NonFiniteError) as error:
            Net()(Tensor(np.array([[1, 2, np.nan, 4]], np.float32)))
    finally:
        gc.set_context(check_nan=False)
    assert "input 0" in message(error) and "(0, 2)" in message(error)


def test_half_a_checkpoint_changes_nothing(tmp_path):
    net, path = Net(), tmp_path / "net.ckpt"
    gc.save_checkpoint(net, str(path))
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-7])
    before = {name: p.asnumpy().copy() for name, p in net.parameters_dict().items()}
    with pytest.raises(FormatError):
        gc.load_checkpoint(str(path), net)
    for name, parameter in net.parameters_dict().items():
        np.testing.assert_array_equal(parameter.asnumpy(), before[name])


def test_all_of_them_are_graphcore_errors():
    for kind in (ShapeError, DTypeError, CaptureError, FormatError, NameClashError, UnboundParameterError,
                 NonFiniteError):
        assert issubclass(kind, GraphcoreError)
