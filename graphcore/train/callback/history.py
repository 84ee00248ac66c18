"""History: what a training gave, epoch by epoch; as a table, a chart and files."""
from __future__ import annotations

import csv
import html
import io
import json
import os
import time

import numpy as np

from graphcore.errors import MissingPackageError
from graphcore.files.atomic import atomic_path, atomic_write
from graphcore.tensor import Tensor
from graphcore.train.callback.base import Callback

_SHOWN = 20         # rows of a printed table


class History(Callback):
    """The network's output (the loss of the last step), the metrics and the time of each epoch.

    epoch: ``{"epoch": [1, 2, ...]}``; history: ``{"net_output": [...], metric: [...]}``, as in MindSpore.
    rows: a dict for each epoch: epoch, loss, seconds, and the metrics that were evaluated after it.
    `Model.train` and `Model.fit` return one; printed, it is a table of the rows.
    """

    def __init__(self):
        super().__init__()
        self.history: dict = {}
        self.epoch: dict | None = None
        self.rows: list[dict] = []
        self._started = time.perf_counter()

    def begin(self, run_context):
        self.epoch = {"epoch": []}

    def epoch_begin(self, run_context):
        self._started = time.perf_counter()

    def epoch_end(self, run_context):
        run = run_context.original_args()
        number = run.get("cur_epoch_num", 1)
        self.epoch["epoch"].append(number)
        output = run.get("net_outputs")
        if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
            output = output[0]
        if isinstance(output, Tensor):
            output = np.mean(output.asnumpy())
        metrics = run.get("metrics") or {}
        for name, value in {"net_output": output, **metrics}.items():
            self.history.setdefault(name, []).append(value)
        self.rows.append({"epoch": number, "loss": _plain(output), "seconds": time.perf_counter() - self._started,
                          **{f"metric {n}" if n in ("epoch", "loss", "seconds") else n: _plain(v)
                             for n, v in metrics.items()}})

    # -- shown -----------------------------------------------------------------------------------------
    def columns(self) -> list[str]:
        """The keys of all rows, in order."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __repr__(self) -> str:
        if not self.rows:
            return "History of no epochs"
        table = [self.columns(), *([_text(row.get(name, "")) for name in self.columns()] for row in self._shown())]
        widths = [max(map(len, column)) for column in zip(*table)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in table]
        return "\n".join([*lines, *self._left_out()])

    def _repr_html_(self) -> str:
        def line(tag, cells):
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
        rows = [line("td", [_text(row.get(name, "")) for name in self.columns()]) for row in self._shown()]
        left_out = "".join(f"<p>{text}</p>" for text in self._left_out())
        return f"<table>{line('th', self.columns())}{''.join(rows)}</table>{left_out}"

    def _shown(self) -> list[dict]:
        return self.rows[-_SHOWN:]

    def _left_out(self) -> list[str]:
        more = len(self.rows) - _SHOWN
        return [f"({more} earlier epochs are not shown)"] if more > 0 else []

    def plot(self, path: str | os.PathLike | None = None):
        """A matplotlib Figure of the loss and of each metric that is a number, over the epochs.

        path: also write it there (the format is the ending: .png, .svg, .pdf).  Raises MissingPackageError without
        matplotlib, ValueError for a History of no epochs.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise MissingPackageError("History.plot needs matplotlib: pip install 'graphcore[plot]'") from None
        if not self.rows:
            raise ValueError("History.plot: there are no epochs yet; train first")
        drawn = {name: points for name in self.columns() if name not in ("epoch", "seconds")
                 and (points := [(row["epoch"], row[name]) for row in self.rows
                                 if isinstance(row.get(name), (int, float))])}
        figure = Figure(figsize=(6, 1 + 2.5 * len(drawn)), layout="constrained")
        for place, (name, points) in enumerate(drawn.items(), 1):
            axes = figure.add_subplot(len(drawn), 1, place)
            axes.plot(*zip(*points), marker="." if len(points) < 50 else "")
            axes.set_ylabel(name)
            axes.grid(alpha=0.3)
            axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("epoch")
        if path is not None:
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format=os.path.splitext(os.fspath(path))[1][1:] or "png")
        return figure

    # -- written ---------------------------------------------------------------------------------------
    def to_csv(self, path: str | os.PathLike) -> None:
        """Write a line for each epoch below the names; numbers in full, lists as JSON, nothing where there is no value.

        The file is complete or the old one.  Raises OSError where it cannot be written.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns())
        for row in self.rows:
            cells = (row.get(name) for name in self.columns())
            writer.writerow(["" if c is None else json.dumps(c) if isinstance(c, (list, dict)) else c for c in cells])
        with atomic_write(path) as file:
            file.write(text.getvalue().encode())

    def to_json(self, path: str | os.PathLike) -> None:
        """Write ``{"epochs": rows}``; NaN and infinities are strings, since JSON has no such numbers.

        The file is complete or the old one.  Raises OSError where it cannot be written.
        """
        with atomic_write(path) as file:
            file.write(json.dumps({"epochs": _strict(self.rows)}, indent=1).encode() + b"\n")


def _plain(value):
    """A value of NumPy or graphcore as Python numbers and lists; other things as text."""
    if isinstance(value, Tensor):
        value = value.asnumpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _strict(value):
    """The value with strings for numbers that JSON lacks."""
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_strict(v) for v in value]
    return {k: _strict(v) for k, v in value.items()} if isinstance(value, dict) else value


def _text(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
