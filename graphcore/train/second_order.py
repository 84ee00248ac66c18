"""MindSpore's conversion of nets for its second-order optimiser THOR, which graphcore does not have."""
from __future__ import annotations

__all__ = ["ConvertModelUtils", "ConvertNetUtils"]

_MESSAGE = ("THOR, which needs layers that keep second-order statistics, is not part of graphcore; use nn.Momentum or "
            "nn.Lamb, and Model as it is")


class ConvertModelUtils:
    """Its method raises NotImplementedError: THOR is not part of graphcore."""

    @staticmethod
    def convert_to_thor_model(*args, **kwargs):
        """Not here."""
        raise NotImplementedError(_MESSAGE)


class ConvertNetUtils:
    """Its method raises NotImplementedError: THOR is not part of graphcore."""

    @staticmethod
    def convert_to_thor_net(net):
        """Not here."""
        raise NotImplementedError(_MESSAGE)
