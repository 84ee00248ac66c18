"""Recurrent layers against values recorded from MindSpore 2.10 (CPU)."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn
from graphcore.errors import ShapeError
from graphcore.nn.layers import rnn

X = ((np.arange(12) % 5 - 2) * 0.5).reshape(3, 2, 2).astype(np.float32)
LENGTHS = np.array([3, 1], np.int32)


def filled(net):
    """`net` with small known numbers as Parameters."""
    for k, p in enumerate(net.get_parameters()):
        p.set_data(Tensor((((np.arange(p.size) + k) % 7 - 3) * 0.2).reshape(p.shape).astype(np.float32)))
    return net


def close(result, expected):
    if isinstance(result, tuple):
        assert len(result) == len(expected)
        for r, e in zip(result, expected):
            close(r, e)
    else:
        assert result.shape == np.shape(expected)
        np.testing.assert_allclose(result.asnumpy(), expected, rtol=1e-4, atol=2e-6)


LSTM_OUT = [[[0.062069, -0.287731], [-0.017012, -0.15036]], [[0.029269, -0.283529], [0.027177, -0.328049]],
            [[-0.033137, -0.221534], [0.083308, -0.497372]]]
LAYERS = {
    "lstm": (lambda: nn.LSTM(2, 2), (X,), LSTM_OUT,
             ([[[-0.033137, -0.221534], [0.083308, -0.497372]]], [[[-0.055682, -0.9559], [0.343182, -0.986336]]])),
    "lstm, two layers, both directions, batch first, no bias": (
        lambda: nn.LSTM(2, 2, num_layers=2, bidirectional=True, batch_first=True, has_bias=False),
        (X.transpose(1, 0, 2),),
        [[[0.017179, -0.013235, 0.0127, -0.012343], [-0.016596, -0.006356, 0.001703, 0.001212],
          [-0.024527, 0.008425, -0.012159, 0.012987]],
         [[0.00712, 0.002133, -0.004818, -0.002466], [0.027876, -0.008217, 0.008608, -0.014111],
          [0.036255, -0.020877, 0.008789, -0.013516]]],
        ([[[-0.06563, 0.011912], [0.117135, -0.042693]], [[0.013407, -0.092923], [0.055748, 0.014278]],
          [[-0.024527, 0.008425], [0.036255, -0.020877]], [[0.0127, -0.012343], [-0.004818, -0.002466]]],
         [[[-0.095567, 0.036463], [0.371174, -0.061685]], [[0.031474, -0.152548], [0.133009, 0.030418]],
          [[-0.050476, 0.016493], [0.071322, -0.04254]], [[0.02421, -0.025447], [-0.00993, -0.004845]]])),
    "lstm, lengths": (
        lambda: nn.LSTM(2, 2), (X, None, LENGTHS),
        [LSTM_OUT[0], [LSTM_OUT[1][0], [0, 0]], [LSTM_OUT[2][0], [0, 0]]],
        ([[[-0.033137, -0.221534], [-0.017012, -0.15036]]], [[[-0.055682, -0.955901], [-0.039998, -0.393845]]])),
    "lstm, lengths, both directions": (
        lambda: nn.LSTM(2, 2, bidirectional=True), (X, None, LENGTHS),
        [[[0.035209, -0.041429, 0.070331, 0.044848], [-0.193654, 0.028949, 0.0, 0.127274]],
         [[-0.163477, -0.072243, -0.060366, 0.082367], [0, 0, 0, 0]],
         [[-0.401368, 0.004007, -0.021974, 0.143279], [0, 0, 0, 0]]],
        ([[[-0.401368, 0.004007], [-0.193654, 0.028949]], [[0.070331, 0.044848], [0.0, 0.127274]]],
         [[[-0.559817, 0.007516], [-0.298369, 0.044867]], [[0.113144, 0.077685], [0.0, 0.308504]]])),
    "gru": (lambda: nn.GRU(2, 2), (X,),
            [[[0.27564, -0.243876], [0.07861, -0.204684]], [[0.222348, -0.299455], [0.223878, -0.36455]],
             [[0.167638, -0.388888], [0.403116, -0.49405]]], [[[0.167638, -0.388888], [0.403116, -0.49405]]]),
    "gru, two layers, with state": (
        lambda: nn.GRU(2, 2, num_layers=2), (X, np.full((2, 2, 2), 0.5, np.float32)),
        [[[0.092959, 0.422377], [0.125836, 0.43268]], [[0.025225, 0.239003], [0.025385, 0.270815]],
         [[0.00875, 0.175405], [-0.041412, 0.178896]]],
        [[[-0.280762, 0.056962], [0.060384, -0.106706]], [[0.00875, 0.175405], [-0.041412, 0.178896]]]),
    "rnn": (lambda: nn.RNN(2, 2), (X,),
            [[[0.53705, 0.379949], [-0.379949, 0.197375]], [[-0.598502, 0.075844], [0.209363, 0.327009]],
             [[-0.588761, 0.114662], [0.4226, 0.434476]]], [[[-0.588761, 0.114662], [0.4226, 0.434476]]]),
    "rnn, relu": (lambda: nn.RNN(2, 2, nonlinearity="relu"), (X,),
                  [[[0.6, 0.4], [0.0, 0.2]], [[0.0, 0.08], [0.06, 0.34]], [[0.0, 0.116], [0.508, 0.468]]],
                  [[[0.0, 0.116], [0.508, 0.468]]]),
}


def check(case):
    make, arguments, outputs, state = LAYERS[case]
    got, last = filled(make())(*[None if a is None else Tensor(a) for a in arguments])
    close(got, outputs)
    close(last, state)


@pytest.mark.parametrize("case", LAYERS)
def test_as_in_mindspore(case, eager):
    check(case)


@pytest.mark.parametrize("case", ["lstm, lengths, both directions", "gru, two layers, with state"])
def test_compiled(case, compiled):
    check(case)


def test_single_steps(mode):
    x, h, c = (Tensor(step) for step in X)
    close(filled(nn.LSTMCell(2, 2))(x, (h, c)), ([[0.19031, 0.088348], [-0.201529, -0.294929]],
                                                 [[0.424405, 0.148655], [-0.645656, -0.78428]]))
    close(filled(nn.GRUCell(2, 2))(x, h), [[0.775929, -0.914626], [-0.227795, -0.174752]])
    close(filled(nn.RNNCell(2, 2))(x, h), [[0.379949, 0.197375], [-0.197375, 0.197375]])
    close(filled(nn.RNNCell(2, 2, nonlinearity="relu", has_bias=False))(x, h), [[0.6, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("cell, step", [(nn.LSTMCell(2, 2), rnn._lstm_cell), (nn.GRUCell(2, 2), rnn._gru_cell),
                                        (nn.RNNCell(2, 2), rnn._rnn_tanh_cell)])
def test_functions_of_single_steps(cell, step):
    x, *state = (Tensor(step) for step in X)
    state = tuple(state) if isinstance(cell, nn.LSTMCell) else state[0]
    expected = filled(cell)(x, state)
    found = step(x, state, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    close(found, tuple(t.asnumpy() for t in expected) if isinstance(expected, tuple) else expected.asnumpy())


def test_gradients_reach_all_parameters(mode):
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
            self.head = nn.Dense(6, 1)

        def construct(self, x):
            return self.head(self.lstm(x)[0][-1]).sum()

    net = Net()
    weights = net.trainable_params()
    _, gradients = gc.value_and_grad(net, None, weights)(Tensor(X))
    assert len(gradients) == 18
    step = 1e-2
    for index in (0, 1, 5, 12):
        if not weights[index].name.startswith("lstm"):
            continue
        value = weights[index].asnumpy().copy()
        moved = value.copy()
        moved.flat[0] += step
        weights[index].set_data(Tensor(moved))
        above = float(net(Tensor(X)))
        moved.flat[0] -= 2 * step
        weights[index].set_data(Tensor(moved))
        slope = (above - float(net(Tensor(X)))) / (2 * step)
        weights[index].set_data(Tensor(value))
        assert gradients[index].asnumpy().flat[0] == pytest.approx(slope, rel=2e-2, abs=1e-4)


def test_names_and_first_values():
    net = nn.SequentialCell(nn.LSTM(2, 3, 2, bidirectional=True))
    assert [p.name for p in net.get_parameters()] == [
        f"0.{kind}_l{layer}{side}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") for layer in (0, 1)
        for side in ("", "_reverse")]
    lstm = nn.LSTM(8, 16)
    assert lstm.w_ih_list[0].shape == (64, 8) and lstm.w_hh_list[0].shape == (64, 16)
    assert 0.2 < np.abs(lstm.w_ih_list[0].asnumpy()).max() <= 0.25
    assert [p.name for p in nn.GRUCell(2, 3).get_parameters()] == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]


@pytest.mark.parametrize("make, error", [
    (lambda: nn.LSTM(0, 2), ValueError), (lambda: nn.GRU(2, 2, dropout=1.0), ValueError),
    (lambda: nn.RNN(2, 2, nonlinearity="sin"), ValueError), (lambda: nn.LSTM(2, 2, bidirectional=1), TypeError),
    (lambda: nn.RNNCell(2, 2, nonlinearity="sin"), ValueError)])
def test_bad_arguments(make, error):
    with pytest.raises(error):
        make()


@pytest.mark.parametrize("call", [
    lambda: nn.LSTM(2, 2)(Tensor(X[0])), lambda: nn.LSTM(3, 2)(Tensor(X)), lambda: nn.LSTM(2, 2)(Tensor(X), Tensor(X)),
    lambda: nn.GRU(2, 2)(Tensor(X), Tensor(X)), lambda: nn.GRU(2, 2)(Tensor(X), None, Tensor([1], gc.int32)),
    lambda: nn.GRUCell(3, 2)(Tensor(X[0]), Tensor(X[0]))])
def test_inputs_that_do_not_fit(call, eager):
    with pytest.raises(ShapeError):
        call()


class Summed(nn.Cell):
    """The loss of a recurrent layer, with its gradients, over sequences of several lengths."""

    def __init__(self, net):
        super().__init__(auto_prefix=False)
        self.net = net
        self.gradients = gc.value_and_grad(self.loss, 0, net.trainable_params())

    def loss(self, x, lengths):
        y, _ = self.net(x, None, lengths)
        return (y * y).sum()

    def construct(self, x, lengths):
        return self.gradients(x, lengths)


@pytest.mark.parametrize("kind, options", [("LSTM", {"bidirectional": True}), ("GRU", {"batch_first": True})])
def test_one_program_takes_sequences_of_any_length(kind, options):
    step = Summed(filled(getattr(nn, kind)(2, 3, **options)))
    step.set_inputs(Tensor(shape=[None, None, 2], dtype=gc.float32), Tensor(shape=[None], dtype=gc.int32))
    for length, batch in ((3, 2), (5, 4)):
        shape = (batch, length, 2) if "batch_first" in options else (length, batch, 2)
        x = Tensor(np.random.default_rng(length).standard_normal(shape).astype("f4"))
        lengths = Tensor(np.arange(batch, dtype=np.int32) + length - batch + 1)
        loss, (for_x, for_weights) = step(x, lengths)
        gc.set_context(mode=gc.PYNATIVE_MODE)
        wanted, (wanted_x, wanted_weights) = step(x, lengths)
        gc.set_context(mode=gc.GRAPH_MODE)
        for found, value in zip((loss, for_x, *for_weights), (wanted, wanted_x, *wanted_weights), strict=True):
            np.testing.assert_allclose(found.asnumpy(), value.asnumpy(), rtol=1e-4, atol=1e-5)
    assert step._compiled.programs == 1
