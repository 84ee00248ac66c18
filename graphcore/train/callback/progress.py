"""ProgressBar: how far the epoch is, on a terminal; one line for each epoch elsewhere."""
from __future__ import annotations

import sys
import time

from graphcore.tensor import Tensor
from graphcore.train.callback.base import Callback, loss_of


def _number(value) -> str:
    if isinstance(value, Tensor):
        value = value.asnumpy()
    try:
        return f"{float(value):.4g}"
    except (TypeError, ValueError):
        return str(value)


class ProgressBar(Callback):
    """Shows epoch, step, loss and metrics of a training.

    On a terminal, with the `rich` package installed, a bar that moves; otherwise one line after each epoch, so that log
    files stay readable.  file: where to write (default: standard output).
    """

    def __init__(self, file=None):
        super().__init__()
        self._file = file
        self._bar = self._task = None
        self._started = 0.0

    def _stream(self):
        return self._file or sys.stdout

    def on_train_begin(self, run_context):
        if self._stream().isatty():
            self._bar = _rich_bar(self._stream())
        if self._bar is not None:
            self._bar.start()

    def on_train_epoch_begin(self, run_context):
        run = run_context.original_args()
        self._started = time.perf_counter()
        if self._bar is not None:
            self._task = self._bar.add_task(f"epoch {run.cur_epoch_num}", total=run.batch_num, loss="")

    def on_train_step_end(self, run_context):
        if self._bar is not None:
            self._bar.update(self._task, advance=1,
                             loss="loss " + _number(loss_of(run_context.original_args().net_outputs)))

    def on_train_epoch_end(self, run_context):
        run = run_context.original_args()
        facts = ["loss " + _number(loss_of(run.net_outputs))]
        facts += [f"{name} {_number(value)}" for name, value in (run.get("metrics") or {}).items()]
        if self._bar is not None:
            self._bar.update(self._task, loss=", ".join(facts))
            return
        seconds = time.perf_counter() - self._started
        print(f"epoch {run.cur_epoch_num}: {run.batch_num} steps in {seconds:.2f} s, {', '.join(facts)}",
              file=self._stream(), flush=True)

    def on_train_end(self, run_context):
        self._stop()

    def __exit__(self, *error):
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    # An evaluation has no bar: its numbers come with the epoch's.
    def on_eval_begin(self, run_context):
        pass


def _rich_bar(stream):
    """A bar of the rich package, or None where it is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                    TextColumn("{task.fields[loss]}"), console=Console(file=stream))
