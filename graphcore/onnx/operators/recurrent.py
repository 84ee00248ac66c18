"""RNN, GRU and LSTM: scans over time, one for each direction."""
from __future__ import annotations

from collections.abc import Callable

from graphcore import dtype as dt
from graphcore.onnx.operators import elementwise
from graphcore.onnx.table import operator
from graphcore.ops import functional as F
from graphcore.ops.control import scan
from graphcore.ops.functional.creation import counted
from graphcore.tensor import Tensor

_PLAIN = {"relu": F.relu, "tanh": F.tanh, "sigmoid": F.sigmoid, "softsign": F.softsign,
          "softplus": elementwise.softplus}
# with the numbers (alpha, beta) that they have if none are given
_WITH_ALPHA = {
    "leakyrelu": (lambda x, a, b: elementwise.leaky_relu(x, alpha=a), 0.01, None),
    "elu": (lambda x, a, b: elementwise.elu(x, alpha=a), 1.0, None),
    "thresholdedrelu": (lambda x, a, b: elementwise.thresholded_relu(x, alpha=a), 1.0, None),
    "hardsigmoid": (lambda x, a, b: elementwise.hard_sigmoid(x, alpha=a, beta=b), 0.2, 0.5),
    "affine": (lambda x, a, b: x * a + b, 1.0, 0.0),
    "scaledtanh": (lambda x, a, b: F.tanh(x * b) * a, 1.0, 1.0)}


def _activations(names, alphas, betas) -> list[Callable]:
    """Functions by name; those that have numbers take the next of those given."""
    alphas, betas, found = list(alphas or ()), list(betas or ()), []
    for name in names:
        key = name.lower()
        if key in _PLAIN:
            found.append(_PLAIN[key])
            continue
        if key not in _WITH_ALPHA:
            raise ValueError(f"unknown activation {name!r}")
        function, alpha, beta = _WITH_ALPHA[key]
        alpha = alphas.pop(0) if alphas else alpha
        beta = betas.pop(0) if betas and beta is not None else beta
        found.append(lambda x, function=function, alpha=alpha, beta=beta: function(x, alpha, beta))
    return found


def _recurrent(x, w, r, bias, lengths, states: list, settings: dict, cell: Callable, default: tuple) -> tuple:
    """(outputs of all steps, last of each state); `cell` makes the step of one direction.

    x: [T, N, I]; w: [directions, gates * H, I]; r: [directions, gates * H, H]; bias: [directions, 2 * gates * H] or
    None; states: [directions, N, H] or None each.  cell(weights, bias, activations, number of the direction) gives
    (what is added to all products of inputs, a function from (product, state) to the new state, whose first is given).
    """
    if settings["layout"]:
        x = F.transpose(x, (1, 0, 2))
        states = [s if s is None else F.transpose(s, (1, 0, 2)) for s in states]
    directions = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}.get(settings["direction"])
    if directions is None or w.shape[0] != len(directions):
        raise ValueError(f"direction {settings['direction']!r} with weights of {w.shape[0]} directions")
    count, batch, hidden = x.shape[0], x.shape[1], r.shape[-1]
    if settings["hidden_size"] not in (None, hidden):
        raise ValueError(f"hidden_size={settings['hidden_size']} with weights of shape {r.shape}")
    names = settings["activations"] or default * len(directions)
    functions = _activations(names, settings["activation_alpha"], settings["activation_beta"])
    inside = None if lengths is None else F.expand_dims(
        F.reshape(counted(count), (count, 1)) < F.cast(lengths, dt.int64), 2)
    ys, lasts = [], []
    for d, backwards in enumerate(directions):
        added, step = cell(r[d], None if bias is None else bias[d], functions[d * len(default):(d + 1) * len(default)],
                           d)
        products = F.matmul(x, F.transpose(w[d], (1, 0)))
        products = products if added is None else products + added
        first = [F.zeros((batch, hidden), x.dtype) if s is None else s[d] for s in states]
        y, last = _run(step, products, first, inside, backwards)
        ys.append(y)
        lasts.append(last)
    result = F.stack(ys, 1)
    ends = [F.stack([last[i] for last in lasts], 0) for i in range(len(states))]
    if settings["layout"]:
        return F.transpose(result, (2, 0, 1, 3)), *(F.transpose(e, (1, 0, 2)) for e in ends)
    return result, *ends


def _run(step: Callable, products: Tensor, first: list, inside, backwards: bool) -> tuple:
    """(the first of all states, stacked; the last states).  inside: bool [T, N, 1], whether a step counts, or None."""
    def with_lengths(state, element):
        product, counts = element if inside is not None else (element, None)
        new = step(product, *state)
        if counts is None:
            return tuple(new), new[0]
        kept = tuple(F.where(counts, a, b) for a, b in zip(new, state))
        return kept, F.where(counts, new[0], Tensor(0, new[0].dtype))

    last, y = scan(with_lengths, tuple(first), products if inside is None else (products, inside), reverse=backwards)
    return y, list(last)


def _limited(clip) -> Callable:
    if clip is None:
        return lambda x: x
    return lambda x: F.clamp(x, -float(clip), float(clip))


def _gates(x: Tensor, count: int) -> tuple:
    return F.split(x, x.shape[-1] // count, x.ndim - 1)


def _bias_of_all(bias) -> Tensor | None:
    """The sum of the biases of inputs and of states."""
    if bias is None:
        return None
    own, of_state = _gates(bias, 2)
    return own + of_state


@operator("RNN", 7)
def rnn(x, w, r, bias=None, lengths=None, initial_h=None, *, activation_alpha=None, activation_beta=None,
        activations=None, clip=None, direction="forward", hidden_size=None, layout=0):
    limited = _limited(clip)

    def cell(weights, bias, functions, number):
        (f,), across = functions, F.transpose(weights, (1, 0))
        return _bias_of_all(bias), lambda product, h: (f(limited(product + F.matmul(h, across))),)

    settings = {"activation_alpha": activation_alpha, "activation_beta": activation_beta, "activations": activations,
                "direction": direction, "hidden_size": hidden_size, "layout": layout}
    return _recurrent(x, w, r, bias, lengths, [initial_h], settings, cell, ("Tanh",))


@operator("GRU", 7)
def gru(x, w, r, bias=None, lengths=None, initial_h=None, *, activation_alpha=None, activation_beta=None,
        activations=None, clip=None, direction="forward", hidden_size=None, layout=0, linear_before_reset=0):
    limited = _limited(clip)

    def cell(weights, bias, functions, number):
        f, g = functions
        hidden = weights.shape[-1]
        across = F.transpose(weights, (1, 0))
        to_gates, to_new = across[:, :2 * hidden], across[:, 2 * hidden:]
        own, of_state = (None, None) if bias is None else _gates(bias, 2)

        def step(product, h):
            for_gates, for_new = product[:, :2 * hidden], product[:, 2 * hidden:]
            gates = for_gates + F.matmul(h, to_gates)
            z, reset = _gates(f(limited(gates if bias is None else gates + of_state[:2 * hidden])), 2)
            if linear_before_reset:
                old = F.matmul(h, to_new)
                old = reset * (old if bias is None else old + of_state[2 * hidden:])
            else:
                old = F.matmul(reset * h, to_new)
                old = old if bias is None else old + of_state[2 * hidden:]
            new = g(limited(for_new + old))
            return ((1 - z) * new + z * h,)
        return own, step

    settings = {"activation_alpha": activation_alpha, "activation_beta": activation_beta, "activations": activations,
                "direction": direction, "hidden_size": hidden_size, "layout": layout}
    return _recurrent(x, w, r, bias, lengths, [initial_h], settings, cell, ("Sigmoid", "Tanh"))


@operator("LSTM", 7)
def lstm(x, w, r, bias=None, lengths=None, initial_h=None, initial_c=None, peepholes=None, *, activation_alpha=None,
         activation_beta=None, activations=None, clip=None, direction="forward", hidden_size=None, input_forget=0,
         layout=0):
    """The gates stand in the order input, output, forget, new."""
    limited = _limited(clip)

    def cell(weights, bias, functions, number):
        f, g, h_of = functions
        across = F.transpose(weights, (1, 0))
        peep = (None,) * 3 if peepholes is None else _gates(peepholes[number], 3)

        def step(product, h, c):
            to_input, to_output, to_forget, to_new = _gates(product + F.matmul(h, across), 4)
            i = f(limited(to_input if peep[0] is None else to_input + peep[0] * c))
            forget = 1 - i if input_forget else f(limited(to_forget if peep[2] is None else to_forget + peep[2] * c))
            new = forget * c + i * g(limited(to_new))
            o = f(limited(to_output if peep[1] is None else to_output + peep[1] * new))
            return o * h_of(new), new
        return _bias_of_all(bias), step

    settings = {"activation_alpha": activation_alpha, "activation_beta": activation_beta, "activations": activations,
                "direction": direction, "hidden_size": hidden_size, "layout": layout}
    return _recurrent(x, w, r, bias, lengths, [initial_h, initial_c], settings, cell, ("Sigmoid", "Tanh", "Tanh"))
