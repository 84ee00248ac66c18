"""The results as a table and as JSON."""
from __future__ import annotations

import json

from benchmarks.competitors import OURS
from benchmarks.ratios import TIE, Row, verdict


def seconds_text(seconds: float) -> str:
    """Three digits and a unit: ``3.40 µs``, ``12.3 ms``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            value = seconds / size
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"
    raise AssertionError("the last unit takes everything")


def ratio_text(ratio: float) -> str:
    """``1.62x win``."""
    return f"{ratio:.{2 if ratio >= 0.1 else 4}f}x {verdict(ratio)}"


def limit_text(row: Row) -> str:
    """``8.21 ms  1.95x``."""
    if row.limit is None:
        return "-"
    times = row.times_limit(OURS)
    return seconds_text(row.limit) + ("" if times is None else f"  {times:.{2 if times < 99.95 else 0}f}x")


def table(rows: list[Row], names: list[str]) -> str:
    """A markdown table, aligned for reading as it is: graphcore's median, then each peer's with ratio and verdict.

    The last column, where limits are known: the machine's limit, and how many times that graphcore takes.
    """
    peers = [name for name in names if name != OURS]
    limited = any(row.limit is not None for row in rows)
    cells = [["", OURS, *peers, "against the best", *["the machine's limit"] * limited]]
    for row in rows:
        ours, best = row.median(OURS), row.best_peer()
        line = [row.label, "-" if ours is None else seconds_text(ours)]
        for peer in peers:
            theirs, ratio = row.median(peer), row.ratio(peer)
            line.append("-" if theirs is None else
                        seconds_text(theirs) + ("" if ratio is None else f"  {ratio_text(ratio)}"))
        line.append("-" if best is None else ratio_text(row.ratio(best)))
        cells.append([*line, *[limit_text(row)] * limited])
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def as_json(rows: list[Row], facts: dict) -> str:
    """Everything measured: facts (machine, versions, settings), and per row the times of all rounds."""
    results = []
    for row in rows:
        best = row.best_peer()
        results.append({
            "label": row.label, "best_peer": best, "left_out": row.left_out, "limit_seconds": row.limit,
            "competitors": {name: {"median_seconds": row.median(name), "round_seconds": times,
                                   "times_limit": row.times_limit(name),
                                   **({} if name == OURS or row.ratio(name) is None else
                                      {"ratio": row.ratio(name), "verdict": verdict(row.ratio(name))})}
                            for name, times in row.times.items()}})
    return json.dumps({**facts, "tie_within": TIE, "results": results}, indent=1, ensure_ascii=False) + "\n"
