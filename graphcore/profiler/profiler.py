"""The classes and functions of MindSpore's profiler."""
from __future__ import annotations

from graphcore import log
from graphcore.profiler.constants import AicoreMetrics, ProfilerAction, ProfilerLevel
from graphcore.train.callback.base import Callback

_said: set = set()


def _say(what: str) -> None:
    if what not in _said:
        _said.add(what)
        log.debug("%s: MindSpore's profiler records devices that are not there; nothing is recorded", what)


class Profiler:
    """Accepts MindSpore's options; a context manager, with `start`, `stop`, `step` and `analyse`."""

    def __init__(self, **kwargs):
        self.options = kwargs
        self._running = kwargs.get("start_profile", True)
        _say(type(self).__name__)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def start(self) -> None:
        """Begin.  Raises RuntimeError if it runs already."""
        if self._running:
            raise RuntimeError("The profiler has already started. Do not turn on again in the open state.")
        self._running = True

    def stop(self) -> None:
        """End."""
        self._running = False

    def step(self) -> None:
        """A step of the training is done."""

    def analyse(self, offline_path=None, pretty=False, step_list=None, mode="sync", rank_id=None) -> None:
        """There is nothing to analyse."""

    def op_analyse(self, op_name, device_id=None) -> str:
        """There is nothing to analyse: an empty JSON object."""
        return "{}"

    def add_metadata(self, key: str, value: str) -> None:
        """A note that would be kept with the records."""

    add_metadata_json = add_metadata

    @classmethod
    def offline_analyse(cls, path: str, pretty=False, step_list=None, data_simplification=True) -> None:
        """There is nothing to analyse."""


class profile(Profiler):                # noqa: N801  MindSpore's name
    """`Profiler` with keyword arguments only, as a context manager."""


def analyse(profiler_path: str, **options) -> None:
    """There is nothing to analyse."""


class schedule:                         # noqa: N801  MindSpore's name
    """Step number -> ProfilerAction: `wait` steps nothing, `warmup` steps, `active` steps recorded, `repeat` times.

    skip_first: steps before all that.  repeat 0: for ever.  Raises ValueError for negative numbers.
    """

    def __init__(self, *, wait: int, active: int, warmup: int = 0, repeat: int = 0, skip_first: int = 0):
        if min(wait, warmup, repeat, skip_first) < 0 or active < 1:
            raise ValueError(f"schedule: wait, warmup, repeat and skip_first must not be negative and active at least "
                             f"1, got {wait}, {warmup}, {repeat}, {skip_first} and {active}")
        self.wait, self.active, self.warmup, self.repeat, self.skip_first = wait, active, warmup, repeat, skip_first

    def __call__(self, step: int) -> ProfilerAction:
        if step < 0:
            raise ValueError(f"schedule: the step must not be negative, got {step}")
        step -= self.skip_first
        period = self.wait + self.warmup + self.active
        if step < 0 or self.repeat and step >= period * self.repeat:
            return ProfilerAction.NONE
        place = step % period
        if place < self.wait:
            return ProfilerAction.NONE
        if place < self.wait + self.warmup:
            return ProfilerAction.WARM_UP
        return ProfilerAction.RECORD_AND_SAVE if place == period - 1 else ProfilerAction.RECORD


def tensorboard_trace_handler(dir_name=None, worker_name=None, analyse_flag=True, async_mode=False):
    """A handler for `on_trace_ready`; there are no traces."""
    return lambda profiler: None


class _ExperimentalConfig:
    """Further options of the profiler."""

    def __init__(self, profiler_level=ProfilerLevel.Level0, aic_metrics=AicoreMetrics.AiCoreNone, l2_cache=False,
                 mstx=False, data_simplification=True, export_type=None, **options):
        self.profiler_level, self.aic_metrics, self.l2_cache, self.mstx = profiler_level, aic_metrics, l2_cache, mstx
        self.data_simplification, self.export_type, self.options = data_simplification, export_type, options


class DynamicProfilerMonitor(Callback):
    """A callback that would switch the profiler on as a file says."""

    def __init__(self, cfg_path=None, output_path="./dyn_profile_data", poll_interval=2, **kwargs):
        super().__init__()
        _say(type(self).__name__)

    def step(self) -> None:
        """A step of the training is done."""


class mstx:                             # noqa: N801  MindSpore's name
    """Marks in the records."""

    @staticmethod
    def mark(message: str, stream=None, domain: str = "default") -> None:
        """A mark."""

    @staticmethod
    def range_start(message: str, stream=None, domain: str = "default") -> int:
        """The begin of a range, by number."""
        return 0

    @staticmethod
    def range_end(range_id: int, domain: str = "default") -> None:
        """The end of a range."""
