"""The programs of the language suite: in a graph and PYNATIVE as MindSpore gave them, gradients as finite differences.

What a program should give is its `expected`, else what MindSpore gave when `tests.parity.record` was run.
"""
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import graphcore
from graphcore.cli import mindspore_hook
from tests.language import encoding, runner
from tests.language.table import Fails

RECORDED = Path(__file__).with_name("recorded")


def _load() -> dict:
    mindspore_hook.install()
    try:
        return {p.key: p for topic in runner.topics() for p in runner.load(topic)}
    finally:
        mindspore_hook.uninstall()


PROGRAMS = _load()
DIFFERENTIABLE = [key for key, p in PROGRAMS.items() if p.gradients and p.finite and not p.script and not p.graph_only]


@cache
def recorded_of(topic: str) -> dict:
    """Name -> what MindSpore gave, for the programs of a topic."""
    return json.loads((RECORDED / f"{topic}.json").read_text())


@cache
def _in_a_graph(key: str) -> dict:
    return runner.run(graphcore, PROGRAMS[key])


def _is_error(value) -> bool:
    return isinstance(value, dict) and "error" in value


def differences_of(entry, part: str, found, recorded: dict):
    """Yield how `found`, the values or gradients of a program, differ from what is expected of it."""
    explicit = entry.expected if part == "values" else entry.expected_gradients
    if part == "gradients" and explicit is None and entry.expected is not None:
        return      # MindSpore differentiated another program; finite differences are compared below
    wanted = explicit if explicit is not None else recorded.get(part)
    if wanted is None:
        yield f"MindSpore's {part} are not recorded, and the program says nothing of them"
        return
    for i, (f, w) in enumerate(zip(found, wanted)):
        path = f"{part}[{i}]"
        if isinstance(w, Fails):
            if not _is_error(f) or w.kind.__name__ not in f["error"] or w.text not in f["message"]:
                yield f"{path}: {f}, not a {w.kind.__name__} with {w.text!r}"
        elif _is_error(w):
            # without explicit expectation an error of MindSpore's says nothing; gradients have finite differences
            if part == "values":
                yield f"{path}: MindSpore refused this ({w['message']}), and the program does not say what is right"
        else:
            yield from encoding.differences(f, encoding.encode_expected(w) if explicit is not None else w, path=path)


def _check(entry, found: dict, parts) -> None:
    recorded = recorded_of(entry.topic).get(entry.name, {})
    problems = [line for part in parts for line in differences_of(entry, part, found[part], recorded)]
    if entry.expected is None and "parameters" in recorded:
        problems += encoding.differences(found.get("parameters"), recorded["parameters"], path="parameters")
    printed = recorded.get("printed", "") if entry.expected is None and entry.printed is None else entry.printed
    if printed is not None and encoding.words(found.get("printed", "")) != encoding.words(printed):
        problems.append(f"printed {found.get('printed')!r}, not {printed!r}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("key", PROGRAMS)
def test_in_a_graph(key):
    found = _in_a_graph(key)
    _check(PROGRAMS[key], found, ["values", "gradients"] if "gradients" in found else ["values"])


@pytest.mark.parametrize("key", [key for key, p in PROGRAMS.items() if not p.graph_only])
def test_pynative(key):
    _check(PROGRAMS[key], runner.run(graphcore, PROGRAMS[key], graph=False, gradients=False), ["values"])


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_gradients_are_finite_differences(key):
    entry, gradients = PROGRAMS[key], _in_a_graph(key).get("gradients")
    weights = runner.weights_of(graphcore, entry)
    places = [(i, None) for i in entry.float_positions] + [(None, i) for i in range(len(weights))]
    for index, inputs in enumerate(entry.input_sets if gradients is not None else ()):
        if entry.expected is not None and isinstance(entry.expected[index], Fails):
            continue
        assert not _is_error(gradients[index]), gradients[index]
        evaluate = runner.forward(graphcore, entry, index)
        arrays = [inputs[i] for i in entry.float_positions] + weights
        for leaf, array, place in zip(_leaves(gradients[index]), arrays, places, strict=True):
            tolerance = 2e-2 if array.dtype.itemsize == 2 else 2e-3
            np.testing.assert_allclose(np.array(leaf["values"], np.float64), _slopes(evaluate, array, *place),
                                       rtol=tolerance, atol=tolerance, err_msg=f"input set {index}, place {place}")


def _leaves(gradients) -> list:
    """The Tensors in an encoded nest of gradients, in order."""
    return [leaf for part in gradients for leaf in _leaves(part)] if isinstance(gradients, list) else [gradients]


def _slopes(evaluate, array: np.ndarray, position, weight, step: float = 1e-3) -> np.ndarray:
    """The central differences of `evaluate` for each element of an input, or of a weight."""
    slopes = np.empty(array.shape, np.float64)
    for place in np.ndindex(array.shape):
        ends = []
        for sign in (1, -1):
            moved = array.astype(np.float64)
            moved[place] += sign * step
            ends.append(evaluate({position: moved}, {}) if weight is None else evaluate({}, {weight: moved}))
        slopes[place] = (ends[0] - ends[1]) / (2 * step)
    return slopes
