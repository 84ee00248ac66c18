"""What PyTorch calls the Parameters of each kind of layer, and how its arrays lie.

A layer's Parameters have other names there (BatchNorm's ``gamma`` is ``weight``), a few another shape, and one layer
stands where we have two (``BatchNorm3d`` holds a ``BatchNorm2d``).
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from graphcore import nn
from graphcore.nn.cell_walk import children, join, own_parameters
from graphcore.parameter import Parameter


@dataclass(frozen=True)
class Layout:
    """How an array of PyTorch's becomes one of ours, and back.

    text: what that is, for reports.  axes: how many more axes an array has there.
    """

    text: str
    axes: int
    to_ours: Callable
    to_torch: Callable


@dataclass(frozen=True)
class Place:
    """A Parameter of a net, and where PyTorch keeps it.

    name: its path here; torch_name: its path there; layout: None where the arrays are the same.
    optional: why PyTorch may have no such entry; "" where it must.  written: whether it belongs into a state dict.
    """

    name: str
    torch_name: str
    parameter: Parameter
    layout: Layout | None = None
    optional: str = ""
    written: bool = True


def places(net) -> Iterator[Place]:
    """The place of each Parameter of a net; of one that stands at several paths, all of them."""
    return _below(net, "", "")


def _below(cell, path: str, torch_path: str) -> Iterator[Place]:
    for name, parameter in own_parameters(cell):
        yield _place(cell, name, Place(join(path, name), join(torch_path, name), parameter))
    for name, child in children(cell):
        yield from _below(child, join(path, name), join(torch_path, _child_name(cell, name)))


def _child_name(cell, name: str) -> str:
    """What PyTorch calls a sub-cell; empty for one that is there part of the layer itself."""
    if isinstance(cell, nn.BatchNorm3d) and name == "bn2d":
        return ""
    if isinstance(cell, (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)):
        return {"dense1": "linear1", "dense2": "linear2"}.get(name, name)
    return name


_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
          nn.LayerNorm, nn.GroupNorm)
_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_NORM_NAMES = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_ROW = Layout("an axis of size 1 put in for the rows of a 1-D kernel", -1, lambda a: np.expand_dims(a, 2),
              lambda a: a[:, :, 0])
_LAST = Layout("transposed from (O, I, H, W) to (O, H, W, I), the layer's data_format", 0,
               lambda a: np.ascontiguousarray(a.transpose(0, 2, 3, 1)),
               lambda a: np.ascontiguousarray(a.transpose(0, 3, 1, 2)))


def _place(cell, name: str, place: Place) -> Place:
    def called(other: str, **more) -> Place:
        return replace(place, torch_name=place.torch_name[:len(place.torch_name) - len(name)] + other, **more)

    if isinstance(cell, _NORMS) and name in _NORM_NAMES:
        moving = name.startswith("moving")
        optional = ("InstanceNorm's moving statistics, which do not take part" if moving and isinstance(
            cell, _INSTANCE_NORMS) else "" if moving or place.parameter.requires_grad else "affine=False")
        return called(_NORM_NAMES[name], optional=optional, written=not (moving and optional))
    if isinstance(cell, (nn.Embedding, nn.EmbeddingLookup)) and name == "embedding_table":
        return called("weight")
    if isinstance(cell, nn.PReLU) and name == "w":
        return called("weight")
    if isinstance(cell, (nn.Conv1d, nn.Conv1dTranspose)) and name == "weight":
        return replace(place, layout=_ROW)
    if isinstance(cell, nn.Conv2d) and name == "weight" and cell.data_format == "NHWC":
        return replace(place, layout=_LAST)
    return place
