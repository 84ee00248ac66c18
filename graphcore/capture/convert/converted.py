"""`converted`: the function that runs in a function's place while a graph is captured."""
from __future__ import annotations

import ast
import weakref
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType

from graphcore.capture.convert.rewrite import rewrite_function
from graphcore.capture.convert.source import find_source
from graphcore.capture.convert.syntax import PREFIX, function_def
from graphcore.capture.location import is_users_file

_GENERATOR = 0x20 | 0x80 | 0x200        # code flags: generator, coroutine, asynchronous generator


@dataclass(frozen=True)
class _Template:
    """Converted code, to be bound to the closure of the function that it is made of."""

    code: CodeType


_templates: dict[tuple, _Template | None] = {}          # by file and code: equal code of two files is equal to Python
_functions: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def converted(function: FunctionType) -> FunctionType:
    """`function` with its control flow converted; itself if it is a library's, or if its source is not to be had."""
    template = _template(function)
    if template is None:
        return function
    known = _functions.get(function)
    if known is None:
        known = _functions[function] = _bind(template, function)
    return known


def _template(function: FunctionType) -> _Template | None:
    code = function.__code__
    if _is_converted(code) or code.co_flags & _GENERATOR or not is_users_file(code.co_filename):
        return None
    key = code.co_filename, code
    if key not in _templates:
        found = find_source(function)
        _templates[key] = None if found is None else _Template(_compile(found, code))
    return _templates[key]


def _is_converted(code: CodeType) -> bool:
    return PREFIX in code.co_freevars


def _compile(source, code: CodeType) -> CodeType:
    tree = rewrite_function(source.tree, source.class_name)
    if isinstance(tree, ast.Lambda):
        name, statement = "<lambda>", ast.Return(tree)
    else:
        tree.name = name = f"{PREFIX}function"        # its own name may be a global that it calls itself by
        statement = tree
        tree.decorator_list, tree.returns = [], None
    arguments = tree.args
    for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if a is not None:
            a.annotation = None
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [d and ast.Constant(None) for d in arguments.kw_defaults]
    outer = function_def(source.tree, "gc_outer", [statement], dict.fromkeys((PREFIX, *code.co_freevars)))
    module = ast.fix_missing_locations(ast.Module([outer], []))
    compiled = compile(module, code.co_filename, "exec", dont_inherit=True)
    inner = _code_within(_code_within(compiled, "gc_outer"), name)
    return _renamed(inner.replace(co_name=code.co_name, **_qualified(code)), code)


def _code_within(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


def _renamed(code: CodeType, original: CodeType) -> CodeType:
    """Blocks that became functions bear the name of the function they stand in, as tracebacks show it."""
    constants = tuple(
        _renamed(c.replace(co_name=original.co_name, **_qualified(original)) if c.co_name.startswith(PREFIX) else c,
                 original if c.co_name.startswith(PREFIX) or c.co_name == "<lambda>" else c)
        if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=constants)


def _qualified(code: CodeType) -> dict:
    return {"co_qualname": code.co_qualname} if hasattr(code, "co_qualname") else {}


def _bind(template: _Template, function: FunctionType) -> FunctionType:
    from graphcore.capture import language
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
    cells[PREFIX] = CellType(language)
    closure = tuple(cells[name] for name in template.code.co_freevars)
    bound = FunctionType(template.code, function.__globals__, function.__name__, function.__defaults__, closure)
    bound.__kwdefaults__ = function.__kwdefaults__
    bound.__dict__.update(function.__dict__)
    bound.__qualname__, bound.__module__ = function.__qualname__, function.__module__
    return bound
