"""Recurrent layers: RNN, GRU, LSTM, and their single steps as cells.

What depends on the input alone is computed for all time steps at once; the walk over time is one loop of the program
(`ops.control.scan`), so a long sequence compiles as fast as a short one.
"""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.initializer import Uniform, initializer
from graphcore.nn.arguments import boolean, number, one_of, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.nn.layers.basic import Dropout
from graphcore.ops.control import scan
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple

__all__ = ["RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell", "RNNCellBase"]


# -- one step: (projection of the input, state, w_hh, b_hh) -> state, the first of whose tensors is the output ---------
def _project(x, weight, bias):
    y = ops.matmul(x, ops.transpose(weight, (1, 0)))
    return y if bias is None else y + bias


def _plain_step(activation):
    def step(of_input, state, w_hh, b_hh):
        return (activation(of_input + _project(state[0], w_hh, b_hh)),)
    return step


def _gru_step(of_input, state, w_hh, b_hh):
    (h,) = state
    size, of_state = h.shape[-1], _project(h, w_hh, b_hh)
    reset = ops.sigmoid(of_input[:, :size] + of_state[:, :size])
    update = ops.sigmoid(of_input[:, size:2 * size] + of_state[:, size:2 * size])
    new = ops.tanh(of_input[:, 2 * size:] + reset * of_state[:, 2 * size:])
    return (new + update * (h - new),)


def _lstm_step(of_input, state, w_hh, b_hh):
    h, c = state
    size, gates = h.shape[-1], of_input + _project(h, w_hh, b_hh)
    enter, keep, new, leave = (gates[:, i * size:(i + 1) * size] for i in range(4))
    c = ops.sigmoid(keep) * c + ops.sigmoid(enter) * ops.tanh(new)
    return ops.sigmoid(leave) * ops.tanh(c), c


_STEPS = {"LSTM": _lstm_step, "GRU": _gru_step, "tanh": _plain_step(ops.tanh), "relu": _plain_step(ops.relu)}
_GATES = {"LSTM": 4, "GRU": 3, "tanh": 1, "relu": 1}


def _function_of_a_step(step):
    """One step as MindSpore's private functions take it: of the input itself, the state, and all weights."""
    def cell(inputs, hidden, w_ih, w_hh, b_ih, b_hh):
        state = step(_project(inputs, w_ih, b_ih), hidden if isinstance(hidden, tuple) else (hidden,), w_hh, b_hh)
        return state if len(state) > 1 else state[0]
    return cell


_rnn_tanh_cell, _rnn_relu_cell, _gru_cell, _lstm_cell = map(_function_of_a_step, map(_STEPS.get, (
    "tanh", "relu", "GRU", "LSTM")))


# -- layers ----------------------------------------------------------------------------------------------------
class _Recurrent(Cell):
    """What RNN, GRU and LSTM share: Parameters for each layer and direction, and the walk over time.

    ``layer(x, hx=None, seq_length=None)`` returns (outputs, last state).
    x: (T, N, input_size), or (N, T, input_size) with `batch_first`.  The state is a Tensor (layers * directions, N,
    hidden_size), for LSTM a pair of them; zeros by default.  seq_length: int32 or int64 (N,), how many steps of each
    sample count: outputs after them are 0, the last state is the one at their end.
    """

    def __init__(self, kind, input_size, hidden_size, num_layers=1, has_bias=True, batch_first=False, dropout=0.0,
                 bidirectional=False, dtype=dt.float32):
        super().__init__()
        self.kind = kind
        self.input_size = positive_int(input_size, "input_size", self.cls_name)
        self.hidden_size = positive_int(hidden_size, "hidden_size", self.cls_name)
        self.num_layers = positive_int(num_layers, "num_layers", self.cls_name)
        self.has_bias = boolean(has_bias, "has_bias", self.cls_name)
        self.batch_first = boolean(batch_first, "batch_first", self.cls_name)
        self.dropout = number(dropout, "dropout", self.cls_name, low=0.0, high=1.0, open_high=True)
        self.bidirectional = boolean(bidirectional, "bidirectional", self.cls_name)
        self.directions = 2 if bidirectional else 1
        self.dropout_op = Dropout(p=self.dropout)
        rows = _GATES[kind] * hidden_size
        self.w_ih_list = self._parameters_of("weight_ih", lambda size: (rows, size), dtype)
        self.w_hh_list = self._parameters_of("weight_hh", lambda size: (rows, hidden_size), dtype)
        self.b_ih_list = self._parameters_of("bias_ih", lambda size: (rows,), dtype) if has_bias else ()
        self.b_hh_list = self._parameters_of("bias_hh", lambda size: (rows,), dtype) if has_bias else ()

    def _parameters_of(self, name, shape_for, dtype) -> ParameterTuple:
        """One Parameter for each layer and direction; `shape_for` takes the size of the layer's input."""
        bound, made = 1 / math.sqrt(self.hidden_size), []
        for layer in range(self.num_layers):
            size = self.input_size if layer == 0 else self.hidden_size * self.directions
            for suffix in ("", "_reverse")[:self.directions]:
                init = initializer(Uniform(bound), shape_for(size), dtype)
                made.append(Parameter(init, name=f"{name}_l{layer}{suffix}"))
        return ParameterTuple(made)

    def construct(self, x, hx=None, seq_length=None):
        rank(x, (3,), self.cls_name)
        time_axis = 1 if self.batch_first else 0
        steps, batch = x.shape[time_axis], x.shape[1 - time_axis]
        if x.shape[2] != self.input_size:
            raise ShapeError(f"{self.cls_name} of input_size {self.input_size} got input of shape {tuple(x.shape)}")
        starts = self._start(x, hx, batch)
        inputs = ops.swapaxes(x, 0, 1) if self.batch_first else x
        counts = None if seq_length is None else self._counts(seq_length, steps, batch)
        ends = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                inputs = self.dropout_op(inputs)
            runs = []
            for direction in range(self.directions):
                place = layer * self.directions + direction
                start = tuple(s[place] for s in starts)
                outputs, end = self._run(place, inputs, start, counts, backwards=direction == 1)
                runs.append(outputs)
                ends.append(end)
            inputs = runs[0] if len(runs) == 1 else ops.concat(runs, -1)
        last = tuple(ops.stack(tensors, 0) for tensors in zip(*ends))
        outputs = ops.swapaxes(inputs, 0, 1) if self.batch_first else inputs
        return outputs, last if self.kind == "LSTM" else last[0]

    def _start(self, x, hx, batch) -> tuple:
        """The tensors of the first state."""
        count, shape = 2 if self.kind == "LSTM" else 1, (self.num_layers * self.directions, batch, self.hidden_size)
        if hx is None:
            return (ops.zeros(shape, x.dtype),) * count
        given = hx if isinstance(hx, (tuple, list)) else (hx,)
        if len(given) != count or any(tuple(h.shape) != shape for h in given):
            raise ShapeError(f"{self.cls_name}: the state must be {'a pair of tensors' if count == 2 else 'a tensor'} "
                             f"of shape {shape}, got {', '.join(str(tuple(h.shape)) for h in given)}")
        return tuple(given)

    def _counts(self, seq_length, steps, batch):
        """bool (T, N, 1): whether a step belongs to a sample."""
        if tuple(seq_length.shape) != (batch,):
            raise ShapeError(f"{self.cls_name}: seq_length must have shape ({batch},), got {tuple(seq_length.shape)}")
        times = ops.reshape(ops.arange(steps), (steps, 1, 1))
        return times < ops.reshape(seq_length, (1, batch, 1))

    def _run(self, place, inputs, state, counts, backwards) -> tuple:
        """(outputs (T, N, hidden_size), state after the last step) of the layer and direction `place`."""
        step, dtype = _STEPS[self.kind], inputs.dtype
        w_ih, w_hh, b_ih, b_hh = (ops.cast(parameters[place], dtype) if parameters else None for parameters in (
            self.w_ih_list, self.w_hh_list, self.b_ih_list, self.b_hh_list))

        def advance(state, xs):
            of_input, counts = xs
            new = step(of_input, state, w_hh, b_hh)
            if counts is None:
                return new, new[0]
            output = ops.select(counts, new[0], ops.zeros_like(new[0]))
            return tuple(ops.select(counts, n, s) for n, s in zip(new, state)), output

        state, outputs = scan(advance, state, (_project(inputs, w_ih, b_ih), counts), reverse=backwards)
        return outputs, state


class RNN(_Recurrent):
    """``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` (or relu), over time; see `LSTM` for arguments and results."""

    def __init__(self, *args, nonlinearity="tanh", **kwargs):
        super().__init__(one_of(nonlinearity, ("tanh", "relu"), "nonlinearity", "RNN"), *args, **kwargs)


class GRU(_Recurrent):
    """Gated recurrent units over time; see `LSTM` for arguments and results.  Gates in the order reset, update, new."""

    def __init__(self, *args, **kwargs):
        super().__init__("GRU", *args, **kwargs)


class LSTM(_Recurrent):
    """``LSTM(input_size, hidden_size, num_layers=1, has_bias=True, batch_first=False, dropout=0.0,
    bidirectional=False, dtype=float32)``.

    ``lstm(x, hx=None, seq_length=None)`` returns (outputs, (h, c)).
    x: (T, N, input_size), or (N, T, input_size) with `batch_first`; outputs: the same with hidden_size * directions.
    hx: pair of Tensors (num_layers * directions, N, hidden_size), zeros by default; h, c: the same.
    seq_length: int32 or int64 (N,): outputs after so many steps are 0, and the state stays.
    dropout: between the layers, in training.  Gates in the order input, forget, cell, output.
    Parameters: weight_ih_l0 (4 * hidden_size, input_size), weight_hh_l0, bias_ih_l0, bias_hh_l0, with suffix
    ``_reverse`` for the other direction; uniform in ±1/sqrt(hidden_size).
    Raises ValueError or TypeError for bad arguments, ShapeError for inputs that do not fit.
    """

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)


# -- cells -----------------------------------------------------------------------------------------------------
class RNNCellBase(Cell):
    """The Parameters of a single step, for a `construct` of one's own: uniform in ±1/sqrt(hidden_size).

    weight_ih (num_chunks * hidden_size, input_size), weight_hh (num_chunks * hidden_size, hidden_size), bias_ih and
    bias_hh (num_chunks * hidden_size,), which are None without `has_bias`.
    """

    def __init__(self, input_size, hidden_size, has_bias, num_chunks, dtype=dt.float32):
        super().__init__()
        self.input_size = positive_int(input_size, "input_size", self.cls_name)
        self.hidden_size = positive_int(hidden_size, "hidden_size", self.cls_name)
        self.has_bias = boolean(has_bias, "has_bias", self.cls_name)
        init, rows = Uniform(1 / math.sqrt(hidden_size)), num_chunks * hidden_size
        self.weight_ih = Parameter(initializer(init, (rows, input_size), dtype))
        self.weight_hh = Parameter(initializer(init, (rows, hidden_size), dtype))
        self.bias_ih = Parameter(initializer(init, (rows,), dtype)) if has_bias else None
        self.bias_hh = Parameter(initializer(init, (rows,), dtype)) if has_bias else None


class _RecurrentCell(RNNCellBase):
    """What the single steps of RNN, GRU and LSTM share."""

    def __init__(self, kind, input_size, hidden_size, has_bias, dtype):
        super().__init__(input_size, hidden_size, has_bias, _GATES[kind], dtype)
        self.kind = kind

    def step(self, x, state) -> tuple:
        """The state after one step from `state`, a tuple of tensors (N, hidden_size)."""
        rank(x, (2,), self.cls_name)
        if x.shape[1] != self.input_size or any(s.shape[-1] != self.hidden_size for s in state):
            raise ShapeError(f"{self.cls_name} of sizes {self.input_size} and {self.hidden_size} got input of shape "
                             f"{tuple(x.shape)} and state of shape {tuple(state[0].shape)}")
        of_input = _project(x, self.weight_ih, self.bias_ih)
        return _STEPS[self.kind](of_input, tuple(state), self.weight_hh, self.bias_hh)


class RNNCell(_RecurrentCell):
    """One step of `RNN`: x (N, input_size), hx (N, hidden_size) → (N, hidden_size)."""

    def __init__(self, input_size, hidden_size, has_bias=True, nonlinearity="tanh", dtype=dt.float32):
        one_of(nonlinearity, ("tanh", "relu"), "nonlinearity", "RNNCell")
        super().__init__(nonlinearity, input_size, hidden_size, has_bias, dtype)
        self.nonlinearity = nonlinearity

    def construct(self, x, hx):
        return self.step(x, (hx,))[0]


class GRUCell(_RecurrentCell):
    """One step of `GRU`: x (N, input_size), hx (N, hidden_size) → (N, hidden_size)."""

    def __init__(self, input_size, hidden_size, has_bias=True, dtype=dt.float32):
        super().__init__("GRU", input_size, hidden_size, has_bias, dtype)

    def construct(self, x, hx):
        return self.step(x, (hx,))[0]


class LSTMCell(_RecurrentCell):
    """One step of `LSTM`: x (N, input_size), hx = (h, c) of (N, hidden_size) → (h, c)."""

    def __init__(self, input_size, hidden_size, has_bias=True, dtype=dt.float32):
        super().__init__("LSTM", input_size, hidden_size, has_bias, dtype)

    def construct(self, x, hx):
        return self.step(x, hx)
