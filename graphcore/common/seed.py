"""``mindspore.common.seed``."""
from __future__ import annotations

from graphcore.random import get_seed, set_seed

__all__ = ["get_seed", "set_seed"]


def _get_graph_seed(op_seed: int | None, kernel_name: str) -> tuple:
    """The pair of seeds for a random operator: the one that was set, else 0, and its own, else 0."""
    return get_seed() or 0, op_seed or 0
