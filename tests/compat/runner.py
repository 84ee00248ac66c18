"""Runs a case under whatever `mindspore` is, and compares results: the real one's are recorded."""
from __future__ import annotations

import ast
import linecache
import os
import sys
import tempfile
from types import ModuleType

import numpy as np

from tests.compat import inputs, table
from tests.compat.table import Case, topics
from tests.language import encoding

__all__ = ["differences", "evaluate", "load", "run", "topics"]
_MODULE = "compat_case"
_MOST_VALUES = 24       # of a Tensor that are recorded one by one
_SOME_VALUES = 8        # of a larger one


def load(topic: str) -> list[Case]:
    """The cases of a topic that MindSpore answers."""
    return [entry for entry in table.load(topic) if entry.source in ("mindspore", "documented")]


def run(ms, entry: Case) -> dict:
    """What the case gives, encoded as its `value`; for a documented case, what its expectation gives."""
    return _run_text(ms, entry.expected if entry.source == "documented" else entry.text)


def evaluate(ms, text: str, replaced=None):
    """The value of a text's last expression, once its statements have run in an empty folder.

    replaced: values for some of its names.
    """
    filename = f"<case {text}>"
    tree = ast.parse(text, filename)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)     # captures read it
    words = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    module = sys.modules[_MODULE] = ModuleType(_MODULE)      # MindSpore looks up where a function comes from
    names = module.__dict__
    names.update(inputs.namespace(ms, words), **(replaced or {}))
    *statements, last = tree.body
    value = last.value if isinstance(last, ast.Expr) else None
    if value is None:
        raise SyntaxError(f"a case ends with an expression, its value: {text}")
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            exec(compile(ast.Module(statements, []), filename, "exec"), names)
            return eval(compile(ast.Expression(value), filename, "eval"), names)
        finally:
            os.chdir(before)


def shortened(encoded):
    """An encoded nest in which large Tensors and arrays are only shape, sums, and a few values."""
    if isinstance(encoded, list):
        return [shortened(v) for v in encoded]
    if not isinstance(encoded, dict):
        return encoded
    if "values" not in encoded or "shape" not in encoded or np.prod(encoded["shape"]) <= _MOST_VALUES:
        return {k: shortened(v) if k in ("list", "dict") else v for k, v in encoded.items()}
    try:
        flat = np.array(encoded["values"], np.float64).ravel()
    except (TypeError, ValueError):        # strings, complex numbers
        return encoded
    return {**{k: v for k, v in encoded.items() if k != "values"}, "sums": _sums(flat),
            "some": [float(f"{v:.8g}") for v in flat[_places(flat.size)]]}


def _places(size: int) -> np.ndarray:
    return np.linspace(0, size - 1, _SOME_VALUES).astype(int)


def _sums(flat: np.ndarray) -> list:
    """The norm, two sums of all values with weights that tell places apart, and how many are not finite."""
    finite = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
    numbers = np.arange(1, flat.size + 1)
    sums = (np.linalg.norm(finite), finite @ np.sin(0.7 * numbers), finite @ np.cos(1.3 * numbers))
    return [float(f"{v:.10g}") for v in sums] + [int(np.count_nonzero(~np.isfinite(flat)))]


def differences(found, wanted, scale: float = 1.0, path: str = "result"):
    """Yield a line for each place where two encoded, shortened values differ; of errors the class counts."""
    if isinstance(wanted, dict) and "error" in wanted:
        if not isinstance(found, dict) or wanted["error"][0] not in found.get("error", ()):
            yield f"{path}: {found}, not a {wanted['error'][0]} ({wanted['message']})"
    elif isinstance(wanted, dict) and "sums" in wanted and isinstance(found, dict) and "sums" in found:
        yield from _digest_differences(found, wanted, scale, path)
    elif isinstance(wanted, dict) and wanted.get("array", "").startswith(("<U", "|S")):
        if found != wanted:
            yield f"{path}: {found}, not {wanted}"
    elif isinstance(wanted, dict) and "array" in wanted and isinstance(found, dict) and "array" in found:
        yield from encoding.differences(_as_tensor(found), _as_tensor(wanted), scale, path)
    elif isinstance(wanted, dict) and isinstance(found, dict) and list(found) == list(wanted) and (
            kind := next((k for k in ("list", "dict") if k in wanted), None)):
        yield from differences(found[kind], wanted[kind], scale, path)
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        for i, (f, w) in enumerate(zip(found, wanted)):
            yield from differences(f, w, scale, f"{path}[{i}]")
    else:
        yield from encoding.differences(found, wanted, scale, path)


def _as_tensor(encoded: dict) -> dict:
    """An encoded array, or number of NumPy's, as an encoded Tensor is."""
    return {"tensor": encoded["array"].capitalize(), "shape": encoded.get("shape", []), "values": encoded["values"]}


def _digest_differences(found: dict, wanted: dict, scale: float, path: str):
    for part in ("tensor", "array", "shape"):
        if found.get(part) != wanted.get(part):
            yield f"{path}: {part} {found.get(part)}, not {wanted.get(part)}"
            return
    dtype = wanted.get("tensor") or wanted["array"].capitalize()
    tolerance = scale * max(encoding.TOLERANCE.get(dtype, 0), 1e-9)
    norm = wanted["sums"][0]
    if wanted["sums"][3] != found["sums"][3] or not np.allclose(
            found["sums"][:3], wanted["sums"][:3], rtol=tolerance, atol=tolerance * max(norm, 1.0)):
        yield f"{path}: sums {found['sums']}, not {wanted['sums']}"
    elif not np.allclose(found["some"], wanted["some"], rtol=tolerance, atol=tolerance, equal_nan=True):
        yield f"{path}: some values {found['some']}, not {wanted['some']}"


def problems(ms, entry: Case, recorded: dict):
    """Yield what is wrong with a case under `ms`, graphcore: `recorded` has what MindSpore gave, by name."""
    found = run(ms, entry) if entry.source != "documented" else _run_text(ms, entry.text)
    if entry.source == "refused":
        error = found["value"]
        if not isinstance(error, dict) or "NotImplementedError" not in error.get("error", ()) or not error["message"]:
            yield f"{error}, not a NotImplementedError that says what to use"
        return
    wanted = _run_text(ms, entry.expected) if entry.source == "own" else recorded[entry.name]
    yield from differences(found["value"], wanted["value"], entry.scale)


def _run_text(ms, text: str) -> dict:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    ms.set_seed(1)
    try:
        return {"value": shortened(encoding.encode(evaluate(ms, text)))}
    except Exception as error:
        return {"value": encoding.encode_error(error)}
