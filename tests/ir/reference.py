"""The parts of docs/ir.md that are made from the code: ``python -m tests.ir.reference`` writes them anew."""
from __future__ import annotations

import inspect
import re
from pathlib import Path

import graphcore.ops.records  # noqa: F401 - registers all operators
from graphcore import dtype as dt
from graphcore.compiler.pipeline import STAGES
from graphcore.ir import attributes
from graphcore.ops.record import REGISTRY, Pointwise

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "ir.md"
_KINDS = {name: what for what, (_, names) in attributes._KINDS.items() for name in names}
_ORDER = ("pointwise", "reduction", "view", "scheduled", "assembled", "region", "structural", "collective")
_TITLES = {
    "pointwise": "Pointwise: each element of the result from the elements at its place",
    "reduction": "Reductions", "view": "Views: the same elements under other indices",
    "scheduled": "With kernels of their own", "assembled": "Put together from pieces", "region": "Control flow",
    "structural": "Structure", "collective": "Exchange with other processes",
}


def operands_and_attributes(record) -> tuple[list, dict]:
    """(names of the operands, attribute → whether it may be left out)"""
    rule = inspect.signature(record.infer).parameters.values()
    named = {p.name: p.default is not p.empty for p in rule if p.kind is p.KEYWORD_ONLY or p.name in _KINDS}
    positional = [p for p in rule if p.name not in named]
    if [p.kind for p in positional] == [inspect.Parameter.VAR_POSITIONAL] and record.kind == "pointwise":
        return ["x", "y", "z"][:record.arity], named
    return [p.name + "..." if p.kind is p.VAR_POSITIONAL else f"[{p.name}]" if p.default is not p.empty else p.name
            for p in positional], named


def operator_tables() -> str:
    """The operators by kind, each with operands, attributes and the first sentence of its documentation."""
    parts = []
    for kind in _ORDER:
        parts += [f"### {_TITLES[kind]}", "", "| operator | attributes | |", "|---|---|---|"]
        for name, record in sorted(REGISTRY.items()):
            if record.kind != kind:
                continue
            operands, named = operands_and_attributes(record)
            told = ", ".join(f"[{a}]: {_KINDS[a]}" if optional else f"{a}: {_KINDS[a]}"
                             for a, optional in sorted(named.items()))
            parts.append(f"| `{name}({', '.join(operands)})` | {told} | {_sentence(record)} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def _sentence(record) -> str:
    """The first sentence of the documentation, and what dtypes are taken."""
    text = " ".join(inspect.cleandoc(record.__doc__).split("\n\n")[0].split())
    first = re.match(r".*?(?:[.](?=\s|$)|$)", text)[0].rstrip(".")
    accepts = f"; {record.accepts} only" if isinstance(record, Pointwise) and record.accepts not in (
        "any", "number") else ""
    return (first + accepts).replace("|", "\\|")


def dtype_table() -> str:
    """Codes and names."""
    return "\n".join(f"| `{code}` | {found.name} |" for code, found in dt.BY_CODE.items())


def pass_list() -> str:
    """Numbers and names of the passes."""
    return ", ".join(f"`{i:02d}_{stage.name}`" for i, stage in enumerate(STAGES, 1)) + "."


def page(text: str) -> str:
    """The page with its generated parts written anew: each stands below a comment that names it, to the next heading
    or paragraph."""
    for name, made, until in (("dtypes", dtype_table(), r"\n\n"), ("passes", pass_list(), r"\n\n"),
                              ("operators", operator_tables(), r"\Z")):
        begin, _, rest = text.partition(f"<!-- {name} -->")
        text = f"{begin}<!-- {name} -->\n{made}{rest[re.search(until, rest).start():]}"
    return text.rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
