"""ProgressBar: one line for each epoch; on a terminal also how far the running one is."""
from __future__ import annotations

import sys
import time

from graphcore.tensor import Tensor
from graphcore.train.callback.base import Callback, loss_of

_PERIOD = 0.1       # seconds between two looks at the loss: a step may take less than drawing


def _number(value) -> str:
    if isinstance(value, Tensor):
        value = value.asnumpy()
    try:
        return f"{float(value):.4g}"
    except (TypeError, ValueError):
        return str(value)


class ProgressBar(Callback):
    """Shows epoch, step, loss and metrics of a training.

    A line after each epoch; on a terminal, with the `rich` package installed (``pip install 'graphcore[examples]'``),
    also a bar that moves during it, above which other callbacks print.
    file: where to write (default: standard output).
    """

    def __init__(self, file=None):
        super().__init__()
        self._file = file
        self._bar = self._task = None
        self._started = self._drawn = 0.0

    def _stream(self):
        return self._file or sys.stdout

    def on_train_begin(self, run_context):
        if self._stream().isatty():
            self._bar = _rich_bar(self._stream())
        if self._bar is not None:
            self._bar.start()

    def on_train_epoch_begin(self, run_context):
        run = run_context.original_args()
        self._started, self._drawn = time.perf_counter(), 0.0
        if self._bar is not None:
            steps = run.batch_num if isinstance(run.batch_num, int) and run.batch_num > 0 else None
            self._task = self._bar.add_task(f"epoch {run.cur_epoch_num}", total=steps, facts="")

    def on_train_step_end(self, run_context):
        if self._bar is not None and time.perf_counter() - self._drawn > _PERIOD:
            run = run_context.original_args()
            self._bar.update(self._task, completed=(run.cur_step_num - 1) % run.batch_num + 1,
                             facts="loss " + _number(loss_of(run.net_outputs)))
            self._drawn = time.perf_counter()

    def on_train_epoch_end(self, run_context):
        run = run_context.original_args()
        seconds = time.perf_counter() - self._started
        facts = ["loss " + _number(loss_of(run.net_outputs))]
        facts += [f"{name} {_number(value)}" for name, value in (run.get("metrics") or {}).items()]
        done = (run.cur_step_num - 1) % run.batch_num + 1         # fewer than all where the training was stopped
        line = f"epoch {run.cur_epoch_num}: {done} steps in {seconds:.2f} s, {', '.join(facts)}"
        if self._bar is not None:       # one bar for the running epoch: more than fit on the screen would hide it
            self._bar.remove_task(self._task)
            self._bar.refresh()
            self._bar.console.print(line, markup=False)
        else:
            print(line, file=self._stream(), flush=True)

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
    """A bar of the rich package; None where it is not installed, and on terminals that cannot go back in a line."""
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
    except ImportError:
        return None
    console = Console(file=stream, highlight=False)
    if console.is_dumb_terminal:
        return None
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    TimeRemainingColumn(), TextColumn("{task.fields[facts]}", markup=False), console=console)
