"""The examples in the docstrings of an installed MindSpore, read from its source files without importing it.

An interface counts when it can be reached through one of `PUBLIC`, its docstring says that it is supported on CPUs, and
its example says what is printed.  Names are followed through imports, aliases and star imports as the import system
does.
"""
from __future__ import annotations

import ast
import doctest
import inspect
import re
from dataclasses import dataclass
from pathlib import Path

# Modules through which users reach names; of several names for one docstring, the one of the earlier module is taken.
PUBLIC = ("", "nn", "ops", "mint", "mint.nn", "mint.nn.functional", "mint.linalg", "mint.special", "mint.optim",
          "numpy", "numpy.fft", "scipy.linalg", "scipy.fft", "scipy.optimize", "train", "amp", "experimental.optim",
          "experimental.optim.lr_scheduler", "nn.probability.bijector", "nn.probability.distribution",
          "common.initializer", "communication", "dataset.transforms", "dataset.vision", "dataset.text")
_PLATFORMS = re.compile(r"Supported Platforms:\s*\n(.*)")
_RANDOM = re.compile(r"\brandom|\bsamples?\b.{0,40}\bdistribution", re.IGNORECASE | re.DOTALL)
_PARSER = doctest.DocTestParser()


@dataclass(frozen=True)
class Example:
    """One docstring's example: its public name, the statements as (source, expected output), whether it is random."""

    name: str
    statements: tuple
    is_random: bool


def read_examples(package: Path) -> list[Example]:
    """All examples below the folder of the `mindspore` package, sorted by name."""
    sources = _Sources(package)
    found: dict = {}
    for place in PUBLIC:
        prefix = f"{place}." if place else ""
        for name in sorted(sources.names(place)):
            definition = sources.definition(place, name)
            if definition is not None:
                for label, docstring in definition.docstrings(prefix + name):
                    _enter(found, label, docstring)
    for method, docstring in sources.attached("common._tensor_docs"):
        _enter(found, f"Tensor.{method}", docstring)
    return sorted(found.values(), key=lambda e: e.name)


def _enter(found: dict, label: str, docstring: str) -> None:
    platforms = _PLATFORMS.search(docstring)
    if ">>>" not in docstring or platforms is None or "CPU" not in platforms[1]:
        return
    try:
        statements = _PARSER.get_examples(docstring)
    except ValueError:
        statements = _lenient(docstring)
    if not any(s.want.strip() for s in statements):
        return
    key = tuple((s.source, s.want) for s in statements)
    text = "".join(source for source, _ in key)
    known = found.get(key)
    if known is None or "mint." in text and label.startswith("mint.") and not known.name.startswith("mint."):
        found[key] = Example(label, key, bool(_RANDOM.search(docstring.partition("Examples:")[0])))


def _lenient(docstring: str) -> list[doctest.Example]:
    """The statements of an example that doctest's own reader refuses: lines that are indented less, or lack a blank."""
    lines = [re.sub(r"^(>>>|\.\.\.)(?=\S)", r"\1 ", line.strip()) for line in docstring.expandtabs().splitlines()]
    start = next(i for i, line in enumerate(lines) if line.startswith(">>>"))
    return _PARSER.get_examples("\n".join(lines[start:]) + "\n")


@dataclass(frozen=True)
class _Definition:
    """A class or function of a module."""

    module: str
    node: ast.AST

    def docstrings(self, label: str):
        """(label, docstring) of the definition, and of the public methods of a class."""
        text = ast.get_docstring(self.node, clean=False)
        if text:
            yield label, inspect.cleandoc(text)
        if isinstance(self.node, ast.ClassDef):
            for inner in self.node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield from _Definition(self.module, inner).docstrings(f"{label}.{inner.name}")


class _Sources:
    """The modules of a package by dotted name, each read once; names that they import are followed when asked for."""

    def __init__(self, package: Path):
        self.package = package
        self._modules: dict[str, _Module] = {}

    def names(self, module: str, _asked: tuple = ()) -> set:
        """The public names that a module binds."""
        if module in _asked:
            return set()
        here = self._module(module)
        return {n for n in here.bound if n[0] != "_"}.union(*(self.names(s, (*_asked, module)) for s in here.stars))

    def definition(self, module: str, name: str, _asked: tuple = ()) -> _Definition | None:
        """The class or function that a module means by a name; None for anything else."""
        if (module, name) in _asked:
            return None
        here = self._module(module)
        places = [here.bound[name]] if name in here.bound else [(star, name) for star in reversed(here.stars)]
        for place in places:
            if isinstance(place, _Definition):
                return place
            found = self.definition(*place, (*_asked, (module, name)))
            if found is not None:
                return found
        return None

    def attached(self, module: str):
        """(name, docstring) of the calls ``attach_docstr(name, docstring)``."""
        for node in ast.walk(self._parse(module)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "attach_docstr":
                name, docstring = node.args
                yield name.value, inspect.cleandoc(docstring.value)

    def _module(self, module: str) -> _Module:
        if module not in self._modules:
            path = self._path(module)
            self._modules[module] = _Module(module, self._parse(module), path and path.name == "__init__.py")
        return self._modules[module]

    def _parse(self, module: str) -> ast.Module:
        path = self._path(module)
        return ast.Module([], []) if path is None else ast.parse(path.read_text(encoding="utf-8"))

    def _path(self, module: str) -> Path | None:
        base = self.package.joinpath(*module.split(".")) if module else self.package
        return next((p for p in (base / "__init__.py", base.with_suffix(".py")) if p.is_file()), None)


class _Module:
    """What a module's top level binds: name -> `_Definition` or (module, name); and where it star-imports from."""

    def __init__(self, name: str, tree: ast.Module, is_package: bool):
        self.name, self.bound, self.stars = name, {}, []
        self.package = name if is_package else name.rpartition(".")[0]
        for node in tree.body:
            self._bind(node)

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            self.bound[node.name] = _Definition(self.name, node)
        elif isinstance(node, ast.ImportFrom) and (node.level or node.module.split(".")[0] == "mindspore"):
            source = self._absolute(node.module or "", node.level)
            for alias in node.names:
                if alias.name == "*":
                    self.stars.append(source)
                else:
                    self.bound[alias.asname or alias.name] = (source, alias.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id != node.value.id:
                    self.bound[target.id] = self.bound.get(node.value.id, (self.name, node.value.id))
        elif isinstance(node, (ast.Try, ast.If)):
            for inner in node.body:
                self._bind(inner)

    def _absolute(self, module: str, level: int) -> str:
        """The module of an import without the leading `mindspore`; `level` dots lead a relative one."""
        if level == 0:
            return module[len("mindspore"):].lstrip(".")
        parts = self.package.split(".") if self.package else []
        return ".".join([*parts[:len(parts) - (level - 1)], *filter(None, [module])])
