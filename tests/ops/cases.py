"""Inputs for every operator of the registry, by kind: what the tests of records, gradients and kernels walk over."""
from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

import graphcore.ops.records  # noqa: F401  registers all operators
from graphcore import dtype as dt
from graphcore.ir.types import TensorType
from graphcore.ops.record import REGISTRY, Operator

DTYPES = {
    "float": (dt.float32, dt.float64, dt.float16, dt.bfloat16),
    "number": (dt.float32, dt.int32, dt.uint8),
    "any": (dt.float32, dt.int64, dt.bool_),
    "integer": (dt.int32, dt.uint8),
    "integer or bool": (dt.int32, dt.bool_),
    "bool": (dt.bool_,),
}
BROADCASTS = {1: [((3, 4),), ((),)],
              2: [((3, 4), (3, 4)), ((3, 1), (1, 4)), ((), (2, 3)), ((2, 1, 3), (4, 3))]}


@dataclass(frozen=True)
class Case:
    """One application of an operator: stored arrays (bfloat16 as words), their types, attributes."""

    record: Operator
    arrays: tuple
    types: tuple
    attrs: dict = field(hash=False)

    @property
    def label(self) -> str:
        attrs = ",".join(f"{k}={v}" for k, v in self.attrs.items())
        return f"{self.record.name}({', '.join(map(str, self.types))}){{{attrs}}}".replace(" ", "")


def random_array(dtype: dt.DType, shape, interval=(-3.0, 3.0), seed=0) -> np.ndarray:
    """Stored random values of a dtype, within an interval as far as the dtype goes."""
    generator = np.random.default_rng(seed)
    low, high = interval
    if dtype.is_bool:
        return generator.random(shape) < 0.5
    if dtype.is_integer:
        low = max(int(low), 1 if dtype.kind == "u" else -3)
        return generator.integers(low, int(high) + 1, shape).astype(dtype.storage)
    values = np.asarray(generator.uniform(low, high, shape), np.float64 if dtype is dt.float64 else np.float32)
    if dtype is dt.bfloat16:
        return dt.float32_to_bfloat16(values).reshape(shape)
    return np.asarray(values, dtype.storage)


def _pointwise(record):
    for dtype in DTYPES[record.accepts]:
        for i, shapes in enumerate(BROADCASTS[record.arity]):
            arrays = tuple(np.asarray(random_array(dtype, s, record.domain, 10 * i + j)) for j, s in enumerate(shapes))
            if dtype.is_integer and record.name in ("floor_div", "mod", "pow", "div"):
                arrays = (arrays[0], np.maximum(np.abs(arrays[1].astype("i8")), 1).astype(dtype.storage))
            yield Case(record, arrays, tuple(TensorType(dtype, s) for s in shapes), {})


def _reduction(record):
    shape = (2, 3, 4)
    for dtype in DTYPES[record.accepts]:
        array = random_array(dtype, shape, (0.5, 2.0))
        for count in (1, 2, 3):
            for axes in itertools.combinations(range(3), count):
                for keepdims in (False, True):
                    yield Case(record, (array,), (TensorType(dtype, shape),), {"axes": axes, "keepdims": keepdims})


def cases(record: Operator):
    """The cases of one operator: its own samples, or those of its kind."""
    if record.samples is not None:
        for arrays, attrs in record.samples():
            arrays = tuple(np.asarray(a) for a in arrays)
            yield Case(record, arrays, tuple(TensorType(dt.from_numpy(a.dtype), a.shape) for a in arrays), attrs)
    elif record.kind == "pointwise":
        yield from _pointwise(record)
    elif record.kind == "reduction":
        yield from _reduction(record)


RECORDS = [REGISTRY[name] for name in sorted(REGISTRY)]
ALL = [case for record in RECORDS for case in cases(record)]
