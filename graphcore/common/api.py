"""``mindspore.common.api``: `jit` and the decorators that stand around it in MindSpore scripts.

Graphs are recorded by running Python, so classes and plain functions need no marking to be used in them; their
decorators are accepted and change nothing.
"""
from __future__ import annotations

from graphcore.capture.jit import jit
from graphcore.capture.mutable import MutableFloat, MutableInt
from graphcore.tensor import Tensor

__all__ = ["COMPATIBLE", "JitConfig", "LAX", "STRICT", "jit", "jit_class", "lazy_inline", "ms_class", "ms_function",
           "mutable", "no_inline"]

STRICT, COMPATIBLE, LAX = 0, 1, 2       # levels of syntax; all of Python is understood at each
ms_function = jit       # its name before MindSpore 2.0


class JitConfig:
    """Options of compilation, as ``Cell.set_jit_config`` takes them; none of them is needed here.

    jit_level: "", "O0", "O1" or "O2"; further options by keyword.  Raises ValueError for another level.
    """

    def __init__(self, jit_level="", exc_mode="auto", jit_syntax_level="", debug_level="RELEASE", infer_boost="off",
                 **kwargs):
        if jit_level not in ("", "O0", "O1", "O2"):
            raise ValueError(f"jit_level must be 'O0', 'O1' or 'O2', got {jit_level!r}")
        self.jit_config_dict = {"jit_level": jit_level, "exc_mode": exc_mode, "jit_syntax_level": jit_syntax_level,
                                "debug_level": debug_level, "infer_boost": infer_boost, **kwargs}


def jit_class(cls: type) -> type:
    """The class itself: instances of any class can be used in a graph.  Raises TypeError for anything else."""
    if not isinstance(cls, type):
        raise TypeError(f"jit_class decorates a class, got {type(cls).__name__}")
    return cls


ms_class = jit_class    # its name before MindSpore 2.0


def lazy_inline(fn=None, attrs=None, policy=None):
    """The function itself: equal layers share their kernels here without being asked to."""
    return (lambda function: function) if fn is None else fn


def no_inline(fn=None):
    """The function itself, see `lazy_inline`."""
    return (lambda function: function) if fn is None else fn


def mutable(input_data, dynamic_len=False):
    """`input_data` as an input of the graph: a number that may change from call to call without compiling again.

    Within the graph an int or float so marked is a 0-d tensor (int64, float32); the numbers of a list, tuple or dict
    are marked each.  Tensors are inputs in any case.  Raises ValueError for `dynamic_len`, since the length of a list
    belongs to the graph.
    """
    if dynamic_len:
        raise ValueError("mutable(dynamic_len=True): the length of a list belongs to the graph; pass lists of one "
                         "length, or stack their Tensors")
    if isinstance(input_data, bool) or isinstance(input_data, Tensor):
        return input_data
    if isinstance(input_data, (int, float)):
        return (MutableInt if isinstance(input_data, int) else MutableFloat)(input_data)
    if isinstance(input_data, (list, tuple)):
        items = [mutable(v) for v in input_data]
        return type(input_data)(*items) if hasattr(input_data, "_fields") else type(input_data)(items)
    if isinstance(input_data, dict):
        return {k: mutable(v) for k, v in input_data.items()}
    return input_data


cells_compile_cache: dict = {}      # MindSpore's compiled Cells by name; graphcore's belong to the Cells themselves


class _CellGraphExecutor:
    """MindSpore's compiler of Cells, as scripts call it."""

    def compile(self, obj, *args, **kwargs) -> None:
        """Compile a Cell for these arguments."""
        obj.compile(*args)


class _PyNativeExecutor:
    """MindSpore's executor of single operators, as scripts call it: here they are done when they return."""

    def sync(self) -> None:
        """Nothing: there is nothing to wait for."""

    def set_grad_flag(self, flag) -> None:
        """Nothing: what gradients need is recorded where one is taken."""


_cell_graph_executor, _pynative_executor = _CellGraphExecutor(), _PyNativeExecutor()
