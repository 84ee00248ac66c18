"""JAX: one jitted function per step, with the old weights and optimiser state given up to it."""
from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.runners.task import Task, Unsupported
from benchmarks.workloads import Given, resnet18_blocks

EPSILON = 1e-5      # of BatchNorm
MOMENTUM = 0.9
SHARE_OF_BATCH = 0.1


def dense(p, layer, x):
    return x @ p[f"{layer}.weight"].T + p[f"{layer}.bias"]


def conv(p, layer, x, stride=1, pad=0):
    y = lax.conv_general_dilated(x, p[f"{layer}.weight"], (stride, stride), ((pad, pad), (pad, pad)),
                                 dimension_numbers=("NCHW", "OIHW", "NCHW"))
    return y + p[f"{layer}.bias"][:, None, None] if f"{layer}.bias" in p else y


def max_pool(x, kernel, stride, pad=0):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, kernel, kernel), (1, 1, stride, stride),
                             ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def mlp(p, x):
    return dense(p, "fc3", jax.nn.relu(dense(p, "fc2", jax.nn.relu(dense(p, "fc1", x)))))


def lenet5(p, x):
    x = max_pool(jax.nn.relu(conv(p, "conv1", x)), 2, 2)
    x = max_pool(jax.nn.relu(conv(p, "conv2", x)), 2, 2)
    x = jax.nn.relu(dense(p, "fc1", x.reshape(x.shape[0], -1)))
    return dense(p, "fc3", jax.nn.relu(dense(p, "fc2", x)))


def tiny(p, x):
    return dense(p, "fc2", jnp.tanh(dense(p, "fc1", x)))


def newton(p, a):
    a = jnp.abs(a) + 0.1

    def step(state):
        x, _ = state
        e = jnp.exp(x)
        step = (x * e - a) / (e * (x + 1.0))
        return x - step, jnp.abs(step).max()

    return lax.while_loop(lambda state: state[1] > 1e-6, step, (jnp.log(a + 1.0), jnp.float32(1.0)))[0]


def branching_rnn(p, x):
    def step(h, row):
        h = jnp.tanh(dense(p, "inputs", row) + h @ p["state.weight"].T)
        return lax.cond(h.sum() > 0.0, lambda h: h * 0.5, lambda h: h + 0.1, h), None

    return lax.scan(step, jnp.zeros((1, 32)), x)[0]


class BatchNorm:
    """Normalises by the batch in training and notes the new running statistics, otherwise by the running ones."""

    def __init__(self, p, training):
        self.p, self.training, self.running = p, training, {}

    def __call__(self, layer, x):
        p = self.p
        mean, variance = p[f"{layer}.running_mean"], p[f"{layer}.running_var"]
        if self.training:
            mean, variance, old = x.mean((0, 2, 3)), x.var((0, 2, 3)), (mean, variance)
            size = x.size / x.shape[1]
            for own, before, now in zip(("running_mean", "running_var"), old, (mean, variance * size / (size - 1))):
                self.running[f"{layer}.{own}"] = lax.stop_gradient(
                    before * (1 - SHARE_OF_BATCH) + now * SHARE_OF_BATCH)
        scale = p[f"{layer}.weight"] * lax.rsqrt(variance + EPSILON)
        shift = p[f"{layer}.bias"] - mean * scale
        return x * scale[:, None, None] + shift[:, None, None]


def resnet18(p, x, training, large):
    """(logits, new running statistics)."""
    norm = BatchNorm(p, training)
    x = jax.nn.relu(norm("bn1", conv(p, "conv1", x, 2 if large else 1, 3 if large else 1)))
    if large:
        x = max_pool(x, 3, 2, 1)
    for block in resnet18_blocks():
        at = block.name
        y = jax.nn.relu(norm(f"{at}.bn1", conv(p, f"{at}.conv1", x, block.stride, 1)))
        y = norm(f"{at}.bn2", conv(p, f"{at}.conv2", y, 1, 1))
        shortcut = norm(f"{at}.dbn", conv(p, f"{at}.dconv", x, block.stride)) if block.projected else x
        x = jax.nn.relu(y + shortcut)
    return dense(p, "fc", x.mean((2, 3))), norm.running


# name -> function(params, x) that gives (logits, what replaces some of the params)
TRAINED = {"mlp": lambda p, x: (mlp(p, x), {}), "lenet5": lambda p, x: (lenet5(p, x), {}),
           "resnet18_cifar": functools.partial(resnet18, training=True, large=False)}
INFERRED = {"mlp": mlp, "tiny": tiny, "newton": newton, "branching_rnn": branching_rnn,
            "resnet18_224": lambda p, x: resnet18(p, x, training=False, large=True)[0]}


def adam(weights, gradients, state, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """(weights, state) after a step of Adam."""
    count, first, second = state
    count = count + 1
    first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradients)
    correct1, correct2 = 1 - beta1**count, 1 - beta2**count
    weights = jax.tree.map(lambda w, m, v: w - rate * (m / correct1) / (jnp.sqrt(v / correct2) + epsilon),
                           weights, first, second)
    return weights, (count, first, second)


def momentum(weights, gradients, state, rate=0.01):
    """(weights, state) after a step of gradient descent with momentum."""
    state = jax.tree.map(lambda m, g: MOMENTUM * m + g, state, gradients)
    return jax.tree.map(lambda w, m: w - rate * m, weights, state), state


def decayed(weights, gradients):
    """Gradients with an L2 penalty on all but the BatchNorms' Parameters."""
    def is_norm(name):
        return f"{name.rsplit('.', 1)[0]}.running_mean" in weights
    return {name: g if is_norm(name) else g + 5e-4 * weights[name] for name, g in gradients.items()}


def make_step(name: str):
    """step(weights, state, x, y) -> (weights, state, loss), compiled."""
    def loss_of(trained, fixed, x, y):
        logits, replaced = TRAINED[name]({**trained, **fixed}, x)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean(), replaced

    def step(weights, state, x, y):
        fixed = {k: v for k, v in weights.items() if k.endswith(("running_mean", "running_var"))}
        trained = {k: v for k, v in weights.items() if k not in fixed}
        (loss, replaced), gradients = jax.value_and_grad(loss_of, has_aux=True)(trained, fixed, x, y)
        if name == "mlp":
            trained, state = adam(trained, gradients, state)
        else:
            trained, state = momentum(trained, decayed(weights, gradients) if fixed else gradients, state)
        return {**trained, **fixed, **replaced}, state, loss

    return jax.jit(step, donate_argnums=(0, 1))


def initial_state(name: str, weights: dict):
    """The state of a workload's optimiser before the first step."""
    zeros = {k: jnp.zeros_like(v) for k, v in weights.items() if not k.endswith(("running_mean", "running_var"))}
    if name == "mlp":
        return jnp.zeros((), jnp.float32), zeros, jax.tree.map(jnp.zeros_like, zeros)
    return zeros


class Framework:
    """JAX on the CPU; it takes its threads from the cores that the process may use."""

    def __init__(self, threads: int, variant: str):
        self.version = jax.__version__

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode).  Raises Unsupported where there is none."""
        if given.name not in (TRAINED if given.trains else INFERRED):
            raise Unsupported(f"no net for {given.name}")
        arguments = [tuple(map(jnp.asarray, arrays)) for arrays in given.arguments]
        return (self._training if given.trains else self._inference)(given, arguments)

    def _inference(self, given, arguments) -> Task:
        weights = {k: jnp.asarray(v) for k, v in given.weights.items()}
        net = jax.jit(functools.partial(INFERRED[given.name], weights))
        return Task(net, arguments, finish=jax.block_until_ready, to_numpy=np.asarray)

    def _training(self, given, arguments) -> Task:
        step, kept = make_step(given.name), {}

        def reset() -> None:
            # copies: the step gives up its buffers, and JAX may share those of the NumPy arrays
            kept["weights"] = {k: jnp.array(v, copy=True) for k, v in given.weights.items()}
            kept["state"] = initial_state(given.name, kept["weights"])

        def call(x, y) -> float:
            kept["weights"], kept["state"], loss = step(kept["weights"], kept["state"], x, y)
            return float(loss)

        reset()
        return Task(call, arguments, reset)
