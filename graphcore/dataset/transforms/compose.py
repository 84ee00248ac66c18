"""The base of transforms, and transforms made of others."""
from __future__ import annotations

from graphcore.dataset import rng


class Transform:
    """Base of transforms: callable on one value (an array, a number, a Tensor or a PIL image).

    is_random: whether it draws random numbers, so that a pipeline gives it a generator for each row.
    """

    is_random = False

    def __repr__(self):
        fields = ", ".join(f"{k.strip('_')}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__name__}({fields})"


def check_transforms(transforms, name: str) -> list:
    """The transforms as a list.  Raises TypeError unless all are callable, ValueError if there are none."""
    transforms = list(transforms) if isinstance(transforms, (list, tuple)) else [transforms]
    if not transforms:
        raise ValueError(f"{name}: transforms can not be empty.")
    for transform in transforms:
        if not callable(transform):
            raise TypeError(f"{name}: each transform must be callable, got {type(transform).__name__}")
    return transforms


def _run(transforms, values: tuple):
    for transform in transforms:
        result = transform(*values)
        values = result if isinstance(result, tuple) else (result,)
    return values[0] if len(values) == 1 else values


class _Composite(Transform):
    def __init__(self, transforms):
        self.transforms = check_transforms(transforms, type(self).__name__)

    def _has_random_part(self) -> bool:
        return any(getattr(transform, "is_random", False) for transform in self.transforms)


class Compose(_Composite):
    """Transforms one after the other."""

    @property
    def is_random(self):
        return self._has_random_part()

    def __call__(self, *values):
        return _run(self.transforms, values)


class RandomApply(_Composite):
    """All of the transforms with probability `prob`, else none."""

    is_random = True

    def __init__(self, transforms, prob: float = 0.5):
        super().__init__(transforms)
        self.prob = check_probability(prob)

    def __call__(self, *values):
        if rng.current().random() < self.prob:
            return _run(self.transforms, values)
        return values[0] if len(values) == 1 else values


class RandomChoice(_Composite):
    """One of the transforms, chosen anew for each value."""

    is_random = True

    def __call__(self, *values):
        chosen = self.transforms[int(rng.current().integers(len(self.transforms)))]
        return _run([chosen], values)


class RandomOrder(_Composite):
    """All transforms in random order."""

    is_random = True

    def __call__(self, *values):
        return _run([self.transforms[i] for i in rng.current().permutation(len(self.transforms))], values)


def check_probability(prob) -> float:
    """`prob` as a float.  Raises TypeError and ValueError unless it is a number between 0 and 1."""
    if isinstance(prob, bool) or not isinstance(prob, (int, float)):
        raise TypeError(f"prob must be a number, got {type(prob).__name__}")
    if not 0 <= prob <= 1:
        raise ValueError(f"prob must lie between 0 and 1, got {prob}")
    return float(prob)
