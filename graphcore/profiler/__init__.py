"""MindSpore's profiler, accepted: it records what devices and MindSpore's own runtime do, which are not there.

Scripts that switch it on run as they are; what was asked for is said once in the log, at debug level.  To see where
time goes use ``graphcore dump --kernels`` and Python's profilers.
"""
from graphcore.profiler.constants import AicoreMetrics, ExportType, ProfilerAction, ProfilerActivity, ProfilerLevel
from graphcore.profiler.profiler import (
    DynamicProfilerMonitor,
    Profiler,
    _ExperimentalConfig,
    analyse,
    mstx,
    profile,
    schedule,
    tensorboard_trace_handler,
)

__all__ = ["AicoreMetrics", "DynamicProfilerMonitor", "ExportType", "Profiler", "ProfilerAction", "ProfilerActivity",
           "ProfilerLevel", "_ExperimentalConfig", "analyse", "mstx", "profile", "schedule",
           "tensorboard_trace_handler"]
