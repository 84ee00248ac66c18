"""Activations as Cells, and `get_activation`, which makes one from its name."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import boolean, number, one_of, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU", "SeLU", "GELU", "FastGelu", "SiLU", "Mish",
           "HSwish", "HSigmoid", "Sigmoid", "LogSigmoid", "Tanh", "Tanhshrink", "Hardtanh", "Softsign", "Softplus",
           "SoftShrink", "HShrink", "Threshold", "Softmax", "LogSoftmax", "Softmin", "Softmax2d", "GLU", "LRN",
           "get_activation"]


class ReLU(Cell):
    """``max(x, 0)``."""

    def construct(self, input):
        return ops.relu(input)


class ReLU6(Cell):
    """``min(max(x, 0), 6)``."""

    def construct(self, x):
        return ops.relu6(x)


class LeakyReLU(Cell):
    """``x`` where it is positive, ``alpha * x`` elsewhere."""

    def __init__(self, alpha=0.2):
        super().__init__()
        self.alpha = alpha

    def construct(self, x):
        return ops.leaky_relu(x, self.alpha)


class PReLU(Cell):
    """`LeakyReLU` with a trained slope for each channel (axis 1), or one for all.

    channel: number of slopes; w: their start, a float, list of floats or Tensor.  Parameter: w (channel,).
    Raises TypeError or ValueError where `w` does not fit.
    """

    def __init__(self, channel=1, w=0.25):
        super().__init__()
        positive_int(channel, "channel", self.cls_name)
        if isinstance(w, (float, np.floating)):
            start = np.full(channel, w, np.float32)
        elif isinstance(w, (list, Tensor)):
            start = w.asnumpy() if isinstance(w, Tensor) else np.asarray(w, np.float32)
            if start.shape != (channel,):
                raise ValueError(f"PReLU: w must hold {channel} slopes, one for each channel, got shape {start.shape}")
        else:
            raise TypeError(f"PReLU: w must be a float, a list or a Tensor, got {type(w).__name__}")
        self.w = Parameter(Tensor(start), name="a")

    def construct(self, x):
        return ops.prelu(x, ops.cast(self.w, x.dtype))


class RReLU(Cell):
    """`LeakyReLU` with a random slope between `lower` and `upper` for each element, at every call."""

    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower = number(lower, "lower", self.cls_name)
        self.upper = number(upper, "upper", self.cls_name)
        if lower > upper:
            raise ValueError(f"RReLU: lower ({lower}) must not be above upper ({upper})")

    def construct(self, x):
        slopes = ops.uniform(tuple(x.shape), Tensor(self.lower, dt.float32), Tensor(self.upper, dt.float32))
        return ops.select(x > 0, x, x * ops.cast(slopes, x.dtype))


class ELU(Cell):
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""

    def __init__(self, alpha=1.0):
        super().__init__()
        self.alpha = alpha

    def construct(self, x):
        return ops.elu(x, self.alpha)


class CELU(Cell):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))``."""

    def __init__(self, alpha=1.0):
        super().__init__()
        self.alpha = alpha

    def construct(self, x):
        return ops.celu(x, self.alpha)


class SeLU(Cell):
    """``1.0507 * x`` where x is positive, ``1.0507 * 1.67326 * (exp(x) - 1)`` elsewhere."""

    def construct(self, input_x):
        return ops.selu(input_x)


class GELU(Cell):
    """x times the normal distribution's cumulative function; approximate: by a tanh (the default), else exact."""

    def __init__(self, approximate=True):
        super().__init__()
        self.approximate = "tanh" if boolean(approximate, "approximate", self.cls_name) else "none"

    def construct(self, x):
        return ops.gelu(x, approximate=self.approximate)


class FastGelu(Cell):
    """``x * sigmoid(1.702 * x)``."""

    def construct(self, x):
        return ops.fast_gelu(x)


class SiLU(Cell):
    """``x * sigmoid(x)``."""

    def construct(self, x):
        return ops.silu(x)


class Mish(Cell):
    """``x * tanh(log(1 + exp(x)))``."""

    def construct(self, input_x):
        return ops.mish(input_x)


class HSwish(Cell):
    """``x * relu6(x + 3) / 6``."""

    def construct(self, input):
        return ops.hardswish(input)


class HSigmoid(Cell):
    """``max(0, min(1, (x + 3) / 6))``."""

    def construct(self, input):
        return ops.hardsigmoid(input)


class Sigmoid(Cell):
    """``1 / (1 + exp(-x))``."""

    def construct(self, x):
        return ops.sigmoid(x)


class LogSigmoid(Cell):
    """``log(1 / (1 + exp(-x)))``, stable for large |x|."""

    def construct(self, input_x):
        return ops.logsigmoid(input_x)


class Tanh(Cell):
    """The hyperbolic tangent."""

    def construct(self, x):
        return ops.tanh(x)


class Tanhshrink(Cell):
    """``x - tanh(x)``."""

    def construct(self, x):
        return ops.tanhshrink(x)


class Hardtanh(Cell):
    """x clipped to [min_val, max_val]."""

    def __init__(self, min_val=-1.0, max_val=1.0):
        super().__init__()
        if min_val >= max_val:
            raise ValueError(f"Hardtanh: min_val ({min_val}) must be less than max_val ({max_val})")
        self.min_val, self.max_val = min_val, max_val

    def construct(self, x):
        return ops.hardtanh(x, self.min_val, self.max_val)


class Softsign(Cell):
    """``x / (1 + |x|)``."""

    def construct(self, x):
        return ops.softsign(x)


class Softplus(Cell):
    """``log(1 + exp(beta * x)) / beta``; x itself where ``beta * x > threshold``."""

    def __init__(self, beta=1, threshold=20):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def construct(self, x):
        return ops.softplus(x, self.beta, self.threshold)


class SoftShrink(Cell):
    """x moved by `lambd` towards 0; 0 where |x| <= lambd."""

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def construct(self, input):
        return ops.softshrink(input, self.lambd)


class HShrink(Cell):
    """x where |x| > lambd, 0 elsewhere."""

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def construct(self, input):
        return ops.hardshrink(input, self.lambd)


class Threshold(Cell):
    """x where it is above `threshold`, `value` elsewhere."""

    def __init__(self, threshold, value):
        super().__init__()
        self.threshold, self.value = threshold, value

    def construct(self, input_x):
        return ops.threshold(input_x, self.threshold, self.value)


class Softmax(Cell):
    """``exp(x) / sum(exp(x))`` along `axis`."""

    def __init__(self, axis=-1):
        super().__init__()
        self.axis = axis

    def construct(self, input):
        return ops.softmax(input, self.axis)


class LogSoftmax(Cell):
    """The logarithm of `Softmax` along `axis`."""

    def __init__(self, axis=-1):
        super().__init__()
        self.axis = axis

    def construct(self, x):
        return ops.log_softmax(x, self.axis)


class Softmin(Cell):
    """`Softmax` of -x along `axis`."""

    def __init__(self, axis=-1):
        super().__init__()
        self.axis = axis

    def construct(self, x):
        return ops.softmin(x, self.axis)


class Softmax2d(Cell):
    """`Softmax` over the channels of (N, C, H, W) or (C, H, W)."""

    def construct(self, x):
        rank(x, (3, 4), self.cls_name)
        return ops.softmax(x, -3)


class GLU(Cell):
    """The first half of `axis` times the sigmoid of the second half."""

    def __init__(self, axis=-1):
        super().__init__()
        self.axis = axis

    def construct(self, x):
        return ops.glu(x, self.axis)


class LRN(Cell):
    """Local response normalisation over neighbouring channels of (N, C, H, W).

    ``x / (bias + alpha * s) ** beta``, s the sum of squares over the channels that are at most `depth_radius` away.
    """

    def __init__(self, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5, norm_region="ACROSS_CHANNELS"):
        super().__init__()
        self.depth_radius = positive_int(depth_radius, "depth_radius", self.cls_name)
        self.bias, self.alpha, self.beta = bias, alpha, beta
        one_of(norm_region, ("ACROSS_CHANNELS",), "norm_region", self.cls_name)

    def construct(self, input_x):
        return ops.lrn(input_x, self.depth_radius, self.bias, self.alpha, self.beta)


_BY_NAME = {
    "softmin": Softmin, "softmax": Softmax, "softmax2d": Softmax2d, "logsoftmax": LogSoftmax, "relu": ReLU,
    "relu6": ReLU6, "rrelu": RReLU, "silu": SiLU, "tanh": Tanh, "tanhshrink": Tanhshrink, "hardtanh": Hardtanh,
    "gelu": GELU, "fast_gelu": FastGelu, "elu": ELU, "sigmoid": Sigmoid, "softsign": Softsign, "softplus": Softplus,
    "prelu": PReLU, "leakyrelu": LeakyReLU, "hswish": HSwish, "hsigmoid": HSigmoid, "logsigmoid": LogSigmoid,
    "softshrink": SoftShrink, "hshrink": HShrink, "mish": Mish, "celu": CELU, "selu": SeLU,
}


def get_activation(name, prim_name=None):
    """A new activation Cell by name ("relu", "gelu", "softmax", ...), or None for None.  Raises KeyError if unknown."""
    if name is None:
        return None
    if name not in _BY_NAME:
        owner = f"{prim_name}: " if prim_name else ""
        raise KeyError(f"{owner}there is no activation called {name!r}; known are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]()
