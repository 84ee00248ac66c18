"""``mindspore.ops._primitive_cache``: primitives made once for the same arguments."""
from __future__ import annotations

import functools

__all__ = ["_get_cache_prim"]

_made: dict = {}


def _get_cache_prim(cls):
    """A function that makes ``cls(*args, **kwargs)``, or gives the one made for equal arguments before."""
    @functools.wraps(cls, updated=())
    def make(*args, **kwargs):
        try:
            key = cls, args, tuple(sorted(kwargs.items()))
            if key not in _made:
                _made[key] = cls(*args, **kwargs)
            return _made[key]
        except TypeError:           # an argument that cannot be hashed
            return cls(*args, **kwargs)
    return make
