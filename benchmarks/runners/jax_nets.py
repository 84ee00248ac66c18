"""The networks of the workloads as functions of their weights and input, for JAX."""
from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.weights import GPT, LSTM_HIDDEN, mobilenetv2_blocks, resnet18_blocks
from benchmarks.workloads import FUSED_SCALE

EPSILON = 1e-5      # of BatchNorm and LayerNorm
SHARE_OF_BATCH = 0.1


def dense(p, layer, x):
    return x @ p[f"{layer}.weight"].T + p[f"{layer}.bias"]


def conv(p, layer, x, stride=1, pad=0, groups=1):
    y = lax.conv_general_dilated(x, p[f"{layer}.weight"], (stride, stride), ((pad, pad), (pad, pad)),
                                 dimension_numbers=("NCHW", "OIHW", "NCHW"), feature_group_count=groups)
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


def mobilenetv2(p, x):
    norm = BatchNorm(p, training=False)
    x = jax.nn.relu6(norm("bn1", conv(p, "conv1", x, 2, 1)))
    for block in mobilenetv2_blocks():
        at = block.name
        y = jax.nn.relu6(norm(f"{at}.ebn", conv(p, f"{at}.econv", x))) if block.expands else x
        y = jax.nn.relu6(norm(f"{at}.dbn", conv(p, f"{at}.dconv", y, block.stride, 1, groups=block.hidden)))
        y = norm(f"{at}.pbn", conv(p, f"{at}.pconv", y))
        x = x + y if block.residual else y
    x = jax.nn.relu6(norm("bn2", conv(p, "conv2", x)))
    return dense(p, "fc", x.mean((2, 3)))


def layer_norm(p, layer, x):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + EPSILON) * p[f"{layer}.weight"] + p[f"{layer}.bias"]


def gpt(p, tokens):
    batch, length = tokens.shape
    x = p["wte.weight"][tokens] + p["wpe.weight"][jnp.arange(length)]
    for layer in range(GPT.layers):
        at = f"h.{layer}"
        qkv = dense(p, f"{at}.qkv", layer_norm(p, f"{at}.ln1", x))
        q, k, v = (part.reshape(batch, length, GPT.heads, GPT.width // GPT.heads) for part in jnp.split(qkv, 3, -1))
        mixed = jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(x.shape)
        x = x + dense(p, f"{at}.proj", mixed)
        hidden = jax.nn.gelu(dense(p, f"{at}.fc", layer_norm(p, f"{at}.ln2", x)), approximate=True)
        x = x + dense(p, f"{at}.out", hidden)
    return layer_norm(p, "lnf", x) @ p["head.weight"].T


def lstm(p, x):
    of_inputs = x @ p["lstm.weight_ih_l0"].T + p["lstm.bias_ih_l0"] + p["lstm.bias_hh_l0"]

    def step(state, of_input):
        h, c = state
        enter, keep, new, leave = jnp.split(of_input + h @ p["lstm.weight_hh_l0"].T, 4, -1)
        c = jax.nn.sigmoid(keep) * c + jax.nn.sigmoid(enter) * jnp.tanh(new)
        return (jax.nn.sigmoid(leave) * jnp.tanh(c), c), None

    start = jnp.zeros((x.shape[0], LSTM_HIDDEN))
    (h, _), _ = lax.scan(step, (start, start), of_inputs.swapaxes(0, 1))
    return dense(p, "fc", h)


def fused(p, x, b, c, d):
    return jax.nn.gelu(x * FUSED_SCALE + b, approximate=True) * jax.nn.sigmoid(c) + jnp.tanh(d)


def fused_gradients(p, *inputs):
    return jax.grad(lambda *inputs: fused(p, *inputs).sum(), (0, 1, 2, 3))(*inputs)


# name -> function(params, x) that gives (logits, what replaces some of the params)
TRAINED = {"mlp": lambda p, x: (mlp(p, x), {}), "lenet5": lambda p, x: (lenet5(p, x), {}),
           "resnet18_cifar": functools.partial(resnet18, training=True, large=False),
           "gpt": lambda p, x: (gpt(p, x), {}), "lstm": lambda p, x: (lstm(p, x), {})}
INFERRED = {"mlp": mlp, "tiny": tiny, "newton": newton, "branching_rnn": branching_rnn, "gpt": gpt,
            "resnet18_224": lambda p, x: resnet18(p, x, training=False, large=True)[0], "mobilenetv2_224": mobilenetv2,
            "fused/fwd": fused, "fused/fwdbwd": fused_gradients}
