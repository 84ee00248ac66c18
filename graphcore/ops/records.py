"""Every operator there is: importing this module registers all records."""
from graphcore.ops import (  # noqa: F401
    attention,
    channels_last,
    collectives,
    indexing,
    linear,
    pointwise,
    pooling,
    reduction,
    regions,
    sorting,
    structural,
    view,
)
