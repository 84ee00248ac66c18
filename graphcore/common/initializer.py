"""``mindspore.common.initializer``: the names of `graphcore.initializer`, also those that scripts take from inside."""
from graphcore.initializer import *  # noqa: F403
from graphcore.initializer import (  # noqa: F401
    _INITIALIZER_ALIAS,
    _assignment,
    _calculate_correct_fan,
    _calculate_fan_in_and_fan_out,
    _calculate_gain,
    _init_random_normal,
    _init_random_uniform,
    _register,
)
from graphcore.tensor import Tensor  # noqa: F401
