"""Symbol: what is known of a size that differs from call to call, in the shapes of placeholders."""
from __future__ import annotations

__all__ = ["Symbol"]


class Symbol:
    """``Tensor(shape=(None, Symbol(divisor=8)), dtype=float32)``: a size for ``Cell.set_inputs``.

    max, min: its limits; divisor, remainder: it is divisor * N + remainder; unique: all sizes with this Symbol are
    equal.  Programs take whatever size comes, so that they hold is the caller's part.
    Raises TypeError unless they are ints (unique: a bool), ValueError out of range.
    """

    def __init__(self, max=0, min=1, divisor=1, remainder=0, unique=False, **kwargs):
        for name, value in (("max", max), ("min", min), ("divisor", divisor), ("remainder", remainder)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"Symbol: {name} must be an int, got {type(value).__name__}")
        if not isinstance(unique, bool):
            raise TypeError(f"Symbol: unique must be a bool, got {type(unique).__name__}")
        if min < 1 or divisor < 1:
            raise ValueError(f"Symbol: min and divisor must be positive, got {min} and {divisor}")
        if not 0 <= remainder < divisor:
            raise ValueError(f"Symbol: remainder must lie in [0, {divisor}), got {remainder}")
        self.max, self.min, self.divisor, self.remainder, self.unique = max, min, divisor, remainder, unique

    def to_dict(self) -> dict:
        """The limits that were given."""
        found = {"max": self.max} if self.max > self.min else {}
        found |= {"min": self.min} if self.min > 1 else {}
        found |= {"divisor": self.divisor} if self.divisor > 1 else {}
        found |= {"remainder": self.remainder} if self.remainder else {}
        return found | ({"unique": True, "id": id(self)} if self.unique else {})

    def __repr__(self):
        return f"Symbol({', '.join(f'{k}={v}' for k, v in self.to_dict().items())})"
