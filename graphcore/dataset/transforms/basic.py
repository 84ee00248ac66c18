"""Transforms that know nothing of images: casts, one-hot vectors, padding, masks, slices."""
from __future__ import annotations

import enum

import numpy as np

from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform


class Relational(enum.IntEnum):
    """The comparisons of Mask."""

    EQ = 0
    NE = 1
    GT = 2
    GE = 3
    LT = 4
    LE = 5


_COMPARISONS = (np.equal, np.not_equal, np.greater, np.greater_equal, np.less, np.less_equal)


def numpy_dtype(data_type) -> np.dtype:
    """The NumPy dtype of a graphcore dtype, a NumPy dtype or a name.  Raises TypeError for anything else."""
    from graphcore.dtype import as_dtype, bfloat16
    dtype = as_dtype(data_type)
    if dtype is bfloat16:
        raise TypeError("NumPy has no bfloat16; cast the Tensor after the pipeline")
    return dtype.storage


class TypeCast(Transform):
    """The value in another dtype, cut towards zero where integers are made of floats."""

    def __init__(self, data_type):
        self.data_type = numpy_dtype(data_type)

    def __call__(self, value):
        return as_array(value, "TypeCast").astype(self.data_type)


class OneHot(Transform):
    """Class numbers of any integer dtype, shape [...], as vectors of shape [..., num_classes].

    smoothing_rate: label smoothing; 0 keeps the dtype and gives 0 and 1, else the vectors are float64 and every class
    gets smoothing_rate / num_classes of the mass.  Raises DatasetError for a class number out of range.
    """

    def __init__(self, num_classes: int, smoothing_rate: float = 0.0):
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 1:
            raise ValueError(f"num_classes must be a positive int, got {num_classes!r}")
        if not 0 <= smoothing_rate <= 1:
            raise ValueError(f"smoothing_rate must lie between 0 and 1, got {smoothing_rate}")
        self.num_classes, self.smoothing_rate = num_classes, smoothing_rate

    def __call__(self, value):
        labels = as_array(value, "OneHot")
        if labels.dtype.kind not in "iu":
            raise DatasetError(f"OneHot takes integers, got {labels.dtype}; cast with TypeCast first")
        if labels.size and (labels.min() < 0 or labels.max() >= self.num_classes):
            raise DatasetError(f"OneHot: labels must lie between 0 and {self.num_classes - 1}, got values from "
                               f"{labels.min()} to {labels.max()}")
        vectors = labels[..., None] == np.arange(self.num_classes)
        if not self.smoothing_rate:
            return vectors.astype(labels.dtype)
        return vectors * (1.0 - self.smoothing_rate) + self.smoothing_rate / self.num_classes


class PadEnd(Transform):
    """The array padded (or cut) at the end of each axis to `pad_shape`; None leaves an axis as it is."""

    def __init__(self, pad_shape, pad_value=None):
        self.pad_shape, self.pad_value = list(pad_shape), pad_value

    def __call__(self, value):
        from graphcore.dataset.batching import pad_all
        array = as_array(value, "PadEnd")
        return pad_all([array], "PadEnd's input", self.pad_shape, self.pad_value)[0]


class Fill(Transform):
    """An array of the same shape and dtype, filled with one value."""

    def __init__(self, fill_value):
        self.fill_value = fill_value

    def __call__(self, value):
        return np.full_like(as_array(value, "Fill"), self.fill_value)


class Mask(Transform):
    """The comparison of the array with a constant, as booleans or in `dtype`."""

    def __init__(self, operator: Relational, constant, dtype=bool):
        if not isinstance(operator, Relational):
            raise TypeError(f"operator must be a Relational, got {type(operator).__name__}")
        self.operator, self.constant, self.dtype = operator, constant, numpy_dtype(dtype)

    def __call__(self, value):
        compared = _COMPARISONS[self.operator](as_array(value, "Mask"), self.constant)
        return compared.astype(self.dtype)


class Slice(Transform):
    """Part of the array: one int, list of ints, slice, None (all) or Ellipsis for each axis."""

    def __init__(self, *slices):
        self.slices = tuple(slice(None) if part is None else part for part in slices)

    def __call__(self, value):
        array = as_array(value, "Slice")
        parts = [[part] if isinstance(part, int) else part for part in self.slices]
        if sum(isinstance(part, list) for part in parts) == len(parts) > 1:
            return array[np.ix_(*parts)]
        return array[tuple(parts)]


class Concatenate(Transform):
    """The array between `prepend` and `append` along `axis`."""

    def __init__(self, axis: int = 0, prepend=None, append=None):
        self.axis, self.prepend, self.append = axis, prepend, append

    def __call__(self, value):
        array = as_array(value, "Concatenate")
        parts = [part for part in (self.prepend, array, self.append) if part is not None]
        return np.concatenate(parts, self.axis).astype(array.dtype)


class Duplicate(Transform):
    """Two columns of one; `output_columns` of map must name both."""

    def __call__(self, value):
        array = as_array(value, "Duplicate")
        return array, array.copy()


class Unique(Transform):
    """The sorted distinct values, where each value of the flat input stands among them, and how often each came."""

    def __call__(self, value):
        values, places, counts = np.unique(as_array(value, "Unique").reshape(-1), return_inverse=True,
                                           return_counts=True)
        return values, places.astype(np.int32), counts.astype(np.int32)
