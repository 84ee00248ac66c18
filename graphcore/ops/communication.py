"""``mindspore.ops.communication``: the functions of `graphcore.mint.distributed`."""
from graphcore.mint.distributed import *  # noqa: F403
from graphcore.mint.distributed import __all__  # noqa: F401
