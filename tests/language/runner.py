"""Runs a program of the table under whatever `mindspore` is: the real one, or graphcore under its name."""
from __future__ import annotations

import importlib
import os
import pkgutil
import tempfile
from contextlib import contextmanager

import numpy as np

from tests.language import encoding, table
from tests.language.table import Constant, Program


def topics() -> list[str]:
    """The names of the modules in `programs/`."""
    folder = os.path.join(os.path.dirname(__file__), "programs")
    return sorted(m.name for m in pkgutil.iter_modules([folder]))


def load(topic: str) -> list[Program]:
    """The programs of one topic."""
    importlib.import_module(f"tests.language.programs.{topic}")
    return [p for p in table.PROGRAMS.values() if p.topic == topic]


def run(ms, entry: Program, graph: bool = True, gradients: bool = True) -> dict:
    """What the program gives, encoded: `values`, `gradients` (one per input set), `parameters`, `printed`.

    ms: the framework.  gradients: also differentiate, if the program says so.
    """
    ms.set_context(mode=ms.GRAPH_MODE if graph else ms.PYNATIVE_MODE)
    ms.set_seed(1)
    with _printed() as printed:
        outcome = _run_script(entry) if entry.script else _run_program(ms, entry, graph)
    if printed:
        outcome["printed"] = "".join(printed)
    if gradients and entry.gradients and not entry.script:
        with _printed():
            found = gradients_of(ms, entry)
        if found is not None:
            outcome["gradients"] = found
    return outcome


def gradients_of(ms, entry: Program):
    """The gradients for each input set, encoded; None for a program without float inputs or weights."""
    positions = entry.float_positions
    target, weights = _make(ms, entry)
    if not positions and not weights:
        return None
    arguments = (positions if len(positions) > 1 else positions[0] if positions else None, weights or None)
    return [_encoded(lambda inputs=inputs: ms.grad(target, *arguments)(*tensors(ms, inputs)))
            for inputs in entry.input_sets]


def forward(ms, entry: Program, index: int):
    """A function from changes to inputs and weights to the sum of the float results for input set `index`.

    It takes {position: float64 array} and {weight's place: float64 array}; input sets before `index` are run first,
    so that the state is that of the recorded run.  Runs in PYNATIVE_MODE.
    """
    def evaluate(inputs_changed: dict, weights_changed: dict) -> float:
        ms.set_context(mode=ms.PYNATIVE_MODE)
        ms.set_seed(1)
        target, weights = _make(ms, entry)
        if is_cell(entry):
            _to_double(ms, target)
            for earlier in entry.input_sets[:index]:
                target(*tensors(ms, earlier))
        for place, value in weights_changed.items():
            weights[place].set_data(ms.Tensor(value))
        values = [inputs_changed.get(i, v) for i, v in enumerate(entry.input_sets[index])]
        return _float_sum(ms, target(*tensors(ms, tuple(values))))
    return evaluate


def weights_of(ms, entry: Program) -> list[np.ndarray]:
    """The values of the program's trainable weights when it is made."""
    return [w.asnumpy() for w in _make(ms, entry)[1]]


def tensors(ms, nest):
    """An input nest with Tensors for its arrays."""
    if isinstance(nest, Constant):
        return nest.value
    if isinstance(nest, np.ndarray):
        return ms.Tensor(nest)
    if isinstance(nest, dict):
        return {k: tensors(ms, v) for k, v in nest.items()}
    if isinstance(nest, (tuple, list)):
        return type(nest)(tensors(ms, v) for v in nest)
    return nest


def is_cell(entry: Program) -> bool:
    """Whether the program is a Cell class rather than a function."""
    return isinstance(entry.make, type)


def _to_double(ms, cell) -> None:
    """Make graphcore's Parameters of a Cell float64; no public call changes a Parameter's dtype in place."""
    for p in cell.get_parameters():
        if p.dtype == ms.float32:
            p._array, p._dtype = p.asnumpy().astype(np.float64), ms.float64


def _make(ms, entry: Program):
    """The function, or a new Cell with its trainable weights."""
    if not is_cell(entry):
        return entry.make, []
    cell = entry.make()
    return cell, cell.trainable_params()


def _run_program(ms, entry: Program, graph: bool) -> dict:
    target, _ = _make(ms, entry)
    call = target if is_cell(entry) or not graph else ms.jit(target)
    outcome = {"values": [_encoded(lambda inputs=inputs: call(*tensors(ms, inputs))) for inputs in entry.input_sets]}
    parameters = list(target.get_parameters()) if is_cell(entry) else []
    if parameters:
        outcome["parameters"] = [encoding.encode(p.value()) for p in parameters]
    return outcome


def _run_script(entry: Program) -> dict:
    return {"values": [_encoded(entry.script)]}


def _encoded(compute):
    try:
        return encoding.encode(compute())
    except Exception as error:
        return encoding.encode_error(error)


def _float_sum(ms, nest) -> float:
    if isinstance(nest, ms.Tensor):
        array = nest.asnumpy()
        return float(array.astype(np.float64).sum()) if array.dtype.kind == "f" else 0.0
    if isinstance(nest, dict):
        nest = list(nest.values())
    return sum(_float_sum(ms, part) for part in nest) if isinstance(nest, (tuple, list)) else 0.0


@contextmanager
def _printed():
    """Collect what is written to standard output below Python too, where MindSpore's kernels print."""
    import sys
    pieces: list[str] = []
    sys.stdout.flush()
    saved = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        before, sys.stdout = sys.stdout, open(1, "w", closefd=False)
        try:
            yield pieces
        finally:
            sys.stdout.flush()
            sys.stdout = before
            os.dup2(saved, 1)
            os.close(saved)
            file.seek(0)
            text = file.read().decode(errors="replace")
            if text:
                pieces.append(text)
