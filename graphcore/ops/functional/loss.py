"""Loss functions.

reduction: "mean", "sum" or "none"; anything else is a ValueError.
"""
from __future__ import annotations

import math

from graphcore.ops import pointwise as pw
from graphcore.ops.functional.activation import log_softmax, logsigmoid
from graphcore.ops.functional.arguments import (
    Tensor,
    also_named,
    apply,
    cast,
    dt,
    dtype_error,
    floating,
    operands,
    shape_error,
    tensor_of,
    widened,
)
from graphcore.ops.functional.arithmetic import add, clamp, div, maximum, mul, sub
from graphcore.ops.functional.comparison import less, logical_and, logical_not, where
from graphcore.ops.functional.creation import is_class
from graphcore.ops.functional.elementary import abs, log, neg, square
from graphcore.ops.functional.ordering import cumprod
from graphcore.ops.functional.reduction import any, mean, norm, sum
from graphcore.ops.functional.shaping import expand_dims, reshape

__all__ = [
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div", "mse_loss",
    "l1_loss", "smooth_l1_loss", "huber_loss", "cosine_similarity", "cosine_embedding_loss", "margin_ranking_loss",
    "hinge_embedding_loss", "soft_margin_loss", "multilabel_soft_margin_loss", "multi_margin_loss",
    "multilabel_margin_loss", "triplet_margin_loss", "gaussian_nll_loss",
]


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or the losses themselves."""
    if reduction == "mean":
        return mean(loss)
    if reduction == "sum":
        return sum(loss)
    if reduction == "none":
        return loss
    raise shape_error(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def _pair(name, input, target):
    a, b = operands(tensor_of(input, name), tensor_of(target, name), name=name)
    return floating(a), floating(b)


# -- classes ----------------------------------------------------------------------------------------------

@also_named(logits="input", labels="target")
def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """The cross entropy of softmax(input) and `target`.

    input: logits [C], [N, C] or [N, C, d1, ...]; target: class indices without the axis C (integers), or probabilities
    in the shape of `input` (floats); weight: a factor for each class, [C]; ignore_index: a class index that does not
    count.  "mean" divides by the sum of the weights of the targets (probabilities: by N * d1 * ...).
    Raises ShapeError if shapes do not fit, ValueError for label_smoothing outside [0, 1].
    """
    x = floating(tensor_of(input, "cross_entropy"))
    target = tensor_of(target, "cross_entropy")
    if x.ndim == 0:
        raise shape_error("cross_entropy takes logits of at least one axis, got a 0-d tensor")
    scores = log_softmax(x, 1 if x.ndim > 1 else 0)
    if target.dtype.is_integer:
        return nll_loss(scores, target, weight, ignore_index, reduction, label_smoothing)
    return _soft_cross_entropy(scores, target, weight, reduction, label_smoothing)


def _soft_cross_entropy(scores, target, weight, reduction, smoothing):
    if target.shape != scores.shape:
        raise shape_error(f"cross_entropy: probabilities of shape {target.shape} for logits of shape {scores.shape}; "
                          "class indices are integers and lack the axis of the classes")
    channel, classes = _channel(scores)
    target = cast(target, scores.dtype)
    if smoothing:
        target = add(mul(target, 1.0 - smoothing), smoothing / classes)
    terms = mul(scores, target)
    if weight is not None:
        terms = mul(terms, _by_channel(weight, scores))
    losses = neg(sum(terms, channel))
    if reduction == "mean":
        count = scores.size // classes
        return div(sum(losses), float(count)) if isinstance(count, int) else mean(losses)
    return reduced(losses, reduction)


def _channel(scores: Tensor) -> tuple:
    """(axis of the classes, their number)."""
    axis = 1 if scores.ndim > 1 else 0
    return axis, scores.shape[axis]


def _by_channel(weight, scores: Tensor) -> Tensor:
    """Weights of the classes in a shape that broadcasts against `scores`."""
    weight, (axis, classes) = tensor_of(weight, "the weight of a loss"), _channel(scores)
    if weight.shape != (classes,):
        raise shape_error(f"the weight must have one entry for each of the {classes} classes, got shape {weight.shape}")
    return cast(reshape(weight, tuple(classes if i == axis else 1 for i in range(scores.ndim))), scores.dtype)


@also_named(input="inputs", labels="target", logits="inputs")
def nll_loss(inputs, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """The negative of the log probability `inputs` at the class `target`.

    inputs: log probabilities [C], [N, C] or [N, C, d1, ...]; target: integers without the axis C.  Other arguments as
    in `cross_entropy`.
    """
    scores, labels = floating(tensor_of(inputs, "nll_loss")), tensor_of(target, "nll_loss")
    if not labels.dtype.is_integer:
        raise dtype_error(f"nll_loss takes integer class indices, got {labels.dtype.name}")
    axis, classes = _channel(scores)
    if labels.shape != scores.shape[:axis] + scores.shape[axis + 1:]:
        raise shape_error(f"class indices of shape {labels.shape} do not fit scores of shape {scores.shape}; they lack "
                          f"the axis {axis} of the classes")
    if not 0 <= label_smoothing <= 1:
        raise shape_error(f"label_smoothing must be between 0 and 1, got {label_smoothing}")
    scores_wide = widened(scores)
    hit = is_class(labels, classes, axis)
    counts = apply(pw.ne, labels, Tensor(ignore_index, labels.dtype))
    weights = None if weight is None else _by_channel(weight, scores_wide)
    weighted = scores_wide if weights is None else mul(scores_wide, weights)
    losses = neg(sum(where(hit, weighted, 0.0), axis))
    if label_smoothing:
        spread = neg(sum(weighted, axis))
        losses = add(mul(losses, 1.0 - label_smoothing), mul(spread, label_smoothing / classes))
    losses = where(counts, losses, 0.0)
    if reduction != "mean":
        return cast(reduced(losses, reduction), scores.dtype)
    share = cast(counts, losses.dtype)
    if weights is not None:
        share = mul(share, sum(where(hit, weights, 0.0), axis))
    return cast(div(sum(losses), sum(share)), scores.dtype)


def binary_cross_entropy(logits, labels, weight=None, reduction="mean"):
    """-(y log p + (1 - y) log(1 - p)) of probabilities p and labels y, logarithms cut off at p = 1e-12.

    Raises ShapeError if the shapes differ.
    """
    p, y = _pair("binary_cross_entropy", logits, labels)
    if p.shape != y.shape:
        raise shape_error(f"binary_cross_entropy: probabilities of shape {p.shape} and labels of shape {y.shape}")
    tiny = 1e-12
    loss = neg(add(mul(y, log(maximum(p, tiny))), mul(1.0 - y, log(maximum(1.0 - p, tiny)))))
    return reduced(loss if weight is None else mul(loss, weight), reduction)


@also_named(logits="input", label="target", labels="target")
def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction="mean"):
    """Binary cross entropy of sigmoid(input) and `target`, without loss of accuracy.

    weight: factor for each element; pos_weight: factor for the positive term; both broadcast.
    Raises ShapeError if the shapes differ.
    """
    x, y = _pair("binary_cross_entropy_with_logits", input, target)
    if x.shape != y.shape:
        raise shape_error(f"binary_cross_entropy_with_logits: logits of shape {x.shape}, labels of shape {y.shape}")
    wide_x, wide_y = widened(x), widened(y)
    if pos_weight is None:
        loss = sub(softplus_of(wide_x), mul(wide_x, wide_y))
    else:
        factor = add(mul(sub(pos_weight, 1.0), wide_y), 1.0)
        loss = add(mul(1.0 - wide_y, wide_x), mul(factor, softplus_of(neg(wide_x))))
    return cast(reduced(loss if weight is None else mul(loss, weight), reduction), x.dtype)


def softplus_of(x: Tensor) -> Tensor:
    """log(1 + e^x), exactly."""
    return neg(logsigmoid(neg(x)))


def kl_div(logits, labels, reduction="mean"):
    """labels * (log(labels) - logits), 0 where labels are 0; logits are log probabilities.

    reduction: also "batchmean", the sum divided by the size of the first axis.
    """
    x, y = _pair("kl_div", logits, labels)
    positive = y > 0
    loss = where(positive, mul(y, sub(log(where(positive, y, 1.0)), x)), 0.0)
    if reduction == "batchmean":
        return div(sum(loss), float(x.shape[0]))
    return reduced(loss, reduction)


# -- distances --------------------------------------------------------------------------------------------

@also_named(logits="input", labels="target")
def mse_loss(input, target, reduction="mean"):
    """(input - target)^2, the shapes broadcast."""
    return reduced(square(sub(*_pair("mse_loss", input, target))), reduction)


@also_named(logits="input", labels="target")
def l1_loss(input, target, reduction="mean"):
    """|input - target|, the shapes broadcast."""
    return reduced(abs(sub(*_pair("l1_loss", input, target))), reduction)


@also_named(logits="input", labels="target")
def smooth_l1_loss(input, target, beta=1.0, reduction="none"):
    """0.5 * d^2 / beta where the difference d is below `beta`, |d| - beta / 2 elsewhere.

    Raises ValueError unless beta is positive (0 gives l1_loss).
    """
    if beta < 0:
        raise shape_error(f"smooth_l1_loss: beta must not be negative, got {beta}")
    distance = abs(sub(*_pair("smooth_l1_loss", input, target)))
    if beta == 0:
        return reduced(distance, reduction)
    near = mul(square(distance), 0.5 / beta)
    return reduced(where(less(distance, beta), near, sub(distance, 0.5 * beta)), reduction)


def huber_loss(input, target, reduction="mean", delta=1.0):
    """0.5 * d^2 where the difference d is at most `delta`, delta * (|d| - delta / 2) elsewhere."""
    if delta <= 0:
        raise shape_error(f"huber_loss: delta must be positive, got {delta}")
    return reduced(mul(smooth_l1_loss(input, target, delta), delta), reduction)


def cosine_similarity(x1, x2, dim=1, eps=1e-08):
    """The cosine of the angle between vectors along `dim`, lengths limited below to `eps`."""
    a, b = _pair("cosine_similarity", x1, x2)
    lengths = mul(maximum(norm(a, dim=dim), eps), maximum(norm(b, dim=dim), eps))
    return div(sum(mul(a, b), dim), lengths)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """1 - cosine where target is 1, max(0, cosine - margin) where it is -1."""
    cosine = cosine_similarity(input1, input2, dim=-1)
    target = tensor_of(target, "cosine_embedding_loss")
    loss = where(target == 1, 1.0 - cosine, where(target == -1, maximum(sub(cosine, margin), 0.0), 0.0))
    return reduced(loss, reduction)


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """max(0, -target * (input1 - input2) + margin)."""
    return reduced(maximum(add(mul(neg(tensor_of(target, "margin_ranking_loss")), sub(input1, input2)), margin), 0.0),
                   reduction)


def hinge_embedding_loss(inputs, targets, margin=1.0, reduction="mean"):
    """The input where the target is 1, max(0, margin - input) where it is -1."""
    x, y = _pair("hinge_embedding_loss", inputs, targets)
    return reduced(where(y == 1, x, maximum(sub(float(margin), x), 0.0)), reduction)


def soft_margin_loss(input, target, reduction="mean"):
    """log(1 + e^(-target * input))."""
    x, y = _pair("soft_margin_loss", input, target)
    return reduced(neg(logsigmoid(mul(x, y))), reduction)


def multilabel_soft_margin_loss(input, target, weight=None, reduction="mean"):
    """The mean over the classes (last axis) of binary cross entropy with logits."""
    x, y = _pair("multilabel_soft_margin_loss", input, target)
    loss = neg(add(mul(y, logsigmoid(x)), mul(1.0 - y, logsigmoid(neg(x)))))
    return reduced(mean(loss if weight is None else mul(loss, weight), -1), reduction)


def multi_margin_loss(input, target, p=1, margin=1, weight=None, reduction="mean"):
    """By how much other classes come within `margin` of the right one: sum((weight * gap)^p) / C over the others.

    input: scores [N, C]; target: class indices [N]; p: 1 or 2; weight: [C], one number for the right class of each.
    """
    x, labels = floating(tensor_of(input, "multi_margin_loss")), tensor_of(target, "multi_margin_loss")
    if x.ndim != 2 or labels.shape != x.shape[:1]:
        raise shape_error(f"multi_margin_loss takes scores [N, C] and classes [N], got shapes {x.shape} and "
                          f"{labels.shape}")
    if p not in (1, 2):
        raise shape_error(f"multi_margin_loss: p must be 1 or 2, got {p!r}")
    right = is_class(labels, x.shape[1], 1)
    own = sum(where(right, x, 0.0), 1, keepdim=True)
    gap = maximum(add(sub(x, own), float(margin)), 0.0)
    loss = square(gap) if p == 2 else gap
    if weight is not None:
        loss = mul(loss, sum(where(right, weight, 0.0), 1, keepdim=True))
    return reduced(div(sum(where(right, 0.0, loss), 1), float(x.shape[1])), reduction)


def multilabel_margin_loss(input, target, reduction="mean"):
    """By how much classes that do not hold come within 1 of those that hold: the sum over all pairs, divided by C.

    input: scores [N, C] or [C]; target: of this shape, the classes that hold, followed by -1.
    """
    x, labels = floating(tensor_of(input, "multilabel_margin_loss")), tensor_of(target, "multilabel_margin_loss")
    if x.ndim not in (1, 2) or labels.shape != x.shape:
        raise shape_error(f"multilabel_margin_loss takes scores [N, C] or [C] and classes of this shape, got shapes "
                          f"{x.shape} and {labels.shape}")
    classes = x.shape[-1]
    counts = cumprod(cast(labels >= 0, dt.int32), -1) > 0       # up to the first -1
    holds = any(logical_and(is_class(labels, classes, -1 % (labels.ndim + 1)), expand_dims(counts, -1)), -2)
    own, others = expand_dims(x, -1), expand_dims(x, -2)
    pairs = logical_and(expand_dims(holds, -1), logical_not(expand_dims(holds, -2)))
    gaps = where(pairs, maximum(add(sub(others, own), 1.0), 0.0), 0.0)
    return reduced(div(sum(gaps, (-2, -1)), float(classes)), reduction)


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-06, swap=False, reduction="mean"):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d the p-norm along the last axis."""
    def distance(a, b):
        return norm(add(sub(a, b), eps), p, -1)
    far = distance(anchor, negative)
    if swap:
        far = -maximum(-far, -distance(positive, negative))
    return reduced(maximum(add(sub(distance(anchor, positive), far), float(margin)), 0.0), reduction)


def gaussian_nll_loss(x, target, var, full=False, eps=1e-06, reduction="mean"):
    """0.5 * (log(var) + (x - target)^2 / var), var limited below to `eps`; `full` adds log(2 pi) / 2."""
    var = clamp(floating(tensor_of(var, "gaussian_nll_loss")), min=eps)
    loss = mul(add(log(var), div(square(sub(x, target)), var)), 0.5)
    return reduced(add(loss, 0.5 * math.log(2 * math.pi)) if full else loss, reduction)
