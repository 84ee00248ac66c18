"""``mindspore._c_expression``: the few of MindSpore's C++ names that scripts use and that mean something here."""
from graphcore._c_expression import typing
from graphcore.tensor import Tensor

__all__ = ["Tensor", "typing"]
