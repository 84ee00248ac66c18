"""Callbacks that tell how the training goes, in MindSpore's words."""
from __future__ import annotations

import math
import time

from graphcore.errors import NonFiniteError
from graphcore.train.callback.base import Callback, check_count, loss_of


class InvalidLossError(NonFiniteError, ValueError):
    """A loss that is NaN or infinite."""


class LossMonitor(Callback):
    """Prints the loss every `per_print_times` steps (0: never), and in `Model.fit` the metrics after each epoch.

    Raises InvalidLossError (a ValueError) when the loss is NaN or infinite.
    """

    def __init__(self, per_print_times: int = 1):
        super().__init__()
        self._per_print_times = check_count(per_print_times, "per_print_times")
        self._last_print_time = 0

    def on_train_begin(self, run_context):
        self._last_print_time = run_context.original_args().get("cur_step_num", 0)

    def step_end(self, run_context):
        run = run_context.original_args()
        loss = loss_of(run.net_outputs)
        epoch, step = run.get("cur_epoch_num", 1), (run.cur_step_num - 1) % run.batch_num + 1
        if isinstance(loss, float) and not math.isfinite(loss):
            raise InvalidLossError(f"In epoch: {epoch} step: {step}, loss is NAN or INF, training process cannot "
                                   "continue, terminating training.")
        if self._per_print_times and run.cur_step_num - self._last_print_time >= self._per_print_times:
            self._last_print_time = run.cur_step_num
            print(f"epoch: {epoch} step: {step}, loss is {loss}", flush=True)

    def on_train_epoch_end(self, run_context):
        run = run_context.original_args()
        if run.get("metrics"):
            print(f"Eval result: epoch {run.cur_epoch_num}, metrics: {run['metrics']}")


class TimeMonitor(Callback):
    """Prints the time of each epoch and of a step in it, with `data_time` also the time spent on getting the data.

    data_size: the number of steps in an epoch, where the run does not know it.
    """

    def __init__(self, data_size: int | None = None, data_time: bool = False):
        super().__init__()
        if not isinstance(data_time, bool):
            raise TypeError(f"data_time must be a bool, but got {type(data_time).__name__}")
        self.data_size, self.data_time = data_size, data_time
        self._started: dict = {}            # by mode: an evaluation may lie within an epoch of training
        self._waited, self._waiting_since = 0.0, 0.0

    def epoch_begin(self, run_context):
        self._started[run_context.original_args().get("mode", "")] = time.perf_counter()

    def on_train_epoch_begin(self, run_context):
        self._waited, self._waiting_since = 0.0, time.perf_counter()
        super().on_train_epoch_begin(run_context)

    def on_train_step_begin(self, run_context):
        self._waited += time.perf_counter() - self._waiting_since

    def on_train_step_end(self, run_context):
        self._waiting_since = time.perf_counter()

    def epoch_end(self, run_context):
        run = run_context.original_args()
        mode = run.get("mode", "")
        elapsed = (time.perf_counter() - self._started[mode]) * 1000
        steps = run.get("batch_num")
        steps = steps if isinstance(steps, int) and steps > 0 else check_count(self.data_size, "data_size", 1)
        line = (f"{mode.title()} epoch time: {elapsed:5.3f} ms, per step time: "
                f"{elapsed / steps:5.3f} ms")
        if self.data_time and mode == "train":
            line += f" (data time: {self._waited * 1000 / steps:5.3f} ms)"
        print(line, flush=True)
