"""Lazy Tensors: a shape, a dtype and a recipe until the values are first used."""
from __future__ import annotations

import threading

import numpy as np

from graphcore import dtype as dt
from graphcore.dtype import DType
from graphcore.initial_values import next_seed
from graphcore.tensor import Tensor, store

_materializing = threading.RLock()


class Recipe:
    """What a lazy Tensor or Parameter will hold: initialiser, shape, dtype, seed."""

    __slots__ = ("init", "shape", "dtype", "seed")

    def __init__(self, init, shape: tuple, dtype: DType, seed=None):
        self.init, self.shape, self.dtype = init, shape, dtype
        self.seed = seed if seed is not None else next_seed() if init.seed is None else init.seed

    def make(self) -> np.ndarray:
        """The values, in memory of the dtype's storage."""
        from graphcore.capture.trace import no_trace
        array = np.zeros(self.shape, np.float32 if self.dtype is dt.bfloat16 else self.dtype.storage)
        with no_trace():
            self.init.fill(array, self.seed)
        return store(array, self.dtype) if self.dtype is dt.bfloat16 else array


class MetaTensor(Tensor):
    """A Tensor that so far is only a shape, a dtype and a recipe; it takes up memory when its values are first used."""

    def __init__(self, recipe: Recipe):
        self._recipe, self._dtype = recipe, recipe.dtype

    def __getattr__(self, name):
        # Tensor keeps its memory in the slot `_array`; reading the slot while it is empty ends here.
        if name != "_array":
            raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")
        return materialize(self)

    @property
    def shape(self) -> tuple:
        """The sizes of the axes."""
        recipe = self._recipe
        return self._array.shape if recipe is None else recipe.shape

    @property
    def init(self):
        """The initialiser, as long as the values are still to be made."""
        return None if self._recipe is None else self._recipe.init

    @property
    def has_init(self) -> bool:
        """Whether the values are still to be made (MindSpore's name)."""
        return self._recipe is not None

    def init_data(self, slice_index=None, shape=None, opt_shard_group=None) -> Tensor:
        """The values as an ordinary Tensor.  The arguments are for parallel training in MindSpore and must be None."""
        if not (slice_index is None and shape is None and opt_shard_group is None):
            raise ValueError("init_data makes the whole tensor: there are no slices on one CPU")
        return Tensor._wrap(self._array, self._dtype)


def materialize(lazy) -> np.ndarray:
    """Fill the empty `_array` slot of a lazy Tensor or Parameter from its recipe, once, whatever the thread."""
    with _materializing:
        if lazy._recipe is not None:
            lazy._array = lazy._recipe.make()
            lazy._recipe = None
        return Tensor._array.__get__(lazy)      # not lazy._array: an empty slot would end here again
