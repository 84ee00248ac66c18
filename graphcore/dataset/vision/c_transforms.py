"""MindSpore 1.x's image transforms on arrays, under their old path; the names are those of `dataset.vision`."""
# ruff: noqa: F403
from graphcore.dataset.vision import *
