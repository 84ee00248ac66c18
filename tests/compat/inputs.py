"""What the texts of cases may use, for whatever `mindspore` is: the real one, or graphcore under its name.

Everything is the same in both, down to the bit: no random numbers of a framework, only sines and counters.
"""
from __future__ import annotations

import importlib
import math

import numpy as np

from tests.compat.table import ROOTS


def namespace(ms, words) -> dict:
    """The names of `words` that texts may use, with `ms` as MindSpore."""
    helpers = Helpers(ms)
    found: dict = {"np": np, "math": math, "mindspore": ms}
    for word in sorted(words):
        if word in ROOTS:
            found[word] = importlib.import_module(f"mindspore.{ROOTS[word]}") if ROOTS[word] else ms
        elif not word.startswith("_") and hasattr(helpers, word):
            found[word] = getattr(helpers, word)
        elif word in ("Tensor", "Parameter"):
            found[word] = getattr(ms, word)
    return found


def wave_array(*shape: int, step: float = 0.7) -> np.ndarray:
    """Numbers between -1 and 1 that repeat themselves nowhere."""
    return np.sin(step * np.arange(1, math.prod(shape) + 1)).reshape(shape).astype(np.float32)


class Helpers:
    """The Tensors and functions of the texts, by attribute."""

    def __init__(self, ms):
        self._ms = ms

    # The Tensors: counted up in two rows, in various dtypes.
    x = property(lambda self: self._counted("int32"))
    f = property(lambda self: self._counted("float32"))
    h = property(lambda self: self._counted("float16"))
    l = property(lambda self: self._counted("int64"))
    u = property(lambda self: self._counted("uint8"))
    d = property(lambda self: self._counted("float64"))
    b = property(lambda self: self._ms.Tensor([True, False, True]))

    def _counted(self, dtype: str):
        return self._ms.Tensor(np.arange(6).reshape(2, 3), getattr(self._ms, dtype))

    def wave(self, *shape, step=0.7, scale=1.0, shift=0.0, dtype=None):
        """A Tensor of sines, float32 or the dtype."""
        tensor = self._ms.Tensor(wave_array(*shape, step=step) * np.float32(scale) + np.float32(shift))
        return tensor if dtype is None else tensor.astype(dtype)

    def ints(self, *shape, below=5, dtype=None):
        """A Tensor of counters from 0 to below - 1 in a shuffled order, int32 or the dtype."""
        values = (np.arange(math.prod(shape)) * 7 + 3) % below
        return self._ms.Tensor(values.reshape(shape), dtype or self._ms.int32)

    def positive(self, *shape, step=0.7):
        """A Tensor of numbers between 0.05 and 0.95."""
        return self._ms.Tensor((0.5 + 0.45 * wave_array(*shape, step=step)).astype(np.float32))

    def filled(self, cell):
        """The Cell with its Parameters set to sines, by their places; it is evaluated, not trained."""
        for place, parameter in enumerate(cell.get_parameters()):
            values = 0.4 * wave_array(*parameter.shape, step=0.37 + 0.11 * place) + (1.0 if parameter.ndim == 1 else 0)
            if "variance" in parameter.name:
                values = np.abs(values) + 0.5
            parameter.set_data(self._ms.Tensor(values.astype(np.float32), parameter.dtype))
        return cell.set_train(False)

    def grads(self, function, *inputs) -> tuple:
        """What a Cell, filled, or a function gives, and the gradients of its inputs and Parameters below it.

        They are those of the sum of its float results with sines as weights; inputs that are not Tensors of float
        numbers have none.
        """
        ms = self._ms
        cell = self.filled(function) if isinstance(function, ms.nn.Cell) else None
        places = tuple(i for i, v in enumerate(inputs) if isinstance(v, ms.Tensor) and v.is_floating_point())

        def loss(*arguments):
            results = function(*arguments)
            return self._weighted(results if isinstance(results, (tuple, list)) else (results,))

        weights = list(cell.trainable_params()) if cell is not None else []
        return function(*inputs), ms.grad(loss, places or None, weights or None)(*inputs)

    def _weighted(self, results):
        """One number of a nest's float Tensors."""
        total = 0.0
        for result in results:
            if isinstance(result, (tuple, list)):
                total = total + self._weighted(result)
            elif result.dtype in (self._ms.float16, self._ms.float32, self._ms.float64):
                total = total + (result * self.wave(*result.shape, step=0.21).astype(result.dtype)).sum()
        return total

    def parameters(self, cell) -> list:
        """(name, shape, dtype, requires_grad) of each Parameter."""
        return [(p.name, tuple(p.shape), str(p.dtype), p.requires_grad) for p in cell.get_parameters()]

    def values(self, cell) -> list:
        """(name, value) of each Parameter of a Cell or optimiser."""
        return [(p.name, self._ms.Tensor(p.asnumpy())) for p in cell.get_parameters()]

    def kind(self, value):
        """The dtypes and shapes of a nest of Tensors: all that random results have in common."""
        if isinstance(value, (tuple, list)):
            return [self.kind(v) for v in value]
        return [str(value.dtype), tuple(value.shape)]

    def about(self, value, mean, deviation) -> tuple:
        """Whether mean and standard deviation of many random numbers are what they should be, to a tenth."""
        numbers = value.asnumpy().astype(np.float64)
        near = 0.1 * max(1.0, abs(deviation))
        return abs(numbers.mean() - mean) < near, abs(numbers.std() - deviation) < near

    def of(self, object, *names) -> list:
        """The attributes of an object."""
        return [getattr(object, name) for name in names]

    def weights(self) -> list:
        """The Parameters that `trained` trains."""
        ms = self._ms
        return [ms.Parameter(ms.Tensor(np.array([[1, -2], [0.5, 3]], np.float32)), name="fc.weight"),
                ms.Parameter(ms.Tensor(np.array([1.5, -0.5], np.float32)), name="bn.gamma")]

    def trained(self, make, steps=4):
        """What an optimiser does to `weights` in some steps; make: from the Parameters to the optimiser."""
        parameters = self.weights()
        optimizer = make(parameters)
        for step in range(steps):
            optimizer(tuple(self._ms.Tensor(np.array(g, np.float32)) for g in (
                [[0.1 * (step + 1), -0.3], [0.2 - 0.1 * step, 0.05]], [0.4, -0.2 * step])))
        return [self._ms.Tensor(p.asnumpy()) for p in parameters]

    def rates(self, schedule, steps=(0, 1, 2, 3, 5, 9)):
        """What a schedule gives at some steps."""
        return [float(schedule(self._ms.Tensor(step, self._ms.int32)).asnumpy()) for step in steps]

    def rows(self, data, count=100) -> list:
        """The first rows of a dataset, as lists of arrays."""
        found = []
        for row in data.create_tuple_iterator(num_epochs=1, output_numpy=True):
            found.append(list(row))
            if len(found) == count:
                break
        return found

    def tfrecord(self, path: str, rows: list) -> str:
        """Write rows, dicts of bytes or lists of ints or floats, as a TFRecord file; gives its path."""
        from pathlib import Path

        from graphcore.files.framed import framed
        from graphcore.files.protobuf import block, varint

        def feature(values):
            if isinstance(values[0], bytes):
                return block(1, b"".join(block(1, v) for v in values))
            if isinstance(values[0], float):
                return block(2, block(1, np.array(values, "<f4").tobytes()))
            return block(3, block(1, b"".join(varint(v % (1 << 64)) for v in values)))

        Path(path).write_bytes(b"".join(framed(block(1, b"".join(
            block(1, block(1, name) + block(2, feature(values))) for name, values in row.items()))) for row in rows))
        return path

    def image(self, height=6, width=8, channels=3) -> np.ndarray:
        """A picture of smooth colours, uint8 [height, width, channels]."""
        picture = 127.5 + 127.5 * wave_array(height, width, channels, step=0.13)
        return picture.astype(np.uint8)
