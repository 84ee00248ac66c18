"""Random state: one key of two words, the seed and the number of the call, held as a hidden Parameter ``rng.key``.

Random operators are counter-based: the key, the operator's site and the element's index give the number, so results
depend neither on threads nor on the order of evaluation.
"""
from __future__ import annotations

import numpy as np

_seed: int | None = None
_key = None


def set_seed(seed: int) -> None:
    """Seed everything: operators, initialisers, dataset shuffling and NumPy's global generator.

    Raises TypeError unless `seed` is an int, ValueError if it is negative.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an int, got {type(seed).__name__}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    global _seed
    _seed = int(seed)
    np.random.seed(_seed % 2 ** 32)
    key_parameter()._array[:] = (_seed, 0)
    from graphcore import initializer
    initializer.reset_generator(_seed)


def get_seed() -> int | None:
    """The seed given to `set_seed`, or None."""
    return _seed


def get_rng_state():
    """The state of the random operators, uint8[16]: what `set_rng_state` takes to go on from here."""
    from graphcore.tensor import Tensor
    return Tensor(key_parameter()._array.astype("<i8").view(np.uint8))


def set_rng_state(new_state) -> None:
    """Let random operators go on from a state of `get_rng_state`.  Raises ValueError for anything else."""
    from graphcore.tensor import Tensor
    state = new_state.asnumpy() if isinstance(new_state, Tensor) else np.asarray(new_state)
    if state.dtype != np.uint8 or state.shape != (16,):
        raise ValueError("set_rng_state takes what get_rng_state gave, uint8 of shape (16,), but got "
                         f"{state.dtype} of shape {state.shape}")
    key_parameter()._array[:] = state.copy().view("<i8")


def key_parameter():
    """The Parameter ``rng.key``: i64[2], seed and call number."""
    global _key
    if _key is None:
        from graphcore.parameter import Parameter
        start = _seed if _seed is not None else int.from_bytes(__import__("os").urandom(4), "little")
        _key = Parameter(np.array([start, 0], np.int64), name="rng.key", requires_grad=False)
    return _key


def next_key() -> np.ndarray:
    """The key of the next eager random operator: i64[2]."""
    array = key_parameter()._array
    key = array.copy()
    array[1] += 1
    return key
