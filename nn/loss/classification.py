"""Losses between scores or probabilities and classes."""
from __future__ import annotations

from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.nn.arguments import boolean, number
from graphcore.nn.layers.activation import get_activation
from graphcore.nn.loss.base import LossBase
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["SoftmaxCrossEntropyWithLogits", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss",
           "SoftMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "MultilabelMarginLoss", "FocalLoss",
           "DiceLoss", "MultiClassDiceLoss"]


class SoftmaxCrossEntropyWithLogits(LossBase):
    """``-sum(labels * log_softmax(logits))`` over the last axis.

    sparse: labels are class indices, int32 or int64 (N,); otherwise probabilities (N, C) like logits.
    reduction: "none" by default, giving (N,).  Raises ShapeError where labels do not fit the logits.
    """

    def __init__(self, sparse=False, reduction="none"):
        super().__init__(reduction)
        self.sparse = boolean(sparse, "sparse", self.cls_name)

    def construct(self, logits, labels):
        expected = tuple(logits.shape)[:-1] if self.sparse else tuple(logits.shape)
        if tuple(labels.shape) != expected:
            raise ShapeError(f"{self.cls_name}(sparse={self.sparse}): logits of shape {tuple(logits.shape)} need "
                             f"labels of shape {expected}, got {tuple(labels.shape)}")
        if self.sparse:
            rows, places = ops.reshape(logits, (-1, logits.shape[-1])), ops.reshape(labels, (-1,))
            return self.get_loss(ops.reshape(ops.cross_entropy(rows, places, reduction="none"), expected))
        return self.get_loss(-ops.sum(labels * ops.log_softmax(logits, -1), -1))


def check_weight(weight, owner):
    """`weight` if it is a float Tensor or None.  Raises TypeError."""
    if weight is not None and (not isinstance(weight, Tensor) or not weight.dtype.is_float):
        raise TypeError(f"{owner}: weight must be a float Tensor with one number per class, got a "
                        f"{type(weight).__name__}")
    return weight


def _index(value, owner) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{owner}: ignore_index must be an int, got {value!r}")
    return value


class CrossEntropyLoss(LossBase):
    """Cross entropy of logits with class indices or probabilities; see `ops.cross_entropy`.

    weight: a float Tensor (C,), one number per class.  ignore_index: labels that do not count.  label_smoothing: in
    [0, 1].  logits: (N, C, ...) or (C,); labels: indices (N, ...) or probabilities like logits.
    """

    def __init__(self, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
        super().__init__(reduction)
        self.weight = check_weight(weight, self.cls_name)
        self.ignore_index = _index(ignore_index, self.cls_name)
        self.label_smoothing = number(label_smoothing, "label_smoothing", self.cls_name, low=0.0, high=1.0)

    def construct(self, logits, labels):
        return ops.cross_entropy(logits, labels, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


class NLLLoss(LossBase):
    """Negative log likelihood of log probabilities (N, C, ...) with class indices (N, ...); see `ops.nll_loss`."""

    def __init__(self, weight=None, ignore_index=-100, reduction="mean"):
        super().__init__(reduction)
        self.weight = check_weight(weight, self.cls_name)
        self.ignore_index = _index(ignore_index, self.cls_name)

    def construct(self, logits, labels):
        return ops.nll_loss(logits, labels, self.weight, self.ignore_index, self.reduction)


class BCELoss(LossBase):
    """Binary cross entropy of probabilities: ``-(y * log(p) + (1 - y) * log(1 - p))``, times `weight`."""

    def __init__(self, weight=None, reduction="mean"):
        super().__init__(reduction)
        self.weight = weight

    def construct(self, logits, labels):
        return ops.binary_cross_entropy(logits, labels, self.weight, self.reduction)


class BCEWithLogitsLoss(LossBase):
    """Binary cross entropy of scores: `BCELoss` of ``sigmoid(input)``, stable for large scores.

    weight: multiplies each term; pos_weight: multiplies the terms of positive labels.  Tensors that broadcast, or None.
    """

    def __init__(self, reduction="mean", weight=None, pos_weight=None):
        super().__init__(reduction)
        for name, value in (("weight", weight), ("pos_weight", pos_weight)):
            if isinstance(value, Parameter):
                raise TypeError(f"{self.cls_name}: {name} must be a Tensor, not a Parameter: it is not trained")
        self.weight, self.pos_weight = weight, pos_weight

    def construct(self, input, target):
        return ops.binary_cross_entropy_with_logits(input, target, self.weight, self.pos_weight, self.reduction)


class KLDivLoss(LossBase):
    """``labels * (log(labels) - logits)`` for log probabilities `logits`; reduction also "batchmean"."""

    def __init__(self, reduction="mean"):
        super().__init__("mean" if reduction == "batchmean" else reduction)
        self.reduction = reduction

    def construct(self, logits, labels):
        return ops.kl_div(logits, labels, self.reduction)


class SoftMarginLoss(LossBase):
    """``log(1 + exp(-labels * logits))``; labels are 1 or -1."""

    def construct(self, logits, labels):
        return ops.soft_margin_loss(logits, labels, self.reduction)


class MultiLabelSoftMarginLoss(LossBase):
    """The mean over classes of the binary cross entropy of scores (N, C) with labels 0 or 1 (N, C), times `weight`."""

    def __init__(self, weight=None, reduction="mean"):
        super().__init__(reduction)
        self.weight = weight

    def construct(self, x, target):
        return ops.multilabel_soft_margin_loss(x, target, self.weight, self.reduction)


class MultiMarginLoss(LossBase):
    """By how much other classes come within `margin` of the right one, to the power p; see `ops.multi_margin_loss`.

    weight: a Tensor (C,), or None; construct may be given another.  input: scores (N, C); target: classes (N,).
    """

    def __init__(self, p=1, margin=1.0, reduction="mean", weight=None):
        super().__init__(reduction)
        if isinstance(p, bool) or p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, got {p!r}")
        self.p, self.margin = p, number(margin, "margin", self.cls_name)
        self.weight = check_weight(weight, self.cls_name)

    def construct(self, x, target, weight=None):
        return ops.multi_margin_loss(x, target, self.p, self.margin, self.weight if weight is None else weight,
                                     self.reduction)


class MultilabelMarginLoss(LossBase):
    """By how much classes that do not hold come within 1 of those that do; see `ops.multilabel_margin_loss`."""

    def construct(self, x, target):
        return ops.multilabel_margin_loss(x, target, self.reduction)


class FocalLoss(LossBase):
    """Cross entropy in which well classified elements count less: ``-(1 - p)^gamma * log(p)``.

    weight: a Tensor (C,) or None.  logits: (N, C) or (N, C, ...); labels: like logits (probabilities, or 0 and 1), or
    with one channel (class indices).  The mean over the elements of a sample is taken first, then `reduction`.
    Raises ShapeError where labels do not fit.
    """

    def __init__(self, weight=None, gamma=2.0, reduction="mean"):
        super().__init__(reduction)
        self.gamma = number(gamma, "gamma", self.cls_name)
        self.weight = check_weight(weight, self.cls_name)
        if weight is not None and len(weight.shape) != 1:
            raise ValueError(f"FocalLoss: weight must have one axis, got shape {tuple(weight.shape)}")

    def construct(self, logits, labels):
        sizes = tuple(logits.shape)
        if len(labels.shape) != len(sizes) or not 2 <= len(sizes) <= 4 or labels.shape[1] not in (1, sizes[1]):
            raise ShapeError(f"FocalLoss: logits of shape {sizes} need labels like them, or with axis 1 of size 1; got "
                             f"{tuple(labels.shape)}")
        logits = ops.reshape(logits, (sizes[0], sizes[1], -1))
        likelihood = ops.log_softmax(logits, 1)
        indices = labels.shape[1] == 1
        labels = ops.reshape(labels, (sizes[0], labels.shape[1], -1))
        if indices:
            places = ops.reshape(labels, (sizes[0], -1))
            labels = ops.cast(ops.one_hot(places, sizes[1], axis=1), likelihood.dtype)
        terms = -labels * ops.pow(1.0 - ops.exp(likelihood), self.gamma) * likelihood
        if self.weight is not None:
            terms = terms * ops.reshape(self.weight, (1, sizes[1], 1))
        return self.get_loss(ops.mean(ops.sum(terms, 1), -1) if indices else ops.mean(terms, -1))


class DiceLoss(LossBase):
    """``1 - 2 * sum(logits * label) / (sum(logits^2) + sum(label^2) + smooth)``; both of one shape."""

    def __init__(self, smooth=1e-5):
        super().__init__()
        self.smooth = number(smooth, "smooth", self.cls_name, low=0.0, open_low=True)

    def construct(self, logits, label):
        if tuple(logits.shape) != tuple(label.shape):
            raise ShapeError(f"DiceLoss takes inputs of one shape, got {tuple(logits.shape)} and {tuple(label.shape)}")
        total = ops.sum(ops.square(logits)) + ops.sum(ops.square(label)) + self.smooth
        return 1.0 - 2.0 * ops.sum(logits * label) / total


class MultiClassDiceLoss(LossBase):
    """The mean over classes (axis 1) of `DiceLoss`, after `activation`.

    weights: a Tensor (C, 1) or None; ignore_indiex (MindSpore's spelling): a class that does not count;
    activation: a name or Cell, "softmax" by default.
    """

    def __init__(self, weights=None, ignore_indiex=None, activation="softmax"):
        super().__init__()
        self.binarydiceloss = DiceLoss()
        self.weights, self.ignore_indiex = weights, ignore_indiex
        if weights is not None and len(weights.shape) != 2:
            raise ValueError(f"MultiClassDiceLoss: weights must have two axes, got shape {tuple(weights.shape)}")
        self.activation = get_activation(activation, self.cls_name) if isinstance(activation, str) else activation

    def construct(self, logits, label):
        if tuple(logits.shape) != tuple(label.shape) or len(label.shape) < 2:
            raise ShapeError(f"MultiClassDiceLoss takes two inputs of one shape (N, C, ...), got {tuple(logits.shape)} "
                             f"and {tuple(label.shape)}")
        if self.activation is not None:
            logits = self.activation(logits)
        total = 0.0
        for index in range(label.shape[1]):
            if index != self.ignore_indiex:
                loss = self.binarydiceloss(logits[:, index], label[:, index])
                total = total + (loss if self.weights is None else loss * self.weights[index])
        return total / label.shape[1]
