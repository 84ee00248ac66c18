"""Primitives of sorted rows, sets, segments and sequences of symbols."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import shape_error
from graphcore.ops.functional.selecting import positions, size_from_data
from graphcore.ops.host import on_host
from graphcore.ops.primitives.base import primitive
from graphcore.tensor import Tensor


@primitive
def ListDiff(x, y, *, out_idx=dt.int32):
    """(the elements of the vector x that y lacks, their places); how many depends on the data, see `ops.nonzero`."""
    lacking = F.logical_not(F.isin(x, y))
    places = positions(lacking, "ListDiff")
    return F.gather(x, places, 0), F.cast(places, out_idx)


@primitive
def UniqueWithPad(x, pad_num):
    """(distinct elements of the vector x as they first come, filled up with `pad_num`; their number for each of x)."""
    return F.unique_with_pad(x, pad_num)


def _bound(name: str, right: bool, summary: str) -> type:
    def bound(sorted_x, values, *, out_type=dt.int32):
        return F.cast(F.searchsorted(sorted_x, values, right=right), out_type)
    bound.__name__, bound.__module__, bound.__doc__ = name, __name__, summary
    return primitive(bound)


LowerBound = _bound("LowerBound", False, "How many elements of each sorted row are smaller than each value.")
UpperBound = _bound("UpperBound", True, "How many elements of each sorted row are at most each value.")


def _segments(name: str, combine, summary: str) -> type:
    def segments(input_x, segment_ids):
        ids = F.cast(segment_ids, dt.int64)
        count = size_from_data(ids[-1] + 1, name) if ids.shape[0] else 0
        return combine(input_x, segment_ids, count)
    segments.__name__, segments.__module__, segments.__doc__ = name, __name__, summary
    return primitive(segments)


def _mean(x, ids, count):
    sums = F.unsorted_segment_sum(x, ids, count)
    counts = F.unsorted_segment_sum(F.ones(ids.shape, x.dtype), ids, count)
    return sums / F.reshape(F.maximum(counts, 1), (-1, *(1,) * (x.ndim - 1)))


def _filled(function):
    """Empty segments hold zeros, not the smallest or largest number."""
    def combine(x, ids, count):
        counts = F.unsorted_segment_sum(F.ones(ids.shape, dt.int32), ids, count)
        shape = (-1, *(1,) * (x.ndim - 1))
        return F.where(F.reshape(counts > 0, shape), function(x, ids, count), Tensor(0, x.dtype))
    return combine


_OF_SORTED = "of the slices of x with the same number; numbers are in order, numbers without a slice give {}."
SegmentSum = _segments("SegmentSum", F.unsorted_segment_sum, "The sums " + _OF_SORTED.format(0))
SegmentProd = _segments("SegmentProd", F.unsorted_segment_prod, "The products " + _OF_SORTED.format(1))
SegmentMean = _segments("SegmentMean", _mean, "The means " + _OF_SORTED.format(0))
SegmentMax = _segments("SegmentMax", _filled(F.unsorted_segment_max), "The maxima " + _OF_SORTED.format(0))
SegmentMin = _segments("SegmentMin", _filled(F.unsorted_segment_min), "The minima " + _OF_SORTED.format(0))


@primitive
def NthElement(input, n, *, reverse=False):
    """The element that stands at place `n` of each sorted row; reverse: counted from the largest."""
    ordered, _ = F.sort(input, -1, reverse)
    return F.squeeze(F.gather(ordered, F.reshape(Tensor(n) if isinstance(n, int) else n, (1,)), input.ndim - 1), -1)


@primitive
def EditDistance(hypothesis_indices, hypothesis_values, hypothesis_shape, truth_indices, truth_values, truth_shape, *,
                 normalize=True):
    """The least number of insertions, deletions and changes between pairs of sequences, given as sparse tensors.

    indices: int64 [N, rank], values: [N], shape: int64 [rank]: the last axis is along the sequences.  The result is
    float32, of the shape of both without the last axis.  normalize: divided by the length of the true sequence.
    """
    sizes = [int(max(h, t)) for h, t in zip(hypothesis_shape.tolist(), truth_shape.tolist())][:-1]

    def compute(hypothesis_places, hypotheses, truth_places, truths):
        first, second = _sequences(hypothesis_places, hypotheses), _sequences(truth_places, truths)
        found = np.zeros(sizes, np.float32)
        for place in np.ndindex(*sizes):
            one, other = first.get(place, []), second.get(place, [])
            steps = _steps_between(one, other)
            found[place] = steps if not normalize else steps / len(other) if other else float("inf") if one else 0.0
        return found

    given = [hypothesis_indices, hypothesis_values, truth_indices, truth_values]
    return on_host("EditDistance", compute, given, [(dt.float32, tuple(sizes))])


def _sequences(places, values) -> dict:
    """The place of each sequence → its symbols, in order."""
    found: dict = {}
    for place, value in sorted(zip(map(tuple, places.tolist()), values.tolist())):
        found.setdefault(place[:-1], []).append(value)
    return found


def _steps_between(one: list, other: list) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@primitive
def NoRepeatNGram(state_seq, log_probs, *, ngram_size=1):
    """log_probs [N, beams, symbols] with the lowest number where a symbol would repeat `ngram_size` symbols in a row.

    state_seq: [N, beams, length], the symbols so far.
    """
    if not 1 <= ngram_size <= state_seq.shape[-1]:
        raise shape_error(f"NoRepeatNGram: ngram_size must lie between 1 and the length {state_seq.shape[-1]} of the "
                          f"sequences, got {ngram_size}")
    length, symbols = state_seq.shape[-1], log_probs.shape[-1]
    starts = length - ngram_size + 1
    last = state_seq[..., length - ngram_size + 1:]
    barred = F.zeros(log_probs.shape, dt.bool_)
    for start in range(starts):
        same = F.ones(state_seq.shape[:-1], dt.bool_)
        for k in range(ngram_size - 1):
            same = F.logical_and(same, state_seq[..., start + k] == last[..., k])
        hit = F.one_hot(F.cast(state_seq[..., start + ngram_size - 1], dt.int32), symbols, 1, 0) > 0
        barred = F.logical_or(barred, F.logical_and(F.expand_dims(same, -1), hit))
    lowest = float(np.finfo(log_probs.dtype.storage).min)
    return F.where(barred, Tensor(lowest, log_probs.dtype), log_probs)


@primitive
def CompareAndBitpack(x, threshold):
    """Whether each element of x [..., 8 n] is above `threshold`, eight to a uint8, the first in the highest bit."""
    if not x.ndim or x.shape[-1] % 8:
        raise shape_error(f"CompareAndBitpack: the last axis must be a multiple of 8, got shape {x.shape}")
    bits = F.cast(F.reshape(x > threshold, (*x.shape[:-1], -1, 8)), dt.int32)
    return F.cast(F.sum(bits * Tensor(2 ** np.arange(7, -1, -1), dt.int32), -1), dt.uint8)


__all__ = [n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__]
