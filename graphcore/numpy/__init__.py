"""``mindspore.numpy``: NumPy's names on Tensors, with NumPy's arguments and MindSpore's dtypes (int32 and float32)."""
from graphcore.numpy.array_creations import *  # noqa: F403
from graphcore.numpy.array_creations import __all__ as _creations
from graphcore.numpy.array_ops import *  # noqa: F403
from graphcore.numpy.array_ops import __all__ as _arrays
from graphcore.numpy.math_ops import *  # noqa: F403
from graphcore.numpy.math_ops import __all__ as _maths

__all__ = [*_creations, *_arrays, *_maths]
