"""Statements and expressions of a function as calls of `graphcore.capture.language`.

The names of that language stand behind ``gc_`` in the rewritten code.  The block of an `if` or a loop becomes a
function that declares the names it binds `nonlocal`; two more functions read and write these names, so that the
language can run a block, look at what it did, and undo it.
"""
from __future__ import annotations

import ast
import copy
import itertools

from graphcore.capture.convert.assignments import Assignments
from graphcore.capture.convert.jumps import structured
from graphcore.capture.convert.names import bound_names, declared, statements_of
from graphcore.capture.convert.syntax import (
    PREFIX,
    at,
    function_def,
    index_expression,
    language_call,
    load,
    mangled,
    thunk,
)

#: Names of values that are used up within a statement, and of functions: no state of a block.
TEMPORARY = (f"{PREFIX}kept_", f"{PREFIX}part_", f"{PREFIX}rest_")
_NATIVE_CALLS = frozenset({"super", "locals", "globals", "vars", "eval", "exec", "dir", "breakpoint"})
_COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "is",
                ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"}


def rewrite_function(tree, class_name: str | None):
    """The rewritten FunctionDef or Lambda; `tree` itself is not changed."""
    rewriter = _Rewriter(class_name, (), None)
    if isinstance(tree, ast.Lambda):
        return at(tree, ast.Lambda(copy.deepcopy(tree.args), rewriter.visit(copy.deepcopy(tree.body))))
    return rewriter.function(copy.deepcopy(tree))


class _Rewriter(ast.NodeTransformer):
    """Rewrites one function's scope.

    first: the name of its first parameter, which a bare `super()` stands for; global_names: those declared `global`.
    """

    def __init__(self, class_name, global_names, first):
        self.class_name, self.global_names, self.first = class_name, global_names, first
        self._numbers = itertools.count()

    # -- functions -------------------------------------------------------------------------------------
    def function(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """A FunctionDef of the user's, in a scope of its own; a generator is left as it is."""
        if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in statements_of(node.body)):
            return node
        parameters = _parameter_names(node.args)
        global_names, outer_names = declared(node.body, ast.Global), declared(node.body, ast.Nonlocal)
        own = {*parameters, *bound_names(node.body)} - global_names
        store = Assignments(own, global_names, self.class_name)
        body = structured([s for part in copy.deepcopy(node.body) for s in _as_list(store.visit(part))])
        unbound = [n for n in bound_names(body) if n not in {*parameters, *global_names, *outer_names}
                   and not _is_generated_function(n)]
        inner = _Rewriter(self.class_name, global_names, parameters[0] if parameters else None)
        node.body = inner.block(body)
        if unbound:         # lets nested functions declare them nonlocal, and does nothing
            targets = [ast.Name(name, ast.Store()) for name in unbound]
            node.body.insert(0, ast.If(ast.Constant(False), [ast.Assign(targets, ast.Constant(None))], []))
        return ast.fix_missing_locations(node)

    def visit_FunctionDef(self, node):
        if getattr(node, "generated", False):
            names = bound_names(node.body)
            node.body = self._declarations(names) + self.block(node.body)
            return node
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.args = self._arguments(node.args)
        return self.function(node)

    def visit_Lambda(self, node):
        node.args, node.body = self._arguments(node.args), self.visit(node.body)
        return node

    def _arguments(self, arguments):
        arguments.defaults = [self.visit(d) for d in arguments.defaults]
        arguments.kw_defaults = [d and self.visit(d) for d in arguments.kw_defaults]
        return arguments

    def visit_ClassDef(self, node):
        return node

    visit_AsyncFunctionDef = visit_ClassDef

    def block(self, statements: list) -> list:
        """Statements, rewritten."""
        return [s for part in statements for s in _as_list(self.visit(part))]

    # -- blocks as functions ---------------------------------------------------------------------------
    def _declarations(self, names) -> list:
        own = [n for n in names if not _is_generated_function(n)]
        outer = [n for n in own if n not in self.global_names]
        shared = [n for n in own if n in self.global_names]
        return ([ast.Nonlocal(outer)] if outer else []) + ([ast.Global(shared)] if shared else [])

    def _function(self, place, name: str, statements: list, names, parameters=()) -> ast.FunctionDef:
        """A function of a block; `names` are those that it binds."""
        return function_def(place, name, self._declarations(names) + (statements or [ast.Pass()]), parameters)

    def _state(self, place, names, number: int):
        """Statements that define how `names` are read and written, and the arguments that pass it on."""
        names = [n for n in names if not n.startswith(TEMPORARY)]
        if not names:
            return [], [ast.Tuple([], ast.Load()), ast.Constant(None), ast.Constant(None)]
        reads = [language_call(place, "local", thunk(load(n))) for n in names]
        get = self._function(place, f"{PREFIX}get_{number}", [ast.Return(ast.Tuple(reads, ast.Load()))], ())
        values = f"{PREFIX}values"
        targets = ast.Tuple([ast.Name(n, ast.Store()) for n in names], ast.Store())
        body: list = [ast.Assign([targets], load(values))]
        for n in names:
            unbound = ast.Attribute(load(PREFIX), "UNBOUND", ast.Load())
            test = ast.Compare(load(n), [ast.Is()], [unbound])
            body.append(ast.If(test, [ast.Delete([ast.Name(n, ast.Del())])], []))
        put = self._function(place, f"{PREFIX}put_{number}", body, names, (values,))
        constants = ast.Tuple([ast.Constant(n) for n in names], ast.Load())
        return [get, put], [constants, load(get.name), load(put.name)]

    def visit_If(self, node):
        number = next(self._numbers)
        parts = {"then": node.body, "else": node.orelse}
        names = bound_names([node])
        functions = []
        for name, statements in parts.items():
            bound = bound_names(statements)
            functions.append(self._function(statements[0] if statements else node, f"{PREFIX}{name}_{number}",
                                            self.block(statements), bound))
        state, arguments = self._state(node, names, number)
        returns = getattr(node, "returns", False)
        call = language_call(node.test, "if_return" if returns else "if_", self.visit(node.test),
                             *(load(f.name) for f in functions), *arguments)
        last = ast.Return(call) if returns else ast.Expr(call)
        return [*functions, *state, at(node, last)]

    def visit_While(self, node):
        number = next(self._numbers)
        in_test = bound_names(node.test)
        names = tuple(dict.fromkeys((*in_test, *bound_names(node.body))))
        test = self.visit(node.test)
        stop = getattr(node, "stop", None)
        if stop:
            goes_on = language_call(node.test, "not_", load(stop))
            test = language_call(node.test, "and_", goes_on, thunk(test)) if not in_test else ast.BoolOp(
                ast.And(), [goes_on, test])
        functions = [self._function(node.test, f"{PREFIX}test_{number}", [at(node.test, ast.Return(test))], in_test),
                     self._function(node, f"{PREFIX}body_{number}", self.block(node.body), bound_names(node.body))]
        state, arguments = self._state(node, names, number)
        call = language_call(node.test, "while_", *(load(f.name) for f in functions), *arguments)
        return [*functions, *state, at(node, ast.Expr(call))]

    def visit_For(self, node):
        number = next(self._numbers)
        item = f"{PREFIX}item"
        target = ast.copy_location(ast.Assign([node.target], load(item)), node.target)
        names = bound_names([target, *node.body])
        appended = _only_appended(node.body, names)
        body = self._function(node, f"{PREFIX}body_{number}", [target, *self.block(node.body)], names, (item,))
        state, arguments = self._state(node, names, number)
        stop = getattr(node, "stop", None)
        lists = [language_call(node, "local", thunk(load(n))) for n in appended]
        call = language_call(node.iter, "for_", self.visit(node.iter), load(body.name), *arguments,
                             thunk(load(stop)) if stop else ast.Constant(None),
                             ast.Tuple(lists, ast.Load()))
        return [body, *state, at(node, ast.Expr(call))]

    # -- other statements ------------------------------------------------------------------------------
    def visit_Assert(self, node):
        message = thunk(self.visit(node.msg)) if node.msg else ast.Constant(None)
        return at(node, ast.Expr(language_call(node, "assert_", self.visit(node.test), message)))

    def visit_Raise(self, node):
        if node.exc is None:
            return node
        cause = node.cause and self.visit(node.cause)
        return at(node, ast.Raise(language_call(node, "raised", thunk(self.visit(node.exc))), cause))

    # -- expressions -----------------------------------------------------------------------------------
    def visit_BoolOp(self, node):
        values = [self.visit(v) for v in node.values]
        if any(isinstance(n, ast.NamedExpr) for v in node.values[1:] for n in ast.walk(v)):
            return at(node, ast.BoolOp(node.op, values))       # what := binds would be lost in a lambda
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        return language_call(node, name, values[0], *map(thunk, values[1:]))

    def visit_UnaryOp(self, node):
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return language_call(node, "not_", operand)
        return at(node, ast.UnaryOp(node.op, operand))

    def visit_Compare(self, node):
        left, others = self.visit(node.left), [self.visit(c) for c in node.comparators]
        if len(others) == 1 and not isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return at(node, ast.Compare(left, node.ops, others))
        names = ast.Tuple([ast.Constant(_COMPARISONS[type(o)]) for o in node.ops], ast.Load())
        return language_call(node, "compare", left, names, *map(thunk, others))

    def visit_IfExp(self, node):
        return language_call(node, "if_expression", self.visit(node.test), thunk(self.visit(node.body)),
                             thunk(self.visit(node.orelse)))

    def visit_Call(self, node):
        if getattr(node, "plain", False):
            node.args = [self.visit(a) for a in node.args]
            return node
        arguments = [self.visit(a) for a in node.args]
        keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        function = node.func
        if isinstance(function, ast.Name) and function.id in _NATIVE_CALLS:
            if function.id == "super" and not arguments and self.first:
                arguments = [load("__class__"), load(self.first)]
        else:
            function = language_call(function, "callee", self.visit(function))
        return at(node, ast.Call(function, arguments, keywords))

    def visit_Attribute(self, node):
        name = mangled(node.attr, self.class_name)
        if not isinstance(node.ctx, ast.Load):
            return at(node, ast.Attribute(self.visit(node.value), name, node.ctx))
        if isinstance(node.value, ast.Name) and node.value.id == PREFIX:
            return node
        return language_call(node, "attribute", self.visit(node.value), ast.Constant(name))

    def visit_Subscript(self, node):
        if not isinstance(node.ctx, ast.Load):
            return self.generic_visit(node)
        return language_call(node, "item", self.visit(node.value), self.visit(index_expression(node.slice)))

    def visit_List(self, node):
        node = self.generic_visit(node)
        return node if isinstance(node.ctx, ast.Store) else language_call(node, "own", node)

    def visit_Dict(self, node):
        return language_call(node, "own", self.generic_visit(node))

    visit_Set = visit_ListComp = visit_DictComp = visit_SetComp = visit_Dict

    def visit_Name(self, node):
        return at(node, ast.Name(mangled(node.id, self.class_name), node.ctx))


def _only_appended(body: list, names) -> list:
    """Local names that a loop's body mentions in statements ``name.append(value)`` and nowhere else."""
    mentions: dict = {}
    appends: dict = {}
    for part in body:
        for n in ast.walk(part):
            if isinstance(n, ast.Name):
                mentions[n.id] = mentions.get(n.id, 0) + 1
    for n in (n for part in body for n in statements_of(part)):
        if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and isinstance(n.value.func, ast.Attribute) \
                and n.value.func.attr == "append" and isinstance(n.value.func.value, ast.Name):
            name = n.value.func.value.id
            appends[name] = appends.get(name, 0) + 1
    return [name for name, count in appends.items() if mentions[name] == count and name not in names]


def _is_generated_function(name: str) -> bool:
    return name.startswith(f"{PREFIX}rest_")


def _parameter_names(arguments: ast.arguments) -> list:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [a.arg for a in (*named, arguments.vararg, arguments.kwarg) if a is not None]


def _as_list(result) -> list:
    if result is None:
        return []
    return result if isinstance(result, list) else [result]
