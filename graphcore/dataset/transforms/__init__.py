"""Transforms of single values, on NumPy arrays; most are called by ``dataset.map``."""
from graphcore.dataset.transforms.basic import (
    Concatenate,
    Duplicate,
    Fill,
    Mask,
    OneHot,
    PadEnd,
    Relational,
    Slice,
    TypeCast,
    Unique,
)
from graphcore.dataset.transforms.compose import Compose, RandomApply, RandomChoice, RandomOrder, Transform

__all__ = ["Compose", "Concatenate", "Duplicate", "Fill", "Mask", "OneHot", "PadEnd", "RandomApply", "RandomChoice",
           "RandomOrder", "Relational", "Slice", "Transform", "TypeCast", "Unique"]
