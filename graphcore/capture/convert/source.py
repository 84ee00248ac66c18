"""The syntax tree of a function, found in its file by line and name.

Whole files are parsed, so that lambdas inside of calls are found, which text cut out by lines would not parse.
"""
from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass
from types import CodeType, FunctionType

_files: dict[str, tuple] = {}           # file name -> (text, (line, name) -> entries)


@dataclass(frozen=True)
class FunctionSource:
    """A function's syntax (FunctionDef or Lambda, not to be changed) and the class whose body it stands in, if any."""

    tree: ast.AST
    class_name: str | None


def find_source(function: FunctionType) -> FunctionSource | None:
    """The syntax tree of a function; None where the source is not there or is not what runs."""
    code = function.__code__
    entries = _index(code.co_filename, function.__globals__).get((code.co_firstlineno, code.co_name), ())
    fitting = [e for e in entries if _parameters(e.tree.args) == _parameters_of(code)]
    if len(fitting) > 1:                # several lambdas on one line
        fitting = [e for e in fitting if _same_code(e.tree, code)]
    return fitting[0] if fitting else None


def _index(filename: str, namespace: dict) -> dict:
    linecache.checkcache(filename)
    text = "".join(linecache.getlines(filename, namespace))
    known = _files.get(filename)
    if known is None or known[0] != text:
        known = _files[filename] = (text, _functions(text))
    return known[1]


def _functions(text: str) -> dict:
    try:
        tree = ast.parse(text)
    except SyntaxError:                 # a cell of a notebook with magic commands, for instance
        return {}
    found: dict[tuple, list] = {}

    def visit(node, class_name):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.Lambda)):
                decorators = getattr(child, "decorator_list", ())
                line = min([child.lineno, *(d.lineno for d in decorators)])
                name = getattr(child, "name", "<lambda>")
                found.setdefault((line, name), []).append(FunctionSource(child, class_name))
            visit(child, child.name if isinstance(child, ast.ClassDef) else class_name)

    visit(tree, None)
    return found


def _parameters(arguments: ast.arguments) -> tuple:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return tuple(a.arg.lstrip("_") for a in (*named, arguments.vararg, arguments.kwarg) if a is not None)


def _parameters_of(code: CodeType) -> tuple:
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return tuple(_unmangled(name) for name in code.co_varnames[:count])


def _unmangled(name: str) -> str:
    if name.startswith("_") and "__" in name[1:]:
        name = name[name.index("__", 1):]
    return name.lstrip("_")


def _same_code(tree: ast.AST, code: CodeType) -> bool:
    compiled = compile(ast.Expression(tree), code.co_filename, "eval")
    inner = next((c for c in compiled.co_consts if isinstance(c, CodeType)), None)
    return inner is not None and inner.co_code == code.co_code and inner.co_names == code.co_names \
        and inner.co_consts == code.co_consts
