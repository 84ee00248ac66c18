"""The ratios as horizontal bars: ``--chart FILE.png``.  Needs matplotlib, which nothing else here does."""
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from benchmarks.competitors import OURS
from benchmarks.ratios import TIE, Row

BAR = 0.22          # inches for a bar
WIDTH = 9.0         # inches


class NoMatplotlib(Exception):
    """A chart was asked for, and there is nothing to draw it with."""


def require_matplotlib() -> None:
    """Raises NoMatplotlib, before anything is measured, if it cannot be imported."""
    if find_spec("matplotlib") is None:
        raise NoMatplotlib("--chart needs matplotlib, which is not installed here: pip install -e '.[benchmarks]'")


def bars(rows: list[Row], names: list[str]) -> list[tuple[str, dict[str, float]]]:
    """(label, ratios by peer) of each row that has any, peers in the order of `names`."""
    result = []
    for row in rows:
        ratios = {name: row.ratio(name) for name in names if name != OURS}
        ratios = {name: ratio for name, ratio in ratios.items() if ratio is not None}
        if ratios:
            result.append((row.label, ratios))
    return result


def draw(rows: list[Row], names: list[str], path: Path) -> None:
    """Write the chart: a group of bars for each row, a bar for each peer; right of 1 graphcore is faster."""
    # without pyplot: that would look for a display
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = bars(rows, names)
    peers = [name for name in names if any(name in ratios for _, ratios in groups)]
    height = 1.2 + BAR * sum(len(ratios) + 1 for _, ratios in groups)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes, place, ticks = figure.subplots(), 0, []
    for label, ratios in groups:
        ticks.append((place + (len(ratios) - 1) / 2, label))
        for name, ratio in ratios.items():
            axes.barh(place, ratio - 1, left=1, height=0.85, color=f"C{peers.index(name)}")
            axes.annotate(f"{ratio:.2f}x", (ratio, place), (3 if ratio >= 1 else -3, 0), textcoords="offset points",
                          va="center", ha="left" if ratio >= 1 else "right", fontsize=7)
            place += 1
        place += 1
    axes.axvspan(1 / TIE, TIE, color="0.9", zorder=0)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_xlabel(f"time of the peer / time of graphcore (grey: a tie, within {TIE})")
    axes.set_yticks([at for at, _ in ticks], [label for _, label in ticks])
    axes.set_ylim(place - 0.5, -1)
    handles = [axes.barh(0, 0, color=f"C{i}") for i in range(len(peers))]
    figure.legend(handles, peers, loc="outside upper center", ncols=max(1, min(4, len(peers))), frameon=False)
    figure.savefig(path, dpi=150)
