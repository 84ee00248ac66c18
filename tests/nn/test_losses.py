"""Losses against values recorded from MindSpore 2.10 (CPU)."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn
from graphcore.errors import ShapeError
from tests.nn.cases import results_of

X = np.array([[0.5, -1.0, 2.0], [0.1, 0.3, -0.2]], np.float32)
Y = np.array([[0.0, 1.0, 1.5], [0.4, -0.3, 0.2]], np.float32)
P = np.array([[0.2, 0.7, 0.9], [0.5, 0.1, 0.3]], np.float32)
B = np.array([[0, 1, 1], [1, 0, 0]], np.float32)
PROB = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]], np.float32)
LOG = np.log(PROB)
INDEX = np.array([2, 0], np.int32)
SIGN = np.array([1, -1], np.int32)
IMAGE = (np.arange(24).reshape(2, 3, 4) % 5).astype(np.float32)
IMAGE_INDEX = (np.arange(8).reshape(2, 4) % 3).astype(np.int32)


def W():
    return Tensor(np.array([0.5, 1.0, 2.0], np.float32))


RECORDED = [
    (lambda: nn.MSELoss(), (X, Y), 0.8516667),
    (lambda: nn.MSELoss("sum"), (X, Y), 5.1100001),
    (lambda: nn.MSELoss("none"), (X, Y), [[0.25, 4.0, 0.25], [0.09, 0.36, 0.16]]),
    (lambda: nn.MSELoss(), (X, Y[0]), 1.3149999),
    (lambda: nn.L1Loss(), (X, Y), 0.7166667),
    (lambda: nn.L1Loss("sum"), (X, Y), 4.3000002),
    (lambda: nn.MAELoss(), (X, Y), 0.7166667),
    (lambda: nn.RMSELoss(), (X, Y), 0.9228579),
    (lambda: nn.SmoothL1Loss(), (X, Y), [[0.125, 1.5, 0.125], [0.045, 0.18, 0.08]]),
    (lambda: nn.SmoothL1Loss(0.5, "mean"), (X, Y), 0.475),
    (lambda: nn.HuberLoss(), (X, Y), 0.3425),
    (lambda: nn.HuberLoss("sum", 0.5), (X, Y), 1.4250001),
    (lambda: nn.SoftmaxCrossEntropyWithLogits(), (X, PROB), [2.0413113, 1.3059394]),
    (lambda: nn.SoftmaxCrossEntropyWithLogits(reduction="mean"), (X, PROB), 1.6736253),
    (lambda: nn.SoftmaxCrossEntropyWithLogits(sparse=True), (X, INDEX), [0.2413113, 1.0859394]),
    (lambda: nn.SoftmaxCrossEntropyWithLogits(True, "mean"), (X, INDEX), 0.6636252),
    (lambda: nn.SoftmaxCrossEntropyWithLogits(True, "sum"), (X, INDEX), 1.3272507),
    (lambda: nn.CrossEntropyLoss(), (X, INDEX), 0.6636251),
    (lambda: nn.CrossEntropyLoss(label_smoothing=0.1), (X, INDEX), 0.7402918),
    (lambda: nn.CrossEntropyLoss(W()), (X, INDEX), 0.4102367),
    (lambda: nn.CrossEntropyLoss(W(), reduction="none"), (X, INDEX), [0.4826221, 0.5429696]),
    (lambda: nn.CrossEntropyLoss(ignore_index=0), (X, INDEX), 0.2413111),
    (lambda: nn.CrossEntropyLoss(W(), label_smoothing=0.2), (X, INDEX), 0.5627327),
    (lambda: nn.CrossEntropyLoss(), (X, PROB), 1.6736252),
    (lambda: nn.CrossEntropyLoss(W(), label_smoothing=0.2), (X, PROB), 2.013166),
    (lambda: nn.CrossEntropyLoss(), (IMAGE, IMAGE_INDEX), 1.9696295),
    (lambda: nn.NLLLoss(), (LOG, INDEX), 1.753279),
    (lambda: nn.NLLLoss(W(), reduction="sum"), (LOG, INDEX), 3.5592382),
    (lambda: nn.BCELoss(), (P, B), 0.306727),
    (lambda: nn.BCELoss(reduction="none"), (P, B),
     [[0.2231435, 0.356675, 0.1053605], [0.6931472, 0.1053605, 0.356675]]),
    (lambda: nn.BCEWithLogitsLoss(), (X, B), 0.7518597),
    (lambda: nn.BCEWithLogitsLoss("sum", W(), W()), (X, B), 4.5197449),
    (lambda: nn.KLDivLoss(), (LOG, P), 0.2891253),
    (lambda: nn.KLDivLoss("none"), (LOG, P), [[0.0, 0.2355305, 0.9887511], [0.804719, 0.0, -0.2942488]]),
    (lambda: nn.KLDivLoss("batchmean"), (LOG, P), 0.8673759),
    (lambda: nn.MarginRankingLoss(0.5), (X[0], Y[0], np.array([1, -1, 1], np.float32)), 0.0),
    (lambda: nn.CosineEmbeddingLoss(0.1), (X, Y, SIGN), 0.257909),
    (lambda: nn.CosineEmbeddingLoss(0.1, "none"), (X, Y, SIGN), [0.515818, 0.0]),
    (lambda: nn.HingeEmbeddingLoss(), (X, np.sign(B - 0.5)), 0.5833333),
    (lambda: nn.MultiLabelSoftMarginLoss(), (X, B), 0.7518593),
    (lambda: nn.MultiLabelSoftMarginLoss(W(), "sum"), (X, B), 1.475662),
    (lambda: nn.FocalLoss(), (X, np.array([[2], [0]], np.int32)), 0.2437981),
    (lambda: nn.FocalLoss(W(), 1.5, "none"), (X, np.array([[2], [0]], np.int32)), [0.0479144, 0.2927322]),
    (lambda: nn.FocalLoss(), (X, B), 0.5800529),
    (lambda: nn.DiceLoss(), (P, B), 0.1044796),
    (lambda: nn.MultiClassDiceLoss(), (X, B), 0.4693385),
    (lambda: nn.MultiClassDiceLoss(Tensor([[0.5], [1.0], [2.0]]), 1, "sigmoid"), (X, B), [0.1345202]),
    (lambda: nn.PoissonNLLLoss(), (X, np.abs(Y)), 1.7649032),
    (lambda: nn.PoissonNLLLoss(False, True, reduction="none"), (P, np.abs(Y) * 3),
     [[0.2, 3.5341053, 5.3134456], [1.3606615, 2.1723263, 1.0223837]]),
    (lambda: nn.GaussianNLLLoss(), (X, Y, P), 0.4403516),
    (lambda: nn.GaussianNLLLoss(full=True, reduction="sum"), (X, Y, P), 8.1557407),
]


@pytest.mark.parametrize("case", range(len(RECORDED)))
def test_as_in_mindspore(case, eager):
    make, inputs, expected = RECORDED[case]
    loss = make()(*map(Tensor, inputs))
    assert loss.shape == np.shape(expected)
    np.testing.assert_allclose(loss.asnumpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("classes", [
    (nn.MSELoss, nn.SoftmaxCrossEntropyWithLogits, nn.CrossEntropyLoss),
    pytest.param((nn.LossBase,), marks=pytest.mark.slow, id="all")])
def test_compiled(classes, compiled):
    cases = [(make(), inputs, expected) for make, inputs, expected in RECORDED if isinstance(make(), classes)]
    losses = results_of([loss for loss, _, _ in cases], [inputs for _, inputs, _ in cases])
    for loss, (_, _, expected) in zip(losses, cases):
        assert loss.shape == np.shape(expected)
        np.testing.assert_allclose(loss.asnumpy(), expected, rtol=1e-5, atol=1e-6)


def test_those_without_a_cpu_kernel_in_mindspore(mode):
    margin = nn.SoftMarginLoss()(Tensor(X), Tensor(np.sign(B - 0.5)))
    np.testing.assert_allclose(margin.asnumpy(), np.log1p(np.exp(-np.sign(B - 0.5) * X)).mean(), rtol=1e-5)

    def distance(a, b, p):
        return (np.abs(a - b + 1e-6) ** p).sum(-1) ** (1 / p)
    triplet = nn.TripletMarginLoss(p=3, swap=True, reduction="none", margin=2.0)(Tensor(X), Tensor(Y), Tensor(P))
    far = np.minimum(distance(X, P, 3), distance(Y, P, 3))
    np.testing.assert_allclose(triplet.asnumpy(), np.maximum(distance(X, Y, 3) - far + 2, 0), rtol=1e-5)


def test_a_loss_of_the_users_own(mode):
    class Weighted(nn.LossBase):
        def construct(self, logits, labels):
            return self.get_loss((logits - labels) ** 2, weights=2.0)

    assert float(Weighted()(Tensor(X), Tensor(Y))) == pytest.approx(2 * 0.8516667)
    assert float(Weighted("sum")(Tensor(X), Tensor(Y))) == pytest.approx(2 * 5.11)
    assert Weighted("none")(Tensor(X), Tensor(Y)).shape == X.shape


def test_half_precision_losses_keep_their_dtype(mode):
    loss = nn.MSELoss()(Tensor(X, gc.float16), Tensor(Y, gc.float16))
    assert loss.dtype is gc.float16 and float(loss) == pytest.approx(0.8516667, rel=2e-3)


def test_large_logits_do_not_overflow(mode):
    logits = np.array([[1000.0, -1000.0, 0.0]], np.float32)
    assert float(nn.CrossEntropyLoss()(Tensor(logits), Tensor([1], gc.int32))) == 2000.0
    assert float(nn.BCEWithLogitsLoss("sum")(Tensor(logits), Tensor([[0.0, 1.0, 1.0]]))) == pytest.approx(2000.6931)


@pytest.mark.parametrize("make, error", [
    (lambda: nn.MSELoss("average"), ValueError), (lambda: nn.CrossEntropyLoss(ignore_index=0.5), TypeError),
    (lambda: nn.CrossEntropyLoss(label_smoothing=2.0), ValueError), (lambda: nn.CrossEntropyLoss([1.0]), TypeError),
    (lambda: nn.SoftmaxCrossEntropyWithLogits(sparse=1), TypeError), (lambda: nn.CosineEmbeddingLoss(2.0), ValueError),
    (lambda: nn.BCEWithLogitsLoss(weight=Parameter(np.ones(3, np.float32))), TypeError),
    (lambda: nn.FocalLoss(Tensor([[1.0]])), ValueError), (lambda: nn.SmoothL1Loss(-1.0), ValueError)])
def test_bad_arguments(make, error):
    with pytest.raises(error):
        make()


@pytest.mark.parametrize("loss, inputs", [
    (nn.SmoothL1Loss, (X, Y[0])), (nn.SoftmaxCrossEntropyWithLogits, (X, INDEX)), (nn.DiceLoss, (X, Y[0])),
    (nn.CosineEmbeddingLoss, (X, Y[:, :2], SIGN)), (nn.FocalLoss, (X, INDEX)), (nn.CrossEntropyLoss, (X, X[:, :2]))])
def test_shapes_that_do_not_fit(loss, inputs, mode):
    with pytest.raises(ShapeError):
        loss()(*map(Tensor, inputs))


def test_printed_forms():
    assert repr(nn.SoftmaxCrossEntropyWithLogits(sparse=True)) == "SoftmaxCrossEntropyWithLogits()"
    assert repr(nn.CrossEntropyLoss(W())) == "CrossEntropyLoss()"
