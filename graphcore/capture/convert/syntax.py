"""Pieces of syntax that conversion makes.  Each takes its place in the file from a node of the user's."""
from __future__ import annotations

import ast

PREFIX = "gc_"          # of all names that conversion makes; alone, the name of `graphcore.capture.language`


def at(place, new):
    """`new` at the place in the file of another node (None: nowhere yet)."""
    return new if place is None else ast.fix_missing_locations(ast.copy_location(new, place))


def load(name: str) -> ast.Name:
    """A name, read."""
    return ast.Name(name, ast.Load())


def assign(place, name: str, value) -> ast.Assign:
    """``name = value``."""
    return at(place, ast.Assign([ast.Name(name, ast.Store())], value))


def function_def(place, name: str, statements: list, parameters=()) -> ast.FunctionDef:
    """``def name(*parameters): statements``."""
    arguments = ast.arguments(posonlyargs=[], args=[ast.arg(p) for p in parameters], kwonlyargs=[], kw_defaults=[],
                              defaults=[])
    new = ast.FunctionDef(name, arguments, statements or [ast.Pass()], [], None)
    new.type_params = []
    return at(place, new)


def thunk(expression) -> ast.Lambda:
    """``lambda: expression``."""
    arguments = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return at(expression, ast.Lambda(arguments, expression))


def language_call(place, name: str, *arguments) -> ast.Call:
    """``gc_.name(*arguments)``; marked as `plain`: a call that is not to be converted itself."""
    call = ast.Call(ast.Attribute(load(PREFIX), name, ast.Load()), list(arguments), [])
    call.plain = True
    return at(place, call)


def index_expression(node):
    """What stands between the brackets of a subscript, as an expression of its own: slices become calls of `slice`."""
    if isinstance(node, ast.Slice):
        parts = [p if p is not None else at(node, ast.Constant(None)) for p in (node.lower, node.upper, node.step)]
        return language_call(node, "slice", *parts)
    if isinstance(node, ast.Tuple):
        return at(node, ast.Tuple([index_expression(e) for e in node.elts], ast.Load()))
    return node


def mangled(name: str, class_name: str | None) -> str:
    """A private name as the body of the class in which it stands changes it."""
    if class_name is None or not name.startswith("__") or name.endswith("__"):
        return name
    return f"_{class_name.lstrip('_')}{name}"
