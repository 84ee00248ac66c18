"""Options of Cells: flags, mixed precision, declared inputs, and settings of MindSpore's that change nothing here."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.capture import epoch
from graphcore.nn import cell_naming
from graphcore.nn.cell_walk import walk_cells

_RECOMPUTE_OPTIONS = frozenset(
    ("mp_comm_recompute", "parallel_optimizer_comm_recompute", "recompute_slice_activation"))
_FLOAT_TYPES = {dt.float16: "fp16", dt.float32: "fp32", dt.bfloat16: "bf16"}


class CellOptions:
    """The methods of a Cell that set options."""

    pipeline_stage = 0

    def to_float(self, dst_type):
        """Let this Cell and all below compute in `dst_type`: the float tensors that go in and come out are converted to
        it; Parameters keep their dtype.  Returns this Cell.

        dst_type: float16, bfloat16 or float32.  Raises ValueError for another dtype.
        """
        if dst_type not in _FLOAT_TYPES:
            raise ValueError(f"to_float takes float16, bfloat16 or float32, got {dst_type!r}")
        cell_naming.adopt(self)
        for _, cell in walk_cells(self):
            cell.__dict__["_float_type"] = dst_type
            cell.__dict__["_flags"].update({flag: t is dst_type for t, flag in _FLOAT_TYPES.items()})
            cell._note_extras()
        return self

    # -- flags -----------------------------------------------------------------------------------------
    def add_flags(self, **flags):
        """Set attributes of this Cell and note them for `get_flags`; returns this Cell."""
        self.__dict__["_flags"].update(flags)
        for name, value in flags.items():
            setattr(self, name, value)
        return self

    def add_flags_recursive(self, **flags):
        """`add_flags` on this Cell and all below; returns this Cell."""
        cell_naming.adopt(self)
        for _, cell in walk_cells(self):
            cell.add_flags(**flags)
        return self

    def get_flags(self) -> dict:
        """The attributes set by `add_flags`; "training" among them once `set_train` was called."""
        flags = self.__dict__["_flags"]
        return {**flags, "training": self.training} if "training" in flags else dict(flags)

    def set_grad(self, requires_grad=True):
        """Note that gradients of this Cell are wanted; returns this Cell.  Gradients do not depend on it."""
        for _, cell in walk_cells(self):
            cell.__dict__["requires_grad"] = bool(requires_grad)
        return self

    # -- declared inputs -------------------------------------------------------------------------------
    def set_inputs(self, *inputs, **kwargs) -> None:
        """Declare the inputs of construct: Tensors whose shapes may have None for sizes that vary.

        Raises ValueError if both positional and keyword inputs are given, or none.
        """
        if bool(inputs) == bool(kwargs):
            raise ValueError("set_inputs takes the inputs of construct, all by position or all by keyword")
        self.__dict__["_inputs"] = kwargs or inputs
        epoch.structure_changed()

    def get_inputs(self):
        """What `set_inputs` declared: a tuple, or a dict if it was by keyword; None before."""
        return self.__dict__.get("_inputs")

    def recompute(self, **kwargs) -> None:
        """Let the backward pass compute the values of this Cell again from its inputs instead of keeping them: less
        memory for more work, with the same results.

        MindSpore's options for parallel training (mp_comm_recompute, parallel_optimizer_comm_recompute,
        recompute_slice_activation) are accepted.  Raises TypeError for other ones.
        """
        if unknown := set(kwargs) - _RECOMPUTE_OPTIONS:
            raise TypeError(f"recompute() has no option {min(unknown)!r}; it takes "
                            + ", ".join(sorted(_RECOMPUTE_OPTIONS)))
        self.__dict__["_recompute"] = True
        self._note_extras()

    # -- accepted: they steer other devices or MindSpore's own compiler --------------------------------
    def set_jit_config(self, jit_config) -> None:
        """Accepted: there is one way to compile."""

    def set_boost(self, boost_type):
        """Accepted without effect; returns this Cell.  Raises ValueError for another type than "less_bn"."""
        if boost_type != "less_bn":
            raise ValueError(f"set_boost: boost_type must be 'less_bn', got {boost_type!r}")
        return self

    def set_broadcast_flag(self, mode=True):
        """Accepted without effect on one CPU; returns this Cell."""
        return self

    def set_data_parallel(self) -> None:
        """Accepted without effect on one CPU."""

    def set_comm_fusion(self, fusion_type):
        """Note `comm_fusion` on the trainable Parameters; returns this Cell.  Raises ValueError unless it is >= 0."""
        if isinstance(fusion_type, bool) or not isinstance(fusion_type, int) or fusion_type < 0:
            raise ValueError(f"set_comm_fusion: fusion_type must be an int >= 0, got {fusion_type!r}")
        for parameter in self.trainable_params():
            parameter.comm_fusion = fusion_type
        return self

    def offload(self, backward_prefetch="Auto") -> None:
        """Accepted without effect on one CPU."""


def cell_attr_register(fn=None, attrs=None):
    """Decorator of a Cell's __init__, kept for scripts that use it; with or without arguments it changes nothing."""
    return fn if fn is not None else lambda function: function
