"""What a framework's runner makes of a workload, how it is checked, and how it is timed."""
from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.expected import LOSSES
from benchmarks.reference import outputs
from benchmarks.workloads import Given, Mode, workload

# Of the largest expected number.  MindSpore's Adam (and graphcore's) adds epsilon before the bias correction, PyTorch's
# and JAX's after it; in five steps of mlp that moves the loss by 5e-5.
TOLERANCE = 1e-3
LONGEST_RUN = 3.0       # seconds, after which a slow framework takes no further sample


class WrongResult(Exception):
    """A framework does not compute what the workload says: it is not timed."""


class Unsupported(Exception):
    """A framework's runner does not have this workload."""


def _nothing(*_) -> None:
    pass


@dataclass(frozen=True)
class Task:
    """A workload in a framework's own terms.

    call: one step of training, which returns the loss as a Python float, or one inference.
    arguments: those of one call after another, as the framework's tensors; used in turn.
    reset: puts the initial weights back.   finish: waits for the result of the last call.
    to_numpy: a tensor of an inference's result as an array; an inference gives one, or a tuple or list of several.
    scope: a context in which calls are made.
    """

    call: Callable
    arguments: list[tuple]
    reset: Callable = _nothing
    finish: Callable = _nothing
    to_numpy: Callable = np.asarray
    scope: Callable = contextlib.nullcontext


def check(task: Task, given: Given) -> float:
    """Start again, run the first five steps (or one inference), and compare.

    Returns the largest deviation, relative to the largest expected number.  Raises WrongResult above the tolerance.
    """
    if given.trains:
        task.reset()
        with task.scope():
            found = np.array([task.call(*arguments) for arguments in task.arguments])
        expected = np.array(LOSSES[given.name])
    else:
        with task.scope():
            found = compared(task.call(*task.arguments[0]), task.to_numpy, workload(given.name).compared_every)
        expected = outputs(given.name, given.mode)
    if found.shape != expected.shape:
        raise WrongResult(f"{given.name}/{given.mode}: the result has shape {found.shape}, not {expected.shape}")
    deviation = float(np.abs(found - expected).max() / np.abs(expected).max())
    if not deviation <= TOLERANCE:
        what = f"losses {found.round(5).tolist()}, not {expected.round(5).tolist()}" if given.trains else "outputs"
        raise WrongResult(f"{given.name}/{given.mode}: {what}: off by {deviation:.1e}, {TOLERANCE:.0e} is allowed")
    return deviation


def compared(result, to_numpy: Callable, every: int) -> np.ndarray:
    """What of an inference's result is held against the reference: several tensors are stacked."""
    if isinstance(result, (tuple, list)):
        return np.stack([compared(tensor, to_numpy, every) for tensor in result])
    array = np.asarray(to_numpy(result))
    return (array if every == 1 else array.ravel()[::every]).astype(np.float64)


def time_samples(task: Task, mode: Mode, samples: int) -> list[float]:
    """Seconds of one call in each of `samples` samples, fewer if that takes too long."""
    clock, times = time.perf_counter, []
    collects = gc.isenabled()
    gc.disable()
    try:
        with task.scope():
            deadline = clock() + LONGEST_RUN
            for sample in range(samples):
                arguments = task.arguments[sample % len(task.arguments)]
                started = clock()
                for _ in range(mode.calls):
                    result = task.call(*arguments)
                task.finish(result)
                ended = clock()
                times.append((ended - started) / mode.calls)
                if ended > deadline:
                    break
    finally:
        if collects:
            gc.enable()
    return times


def first_result(prepare: Callable[[Given], Task], given: Given) -> float:
    """Seconds from building the net to its first result, compilation included."""
    started = time.perf_counter()
    task = prepare(given)
    with task.scope():
        task.finish(task.call(*task.arguments[0]))
    return time.perf_counter() - started
