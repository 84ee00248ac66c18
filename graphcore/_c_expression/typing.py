"""Kinds of types, under MindSpore's C++ names."""
from graphcore.common.kinds import Bool, Complex, Float, Int, Number, TensorType, Type, UInt

__all__ = ["Bool", "Complex", "Float", "Int", "Number", "TensorType", "Type", "UInt"]
