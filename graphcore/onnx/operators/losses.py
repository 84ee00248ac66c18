"""Losses."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.onnx.table import operator
from graphcore.ops import functional as F
from graphcore.tensor import Tensor


@operator("NegativeLogLikelihoodLoss", 12)
def nll(log_probabilities, target, weight=None, *, ignore_index=None, reduction="mean"):
    """-log_probabilities at the class `target` along axis 1, weighed; classes `ignore_index` count for nothing."""
    target = F.cast(target, dt.int64)
    ignored = None if ignore_index is None else F.equal(target, ignore_index)
    safe = target if ignored is None else F.where(ignored, Tensor(0, dt.int64), target)
    picked = F.squeeze(F.gather_elements(log_probabilities, 1, F.expand_dims(safe, 1)), 1)
    share = None if weight is None else F.gather(weight, safe, 0)
    if ignored is not None:
        share = F.where(ignored, 0.0, F.full_like(picked, 1.0) if share is None else share)
    loss = -picked if share is None else -picked * share
    if reduction == "none":
        return loss
    if reduction == "sum":
        return F.sum(loss)
    if reduction != "mean":
        raise ValueError(f"unknown reduction {reduction!r}")
    return F.mean(loss) if share is None else F.sum(loss) / F.sum(share)


@operator("SoftmaxCrossEntropyLoss", 12)
def cross_entropy(scores, labels, weights=None, *, ignore_index=None, reduction="mean"):
    """(the loss of softmax(scores) along axis 1 against the classes, the log probabilities)."""
    log_probabilities = F.log_softmax(scores, 1)
    return nll(log_probabilities, labels, weights, ignore_index=ignore_index, reduction=reduction), log_probabilities
