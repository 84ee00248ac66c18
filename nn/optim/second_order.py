"""THOR, MindSpore's second-order optimiser, which graphcore does not have."""
from __future__ import annotations

__all__ = ["thor"]


def thor(*args, **kwargs):
    """Raises NotImplementedError: THOR is not part of graphcore."""
    raise NotImplementedError("THOR, which needs layers that keep second-order statistics, is not part of graphcore; "
                              "use nn.Momentum, nn.Lamb or nn.AdamWeightDecay")
