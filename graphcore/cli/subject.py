"""What the commands that look into a compilation work on: the target and its inputs, captured.

Every such command takes the arguments that `add_arguments` adds, and begins with `open_subject`.
"""
from __future__ import annotations

import argparse
import functools
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphcore.capture import location
from graphcore.cli import mindspore_hook, targets
from graphcore.cli.errors import UsageError
from graphcore.errors import FormatError, IRError
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType

TARGETS = """\
TARGET is FILE.py:NAME or package.module:NAME, where NAME is a Cell class (constructed without arguments, or with those
behind it: 'Net(16)'), a Cell, a train.Model (its training step), a function of tensors, @jit or not, or a function
without parameters that makes one of these; a graph in a file that `dump` or `export` has written, FILE.gir, or the
folder that `dump -o` has written; or an ONNX model, FILE.onnx.  Each argument of construct is given by --input: a type
like f32[64,1,8,8], where a size may be a name, as in f32[N,1,8,8], or @FILE.npy for data; of files it may be left
out."""

#: What --train takes for a loss and an optimiser unless told otherwise.
LOSSES = {"labels": "SoftmaxCrossEntropyWithLogits", "numbers": "MSELoss"}
OPTIMIZER = "Momentum"
_RATES = {"learning_rate": 0.01, "momentum": 0.9}


@dataclass(frozen=True)
class Subject:
    """A captured graph with its inputs.

    types: of the inputs; arrays: their data where it was given, else None; parameters: by name, none for a graph from a
    file; callbacks: Python functions that the graph calls; sizes: given for the symbolic ones of a graph from a file.
    """

    name: str
    graph: Graph
    types: tuple
    arrays: tuple
    parameters: dict
    callbacks: tuple = ()
    sizes: dict = field(default_factory=dict)

    def compilation(self):
        """Its `Compilation`."""
        from graphcore.inspect import compilation
        requires_grad = {name: bool(p.requires_grad) for name, p in self.parameters.items()}
        return compilation(self.graph, requires_grad, self.sizes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a target."""
    parser.add_argument("target", metavar="TARGET", help="what to look at: FILE.py:NAME, FILE.gir or a folder of dumps")
    add_inputs(parser)
    parser.add_argument("--grad", action="store_true",
                        help="in training mode, with the gradients of the sum of outputs by the trainable Parameters")
    parser.add_argument("--train", action="store_true",
                        help="a whole training step of the net: the last --input is what the loss compares with")
    parser.add_argument("--loss", metavar="NAME",
                        help="with --train: a loss of graphcore.nn (default: SoftmaxCrossEntropyWithLogits for whole "
                             "numbers, MSELoss for others)")
    parser.add_argument("--optimizer", metavar="NAME",
                        help=f"with --train: an optimiser of graphcore.nn (default: {OPTIMIZER})")
    parser.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """The argument that gives the inputs."""
    parser.add_argument("--input", dest="inputs", metavar="TYPE", action="append", default=[],
                        help="an argument of construct, by its type or as @FILE.npy; repeat it for each, in order")


def open_subject(options: argparse.Namespace) -> Subject:
    """Load and capture what the arguments name.  Raises UsageError, and whatever the user's file raises."""
    inputs = [read_input(text) for text in options.inputs]
    if not getattr(options, "train", False) and (options.loss or options.optimizer):
        raise UsageError("--loss and --optimizer belong to --train")
    graph = graph_in_file(options.target)
    if graph is not None:
        if options.grad or options.train:
            raise UsageError("a graph from a file is looked at as it is; --grad and --train take a net: FILE.py:NAME")
        return of_graph(graph, inputs)
    target, is_cell, name = _loaded(options.target)
    inputs = inputs or _types_of_model(target)
    types = [type_ for type_, _ in inputs]
    if options.train:
        if options.grad:
            raise UsageError("--train has the gradients in it; leave out --grad")
        target, name = _training_step(target, is_cell, types, options), f"{name}, trained,"
    targets.check_inputs(target.construct if is_cell else target, types, f"{name}.construct" if is_cell else name)
    captured = capture(target, is_cell, types, options.grad)
    if captured.asks:
        places = "; ".join(map(str, captured.graph.origins.of(captured.graph.outputs[0])))
        where = f" ({places})" if places else ""
        print(f"note: Python asks for the value of a tensor{where}; this is the program that finds it out, after which "
              "the net is captured again with the value", file=sys.stderr)
    extra = len(captured.graph.inputs) - len(inputs)        # attributes that are inputs of the graph
    return Subject(captured.graph.name, captured.graph, tuple(i.type for i in captured.graph.inputs),
                   (*(array for _, array in inputs), *[None] * extra), captured.parameters, captured.callbacks)


def _loaded(text: str) -> tuple[Any, bool, str]:
    """(what can be captured, whether it is a Cell, its name) of a target that is no graph.  Raises UsageError."""
    if text.endswith(".onnx"):
        if not os.path.isfile(text):
            raise UsageError(f"there is no file {text!r}")
        from graphcore.onnx import import_onnx
        return import_onnx(text), True, os.path.basename(text)
    mindspore_hook.install()
    name = text.rpartition(":")[2]
    return *targets.make_callable(targets.load_target(text), name), name


def _types_of_model(target) -> list:
    """The inputs that an ONNX model says it has; [] for other targets."""
    from graphcore.cli.import_model import input_types
    from graphcore.onnx.cell import OnnxCell
    return [(type_, None) for type_ in input_types(target, {})] if isinstance(target, OnnxCell) else []


def read_input(text: str) -> tuple[TensorType, Any]:
    """(type, array or None) of one --input.  Raises UsageError."""
    if not text.startswith("@"):
        return targets.parse_input(text), None
    try:
        array = np.load(text[1:], allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"--input {text}: {error}") from None
    if not isinstance(array, np.ndarray):
        raise UsageError(f"--input {text}: write one array there with numpy.save")
    from graphcore.tensor import Tensor
    tensor = Tensor(array)
    return tensor.type_, np.ascontiguousarray(tensor._array)


def graph_in_file(target: str) -> Graph | None:
    """The graph in FILE.gir, or the captured one in a folder of dumps; None for another kind of target."""
    from graphcore.ir.parser import parse_graph
    from graphcore.ir.verifier import verify
    path = target
    if os.path.isdir(target):
        path = os.path.join(target, "00_capture.gir")
        if os.path.isfile(os.path.join(target, "manifest.json")):
            raise UsageError(f"{target!r} is a compiled model, which holds machine code and no graph; name the net, or "
                             "the FILE.gir or FILE.onnx that it was compiled from")
        if not os.path.isfile(path):
            raise UsageError(f"{target!r} is not a folder of dumps: it has no 00_capture.gir, as "
                             "`graphcore dump TARGET --stage all -o DIR` writes it")
    elif not target.endswith(".gir"):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            graph = parse_graph(file.read())
        verify(graph)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (FormatError, IRError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    return graph


def of_graph(graph: Graph, inputs: list) -> Subject:
    """The subject of a graph from a file; inputs may be left out, and must be of its types."""
    types = tuple(leaf.type for leaf in graph.inputs)
    if inputs and len(inputs) != len(types):
        raise UsageError(f"the graph takes {len(types)} inputs, but {len(inputs)} are given: "
                         + ", ".join(f"{leaf.name}: {leaf.type}" for leaf in graph.inputs))
    for leaf, (type_, _) in zip(graph.inputs, inputs):
        if type_.dtype is not leaf.dtype or type_.rank != leaf.rank or any(
                isinstance(own, int) and own != given for own, given in zip(leaf.shape, type_.shape)):
            raise UsageError(f"--input: the graph's input {leaf.name} is {leaf.type}, not {type_}")
    sizes = {str(own): given for leaf, (type_, _) in zip(graph.inputs, inputs)
             for own, given in zip(leaf.shape, type_.shape) if str(own) in graph.symbols and isinstance(given, int)}
    return Subject(graph.name, graph, tuple(type_ for type_, _ in inputs) or types,
                   tuple(array for _, array in inputs) or (None,) * len(types), {}, sizes=sizes)


# -- running ---------------------------------------------------------------------------------------------------

def data(subject: Subject) -> list:
    """An array for each input: what was given, else small normal numbers, and zeros where integers may be indices.

    Raises UsageError for a type whose sizes are not known.
    """
    if any(not t.is_static for t in subject.types):
        raise UsageError("--input: running takes sizes; write numbers in place of names")
    return [_numbers(t) if array is None else array for t, array in zip(subject.types, subject.arrays)]


def _numbers(type_) -> np.ndarray:
    shape, dtype = type_.shape, type_.dtype.storage
    if type_.dtype.is_float and type_.dtype.code != "bf16":
        return np.random.default_rng(0).standard_normal(shape).astype(dtype)
    return np.zeros(shape, dtype)


def program_to_measure(subject: Subject):
    """The compiled program of a subject.  Raises UsageError for one that calls Python while it runs."""
    if subject.callbacks:
        raise UsageError(f"{subject.name} calls Python while it runs (a print or a hook), which measuring would do "
                         "many times over; leave it out for that")
    if os.environ.get("GRAPHCORE_INTERPRET") == "1":
        raise UsageError("GRAPHCORE_INTERPRET=1 runs no kernels, so there is nothing to measure; unset it")
    return program_of(subject.graph, subject.parameters or parameters_of(subject.graph))


def program_of(graph: Graph, parameters: dict, interpret: bool = False):
    """What runs a graph: a compiled program, or its operators' references node by node."""
    if interpret:
        from graphcore.compiler.interpret import InterpretedProgram
        return InterpretedProgram(graph, parameters)
    from graphcore import compiler
    return compiler.compile(graph, parameters)


def parameters_of(graph: Graph) -> dict:
    """Parameters for a graph from a file, which holds no weights: small normal numbers, the same in every process.

    Vectors and scalars are positive: they may be variances.
    """
    from graphcore.parameter import Parameter
    from graphcore.tensor import Tensor

    def values(type_: TensorType) -> np.ndarray:
        found = _numbers(type_)
        if type_.dtype.is_float:
            found *= found.dtype.type(0.1)
        return np.abs(found) if type_.rank < 2 and type_.dtype.is_float else found
    return {name: Parameter(Tensor._wrap(np.asarray(values(leaf.type)), leaf.dtype), name=name)
            for name, leaf in graph.params.items()}


# -- capture ---------------------------------------------------------------------------------------------------

def capture(target: Callable, is_cell: bool, types, grad: bool):
    """The captured call of a Cell or function on arguments of these types.  Raises UsageError."""
    from graphcore.capture.compiled import capture_call
    from graphcore.capture.gradients import value_and_grad
    function = target.construct if is_cell else target
    if grad:
        weights = None
        if is_cell:
            target.set_train(True)
            weights = target.trainable_params()
        positions = tuple(i for i, t in enumerate(types) if t.dtype.is_float) if not weights else None
        if positions == ():
            raise UsageError("--grad: nothing to differentiate by: there are no trainable Parameters or float inputs")
        differentiated = value_and_grad(target, positions, weights)
        call = functools.wraps(function)(lambda *args: differentiated(*args))
    else:
        call = functools.wraps(function)(lambda *args: target(*args))
    _hide_callers()
    name = type(target).__name__ if is_cell else getattr(target, "__name__", "function")
    return capture_call(call, types, {}, re.sub(r"[^A-Za-z0-9_.]", "_", name), target if is_cell else None)


def _hide_callers() -> None:
    """Keep the launcher (the installed script, a test) from being taken for the user's code that made a node."""
    frame = sys._getframe()
    while frame is not None:
        location.treat_as_library(frame.f_code.co_filename)
        frame = frame.f_back


# -- training --------------------------------------------------------------------------------------------------

def _training_step(net, is_cell: bool, types: list, options: argparse.Namespace):
    """A Cell that trains the net for one step.  Raises UsageError."""
    from graphcore import nn
    if not is_cell:
        raise UsageError("--train takes a net; name the training step itself to look at one that is a function")
    if isinstance(net, nn.TrainOneStepCell):
        raise UsageError(f"{type(net).__name__} is a training step already; leave out --train")
    if len(types) < 2:
        raise UsageError("--train needs the net's input and, as the last --input, what the loss compares with, for "
                         "example --input 'f32[64,1,8,8]' --input 'i32[64]'")
    weights = net.trainable_params()
    if not weights:
        raise UsageError(f"--train: {type(net).__name__} has no trainable Parameters")
    loss = _made(nn, options.loss or LOSSES["numbers" if types[-1].dtype.is_float else "labels"], "--loss",
                 sparse=True, reduction="mean")
    optimizer = _made(nn, options.optimizer or OPTIMIZER, "--optimizer", weights, **_RATES)
    step = nn.TrainOneStepCell(_with_loss(net, loss), optimizer)
    step.set_train(True)
    return step


def _made(nn, name: str, option: str, *args, **kwargs):
    """``nn.NAME`` of these arguments, as far as it has them.  Raises UsageError."""
    import inspect

    from graphcore.cli.errors import nearest
    kind = getattr(nn, name, None)
    base = nn.Optimizer if option == "--optimizer" else nn.Cell
    if not (isinstance(kind, type) and issubclass(kind, base)):
        names = [n for n in dir(nn) if isinstance(getattr(nn, n), type) and issubclass(getattr(nn, n), base)]
        raise UsageError(f"{option}: graphcore.nn has no {base.__name__} called {name!r}{nearest(name, names)}")
    taken = inspect.signature(kind).parameters
    try:
        return kind(*args, **{k: v for k, v in kwargs.items() if k in taken})
    except (TypeError, ValueError) as error:
        raise UsageError(f"{option} {name}: {error}") from None


def _with_loss(net, loss):
    """A Cell that gives the loss of a net of any number of inputs; its last argument is what the loss compares with."""
    from graphcore import nn

    class WithLoss(nn.Cell):
        def __init__(self):
            super().__init__(auto_prefix=False)
            self._backbone, self._loss_fn = net, loss

        def construct(self, *args):
            return self._loss_fn(self._backbone(*args[:-1]), args[-1])

    return WithLoss()
