"""Primitives of losses, and of boxes around objects."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.errors import LengthError
from graphcore.ops import functional as F
from graphcore.ops.functional.ctc import ctc_of_logits
from graphcore.ops.host import on_host
from graphcore.ops.primitives.base import primitive


@primitive
def SoftmaxCrossEntropyWithLogits(logits, labels):
    """(cross entropy of each row of softmax(logits) and probabilities, its gradient)."""
    scores = F.log_softmax(logits)
    return F.neg(F.sum(F.mul(labels, scores), -1)), F.sub(F.exp(scores), labels)


@primitive
def SparseSoftmaxCrossEntropyWithLogits(logits, labels, *, is_grad=False):
    """The mean cross entropy of softmax(logits) and class indices; is_grad: its gradient instead."""
    if not is_grad:
        return F.cross_entropy(logits, labels)
    hot = F.one_hot(labels, logits.shape[-1], 1.0, 0.0)
    return F.div(F.sub(F.softmax(logits), hot), float(logits.shape[0]))


@primitive
def SigmoidCrossEntropyWithLogits(logits, label):
    """Binary cross entropy of sigmoid(logits), element by element."""
    return F.binary_cross_entropy_with_logits(logits, label, reduction="none")


@primitive
def BinaryCrossEntropy(input, target, weight=None, *, reduction="mean"):
    """Binary cross entropy of probabilities."""
    return F.binary_cross_entropy(input, target, weight, reduction)


@primitive
def BCEWithLogitsLoss(input, target, weight=None, posWeight=None, *, reduction="mean"):
    """Binary cross entropy of sigmoid(input)."""
    return F.binary_cross_entropy_with_logits(input, target, weight, posWeight, reduction)


@primitive
def NLLLoss(logits, labels, weight, *, reduction="mean", ignore_index=-100):
    """(the negative log likelihood, the sum of the weights of the labels)."""
    loss = F.nll_loss(logits, labels, weight, ignore_index, reduction)
    chosen = F.mul(F.one_hot(labels, logits.shape[1], 1.0, 0.0), weight)
    counted = F.reshape(F.not_equal(labels, ignore_index), (-1, 1))
    return loss, F.sum(F.where(counted, chosen, 0.0))


@primitive
def SmoothL1Loss(prediction, target, *, beta=1.0, reduction="none"):
    """0.5 * d^2 / beta for small differences d, |d| - beta / 2 for large ones."""
    return F.smooth_l1_loss(prediction, target, beta, reduction)


@primitive
def KLDivLoss(logits, labels, *, reduction="mean"):
    """The Kullback-Leibler divergence of log probabilities and probabilities."""
    return F.kl_div(logits, labels, reduction)


@primitive
def SoftMarginLoss(input, target, *, reduction="mean"):
    """log(1 + e^(-target * input))."""
    return F.soft_margin_loss(input, target, reduction)


@primitive
def MultiMarginLoss(x, target, weight=None, *, p=1, margin=1.0, reduction="mean"):
    """By how much other classes come within `margin` of the right one; see `ops.multi_margin_loss`."""
    return F.multi_margin_loss(x, target, p, margin, weight, reduction)


@primitive
def MultilabelMarginLoss(x, target, *, reduction="mean"):
    """(`ops.multilabel_margin_loss`, int32 like target: 1 for the classes that hold)."""
    classes = F.where(F.cumprod(F.cast(target >= 0, dt.int32), -1) > 0, target, -1)
    holds = F.amax(F.one_hot(classes, x.shape[-1], 1, 0), -2)
    return F.multilabel_margin_loss(x, target, reduction), F.cast(holds, dt.int32)


@primitive
def CTCLoss(x, labels_indices, labels_values, sequence_length, *, preprocess_collapse_repeated=False,
            ctc_merge_repeated=True, ignore_longer_outputs_than_inputs=False):
    """(CTC loss [N] of scores x [T, N, C] before softmax, its gradient by x); the blank is the last class.

    labels_indices: int64 [L, 2], the sample and place of each label; labels_values: int32 [L]; sequence_length: [N].
    preprocess_collapse_repeated: labels that come twice count once; ctc_merge_repeated: and need a blank in between
    otherwise.  Raises LengthError for more labels than steps, unless
    `ignore_longer_outputs_than_inputs` lets them cost infinity, with a gradient of 0.
    """
    def compute(logits, places, values, steps_of):
        rows = [values[places[:, 0] == n].tolist() for n in range(logits.shape[1])]
        if preprocess_collapse_repeated:
            rows = [[v for i, v in enumerate(row) if not i or v != row[i - 1]] for row in rows]
        for n, row in enumerate(rows):
            if len(row) > steps_of[n] and not ignore_longer_outputs_than_inputs:
                raise LengthError(f"CTCLoss: sample {n} has {len(row)} labels for {steps_of[n]} steps; leave it out, "
                                  "or set ignore_longer_outputs_than_inputs")
        return ctc_of_logits(logits, rows, steps_of, ctc_merge_repeated)

    def gradient(inputs, outputs, gradients):
        return [F.mul(outputs[1], F.reshape(gradients[0], (1, -1, 1))), None, None, None]

    return on_host("CTCLoss", compute, [x, labels_indices, labels_values, sequence_length],
                   [(x.dtype, (x.shape[1],)), (x.dtype, x.shape)], gradient)


@primitive
def CTCGreedyDecoder(inputs, sequence_length, *, merge_repeated=True):
    """The best class at each step without blanks; see `ops.ctc_greedy_decoder`."""
    return F.ctc_greedy_decoder(inputs, sequence_length, merge_repeated)


@primitive
def CTCLossV2(log_probs, targets, input_lengths, target_lengths, *, blank=0, reduction="none", zero_infinity=False):
    """(CTC loss [N] of log probabilities, the logarithms of the chances of beginnings); see `ops.ctc_loss`."""
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)


@primitive
def BoundingBoxEncode(anchor_box, groundtruth_box, *, means=(0.0, 0.0, 0.0, 0.0), stds=(1.0, 1.0, 1.0, 1.0)):
    """How boxes lie to anchors: shifts and log ratios, normalised."""
    return F.bounding_box_encode(anchor_box, groundtruth_box, means, stds)


@primitive
def BoundingBoxDecode(anchor_box, deltas, *, max_shape, means=(0.0, 0.0, 0.0, 0.0), stds=(1.0, 1.0, 1.0, 1.0),
                      wh_ratio_clip=0.016):
    """The boxes that deltas describe, cut off at an image of `max_shape`."""
    return F.bounding_box_decode(anchor_box, deltas, max_shape, means, stds, wh_ratio_clip)


@primitive
def CheckValid(bboxes, img_metas):
    """Whether each box [N, 4] lies within an image; img_metas: its height, width and ratio."""
    return F.check_valid(bboxes, img_metas)


@primitive
def IOU(anchor_boxes, gt_boxes, *, mode="iou"):
    """The overlap of all pairs of boxes; see `ops.iou`."""
    return F.iou(anchor_boxes, gt_boxes, mode)


__all__ = [n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__]
