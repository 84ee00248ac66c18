"""``ops.operations``: MindSpore's home of the primitive classes."""
from graphcore.ops import primitives
from graphcore.ops.primitives import *  # noqa: F403

__all__ = primitives.__all__
