"""``set_context(check_nan=True)``: stop at the first call whose inputs, outputs or Parameters are not finite."""
from __future__ import annotations

import numpy as np

from graphcore.errors import NonFiniteError


def run_checked(program, arrays: list) -> list:
    """Run a program between two checks.  Raises NonFiniteError naming the value and the place of its first element."""
    for number, array in enumerate(arrays):
        _check(array, f"input {number} ({program.graph.inputs[number].name})")
    results = program.run(arrays)
    for number, array in enumerate(results):
        _check(array, f"output {number}")
    for name, _ in program.graph.updates:
        _check(program.parameters[name].peek(), f"Parameter {name}, after its update,")
    return results


def _check(array: np.ndarray, what: str) -> None:
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0]) if array.ndim else ()
    count = int(np.count_nonzero(~np.isfinite(array)))
    raise NonFiniteError(f"{what} holds {array[place]} at {place} ({count} of {array.size} elements are not finite)")
