"""Runs a program in GRAPH_MODE and PYNATIVE_MODE and compares; gradients also with finite differences in float64.

The stated tolerance: two float results of a program agree if they differ by at most `ATOL` + `RTOL` × the largest value
of the tensor + `SLACK` × the rounding error of the reference itself (the same program in float32 and float64).

Kernels keep float16 values in float32 until they are stored or cast, so native code may be off by a rounding of
float16.  It is allowed for (`HALF_RTOL`) only where it can be nothing else: see `check`.
"""
from __future__ import annotations

import io
import linecache
import os
import re
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np

import graphcore as gc
from graphcore import Tensor

ATOL, RTOL, HALF_RTOL, SLACK = 1e-5, 1e-4, 2e-3, 10
STEP = 1e-6                 # of finite differences
SLOPE_RTOL = 1e-5           # of a finite difference in float64, in parts of the sum of the magnitudes of its terms
UNSTABLE = 0.02             # a reference whose float32 and float64 results differ by more says nothing
_FLOATS = re.compile(r"(?<=FLOAT, HALF, DOUBLE, INT = )gc\.float32, gc\.float\d+")     # at the head of a program


@dataclass(frozen=True)
class Finding:
    """What is wrong with a program; kind "invalid" says that PYNATIVE_MODE refused it."""

    kind: str
    detail: str


class Checked:
    """The result of checking one program: the findings, and notes that are counted in reports."""

    def __init__(self, rtol: float = RTOL):
        self.rtol = rtol
        self.findings: list[Finding] = []
        self.notes: list[str] = []

    def found(self, kind: str, detail) -> None:
        self.findings.append(Finding(kind, str(detail)))


def _with(source: str, bits: int) -> str:
    """The program with floats of so many bits for its float32 and float16."""
    return _FLOATS.sub(f"gc.float{bits}, gc.float{bits}", source)


def load(source: str, name: str) -> dict:
    """The namespace of a program's module; its source can be found by the capture."""
    filename = f"{name}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace = {"__name__": name}
    exec(compile(source, filename, "exec"), namespace)
    return namespace


def check(source: str, name: str = "fuzz", gradients: bool = True, native: bool = False) -> Checked:
    """Run everything that is compared.  Never raises: exceptions of the program are findings.

    native: compile the graphs; else they are evaluated by the operators' references.

    A native program with float16 may be off by more than `RTOL` if it is not on the references, nor native with float32
    in place of float16, and if it is within `HALF_RTOL`.  This is noted.
    """
    result = _run(source, name, gradients, native)
    if not (native and result.findings and "(HALF)" in source):
        return result
    for label, text, compiled, rtol in (("on references", source, False, RTOL),
                                        ("with float32 for float16", _with(source, 32), True, RTOL),
                                        ("with float16", source, True, HALF_RTOL)):
        again = _run(text, name, gradients, compiled, rtol)
        if again.findings:
            again.findings = [Finding(f.kind, f"({label}) {f.detail}") for f in again.findings]
            return again
    again.notes.append("float16 not rounded between")
    return again


def _run(source: str, name: str, gradients: bool, native: bool, rtol: float = RTOL) -> Checked:
    outer = os.environ.get("GRAPHCORE_INTERPRET", "")
    os.environ["GRAPHCORE_INTERPRET"] = "" if native else "1"
    try:
        return _checked(source, name, gradients, rtol)
    finally:
        os.environ["GRAPHCORE_INTERPRET"] = outer
        gc.set_context(mode=gc.GRAPH_MODE)


def _checked(source: str, name: str, gradients: bool, rtol: float) -> Checked:
    result = Checked(rtol)
    plain, double = load(source, name), load(_with(source, 64), f"{name}_double")
    try:
        wanted = _forward(plain, gc.PYNATIVE_MODE)
    except Exception as error:
        result.found("invalid", _shown(error))
        return result
    try:
        got = _forward(plain, gc.GRAPH_MODE)
    except Exception as error:
        result.found("refused", _shown(error))
        return result
    _compare(result, "", got, wanted, lambda: _forward(double, gc.PYNATIVE_MODE))
    if gradients:
        _check_gradients(result, plain, double)
    return result


# -- results ------------------------------------------------------------------------------------------------------

def _forward(namespace: dict, mode: int) -> dict:
    """Outputs, state and printed text of a Cell called with all input sets, at the end with the first one again."""
    gc.set_context(mode=mode)
    gc.set_seed(1)
    net, sets = namespace["Net"](), namespace["inputs"]()
    outcome: dict = {}
    with redirect_stdout(io.StringIO()) as printed:
        for number, inputs in enumerate((*sets, sets[0])):
            outcome[f"output {number}"] = encoded(net(*inputs))
            outcome[f"state {number}"] = _state(namespace, net)
            outcome[f"inputs {number}"] = encoded(inputs)
    outcome["printed"] = printed.getvalue()
    return outcome


def _state(namespace: dict, net) -> dict:
    """What a call may have changed: Parameters, plain attributes, and the list of the module, which is emptied."""
    log = namespace.get("LOG", [])
    state = {**{p.name: encoded(p) for p in net.get_parameters()}, "log": encoded(log)}
    log.clear()
    return {**state, **{name: encoded(getattr(net, name)) for name in ("seen", "last") if hasattr(net, name)}}


def encoded(value):
    """Tensors as arrays (copies), in their nest."""
    if isinstance(value, Tensor):
        return np.array(value.asnumpy())
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(encoded, value)]
    if isinstance(value, dict):
        return {k: encoded(v) for k, v in value.items()}
    return value


def _compare(result: Checked, path: str, got, wanted, exact) -> None:
    """Compare nests; `exact()` gives the reference's in float64, asked for only where there is a difference."""
    quick = Checked(result.rtol)
    _compare_nests(quick, path, got, wanted, wanted)
    if quick.findings:
        _compare_nests(result, path, got, wanted, exact())


def _compare_nests(result: Checked, path: str, got, wanted, exact) -> None:
    if isinstance(wanted, np.ndarray):
        problem = _difference(result, got, wanted, exact)
    elif isinstance(wanted, dict) and isinstance(got, dict) and list(got) == list(wanted):
        for key in wanted:
            _compare_nests(result, f"{path}/{key}", got[key], wanted[key], exact[key])
        return
    elif isinstance(wanted, list) and isinstance(got, list) and len(got) == len(wanted):
        for i, (g, w, e) in enumerate(zip(got, wanted, exact)):
            _compare_nests(result, f"{path}/{i}", g, w, e)
        return
    else:
        problem = None if type(got) is type(wanted) and got == wanted else f"{got!r}, not {wanted!r}"
    if problem:
        kind = next((k for k in ("output", "state", "inputs", "printed", "gradient") if k in path), "value")
        result.found(kind, f"{path[1:]}: {problem}")


def _difference(result: Checked, got, wanted: np.ndarray, exact: np.ndarray) -> str | None:
    """How an array differs from what is wanted; None if it is equal within the tolerance."""
    if not isinstance(got, np.ndarray) or got.dtype != wanted.dtype or got.shape != wanted.shape:
        return f"{_type(got)}, not {_type(wanted)}"
    if wanted.dtype.kind in "ib" or not wanted.size:
        if np.array_equal(got, wanted):
            return None
        if not np.array_equal(wanted, exact):
            result.notes.append("unstable")
            return None
        return f"{got.tolist()}, not {wanted.tolist()}"
    if not np.isfinite(wanted).all():
        result.notes.append("not finite")
        return None
    error = float(np.abs(wanted - exact).max())
    scale = max(1.0, float(np.abs(exact).max()))
    off = np.abs(got.astype(np.float64) - wanted)
    if not np.isnan(off).any() and off.max() <= ATOL + result.rtol * scale + SLACK * error:
        return None
    if error > UNSTABLE * scale:
        result.notes.append("unstable")
        return None
    return f"off by {off.max():.3g} (the reference's own error: {error:.3g})\n  got    {got.ravel()[:8]}\n  " \
           f"wanted {wanted.ravel()[:8]}"


def _type(value) -> str:
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else repr(value)


def _shown(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: " + "\n".join(lines[:12])


# -- gradients ----------------------------------------------------------------------------------------------------

def float_sum(value):
    """The sum of all float tensors in a nest."""
    total = 0.0
    if isinstance(value, dict):
        value = tuple(value.values())
    for v in value if isinstance(value, (tuple, list)) else (value,):
        if isinstance(v, (tuple, list, dict)):
            total = total + float_sum(v)
        elif isinstance(v, Tensor) and v.dtype in (gc.float32, gc.float64):
            total = total + v.sum()
    return total


class _Differentiable:
    """A program's Cell as a function whose gradients can be asked for, always from the same state."""

    def __init__(self, namespace: dict, mode: int):
        self.mode, self.namespace, self.net, self.sets = mode, namespace, namespace["Net"](), namespace["inputs"]()
        self.positions = tuple(i for i, x in enumerate(self.sets[0]) if x.dtype in (gc.float32, gc.float64))
        self.weights = self.net.trainable_params()
        self._initial = [(p, p.asnumpy().copy()) for p in self.net.get_parameters()]

        def loss(*inputs):
            return float_sum(self.net(*inputs))

        self.loss = loss
        self._function = gc.value_and_grad(loss, self.positions, weights=self.weights or None)

    def reset(self) -> None:
        """Back to the first state."""
        gc.set_context(mode=self.mode)
        gc.set_seed(1)
        for parameter, value in self._initial:
            parameter.set_data(Tensor(value.copy(), parameter.dtype))

    def gradients(self, number: int) -> dict:
        """The value, the gradients by inputs and weights, and the state afterwards for an input set."""
        self.reset()
        with redirect_stdout(io.StringIO()):
            value, found = self._function(*self.sets[number])
        inputs, weights = found if self.weights else (found, ())
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)         # of one position
        return {"value": encoded(value), "by": [encoded(g) for g in (*inputs, *weights)],
                "then": _state(self.namespace, self.net)}

    def at(self, number: int, direction: list, step: float) -> float:
        """The loss, moved along a direction (arrays for inputs, then for weights)."""
        self.reset()
        inputs = list(self.sets[number])
        for p, d in zip(self.positions, direction):
            inputs[p] = Tensor(inputs[p].asnumpy() + step * d)
        for w, d in zip(self.weights, direction[len(self.positions):]):
            w.set_data(Tensor(w.asnumpy() + step * d))
        with redirect_stdout(io.StringIO()):
            return float(self.loss(*inputs).asnumpy())


def _check_gradients(result: Checked, plain: dict, double: dict) -> None:
    program = _Differentiable(plain, gc.GRAPH_MODE)
    reference, exact = _Differentiable(plain, gc.PYNATIVE_MODE), _Differentiable(double, gc.PYNATIVE_MODE)
    if not program.positions and not program.weights:
        return
    for number in range(2):
        try:
            got = program.gradients(number)
        except Exception as error:
            result.found("gradient refused", _shown(error))
            return
        try:
            wanted = reference.gradients(number)
        except Exception as error:
            result.found("PYNATIVE gradient refused", _shown(error))
            return
        _compare(result, f"/gradient {number}", got, wanted, lambda number=number: exact.gradients(number))
        if result.findings:
            return
        if number == 0:
            _check_slope(result, exact, number, got["by"], wanted["by"], exact.gradients(number)["by"])


def _check_slope(result: Checked, exact: _Differentiable, number: int, got: list, wanted: list, precise: list) -> None:
    """Compare the program's gradients with the slope along a random direction in which it is smooth.

    wanted, precise: the reference's gradients in float32 and float64.
    """
    rng = np.random.RandomState(number)
    for _ in range(3):
        direction = [rng.uniform(-1, 1, g.shape) for g in got]
        here, ahead, behind = (exact.at(number, direction, s) for s in (0, STEP, -STEP))
        forward, backward, slope = (ahead - here) / STEP, (here - behind) / STEP, (ahead - behind) / (2 * STEP)
        size = 1 + sum(float(np.abs(g * d).sum()) for g, d in zip(precise, direction))
        if abs(forward - backward) > 2 * SLOPE_RTOL * size:
            continue                                    # a branch or a kink is crossed
        ours, reference, known = (sum(float((g * d).sum()) for g, d in zip(gradients, direction))
                                  for gradients in (got, wanted, precise))
        if abs(known - slope) > SLOPE_RTOL * size:
            result.found("slope", f"gradient {number} along a direction: {known:.7g} (PYNATIVE_MODE, float64), but the "
                                  f"finite difference is {slope:.7g}")
        elif abs(ours - slope) > result.rtol * size + SLACK * abs(reference - known):
            result.found("slope", f"gradient {number} along a direction: {ours:.7g}, but the finite difference is "
                                  f"{slope:.7g}")
        return
    result.notes.append("not smooth")
