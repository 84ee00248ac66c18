"""CTC loss: how unlikely it is that scores over time spell a row of labels, over all ways to align the two."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, cast, dt, dtype_error, floating, shape_error, tensor_of, widened
from graphcore.ops.functional.arithmetic import add, div, floor_div, maximum, sub
from graphcore.ops.functional.comparison import logical_and, not_equal, where
from graphcore.ops.functional.creation import full_like
from graphcore.ops.functional.elementary import exp, log, neg
from graphcore.ops.functional.indexing import gather, gather_elements
from graphcore.ops.functional.joining import concat, stack
from graphcore.ops.functional.loss import reduced
from graphcore.ops.functional.ordering import cumsum
from graphcore.ops.functional.program import stop_gradient
from graphcore.ops.functional.reduction import amax, mean, sum
from graphcore.ops.functional.reduction import max as largest_of
from graphcore.ops.functional.selecting import positions
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, reshape, swapaxes

__all__ = ["ctc_loss", "ctc_greedy_decoder"]

_NEVER = -1e30      # the logarithm of no chance at all; infinities would leave NaN in differences


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """(the negative logarithm of the chance of each row of labels, the logarithms of the chances of its beginnings).

    log_probs: log probabilities [T, N, C], or [T, C] of one sample; targets: int labels [N, S]; input_lengths,
    target_lengths: [N], how many steps and labels of each sample count; blank: the class of no label.
    reduction: "mean" divides each loss by the number of its labels first.  zero_infinity: labels that the steps are too
    few for cost 0 instead of infinity.  The second result has shape [N, T, 2 S + 1], a blank before, between and after
    the labels.  The gradient is the one for inputs that come from log_softmax.
    Raises ShapeError for shapes that do not fit and a `blank` out of range, DTypeError for dtypes.
    """
    scores, labels = floating(tensor_of(log_probs, "ctc_loss")), tensor_of(targets, "ctc_loss")
    one = scores.ndim == 2
    if one:
        scores, labels = expand_dims(scores, 1), reshape(labels, (1, -1))
    steps, samples, classes = _sizes(scores, labels, blank)
    steps_of, labels_of = (reshape(cast(tensor_of(lengths, "ctc_loss"), dt.int32), (samples,))
                           for lengths in (input_lengths, target_lengths))
    wide, labels = widened(scores), cast(labels, dt.int32)
    places, may_skip = _with_blanks(labels, blank)
    width = places.shape[1]
    chances = gather_elements(wide, 2, broadcast_to(expand_dims(places, 0), (steps, samples, width)))
    times = Tensor(np.arange(steps, dtype=np.int32).reshape(-1, 1, 1))
    counts = times < reshape(steps_of, (1, samples, 1))
    last, beginnings = _walk(chances, counts, may_skip)
    loss = neg(_at_the_end(last, labels_of))
    loss = where(loss > -_NEVER / 10, 0.0 if zero_infinity else float("inf"), loss)
    # MindSpore's gradient takes the scores for normalised ones: what normalising would add is added here.
    mass = sum(where(counts, exp(wide), 0.0), (0, 2))
    loss = cast(add(loss, sub(mass, stop_gradient(mass))), scores.dtype)
    if reduction == "mean":
        loss = mean(div(loss, cast(maximum(labels_of, 1), loss.dtype)))
    else:
        loss = reduced(loss, reduction)
    return reshape(loss, ()) if one and loss.size == 1 else loss, cast(swapaxes(beginnings, 0, 1), scores.dtype)


def _sizes(scores: Tensor, labels: Tensor, blank: int) -> tuple:
    if scores.ndim != 3 or labels.ndim != 2 or labels.shape[0] != scores.shape[1]:
        raise shape_error(f"ctc_loss takes log probabilities [T, N, C] and labels [N, S], got shapes {scores.shape} "
                          f"and {labels.shape}")
    if not labels.dtype.is_integer:
        raise dtype_error(f"ctc_loss takes integer labels, got {labels.dtype.name}")
    if isinstance(blank, bool) or not isinstance(blank, int) or not 0 <= blank < scores.shape[2]:
        raise shape_error(f"ctc_loss: blank must be one of the {scores.shape[2]} classes, got {blank!r}")
    return scores.shape


def _with_blanks(labels: Tensor, blank: int) -> tuple:
    """(labels [N, 2 S + 1] with blanks around each, bool: whether the blank before a label may be left out)."""
    blanks = full_like(labels, blank)
    places = reshape(stack([blanks, labels], -1), (labels.shape[0], -1))
    places = concat([places, blanks[:, :1]], 1) if labels.shape[1] else full_like(labels[:, :1], blank)
    before = concat([full_like(places[:, :2], blank), places[:, :-2]], 1)[:, :places.shape[1]]
    return places, logical_and(not_equal(places, blank), not_equal(places, before))


def _walk(chances: Tensor, counts: Tensor, may_skip: Tensor) -> tuple:
    """The logarithms of the chances of all beginnings of labels: ([N, L] after the last step, [T, N, L])."""
    from graphcore.ops.control import scan
    steps, _, width = chances.shape
    start = where(Tensor(np.arange(width) < 2), chances[0], _NEVER)
    if steps == 1:
        return start, expand_dims(start, 0)

    def step(state, row):
        chance, counted = row
        never = full_like(state[:, :2], _NEVER)
        from_before = concat([never[:, :1], state[:, :-1]], 1)
        from_two_before = where(may_skip, concat([never, state[:, :-2]], 1)[:, :width], _NEVER)
        new = where(counted, add(_log_sum(state, from_before, from_two_before), chance), state)
        return new, new

    last, others = scan(step, start, (chances[1:], counts[1:]))
    return last, concat([expand_dims(start, 0), others], 0)


def _log_sum(*logarithms: Tensor) -> Tensor:
    """The logarithm of the sum of numbers given by their logarithms."""
    top = stop_gradient(amax(stack(logarithms, 0), 0))
    total = exp(sub(logarithms[0], top))
    for other in logarithms[1:]:
        total = add(total, exp(sub(other, top)))
    return add(top, log(total))


def _at_the_end(last: Tensor, labels_of: Tensor) -> Tensor:
    """The logarithm of the chance of all labels, with or without a blank after them."""
    end = expand_dims(labels_of * 2, 1)
    without = gather_elements(last, 1, maximum(end - 1, 0))
    without = where(end > 0, without, _NEVER)
    return reshape(_log_sum(gather_elements(last, 1, end), without), (-1,))


def ctc_greedy_decoder(inputs, sequence_length, merge_repeated=True):
    """The best class at each step of scores [T, N, C], without blanks, the last class.

    sequence_length: [N], how many steps count; merge_repeated: a class that goes on for several steps is one label.
    Gives (int64 [labels, 2]: the sample and number of each label; int64 [labels]: the labels; int64 [2]: how many
    samples there are, and the most labels of one; [N, 1]: minus the sum of the best scores).  The number of labels
    depends on the data: see `ops.nonzero` for captures.
    """
    scores, lengths = tensor_of(inputs, "ctc_greedy_decoder"), tensor_of(sequence_length, "ctc_greedy_decoder")
    if scores.ndim != 3 or lengths.shape != scores.shape[1:2]:
        raise shape_error(f"ctc_greedy_decoder takes scores [T, N, C] and lengths [N], got shapes {scores.shape} and "
                          f"{lengths.shape}")
    steps, samples, classes = scores.shape
    best, labels = (swapaxes(v, 0, 1) for v in largest_of(scores, 2))
    counts = Tensor(np.arange(steps)) < expand_dims(cast(lengths, dt.int64), 1)
    kept = logical_and(counts, not_equal(labels, classes - 1))
    if merge_repeated:
        before = concat([full_like(labels[:, :1], -1), labels[:, :-1]], 1)
        kept = logical_and(kept, not_equal(labels, before))
    number = cumsum(cast(kept, dt.int64), 1)
    places = positions(kept, "ctc_greedy_decoder")
    found = stack([floor_div(places, steps), gather(reshape(number, (-1,)), places, 0) - 1], 1)
    most = amax(number[:, -1])
    return (found, gather(reshape(labels, (-1,)), places, 0), stack([full_like(most, samples), most], 0),
            neg(sum(where(counts, best, 0.0), 1, keepdim=True)))


def ctc_of_logits(logits: np.ndarray, labels: list, steps_of: np.ndarray, merge_repeated: bool) -> tuple:
    """(loss [N], its gradient [T, N, C]) of scores before softmax, in NumPy; the blank is the last class.

    labels: the labels of each sample; merge_repeated: whether a label may take several steps, so that one that comes
    twice needs a blank in between.  A sample whose labels do not fit into its steps costs infinity, its gradient is 0.
    """
    scores = logits.astype(np.float64)
    scores = scores - scores.max(-1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(-1, keepdims=True))
    losses, gradient = np.zeros(logits.shape[1], logits.dtype), np.zeros_like(logits)
    for n, row in enumerate(labels):
        loss, slope = _one_sample(scores[:steps_of[n], n], row, merge_repeated)
        losses[n], gradient[:steps_of[n], n] = loss, slope
    return losses, gradient


def _one_sample(scores: np.ndarray, labels: list, merge_repeated: bool) -> tuple:
    steps, classes = scores.shape
    places = np.full(2 * len(labels) + 1, classes - 1)
    places[1::2] = labels
    may_stay = (places == classes - 1) | merge_repeated
    may_skip = np.zeros(len(places), bool)
    may_skip[3::2] = (places[3::2] != places[1:-2:2]) | (not merge_repeated)
    chances = scores[:, places]
    with np.errstate(divide="ignore", invalid="ignore"):
        forward = _beginnings(chances, may_stay, may_skip)
        # Walked from the end, a label may be left for the one that was allowed to skip to it.
        turned = np.append(np.zeros(2, bool), may_skip[2:][::-1])
        backward = _beginnings(chances[::-1, ::-1], may_stay[::-1], turned)[::-1, ::-1]
        total = np.logaddexp.reduce(forward[-1, -2:])
        if not np.isfinite(total):
            return np.inf, np.zeros_like(scores)
        shares = np.exp(forward + backward - chances - total)
    slope = np.exp(scores)
    for place, share in zip(places, shares.T):
        slope[:, place] -= share
    return -total, slope


def _beginnings(chances: np.ndarray, may_stay: np.ndarray, may_skip: np.ndarray) -> np.ndarray:
    """[steps, places]: the logarithm of the chance to be at a place after a step."""
    found = np.full_like(chances, -np.inf)
    found[0, :2] = chances[0, :2]
    for t in range(1, len(chances)):
        before = found[t - 1]
        new = np.where(may_stay, before, -np.inf)
        new[1:] = np.logaddexp(new[1:], before[:-1])
        new[2:] = np.logaddexp(new[2:], np.where(may_skip[2:], before[:-2], -np.inf))
        found[t] = new + chances[t]
    return found
