"""``python -m benchmarks.guards``: what checking the guards adds to a call, in nanoseconds for each guard.

Each row makes many guards of one kind as a capture would, and times the generated check of the compiler's front door.
"""
from __future__ import annotations

import timeit
from types import CellType, SimpleNamespace

import numpy as np

from graphcore import Tensor
from graphcore.capture import guards

COUNT = 16                  # guards of a kind in one check
_CALLS, _REPEATS = 1_000, 300
_NAMES = [f"name_{i}" for i in range(COUNT)]


class _Plain:
    pass


class _Slots:
    __slots__ = tuple(_NAMES)


def _globals():
    namespace = {name: 0.5 + i for i, name in enumerate(_NAMES)}
    for name in _NAMES:
        guards.read_global(namespace, name)


def _globals_of_two_modules():
    _globals()
    namespace = {name: 0.5 + i for i, name in enumerate(_NAMES)}
    for name in _NAMES[1:]:
        guards.read_global(namespace, name)


def _cells():
    for i, name in enumerate(_NAMES):
        guards.read_cell(CellType(0.5 + i), name)


def _attributes(owner):
    for i, name in enumerate(_NAMES):
        setattr(owner, name, 0.5 + i)
        guards.read_attribute(owner, name, getattr(owner, name))


def _objects():
    for i in range(COUNT):
        owner = _Plain()
        owner.width = 0.5 + i
        guards.read_attribute(owner, "width", owner.width)


def _containers(make):
    for i in range(COUNT):
        guards.read_container(make(i))


def _globals_that_hold(make):
    namespace = {name: make(i) for i, name in enumerate(_NAMES)}
    for name in _NAMES:
        guards.read_global(namespace, name)


KINDS = {
    "global": (_globals, COUNT),
    "global, half of another module": (_globals_of_two_modules, 2 * COUNT - 1),
    "closure cell": (_cells, COUNT),
    "attribute of one object": (lambda: _attributes(_Plain()), COUNT),
    "attribute of a SimpleNamespace": (lambda: _attributes(SimpleNamespace()), COUNT),
    "attribute in __slots__": (lambda: _attributes(_Slots()), COUNT),
    "attribute of objects": (_objects, COUNT),
    "list of 3 numbers": (lambda: _containers(lambda i: [i, 1.5, "a"]), COUNT),
    "dict of 3 entries": (lambda: _containers(lambda i: {"hidden": i, "heads": 2, "act": "relu"}), COUNT),
    "list of 100 numbers": (lambda: _containers(lambda i: list(range(i, 100 + i))), COUNT),
    "global Tensor of 64 B": (lambda: _globals_that_hold(lambda i: Tensor(np.zeros(16, np.float32))), COUNT),
    "global Tensor of 16 KiB": (lambda: _globals_that_hold(lambda i: Tensor(np.zeros(4096, np.float32))), COUNT),
    "global Tensor of 1 MiB": (lambda: _globals_that_hold(lambda i: Tensor(np.zeros(1 << 18, np.float32))), COUNT),
}


def _best(function, calls: int) -> float:
    return min(timeit.repeat(function, number=calls, repeat=_REPEATS)) / calls * 1e9


def measure(kind: str) -> float:
    """Nanoseconds that one more guard of a kind costs, the call of the check left out."""
    record, count = KINDS[kind]
    reads: dict = {}
    with guards.recording(reads):
        record()
    check = guards.Guards(reads).check
    calls = _CALLS if "iB" not in kind else 5
    return (_best(check, calls) - _best(lambda: True, _CALLS)) / count


def main() -> None:
    for kind in KINDS:
        print(f"{kind:32s} {measure(kind):10.1f} ns")


if __name__ == "__main__":
    main()
