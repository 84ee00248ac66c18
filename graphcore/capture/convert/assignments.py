"""Assignments to elements and attributes as calls, so that they work on traced tensors and are noted.

A Tensor is never changed in place: ``x[i] = v`` gives `x` a new value, ``x = set_item(x, i, v)``; a list or dict is
changed as always and given back.  Works on a function's own scope, before `rewrite`.
"""
from __future__ import annotations

import ast
import itertools

from graphcore.capture.convert.syntax import PREFIX, assign, at, index_expression, language_call, load, mangled

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
              ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>"}


class Assignments(ast.NodeTransformer):
    """Rewrites the assignments of one function; nested functions and classes are left to their own turn.

    local_names: the names that belong to the function; global_names: those declared `global`; class_name: the class in
    whose body the function stands, or None.
    """

    def __init__(self, local_names, global_names, class_name):
        self.local_names, self.global_names, self.class_name = set(local_names), set(global_names), class_name
        self._numbers = itertools.count()

    def visit_FunctionDef(self, node):
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

    def visit_Assign(self, node):
        if all(self._is_native(t) for t in node.targets):
            return node
        if len(node.targets) == 1 and not isinstance(node.targets[0], (ast.Tuple, ast.List)):
            return self._store(node.targets[0], node.value)
        value, first = self._temporary(node, node.value)
        return [first, *(s for t in node.targets for s in self._store(t, value))]

    def visit_AnnAssign(self, node):
        if node.value is None:
            return None
        return self.visit_Assign(at(node, ast.Assign([node.target], node.value)))

    def visit_AugAssign(self, node):
        operator = ast.Constant(_OPERATORS[type(node.op)])
        target, before = node.target, []
        if isinstance(target, ast.Subscript):
            base, key = target.value, target.slice
            if not isinstance(key, ast.Constant):
                key, first = self._temporary(node, index_expression(key))
                before.append(first)
            if not isinstance(base, (ast.Name, ast.Attribute, ast.Subscript)):
                base, first = self._temporary(node, base)
                before.append(first)
            target = at(target, ast.Subscript(base, key, ast.Store()))
        elif isinstance(target, ast.Attribute) and not isinstance(target.value, ast.Name):
            owner, first = self._temporary(node, target.value)
            before.append(first)
            target = at(target, ast.Attribute(owner, target.attr, ast.Store()))
        value = language_call(node, "in_place", operator, _load(target), node.value)
        return [*before, *self._store(target, value)]

    def visit_Delete(self, node):
        found = []
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                call = language_call(node, "delete_item", _load(target.value), index_expression(target.slice))
                found.append(at(node, ast.Expr(call)))
            else:
                found.append(at(node, ast.Delete([target])))
        return found

    # -- stores ----------------------------------------------------------------------------------------
    def _is_native(self, target) -> bool:
        if isinstance(target, (ast.Tuple, ast.List)):
            return all(self._is_native(t) for t in target.elts)
        if isinstance(target, ast.Starred):
            return self._is_native(target.value)
        return isinstance(target, ast.Name) and target.id not in self.global_names

    def _store(self, target, value) -> list:
        """Statements that store `value` (an expression) to `target`."""
        if isinstance(target, (ast.Tuple, ast.List)):
            names = [self._name(t) for t in target.elts]
            pattern = [ast.Starred(n, ast.Store()) if isinstance(t, ast.Starred) else n
                       for n, t in zip(names, target.elts)]
            unpack = _unpack(target, ast.Tuple(pattern, ast.Store()), value)
            return [unpack, *(s for t, n in zip(target.elts, names)
                              for s in self._store(t.value if isinstance(t, ast.Starred) else t, _load(n)))]
        if isinstance(target, ast.Attribute):
            name = ast.Constant(mangled(target.attr, self.class_name))
            call = language_call(target, "set_attribute", _load(target.value), name, value)
            return [at(target, ast.Expr(call))]
        if isinstance(target, ast.Subscript):
            call = language_call(target, "set_item", _load(target.value), index_expression(target.slice), value)
            base = target.value
            if isinstance(base, (ast.Attribute, ast.Subscript)) or isinstance(base, ast.Name) and (
                    base.id in self.local_names):
                return self._store(base, call)
            return [at(target, ast.Expr(language_call(target, "set_item_of_outer", *call.args)))]
        if target.id in self.global_names:
            namespace = ast.Call(load("globals"), [], [])
            namespace.plain = True
            call = language_call(target, "set_global", namespace, ast.Constant(target.id), value)
            return [at(target, ast.Expr(call))]
        return [assign(target, target.id, value)]

    def _temporary(self, place, value):
        """(an expression that reads it, the statement that makes it) of a new local variable."""
        name = f"{PREFIX}kept_{next(self._numbers)}"
        return at(place, load(name)), assign(place, name, value)

    def _name(self, place) -> ast.Name:
        return at(place, ast.Name(f"{PREFIX}part_{next(self._numbers)}", ast.Store()))


def _unpack(place, pattern, value) -> ast.Assign:
    return at(place, ast.Assign([pattern], value))


def _load(node):
    """A target as an expression that reads it."""
    if isinstance(node, ast.Name):
        return at(node, load(node.id))
    if isinstance(node, ast.Attribute):
        return at(node, ast.Attribute(node.value, node.attr, ast.Load()))
    if isinstance(node, ast.Subscript):
        return at(node, ast.Subscript(node.value, node.slice, ast.Load()))
    return node
