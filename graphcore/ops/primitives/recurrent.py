"""Primitives that walk over time, with the weights in the layout of the devices they were made for."""
from __future__ import annotations

from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import shape_error
from graphcore.ops.primitives.base import primitive

__all__ = ["DynamicGRUV2", "DynamicRNN", "LSTM"]


def _require(name, seq_length, **settings):
    """Refuse what MindSpore's documentation calls not supported; settings: name=(value, the only one allowed)."""
    for setting, (value, allowed) in settings.items():
        if value != allowed:
            raise shape_error(f"{name}: {setting} must be {allowed!r}, got {value!r}")
    if seq_length is not None:
        raise shape_error(f"{name} takes no seq_length; use nn.LSTM or nn.GRU for samples of several lengths")


@primitive
def DynamicRNN(x, w, b, seq_length, init_h, init_c, *, cell_type="LSTM", direction="UNIDIRECTIONAL", cell_depth=1,
               use_peephole=False, keep_prob=1.0, cell_clip=-1.0, num_proj=0, time_major=True, activation="tanh",
               forget_bias=0.0, is_training=True):
    """An LSTM over x [T, N, input]: (output h, h, c, gates i, j, f, o, tanh(c)), each [T, N, hidden].

    w: [input + hidden, 4 hidden] and b: [4 hidden], of the gates input, new, forget, output in this order; init_h,
    init_c: [1, N, hidden].  forget_bias is added to the forget gate; cell_clip limits c where it is positive.
    Raises ShapeError for a seq_length and other settings that MindSpore does not support either.
    """
    from graphcore.ops.control import scan
    _require("DynamicRNN", seq_length, cell_type=(cell_type, "LSTM"), direction=(direction, "UNIDIRECTIONAL"),
             use_peephole=(use_peephole, False), num_proj=(num_proj, 0), time_major=(time_major, True),
             activation=(activation, "tanh"))
    inputs, size = x.shape[-1], init_h.shape[-1]
    projected = F.matmul(x, w[:inputs]) + b
    of_state = w[inputs:]

    def step(state, of_input):
        h, c = state
        gates = F.cast(of_input + F.matmul(h, of_state), c.dtype)
        enter, new, keep, leave = (gates[:, i * size:(i + 1) * size] for i in range(4))
        enter, new, keep, leave = F.sigmoid(enter), F.tanh(new), F.sigmoid(keep + forget_bias), F.sigmoid(leave)
        c = keep * c + enter * new
        if cell_clip > 0:
            c = F.clamp(c, -cell_clip, cell_clip)
        shown = F.tanh(c)
        h = F.cast(leave * shown, h.dtype)
        return (h, c), (h, c, enter, new, keep, leave, shown)

    _, (h, c, *gates) = scan(step, (F.cast(init_h[0], x.dtype), init_c[0]), projected)
    return (F.cast(h, init_h.dtype), h, c, *gates)


@primitive
def DynamicGRUV2(x, weight_input, weight_hidden, bias_input, bias_hidden, seq_length, init_h, *,
                 direction="UNIDIRECTIONAL", cell_depth=1, keep_prob=1.0, cell_clip=-1.0, num_proj=0, time_major=True,
                 activation="tanh", gate_order="rzh", reset_after=True, is_training=True):
    """A GRU over x [T, N, input]: (output h, h, update, reset, new, the new gate's part of the state), [T, N, hidden].

    weight_input: [input, 3 hidden], weight_hidden: [hidden, 3 hidden], the biases [3 hidden] or None, of the gates
    reset, update, new ("rzh") or update, reset, new ("zrh"); init_h: [N, hidden], in whose dtype the results are.
    Raises ShapeError for a seq_length and other settings that MindSpore does not support either.
    """
    from graphcore.ops.control import scan
    _require("DynamicGRUV2", seq_length, direction=(direction, "UNIDIRECTIONAL"), num_proj=(num_proj, 0),
             time_major=(time_major, True), activation=(activation, "tanh"), reset_after=(reset_after, True))
    if gate_order not in ("rzh", "zrh"):
        raise shape_error(f"DynamicGRUV2: gate_order must be 'rzh' or 'zrh', got {gate_order!r}")
    dtype, size = init_h.dtype, init_h.shape[-1]
    biases = [F.zeros((3 * size,), dtype) if b is None else F.cast(b, dtype) for b in (bias_input, bias_hidden)]
    projected = F.cast(F.matmul(x, weight_input), dtype) + biases[0]

    def step(h, of_input):
        of_state = F.cast(F.matmul(F.cast(h, weight_hidden.dtype), weight_hidden), dtype) + biases[1]
        gates = F.sigmoid(of_input[:, :2 * size] + of_state[:, :2 * size])
        first, second = gates[:, :size], gates[:, size:]
        reset, update = (first, second) if gate_order == "rzh" else (second, first)
        hidden_new = of_state[:, 2 * size:]
        new = F.tanh(of_input[:, 2 * size:] + reset * hidden_new)
        h = new + update * (h - new)
        return h, (h, update, reset, new, hidden_new)

    start = F.reshape(init_h, init_h.shape[-2:])
    _, (h, *gates) = scan(step, start, projected)
    return (h, h, *gates)


@primitive
def LSTM(input, h, c, w, *, input_size, hidden_size, num_layers, has_bias, bidirectional, dropout, proj_size=0):
    """An LSTM of one layer and direction over input [T, N, input_size]: (outputs, h, c, two empty Tensors).

    h, c: [1, N, hidden_size]; w: all weights in one row: those of the input [4 hidden, input], of the state [4 hidden,
    hidden], and with has_bias two biases, of the gates input, forget, new, output in this order.
    Raises NotImplementedError for more layers, both directions and projections: use `nn.LSTM`.
    """
    from graphcore.ops.control import scan
    if num_layers != 1 or bidirectional or proj_size:
        raise NotImplementedError("ops.LSTM has one layer, one direction and no projection; use nn.LSTM")
    size, rows = hidden_size, 4 * hidden_size
    flat = F.reshape(w, (-1,))
    of_input = F.reshape(flat[:rows * input_size], (rows, input_size))
    flat = flat[rows * input_size:]
    of_state = F.transpose(F.reshape(flat[:rows * size], (rows, size)), (1, 0))
    bias = F.zeros((rows,), w.dtype)
    if has_bias:
        flat = flat[rows * size:]
        bias = F.add(flat[:rows], flat[rows:2 * rows])
    projected = F.matmul(input, F.transpose(of_input, (1, 0))) + bias

    def step(state, x):
        h, c = state
        gates = x + F.matmul(h, of_state)
        enter, keep, new, leave = (gates[:, i * size:(i + 1) * size] for i in range(4))
        c = F.sigmoid(keep) * c + F.sigmoid(enter) * F.tanh(new)
        h = F.sigmoid(leave) * F.tanh(c)
        return (h, c), h

    (h, c), outputs = scan(step, (h[0], c[0]), projected)
    return outputs, F.expand_dims(h, 0), F.expand_dims(c, 0), F.zeros((0,), w.dtype), F.zeros((0,), w.dtype)


class CudnnGRU:
    """MindSpore's fused GRU of GPUs, which programs import beside a GRU for other devices: refused when it is made."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError("CudnnGRU is an operator of GPUs; use nn.GRU on CPUs")
