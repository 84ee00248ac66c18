"""``mindspore.common.parameter``."""
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple

__all__ = ["Parameter", "ParameterTuple"]
