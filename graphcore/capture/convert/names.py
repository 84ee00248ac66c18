"""Which names a piece of a function binds."""
from __future__ import annotations

import ast

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp,
           ast.GeneratorExp)


def statements_of(node) -> list:
    """The nodes below `node` (a node or a list of them) that belong to the same scope, in order, itself included.

    A nested function or class appears, its inside does not; of a comprehension, only what `:=` binds does.
    """
    found, stack = [], list(reversed(node)) if isinstance(node, list) else [node]
    while stack:
        current = stack.pop()
        found.append(current)
        if isinstance(current, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            stack.extend(n for n in ast.walk(current) if isinstance(n, ast.NamedExpr))
        elif isinstance(current, ast.NamedExpr) or not isinstance(current, _SCOPES):
            stack.extend(reversed(list(ast.iter_child_nodes(current))))
    return found


def bound_names(node) -> tuple:
    """The names that `node` (a statement or a list of them) binds in its own scope, in order of appearance."""
    names: dict = {}
    for n in statements_of(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, (ast.Store, ast.Del)):
            names[n.id] = None
        elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names[n.name] = None
        elif isinstance(n, ast.ExceptHandler) and n.name:
            names[n.name] = None
        elif isinstance(n, ast.alias):
            names[(n.asname or n.name).split(".")[0]] = None
        elif isinstance(n, (ast.MatchAs, ast.MatchStar)) and n.name:
            names[n.name] = None
        elif isinstance(n, ast.MatchMapping) and n.rest:
            names[n.rest] = None
        for name in getattr(n, "also_binds", ()):       # a call of a generated function that binds names
            names[name] = None
    return tuple(names)


def declared(node, kind) -> set:
    """The names that statements of `kind` (ast.Global or ast.Nonlocal) in this scope declare."""
    return {name for n in statements_of(node) if isinstance(n, kind) for name in n.names}
