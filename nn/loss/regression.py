"""Losses between numbers: squared, absolute and robust differences, margins and distances."""
from __future__ import annotations

import math

import numpy as np

from graphcore import ops
from graphcore.capture.location import warn_user
from graphcore.errors import ShapeError
from graphcore.nn.arguments import boolean, number
from graphcore.nn.loss.base import LossBase

__all__ = ["MSELoss", "RMSELoss", "L1Loss", "MAELoss", "SmoothL1Loss", "HuberLoss", "MarginRankingLoss",
           "CosineEmbeddingLoss", "HingeEmbeddingLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
           "PoissonNLLLoss", "GaussianNLLLoss"]


class MSELoss(LossBase):
    """The squares of ``logits - labels``, reduced.  Both broadcast."""

    def construct(self, logits, labels):
        _warn_of_pairs(self.cls_name, logits, labels)
        return self.get_loss(ops.square(logits - labels))


class RMSELoss(LossBase):
    """The square root of the mean of the squares of ``logits - label``."""

    def __init__(self):
        super().__init__()

    def construct(self, logits, label):
        return ops.sqrt(self.get_loss(ops.square(logits - label)))


class L1Loss(LossBase):
    """``|logits - labels|``, reduced.  Both broadcast."""

    def construct(self, logits, labels):
        _warn_of_pairs(self.cls_name, logits, labels)
        return self.get_loss(ops.abs(logits - labels))


class MAELoss(LossBase):
    """The same as `L1Loss`."""

    def construct(self, logits, label):
        return self.get_loss(ops.abs(logits - label))


class SmoothL1Loss(LossBase):
    """With d = |logits - labels|: ``0.5 * d^2 / beta`` where d < beta, ``d - 0.5 * beta`` elsewhere.

    beta: a number >= 0 (0: `L1Loss`); reduction: "none" by default.  Raises ShapeError where the shapes differ.
    """

    def __init__(self, beta=1.0, reduction="none"):
        super().__init__(reduction)
        self.beta = number(beta, "beta", self.cls_name, low=0.0)

    def construct(self, logits, labels):
        _same_shape(self.cls_name, logits, labels)
        return ops.smooth_l1_loss(logits, labels, self.beta, self.reduction)


class HuberLoss(LossBase):
    """With d = |logits - labels|: ``d^2 / 2`` where d <= delta, ``delta * (d - delta / 2)`` elsewhere; delta > 0."""

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction)
        self.delta = number(delta, "delta", self.cls_name, low=0.0, open_low=True)

    def construct(self, logits, labels):
        return ops.huber_loss(logits, labels, self.reduction, self.delta)


class MarginRankingLoss(LossBase):
    """``max(0, -target * (input1 - input2) + margin)``; target is 1 or -1."""

    def __init__(self, margin=0.0, reduction="mean"):
        super().__init__(reduction)
        self.margin = number(margin, "margin", self.cls_name)

    def construct(self, input1, input2, target):
        return ops.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class CosineEmbeddingLoss(LossBase):
    """By the cosine c of each row of two inputs: ``1 - c`` where the label is 1, ``max(0, c - margin)`` where it is -1.

    logits_x1, logits_x2: (N, D); labels: (N,).  margin: in [-1, 1].  Raises ShapeError where the inputs' shapes differ.
    """

    def __init__(self, margin=0.0, reduction="mean"):
        super().__init__(reduction)
        self.margin = number(margin, "margin", self.cls_name, low=-1.0, high=1.0)

    def construct(self, logits_x1, logits_x2, labels):
        _same_shape(self.cls_name, logits_x1, logits_x2)
        return ops.cosine_embedding_loss(logits_x1, logits_x2, labels, self.margin, self.reduction)


class HingeEmbeddingLoss(LossBase):
    """``logits`` where the label is 1, ``max(0, margin - logits)`` where it is -1."""

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__(reduction)
        self.margin = number(margin, "margin", self.cls_name)

    def construct(self, logits, labels):
        return ops.hinge_embedding_loss(logits, labels, self.margin, self.reduction)


class TripletMarginLoss(LossBase):
    """``max(0, d(x, positive) - d(x, negative) + margin)``, d the p-norm of difference + `eps` over the last axis.

    swap: use d(positive, negative) where it is smaller than d(x, negative).  A margin other than 1 given to a call is
    used if the one of the layer is 1.
    """

    def __init__(self, p=2, swap=False, eps=1e-6, reduction="mean", margin=1.0):
        super().__init__(reduction)
        self.p, self.eps = number(p, "p", self.cls_name, low=0.0, open_low=True), number(eps, "eps", self.cls_name)
        self.swap = boolean(swap, "swap", self.cls_name)
        self.margin = number(margin, "margin", self.cls_name)

    def construct(self, x, positive, negative, margin=1.0):
        margin = self.margin if self.margin != 1.0 else margin
        return ops.triplet_margin_loss(x, positive, negative, margin, self.p, self.eps, self.swap, self.reduction)


class TripletMarginWithDistanceLoss(LossBase):
    """`TripletMarginLoss` with another distance.

    distance_function: of two tensors (N, D), giving (N,); None: the length of the difference.
    """

    def __init__(self, distance_function=None, swap=False, reduction="mean", margin=1.0):
        super().__init__(reduction)
        self.distance_function = _distance if distance_function is None else distance_function
        self.swap = boolean(swap, "swap", self.cls_name)
        self.margin = number(margin, "margin", self.cls_name)

    def construct(self, x, positive, negative):
        far = self.distance_function(x, negative)
        if self.swap:
            far = ops.minimum(far, self.distance_function(positive, negative))
        return self.get_loss(ops.relu(self.distance_function(x, positive) - far + self.margin))


def _distance(a, b):
    return ops.norm(a - b, dim=-1)


class PoissonNLLLoss(LossBase):
    """``exp(input) - target * input``, or without `log_input` ``input - target * log(input + eps)``.

    full: add Stirling's approximation of ``log(target!)`` where target > 1.
    """

    def __init__(self, log_input=True, full=False, eps=1e-8, reduction="mean"):
        super().__init__(reduction)
        self.log_input = boolean(log_input, "log_input", self.cls_name)
        self.full = boolean(full, "full", self.cls_name)
        self.eps = number(eps, "eps", self.cls_name)

    def construct(self, input, target):
        target = ops.cast(target, input.dtype)
        if self.log_input:
            loss = ops.exp(input) - target * input
        else:
            loss = input - target * ops.log(input + self.eps)
        if self.full:
            safe = ops.maximum(target, 1.0)
            stirling = (safe + 0.5) * ops.log(safe) - safe + 0.5 * math.log(2 * math.pi)
            loss = loss + ops.select(target > 1.0, stirling, ops.zeros_like(stirling))
        return self.get_loss(loss)


class GaussianNLLLoss(LossBase):
    """``0.5 * (log(v) + (logits - labels)^2 / v)``, v the larger of `var` and `eps`; full: plus ``0.5 * log(2 * pi)``.

    var: like logits, or without their last axis.
    """

    def __init__(self, *, full=False, eps=1e-6, reduction="mean"):
        super().__init__(reduction)
        self.full = boolean(full, "full", self.cls_name)
        self.eps = number(eps, "eps", self.cls_name, low=0.0, open_low=True)

    def construct(self, logits, labels, var):
        if len(var.shape) == len(logits.shape) - 1:
            var = ops.expand_dims(var, -1)
        return ops.gaussian_nll_loss(logits, labels, var, self.full, self.eps, self.reduction)


def _same_shape(owner, a, b):
    if tuple(a.shape) != tuple(b.shape):
        raise ShapeError(f"{owner} takes two inputs of one shape, got {tuple(a.shape)} and {tuple(b.shape)}")


def _warn_of_pairs(owner, logits, labels):
    """Warn where broadcasting compares each row with all others: (N, 1) with (N,) gives (N, N)."""
    a, b = tuple(logits.shape), tuple(labels.shape)
    if a == b or not all(isinstance(size, int) for size in (*a, *b)):
        return
    try:
        together = np.broadcast_shapes(a, b)
    except ValueError:
        return                  # the operator says it better
    if math.prod(together) > max(math.prod(a), math.prod(b)):
        warn_user(f"{owner}: shapes {a} and {b} broadcast to {together}, so that each element is compared with several "
                  "of the other; give both the same shape (reshape, expand_dims, squeeze)")
