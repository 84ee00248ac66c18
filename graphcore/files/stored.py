"""A tensor as a file holds it: a dtype and its words."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

import numpy as np

from graphcore.dtype import DType


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """The elements of a tensor: `array` has the dtype ``dtype.storage`` (uint16 words for bfloat16)."""

    dtype: DType
    array: np.ndarray

    @property
    def shape(self) -> tuple:
        return self.array.shape

    def to_tensor(self):
        """A Tensor over the array itself."""
        from graphcore.tensor import Tensor
        return Tensor._wrap(self.array, self.dtype)

    @staticmethod
    def of(tensor) -> StoredTensor:
        """The elements of a Tensor or Parameter, without a copy."""
        return StoredTensor(tensor.dtype, tensor._array)


Entries = Mapping[str, Union[StoredTensor, str]]
"""What a checkpoint holds: tensors and strings by name."""
