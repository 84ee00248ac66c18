"""Losses of rows of labels over time."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import boolean
from graphcore.nn.loss.base import LossBase

__all__ = ["CTCLoss"]


class CTCLoss(LossBase):
    """How unlikely scores over time spell labels, over all alignments; see `ops.ctc_loss`.

    blank: the class of no label; zero_infinity: labels that do not fit into the steps cost nothing.
    log_probs: [T, N, C] or [T, C]; targets: [N, S], or [S] of one sample; input_lengths, target_lengths: [N].
    """

    def __init__(self, blank=0, reduction="mean", zero_infinity=False):
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, boolean(zero_infinity, "zero_infinity", self.cls_name)

    def construct(self, log_probs, targets, input_lengths, target_lengths):
        return ops.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
                            self.zero_infinity)[0]
