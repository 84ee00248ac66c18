"""data_sink and DatasetHelper: a dataset bound to a function or net.

On other hardware MindSpore sends whole epochs to the device ahead of time.  Here data is in memory anyway: each step
takes the next batch, and the results are those of a loop over the dataset.
"""
from __future__ import annotations

import functools
from collections.abc import Iterator

from graphcore.nn.cell import Cell

__all__ = ["DatasetHelper", "connect_network_with_dataset", "data_sink"]


def data_sink(fn, dataset, sink_size: int = 1, jit_config=None, input_signature=None):
    """A function without arguments that runs ``fn(*batch)`` on the next `sink_size` batches and gives the last result.

    The dataset begins anew at its end.  jit_config: fn is compiled.  input_signature: accepted, shapes are those of
    the batches.  Raises TypeError or ValueError unless sink_size is a positive int.
    """
    if not isinstance(sink_size, int) or isinstance(sink_size, bool):
        raise TypeError(f"For 'Data sink', the type of 'sink_size' must be int, but got {type(sink_size).__name__}.")
    if sink_size <= 0:
        raise ValueError(f"The 'sink_size' must be positive, but got sink_size {sink_size}.")
    if jit_config is not None and not isinstance(fn, Cell):
        from graphcore.capture.jit import jit
        fn = jit(fn)
    batches = _endless(dataset)

    @functools.wraps(fn)
    def sink_process(*args, **kwargs):
        result = None
        for _ in range(sink_size):
            result = fn(*next(batches))
        return result

    return sink_process


def _endless(dataset) -> Iterator[tuple]:
    while True:
        count = 0
        for batch in dataset.create_tuple_iterator(num_epochs=1):
            count += 1
            yield tuple(batch)
        if not count:
            raise ValueError("data_sink: the dataset has no batches")


class DatasetHelper:
    """Iterates over the batches of a dataset.

    dataset_sink_mode: the batches go to the net that `connect_network_with_dataset` gives, and the iterator yields
    empty tuples, sink_size of them (-1: all of an epoch).  epoch_num: how many epochs the iterator is good for, without
    sinking; -1 for any number.
    """

    def __init__(self, dataset, dataset_sink_mode: bool = True, sink_size: int = -1, epoch_num: int = 1):
        if not isinstance(dataset_sink_mode, bool):
            raise TypeError(f"dataset_sink_mode must be a bool, got {type(dataset_sink_mode).__name__}")
        if not isinstance(sink_size, int) or isinstance(sink_size, bool):
            raise TypeError(f"sink_size must be an int, got {type(sink_size).__name__}")
        if sink_size < -1 or sink_size == 0:
            raise ValueError(f"The 'sink_size' must be -1 or positive, but got sink_size {sink_size}.")
        self.dataset, self.sinks = dataset, dataset_sink_mode
        self._sink_size = dataset.get_dataset_size() if sink_size == -1 else sink_size
        self._batches = _endless(dataset) if dataset_sink_mode else dataset.create_tuple_iterator(num_epochs=epoch_num)

    def __iter__(self):
        return iter([()] * self._sink_size) if self.sinks else iter(self._batches)

    def next_batch(self) -> tuple:
        """The batch that a connected net takes."""
        return next(self._batches)

    def sink_size(self) -> int:
        """How many batches one round over the helper has."""
        return self._sink_size

    def types_shapes(self) -> tuple:
        """(dtypes, shapes) of the columns."""
        return self.dataset.output_types(), self.dataset.output_shapes()

    def stop_send(self) -> None:
        """Nothing is sent ahead."""

    continue_send = release = stop_send


class _Connected(Cell):
    """A net that takes its inputs from a helper."""

    def __init__(self, network, helper: DatasetHelper):
        super().__init__(auto_prefix=False, flags=network.get_flags())
        self.network, self._helper = network, helper

    def __call__(self, *inputs, **kwargs):
        return self.network(*self._helper.next_batch())


def connect_network_with_dataset(network, dataset_helper: DatasetHelper):
    """A Cell that is called without inputs and runs `network` on the next batch of a helper in sink mode.

    Raises RuntimeError for a helper that is not in sink mode.
    """
    if not dataset_helper.sinks:
        raise RuntimeError("The API 'connect_network_with_dataset' should be called in dataset sink mode.")
    return _Connected(network, dataset_helper)
