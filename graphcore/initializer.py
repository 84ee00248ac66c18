"""Initialisers: recipes for the first values of Parameters, and `initializer`, which makes a lazy Tensor of one.

A lazy Tensor (`MetaTensor`) holds shape, dtype and a seed that was drawn when it was made, so the values do not depend
on the order in which Parameters are first used.
"""
from __future__ import annotations

import math
import numbers

import numpy as np

from graphcore import dtype as dt
from graphcore.errors import ShapeError
from graphcore.initial_values import (
    calculate_gain,
    drawing_with,
    generator,
    next_seed,
    reset_generator,
)
from graphcore.initial_values import correct_fan as _calculate_correct_fan
from graphcore.initial_values import fan_in_and_fan_out as _calculate_fan_in_and_fan_out
from graphcore.initial_values import random_normal as _init_random_normal
from graphcore.initial_values import random_uniform as _init_random_uniform
from graphcore.initial_values import truncated_normal as _init_truncated_normal
from graphcore.lazy import MetaTensor, Recipe
from graphcore.tensor import Tensor

__all__ = ["Initializer", "initializer", "TruncatedNormal", "Normal", "Uniform", "HeUniform", "HeNormal",
           "XavierUniform", "XavierNormal", "One", "Zero", "Constant", "Identity", "Sparse", "Dirac", "Orthogonal",
           "VarianceScaling", "MetaTensor", "calculate_gain", "reset_generator"]

_calculate_gain = calculate_gain
_INITIALIZER_ALIAS: dict[str, type] = {}


class Initializer:
    """Base of all initialisers.  A subclass fills the array it is given::

        class Ramp(Initializer):
            def _initialize(self, arr):
                arr[:] = np.linspace(0, 1, arr.size).reshape(arr.shape)

    Keyword arguments are kept and printed.  Calling an initialiser with an array fills the array.
    """

    ranks: tuple | range | None = None      # the numbers of axes that it can make, None: any

    def __init__(self, **kwargs):
        self._kwargs = kwargs
        self._seed = None

    @property
    def seed(self):
        """A seed of the user's for this initialiser, or None: each Tensor draws its own."""
        return self.__dict__.get("_seed")

    @seed.setter
    def seed(self, value):
        self._seed = value

    def _initialize(self, arr):
        raise NotImplementedError(f"{type(self).__name__} must define _initialize(self, arr), which fills arr")

    def __call__(self, arr):
        self.fill(arr, next_seed() if self.seed is None else self.seed)
        return arr

    def fill(self, arr, seed) -> None:
        """Fill the NumPy array `arr` with the values that `seed` gives."""
        self.check_shape(arr.shape)
        with drawing_with(seed):
            self._initialize(arr)

    def check_shape(self, shape: tuple) -> None:
        """Raise ShapeError if this initialiser cannot make a tensor of `shape`."""
        if self.ranks is not None and len(shape) not in self.ranks:
            allowed = f"{self.ranks[0]} or more" if isinstance(self.ranks, range) else " or ".join(map(str, self.ranks))
            raise ShapeError(f"{type(self).__name__} makes tensors of {allowed} dimensions, got shape {tuple(shape)}; "
                             "use another initializer for it, as Normal or Zero")

    @property
    def is_deferrable(self) -> bool:
        """Whether the values may be made later: graphcore's own initialisers draw from a seed of the Tensor, while a
        user's may draw from NumPy's global generator, where the moment counts."""
        return type(self)._initialize.__module__ == __name__


def initializer(init, shape=None, dtype=dt.float32):
    """A lazy Tensor filled by `init`.

    init: a name ("normal", "zeros", "xavier_uniform", "he_normal", ...), an Initializer (or its class), a number, or a
    Tensor of that shape, which is returned.  shape: int, tuple or list; None returns the Initializer itself.
    Raises TypeError for another `init`, ValueError for an unknown name, ShapeError for sizes that are not positive.
    """
    dtype = dt.as_dtype(dtype)
    if isinstance(init, Tensor):
        return _given(init, shape, dtype)
    init = _as_initializer(init)
    if shape is None:
        return init
    shape = _checked_shape(shape)
    init.check_shape(shape)
    lazy = MetaTensor(Recipe(init, shape, dtype))
    return lazy if init.is_deferrable else lazy.init_data()


def _given(tensor: Tensor, shape, dtype) -> Tensor:
    if shape is not None and _checked_shape(shape) != tuple(tensor.shape):
        raise ShapeError(f"initializer: the tensor given as init has shape {tensor.shape}, but shape={shape} is asked")
    return tensor


def _as_initializer(init) -> Initializer:
    if isinstance(init, Initializer):
        return init
    if isinstance(init, type) and issubclass(init, Initializer):
        return init()
    if isinstance(init, str):
        found = _INITIALIZER_ALIAS.get(init.lower())
        if found is None:
            known = ", ".join(sorted(_INITIALIZER_ALIAS))
            raise ValueError(f"there is no initializer called {init!r}; known are {known}")
        return found()
    if isinstance(init, (numbers.Number, np.generic)):
        return Constant(init)
    raise TypeError(f"init must be a name, an Initializer, a number or a Tensor, got {type(init).__name__}")


def _checked_shape(shape) -> tuple:
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size <= 0:
            raise ShapeError(f"initializer: the shape must be of positive integers, got {shape}")
    return tuple(int(s) for s in sizes)


def _register(*aliases):
    """Class decorator: make an Initializer known to `initializer` by its lower-case name and `aliases`."""
    def register(cls):
        for name in (cls.__name__.lower(), *aliases):
            _INITIALIZER_ALIAS[name] = cls
        return cls
    return register


def _assignment(arr, num):
    """Write `num`, an array or a number, into the array `arr`."""
    arr[...] = num
    return arr


# -- the initialisers ----------------------------------------------------------------------------------
@_register("zeros")
class Zero(Initializer):
    """All 0."""

    def _initialize(self, arr):
        arr.fill(0)


@_register("ones")
class One(Initializer):
    """All 1."""

    def _initialize(self, arr):
        arr.fill(1)


class Constant(Initializer):
    """All `value`, a number (or a one-element Tensor or array)."""

    def __init__(self, value):
        super().__init__(value=value)
        self.value = value

    def _initialize(self, arr):
        arr[...] = self.value.asnumpy() if isinstance(self.value, Tensor) else self.value


@_register()
class Normal(Initializer):
    """Normal numbers of standard deviation `sigma` around `mean`."""

    def __init__(self, sigma=0.01, mean=0.0):
        super().__init__(sigma=sigma, mean=mean)
        self.sigma, self.mean = sigma, mean

    def _initialize(self, arr):
        arr[...] = _init_random_normal(self.mean, self.sigma, arr.shape)


@_register()
class TruncatedNormal(Initializer):
    """Normal numbers between mean + a sigma and mean + b sigma."""

    def __init__(self, sigma=0.01, mean=0.0, a=-2.0, b=2.0):
        super().__init__(sigma=sigma, mean=mean, a=a, b=b)
        self.sigma, self.mean, self.a, self.b = sigma, mean, a, b

    def _initialize(self, arr):
        arr[...] = _init_truncated_normal(self.a, self.b, self.mean, self.sigma, arr.shape)


@_register()
class Uniform(Initializer):
    """Numbers uniform in [-scale, scale]."""

    def __init__(self, scale=0.07):
        super().__init__(scale=scale)
        self.scale = scale

    def _initialize(self, arr):
        arr[...] = _init_random_uniform(-self.scale, self.scale, arr.shape)


@_register("xavier_uniform")
class XavierUniform(Initializer):
    """Glorot's uniform numbers in [-b, b], b = gain sqrt(6 / (fan_in + fan_out))."""

    ranks = range(2, 65)

    def __init__(self, gain=1):
        super().__init__(gain=gain)
        self.gain = gain

    def _initialize(self, arr):
        bound = self.gain * math.sqrt(6.0 / sum(_calculate_fan_in_and_fan_out(arr.shape)))
        arr[...] = _init_random_uniform(-bound, bound, arr.shape)


@_register("xavier_normal")
class XavierNormal(Initializer):
    """Glorot's normal numbers, sigma = gain sqrt(2 / (fan_in + fan_out))."""

    ranks = range(2, 65)

    def __init__(self, gain=1):
        super().__init__(gain=gain)
        self.gain = gain

    def _initialize(self, arr):
        sigma = self.gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(arr.shape)))
        arr[...] = _init_random_normal(0, sigma, arr.shape)


class _He(Initializer):
    ranks = range(2, 65)

    def __init__(self, negative_slope=0, mode="fan_in", nonlinearity="leaky_relu"):
        super().__init__(negative_slope=negative_slope, mode=mode, nonlinearity=nonlinearity)
        self.negative_slope, self.mode, self.nonlinearity = negative_slope, mode, nonlinearity

    def _sigma(self, shape) -> float:
        fan = _calculate_correct_fan(shape, self.mode)
        return calculate_gain(self.nonlinearity, self.negative_slope) / math.sqrt(fan)


@_register("he_uniform")
class HeUniform(_He):
    """Kaiming's uniform numbers in [-b, b], b = gain sqrt(3 / fan)."""

    def _initialize(self, arr):
        bound = math.sqrt(3.0) * self._sigma(arr.shape)
        arr[...] = _init_random_uniform(-bound, bound, arr.shape)


@_register("he_normal")
class HeNormal(_He):
    """Kaiming's normal numbers, sigma = gain / sqrt(fan)."""

    def _initialize(self, arr):
        arr[...] = _init_random_normal(0, self._sigma(arr.shape), arr.shape)


@_register()
class Identity(Initializer):
    """The identity matrix; for two axes."""

    ranks = (2,)

    def _initialize(self, arr):
        arr[...] = np.eye(*arr.shape)


@_register()
class Sparse(Initializer):
    """Normal numbers (out, in) with the fraction `sparsity` of each column set to 0."""

    ranks = (2,)

    def __init__(self, sparsity, sigma=0.01):
        super().__init__(sparsity=sparsity, sigma=sigma)
        self.sparsity, self.sigma = sparsity, sigma

    def _initialize(self, arr):
        rows, columns = arr.shape
        zeros = math.ceil(self.sparsity * rows)
        arr[...] = _init_random_normal(0, self.sigma, arr.shape)
        for column in range(columns):
            arr[generator().permutation(rows)[:zeros], column] = 0


@_register()
class Dirac(Initializer):
    """Convolution weights of 3 to 5 axes that pass the channels through, in each of `groups` groups."""

    ranks = (3, 4, 5)

    def __init__(self, groups=1):
        super().__init__(groups=groups)
        self.groups = groups

    def check_shape(self, shape):
        super().check_shape(shape)
        if shape[0] % self.groups:
            raise ShapeError(f"Dirac: the first size of {shape} is not divisible by groups={self.groups}")

    def _initialize(self, arr):
        per_group = arr.shape[0] // self.groups
        centre = tuple(size // 2 for size in arr.shape[2:])
        arr.fill(0)
        for group in range(self.groups):
            for channel in range(min(per_group, arr.shape[1])):
                arr[(group * per_group + channel, channel, *centre)] = 1


@_register()
class Orthogonal(Initializer):
    """A (semi-)orthogonal matrix times `gain`; axes after the first are taken together."""

    ranks = range(2, 65)

    def __init__(self, gain=1.0):
        super().__init__(gain=gain)
        self.gain = gain

    def _initialize(self, arr):
        rows, columns = arr.shape[0], arr.size // arr.shape[0]
        normal = generator().standard_normal((rows, columns))
        q, r = np.linalg.qr(normal if rows >= columns else normal.T)
        q = q * np.sign(np.diag(r))          # makes the decomposition unique, so the distribution is uniform
        arr[...] = (q if rows >= columns else q.T).reshape(arr.shape) * self.gain


@_register()
class VarianceScaling(Initializer):
    """Numbers whose variance is scale / n, n the fan that `mode` names ("fan_in", "fan_out", "fan_avg").

    distribution: "uniform", "truncated_normal" or "untruncated_normal".
    """

    ranks = range(2, 65)

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal"):
        super().__init__(scale=scale, mode=mode, distribution=distribution)
        if scale <= 0:
            raise ValueError(f"VarianceScaling: scale must be greater than 0, got {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"VarianceScaling: mode must be fan_in, fan_out or fan_avg, got {mode!r}")
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError("VarianceScaling: distribution must be uniform, truncated_normal or untruncated_normal, "
                             f"got {distribution!r}")
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def _initialize(self, arr):
        fan_in, fan_out = _calculate_fan_in_and_fan_out(arr.shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            bound = math.sqrt(3 * variance)
            arr[...] = _init_random_uniform(-bound, bound, arr.shape)
        elif self.distribution == "truncated_normal":
            # 0.87962566 is the standard deviation of a normal distribution cut at two of its own
            arr[...] = _init_truncated_normal(-2, 2, 0, math.sqrt(variance) / 0.87962566103423978, arr.shape)
        else:
            arr[...] = _init_random_normal(0, math.sqrt(variance), arr.shape)
