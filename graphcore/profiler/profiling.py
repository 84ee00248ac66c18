"""``mindspore.profiler.profiling``: the old path of Profiler."""
from graphcore.profiler.profiler import Profiler

__all__ = ["Profiler"]
