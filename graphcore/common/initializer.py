"""``mindspore.common.initializer``: the names of `graphcore.initializer`."""
from graphcore.initializer import *  # noqa: F403
