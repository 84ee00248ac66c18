"""The table of cases: what a line of ``cases/`` makes, and which public names it speaks for."""
from __future__ import annotations

import ast
import importlib
import pkgutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# First words of texts and of the names in ``wild_names.json.gz`` -> modules, without "mindspore."
ROOTS = {"ms": "", "nn": "nn", "ops": "ops", "P": "ops.operations", "F": "ops.functional", "C": "ops.composite",
         "mnp": "numpy", "mint": "mint", "dataset": "dataset", "train": "train", "vision": "dataset.vision",
         "dtype": "common.dtype", "initializer": "common.initializer", "text": "dataset.text",
         "transforms": "dataset.transforms", "context": "context", "audio": "dataset.audio",
         "experimental_optim": "experimental.optim", "amp": "amp"}
# Where names with such a first word may come from beside: the sets of scripts do not tell these modules apart.
ALSO = {"train": ("train.callback", "train.serialization", "train.model", "train._utils", "train.dataset_helper",
                  "train.summary"),
        "ms": ("common.seed", "common.api"),
        "dataset": ("dataset.core.config",)}
TENSORS = ("x", "f", "h", "l", "u", "d", "b")       # see inputs.py
_STANDING_FOR = {"Tensor": "ms.Tensor", "Parameter": "ms.Parameter", "p": "ms.Parameter", "net": "nn.Cell",
                 **dict.fromkeys(TENSORS, "ms.Tensor")}
_MAKERS = ("Tensor", "wave", "positive", "ints")
# Their result is not a value of the graph, or each run draws other numbers.
_NOT_IN_A_GRAPH = ("rand", "normal", "uniform", "bernoulli", "multinomial", "Uniform", "ropout", "Grad", "kind(",
                   "grad(", "grads(", "about(")


@dataclass(frozen=True)
class Case:
    """A call whose result is compared.

    source: who says what is right: "mindspore", "documented" or "own" (the text `expected`), "refused".
    fails: MindSpore raises.  scale: of the tolerance.  graph: whether it is run in a graph too.
    """
    topic: str
    text: str
    source: str = "mindspore"
    expected: str = ""
    fails: bool = False
    scale: float = 1.0
    graph: bool | None = None

    @property
    def name(self) -> str:
        """What it is recorded under."""
        return f"{self.text}  # {self.expected}" if self.expected else self.text

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text.strip())

    @property
    def in_a_graph(self) -> bool:
        """Whether it is run in a graph too: unless it says so itself, an expression on the Tensors of `inputs`."""
        if self.graph is not None:
            return self.graph
        words = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name)}
        return (self.source == "mindspore" and not self.fails and len(self.tree.body) == 1
                and isinstance(self.tree.body[0], ast.Expr) and bool(words & set(TENSORS))
                and not any(word in self.text for word in _NOT_IN_A_GRAPH))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The dotted names that the text uses, each with a root of `ROOTS`: `ops.relu`, `ms.Tensor.max`."""
        known = {**{root: root for root in ROOTS}, **_STANDING_FOR}
        found: dict[str, None] = {}
        for node in ast.walk(self.tree):        # breadth first, so imports come before their names are used
            for alias, path in _imports(node).items():
                found[path] = None
                known[alias] = path
            if isinstance(node, (ast.Attribute, ast.Name)) and (chain := _chain(node, known)):
                found[chain] = None
        return tuple(found)


def _imports(node) -> dict[str, str]:
    """The names that an import of MindSpore's binds -> what they are, `ms.nn.Dense`."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "mindspore":
        return {alias.asname or alias.name: f"ms{node.module[len('mindspore'):]}.{alias.name}" for alias in node.names}
    if isinstance(node, ast.Import):
        return {alias.asname: f"ms{alias.name[len('mindspore'):]}" for alias in node.names
                if alias.asname and alias.name.partition(".")[0] == "mindspore"}
    return {}


def _makes_a_tensor(node) -> bool:
    """Whether an expression is a call of a helper that makes Tensors, or arithmetic that begins with one."""
    while isinstance(node, ast.BinOp):
        node = node.left
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MAKERS


def _chain(node, known: dict) -> str:
    """`a.b.c` of an attribute access or name, empty where it does not begin with a known name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if parts and _makes_a_tensor(node):
        return ".".join(["ms.Tensor", *reversed(parts)])
    if not isinstance(node, ast.Name) or node.id not in known:
        return ""
    return ".".join([known[node.id], *reversed(parts)])


_CASES: dict[str, dict[str, Case]] = {}


def case(text: str, **options) -> None:
    """A call that MindSpore 2.10 answers."""
    _add(text, source="mindspore", **options)


def documented(text: str, expected: str, **options) -> None:
    """A call of a name that MindSpore 2.10 no longer has; `expected` computes what its documentation promised."""
    _add(text, source="documented", expected=expected, **options)


def own(text: str, expected: str, **options) -> None:
    """A call of a name of graphcore's own."""
    _add(text, source="own", expected=expected, **options)


def refused(text: str, **options) -> None:
    """A call that cannot be on one CPU: NotImplementedError, with a message that says what to use instead."""
    _add(text, source="refused", **options)


def _add(text: str, **options) -> None:
    topic = _topic_being_loaded
    if text in _CASES[topic]:
        raise ValueError(f"{topic} has this case twice: {text}")
    _CASES[topic][text] = Case(topic, text, **options)


_topic_being_loaded = ""


def topics() -> list[str]:
    """The names of the modules in `cases/`."""
    return sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).with_name("cases"))]))


def load(topic: str) -> list[Case]:
    """The cases of one topic."""
    global _topic_being_loaded
    if topic not in _CASES:
        _CASES[topic], _topic_being_loaded = {}, topic
        importlib.import_module(f"tests.compat.cases.{topic}")
    return list(_CASES[topic].values())


def every_case() -> list[Case]:
    """All cases of all topics."""
    return [entry for topic in topics() for entry in load(topic)]
