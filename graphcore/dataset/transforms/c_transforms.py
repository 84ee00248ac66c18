"""MindSpore 1.x's transforms of data, under their old path; the names are those of `dataset.transforms`."""
# ruff: noqa: F403
from graphcore.dataset.transforms import *
