"""Makes a program that shows a defect smaller, as long as it still shows it.

    python -m tests.fuzz.reduce SEED|FILE [--native]

A smaller program is one with a statement less, a compound statement replaced by its body, or an expression replaced by
a part of itself.
"""
from __future__ import annotations

import ast
import copy
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator

from tests.fuzz.check import check
from tests.fuzz.generator import program

SECONDS = 20            # for one attempt


def reduced(source: str, shows: Callable[[str], bool]) -> str:
    """The smallest program found for which `shows(source)` still holds."""
    tree = ast.parse(source)
    again = True
    while again:
        again = False
        for change in _changes:
            position = 0
            while True:
                candidate = copy.deepcopy(tree)
                places = list(_places(candidate, change))
                if position >= len(places):
                    break
                places[position]()
                text = _text(candidate)
                if text is not None and len(text) < len(_text(tree)) and shows(text):
                    tree, again = candidate, True
                else:
                    position += 1
    return _text(tree)


def _text(tree: ast.Module) -> str | None:
    """The tree's text; None if a change made it no syntax (a part of an f-string without the string)."""
    try:
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    except ValueError:
        return None


def _places(tree: ast.Module, change) -> Iterator[Callable]:
    for node in ast.walk(tree):
        yield from change(node)


# Each change yields functions that do it, for one node of the tree.

def _drop_statements(node) -> Iterator[Callable]:
    for body in _bodies(node):
        for size in (8, 4, 2, 1):
            for i in range(0, len(body) - size + 1, size):
                yield lambda body=body, i=i, size=size: _replace(body, i, size, [])


def _open_compounds(node) -> Iterator[Callable]:
    for body in _bodies(node):
        for i, s in enumerate(body):
            if isinstance(s, (ast.If, ast.For, ast.While)):
                for part in (s.body, s.orelse):
                    if part:
                        yield lambda body=body, i=i, part=part: _replace(body, i, 1, part)
                if s.orelse:
                    yield lambda s=s: s.orelse.clear()


def _shrink_expressions(node) -> Iterator[Callable]:
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.expr) and not isinstance(value, (ast.Name, ast.Constant)):
            for part in _parts(value):
                yield lambda name=name, part=part: setattr(node, name, part)
        elif isinstance(value, list):
            for i, entry in enumerate(value):
                if isinstance(entry, ast.expr) and not isinstance(entry, (ast.Name, ast.Constant)):
                    for part in _parts(entry):
                        yield lambda value=value, i=i, part=part: value.__setitem__(i, part)
                if isinstance(entry, ast.expr) and len(value) > 1:
                    yield lambda value=value, i=i: value.pop(i)


_changes = (_drop_statements, _open_compounds, _shrink_expressions)


def _bodies(node) -> list:
    return [getattr(node, name) for name in ("body", "orelse") if isinstance(getattr(node, name, None), list)]


def _replace(body: list, i: int, size: int, new: list) -> None:
    body[i:i + size] = new
    if not body:
        body.append(ast.Pass())


def _parts(node: ast.expr) -> list:
    """Expressions within an expression, the nearest first."""
    return [n for n in ast.walk(node) if isinstance(n, ast.expr) and n is not node
            and not isinstance(getattr(n, "ctx", ast.Load()), ast.Store)][:12]


# -- what a defect looks like --------------------------------------------------------------------------------------

def signature(source: str, gradients: bool = True, native: bool = False) -> str | None:
    """The kind of a program's first finding and, for an error, how it begins; None if nothing is wrong."""
    findings = check(source, gradients=gradients, native=native).findings
    if not findings or findings[0].kind == "invalid":
        return None
    detail = findings[0].detail.splitlines()[0].partition("off by")
    return f"{findings[0].kind}: " + (detail[1] or re.sub(r"[-\d.]+", "#", detail[0])[:60])


def _limited(source: str, gradients: bool, native: bool) -> str | None:
    signal.alarm(SECONDS)
    try:
        return signature(source, gradients, native)
    except Exception:
        return None
    finally:
        signal.alarm(0)


def main(argument: str, native: bool = False) -> None:
    """Reduce the program of a seed or file and print it; native: its graphs are compiled."""
    source = open(argument).read() if os.path.exists(argument) else program(int(argument)).source
    signal.signal(signal.SIGALRM, _stop)
    wanted = signature(source, native=native)
    print(f"# {wanted}", flush=True)
    if wanted is not None:
        gradients = "gradient" in wanted or "slope" in wanted
        print(reduced(source, lambda text: _limited(text, gradients, native) == wanted))


def _stop(*_):
    raise TimeoutError("an attempt takes too long")


if __name__ == "__main__":
    main(sys.argv[1], native="--native" in sys.argv)
