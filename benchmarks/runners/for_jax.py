"""JAX: one jitted function per step, with the old weights and optimiser state given up to it."""
from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.runners.jax_nets import INFERRED, TRAINED
from benchmarks.runners.task import Task, Unsupported
from benchmarks.workloads import Given

MOMENTUM = 0.9

def adam(weights, gradients, state, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.0):
    """(weights, state) after a step of Adam; `decay` shrinks matrices before it."""
    count, first, second = state
    count = count + 1
    first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradients)
    correct1, correct2 = 1 - beta1**count, 1 - beta2**count
    weights = jax.tree.map(lambda w, m, v: (w * (1 - rate * decay) if w.ndim >= 2 else w)
                           - rate * (m / correct1) / (jnp.sqrt(v / correct2) + epsilon), weights, first, second)
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


ADAM = {"mlp": adam, "lstm": adam, "gpt": functools.partial(adam, rate=3e-4, beta2=0.95, decay=0.1)}


def make_step(name: str):
    """step(weights, state, x, y) -> (weights, state, loss), compiled."""
    def loss_of(trained, fixed, x, y):
        logits, replaced = TRAINED[name]({**trained, **fixed}, x)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[..., None], -1).mean(), replaced

    def step(weights, state, x, y):
        fixed = {k: v for k, v in weights.items() if k.endswith(("running_mean", "running_var"))}
        trained = {k: v for k, v in weights.items() if k not in fixed}
        (loss, replaced), gradients = jax.value_and_grad(loss_of, has_aux=True)(trained, fixed, x, y)
        if name in ADAM:
            trained, state = ADAM[name](trained, gradients, state)
        else:
            trained, state = momentum(trained, decayed(weights, gradients) if fixed else gradients, state)
        return {**trained, **fixed, **replaced}, state, loss

    return jax.jit(step, donate_argnums=(0, 1))


def initial_state(name: str, weights: dict):
    """The state of a workload's optimiser before the first step."""
    zeros = {k: jnp.zeros_like(v) for k, v in weights.items() if not k.endswith(("running_mean", "running_var"))}
    if name in ADAM:
        return jnp.zeros((), jnp.float32), zeros, jax.tree.map(jnp.zeros_like, zeros)
    return zeros


def inference_key(given: Given) -> str:
    """The key in INFERRED: modes of `fused` are functions of their own."""
    return f"{given.name}/{given.mode}" if given.name == "fused" else given.name


class Framework:
    """JAX on the CPU; it takes its threads from the cores that the process may use."""

    def __init__(self, threads: int, variant: str):
        self.version = jax.__version__

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode).  Raises Unsupported where there is none."""
        nets, key = (TRAINED, given.name) if given.trains else (INFERRED, inference_key(given))
        if key not in nets:
            raise Unsupported(f"no net for {given.name}")
        arguments = [tuple(map(jnp.asarray, arrays)) for arrays in given.arguments]
        return (self._training if given.trains else self._inference)(given, arguments)

    def _inference(self, given, arguments) -> Task:
        weights = {k: jnp.asarray(v) for k, v in given.weights.items()}
        net = jax.jit(functools.partial(INFERRED[inference_key(given)], weights))
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
