"""The table of operators in docs/onnx.md: ``python -m tests.onnx.table`` writes it."""
from __future__ import annotations

import inspect
from itertools import groupby
from pathlib import Path

from graphcore.onnx import operators, table  # noqa: F401  (the first one fills the second)

PAGE = Path(__file__).parents[2] / "docs" / "onnx.md"
BEGIN, END = "<!-- table: python -m tests.onnx.table -->\n", "<!-- end -->"


def rows() -> list[str]:
    """The lines of the table."""
    lines = ["| operator | since | inputs | notes |", "|---|---|---|---|"]
    for name, entries in groupby(table.all_entries(), key=lambda e: e.name):
        entries = list(entries)
        lines.append(f"| {name} | {', '.join(str(e.since) for e in entries)} | {inputs(entries[-1])} | "
                     f"{note(entries[-1])} |")
    return lines


def inputs(entry) -> str:
    """The names of an operator's inputs, optional ones with a question mark."""
    found = []
    for p in inspect.signature(entry.function).parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            found.append(f"{p.name} ...")
        elif p.kind is p.POSITIONAL_OR_KEYWORD:
            name = p.name + "?" * (p.default is None)
            found.append(f"*{name}*" if len(found) in entry.numbers else name)
    return ", ".join(found)


def note(entry) -> str:
    """The first paragraph of the docstring."""
    text = inspect.getdoc(entry.function) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def page(text: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "\n" + "\n".join(rows()) + "\n\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
