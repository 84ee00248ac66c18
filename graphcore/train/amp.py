"""Mixed precision: which Cells compute in 16 bits, training steps with a loss scale, and loss scalers for own loops."""
from __future__ import annotations

import logging
from abc import ABC, abstractmethod

from graphcore import dtype as dt
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor
from graphcore.train.loss_scale_manager import DynamicLossScaleManager, FixedLossScaleManager, LossScaleManager

__all__ = ["DynamicLossScaleManager", "DynamicLossScaler", "FixedLossScaleManager", "LossScaleManager", "LossScaler",
           "StaticLossScaler", "all_finite", "auto_mixed_precision", "build_train_network", "custom_mixed_precision",
           "get_black_list", "get_white_list"]

log = logging.getLogger("graphcore.train")
_LEVELS = ("O0", "O1", "O2", "O3", "auto")
_WHITE = ("Conv1d", "Conv2d", "Conv3d", "Conv1dTranspose", "Conv2dTranspose", "Conv3dTranspose", "Dense", "LSTMCell",
          "RNNCell", "GRUCell", "PReLU", "ReLU")
_BLACK = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm")


def _classes(names) -> list:
    """Those of the classes that graphcore.nn has."""
    from graphcore import nn
    return [getattr(nn, name) for name in names if hasattr(nn, name)]


def get_white_list() -> list:
    """The Cell classes that compute in 16 bits at level O1; a copy."""
    return _classes(_WHITE)


def get_black_list() -> list:
    """The Cell classes that stay in float32 at level O2; a copy."""
    return _classes(_BLACK)


def _check_16_bit(dtype) -> None:
    if dtype not in (dt.float16, dt.bfloat16):
        raise ValueError(f"The dtype should be one of (float16, bfloat16), but got {dtype}.")


def _output_as(dtype):
    """A forward hook that converts float outputs to `dtype`."""
    from graphcore.nn.cell_hooks import cast_floats

    def convert(cell, inputs, output):
        return cast_floats(output, dtype)

    return convert


def auto_mixed_precision(network, amp_level: str = "O0", dtype=dt.float16):
    """Let parts of a net compute in 16 bits; its Parameters and its output stay float32.  Returns the net, changed.

    amp_level: "O0" nothing; "O1" and "auto" the Cells of the white list (matrix products, convolutions); "O2" all but
    the black list (normalisation); "O3" all.  dtype: float16 or bfloat16.
    Raises TypeError unless `network` is a Cell, ValueError for another level or dtype.
    """
    from graphcore.nn.cell import Cell
    if not isinstance(network, Cell):
        raise TypeError(f"For amp_level '{amp_level}', the network type should be Cell, but got {type(network)}.")
    _check_16_bit(dtype)
    if amp_level not in _LEVELS:
        raise ValueError(f"The amp level {amp_level} is not supported; it is one of {', '.join(_LEVELS)}")
    if amp_level == "O0":
        return network
    if getattr(network, "_amp_level", "O0") != "O0":
        log.warning("The network's auto mixed-precision level was %s already; applying %s converts it twice.",
                    network._amp_level, amp_level)
    if amp_level in ("O1", "auto"):
        _convert_listed(network, get_white_list(), dtype)
    else:
        _convert_all_but(network, get_black_list() if amp_level == "O2" else [], dtype)
    network.__dict__["_amp_level"] = amp_level
    return network


def custom_mixed_precision(network, *, white_list=None, black_list=None, dtype=dt.float16):
    """Let the Cells of the classes in `white_list`, or all but those in `black_list`, compute in 16 bits.

    Raises TypeError for lists of anything but classes, ValueError unless exactly one list is given.
    """
    _check_16_bit(dtype)
    if (white_list is None) == (black_list is None):
        raise ValueError("For custom_mixed_precision, one of white_list and black_list must be provided, and not both.")
    chosen = white_list if white_list is not None else black_list
    if not isinstance(chosen, list) or not all(isinstance(item, type) for item in chosen):
        raise TypeError(f"white_list and black_list are lists of Cell classes, but got {chosen!r}")
    convert = _convert_listed if white_list is not None else _convert_all_but
    convert(network, chosen, dtype)
    return network


def _convert_listed(network, classes: list, dtype) -> None:
    for _, cell in network.cells_and_names():
        if isinstance(cell, tuple(classes)) and cell._float_type is None:
            cell.to_float(dtype)
            cell.register_forward_hook(_output_as(dt.float32))


def _convert_all_but(network, classes: list, dtype) -> None:
    kept = [cell for _, cell in network.cells_and_names() if isinstance(cell, tuple(classes))]
    network.to_float(dtype)
    for cell in kept:
        cell.to_float(dt.float32)
        cell.register_forward_hook(_output_as(dtype))
    network.register_forward_hook(_output_as(dt.float32))


# MindSpore's own names for parts of this, which public training loops are made of.
_config_level = {
    level: {"keep_batchnorm_fp32": level == "O2",
            "cast_model_type": dt.float16 if level in ("O2", "O3") else dt.float32,
            "loss_scale_manager": DynamicLossScaleManager() if level == "O2" else None} for level in _LEVELS}


def _do_keep_batchnorm_fp32(network) -> None:
    """Let the Cells of the black list in a net that computes in float16 compute in float32, and give float16."""
    for _, cell in network.cells_and_names():
        if cell is not network and isinstance(cell, tuple(get_black_list())):
            cell.to_float(dt.float32)
            cell.register_forward_hook(_output_as(dt.float16))


def _add_loss_network(network, loss_fn, cast_model_type):
    """The net with its loss, which is computed in float32."""
    from graphcore.nn.wrap import WithLossCell
    if cast_model_type in (dt.float16, dt.bfloat16):
        network.register_forward_hook(_output_as(dt.float32))
    return WithLossCell(network, loss_fn)


def build_train_network(network, optimizer, loss_fn=None, level: str = "O0", boost_level: str = "O0", **kwargs):
    """The Cell of a training step: net, loss, mixed precision, gradients, loss scale and update.

    loss_fn: None if the net returns its loss.  level: see `auto_mixed_precision`; "O2" scales the loss dynamically.
    Options: loss_scale_manager, keep_batchnorm_fp32 (True makes of "O3" what "O2" does to the net, False the reverse),
    cast_model_type (float16 or float32, in place of the level's).
    Raises TypeError and ValueError for unusable arguments.
    """
    from graphcore.nn.optim import Optimizer
    from graphcore.nn.wrap import TrainOneStepCell, TrainOneStepWithLossScaleCell, WithLossCell
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"the optimizer must be an nn.Optimizer, but got {type(optimizer).__name__}")
    if level not in _LEVELS:
        raise ValueError(f"The amp level {level} is not supported; it is one of {', '.join(_LEVELS)}")
    for name in kwargs:
        if name not in ("cast_model_type", "keep_batchnorm_fp32", "loss_scale_manager"):
            raise ValueError(f"Unsupported arg '{name}'")
    scale = kwargs["loss_scale_manager"] if "loss_scale_manager" in kwargs else (
        DynamicLossScaleManager() if level == "O2" else None)
    if scale is not None and not isinstance(scale, LossScaleManager):
        raise TypeError(f"loss_scale_manager must be a LossScaleManager, but got {type(scale).__name__}")
    network = auto_mixed_precision(network, _effective_level(level, kwargs))
    if loss_fn is not None:
        network = WithLossCell(network, loss_fn)
    if scale is None:
        return TrainOneStepCell(network, optimizer).set_train()
    update = scale.get_update_cell()
    if update is None:
        return TrainOneStepCell(network, optimizer, scale.get_loss_scale()).set_train()
    return TrainOneStepWithLossScaleCell(network, optimizer, update).set_train()


def _effective_level(level: str, options: dict) -> str:
    wanted = options.get("cast_model_type")
    if wanted is dt.float32 and level in ("O2", "O3"):
        return "O0"
    if wanted is dt.float16 and level not in ("O2", "O3"):
        level = "O3"
    keep = options.get("keep_batchnorm_fp32")
    return level if keep is None or level not in ("O2", "O3") else ("O2" if keep else "O3")


def all_finite(inputs) -> Tensor:
    """Whether no element of the Tensors (a tuple, list or single one) is infinite or NaN: a bool Tensor, 0-d."""
    from graphcore import ops
    finite = None
    for tensor in (inputs,) if isinstance(inputs, Tensor) else inputs:
        here = ops.all(ops.isfinite(tensor))
        finite = here if finite is None else ops.logical_and(finite, here)
    if finite is None:
        raise ValueError("all_finite needs at least one Tensor")
    return finite


class LossScaler(ABC):
    """Base of loss scalers for training loops of one's own: scale the loss, unscale the gradients, adjust the scale."""

    def __init__(self, scale_value):
        if isinstance(scale_value, bool) or not isinstance(scale_value, (int, float)):
            raise TypeError(f"scale_value must be a number, but got {type(scale_value).__name__}")
        if scale_value < 1.0:
            raise ValueError(f"The argument 'scale_value' must be >= 1, but got {scale_value}")
        self.scale_value = Parameter(Tensor(float(scale_value), dt.float32), name="scale_value", requires_grad=False)

    def scale(self, inputs):
        """A Tensor, or a tuple of them, times the scale."""
        return _each(inputs, lambda x: x * self.scale_value.astype(x.dtype))

    def unscale(self, inputs):
        """A Tensor, or a tuple of them, divided by the scale."""
        # The reciprocal is taken in float32: in float16 a large scale itself would be infinite.
        return _each(inputs, lambda x: x * (1.0 / self.scale_value).astype(x.dtype))

    @abstractmethod
    def adjust(self, grads_finite):
        """Change the scale after a step, given whether its gradients were finite (see `all_finite`)."""


def _each(inputs, function):
    if isinstance(inputs, (tuple, list)):
        return tuple(_each(x, function) for x in inputs)
    return function(inputs)


class StaticLossScaler(LossScaler):
    """A scale that never changes."""

    def adjust(self, grads_finite) -> bool:
        """False: nothing changed."""
        return False


class DynamicLossScaler(LossScaler):
    """A scale that is divided by `scale_factor` (down to 1) when gradients are not finite, and multiplied by it after
    `scale_window` steps in a row in which they were (unless it would become infinite)."""

    def __init__(self, scale_value, scale_factor, scale_window):
        super().__init__(scale_value)
        for name, value in (("scale_factor", scale_factor), ("scale_window", scale_window)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive int, but got {value!r}")
        self.scale_factor, self.scale_window = scale_factor, scale_window
        self.counter = Parameter(Tensor(0, dt.int32), name="counter", requires_grad=False)

    def adjust(self, grads_finite) -> bool:
        """True: the scale follows `grads_finite`, a bool Tensor (0-d)."""
        from graphcore import ops
        scale, counter = self.scale_value * 1.0, self.counter + 1
        raised = scale * float(self.scale_factor)
        lowered = ops.maximum(scale / float(self.scale_factor), 1.0)
        due = ops.logical_and(counter == self.scale_window, ops.isfinite(raised))
        ops.assign(self.scale_value, ops.select(grads_finite, ops.select(due, raised, scale), lowered))
        ops.assign(self.counter, (counter % self.scale_window) * ops.cast(grads_finite, dt.int32))
        return True
