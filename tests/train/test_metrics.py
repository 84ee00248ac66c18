"""Metrics, against MindSpore 2.10's results on the same data (`data/metrics.json`)."""
import json
from pathlib import Path

import numpy as np
import pytest

from graphcore import train
from graphcore.tensor import Tensor
from graphcore.train.metrics import get_metrics

EXPECTED = json.loads((Path(__file__).parent / "data" / "metrics.json").read_text())
MEASURES = ("sensitivity", "specificity", "precision", "negative predictive value", "miss rate", "fall out",
            "false discovery rate", "false omission rate", "prevalence threshold", "threat score", "accuracy",
            "balanced accuracy", "f1 score", "matthews correlation coefficient", "fowlkes mallows index",
            "informedness", "markedness")


def run(metric, *batches, **options):
    metric.clear()
    for batch in batches:
        metric.update(*batch)
    return metric.eval(**options)


def results() -> dict:
    """What `data/metrics.json` holds, computed here: the numbers are drawn in the same order."""
    r = np.random.default_rng(3)
    p, y = r.random((12, 4)), r.integers(0, 4, 12)
    hot = np.eye(4, dtype=int)[y]
    p2, y2 = r.random((7, 4)), r.integers(0, 4, 7)
    ml, mly = r.integers(0, 2, (6, 4)), r.integers(0, 2, (6, 4))
    im, imy = r.random((3, 4, 5)), r.integers(0, 4, (3, 5))
    out = {}
    for name in ("Accuracy", "Precision", "Recall"):
        metric = getattr(train, name)
        out[name] = run(metric(), (p, y), (p2, y2))
        out[name + "oh"] = run(metric(), (p, hot))
        out[name + "ml"] = run(metric("multilabel"), (ml, mly), (mly, mly))
        out[name + "im"] = run(metric(), (im, imy))
        if name != "Accuracy":
            out[name + "avg"] = run(metric(), (p, y), average=True)
            out[name + "mlavg"] = run(metric("multilabel"), (ml, mly), (mly, mly), average=True)
    out["F1"] = run(train.F1(), (p, y), (p2, y2))
    out["fb"] = run(train.Fbeta(2), (p, y), average=True)
    out["t1"] = run(train.Top1CategoricalAccuracy(), (p, y))
    out["t2"] = run(train.TopKCategoricalAccuracy(2), (p, y), (p2, hot[:7]))
    out["mae"] = run(train.MAE(), (p, p2[0] + p), (p2, p2 * 2))
    out["mse"] = run(train.MSE(), (p, p2[0] + p))
    out["loss"] = run(train.Loss(), (np.array(2.5),), (np.array([1.0, 2.0]),))
    q = p / p.sum(1, keepdims=True)
    out["ppl"], out["ppli"] = run(train.Perplexity(), (q, y)), run(train.Perplexity(ignore_label=2), (q, y))
    out["dice"] = run(train.Dice(), (p, p2[:1] + p), (p, p))
    for norm in ("no_norm", "target", "prediction", "all"):
        out["cm" + norm] = run(train.ConfusionMatrix(4, norm), (p, y), (p2, y2))
    out["cmth"] = run(train.ConfusionMatrix(2), (r.random(9), r.integers(0, 2, 9)))
    predicted = np.eye(4, dtype=int)[p.argmax(1)]
    for name in MEASURES:
        out["cmm " + name] = run(train.ConfusionMatrixMetric(metric_name=name), (predicted, hot), (hot, hot))
        out["cmms " + name] = run(train.ConfusionMatrixMetric(False, metric_name=name), (predicted, hot))
    a, b = r.integers(0, 2, (3, 4, 5)), r.integers(0, 2, (3, 4, 5))
    out["cmmx"] = run(train.ConfusionMatrixMetric(calculation_method=True, decrease="mean"), (a, b), (b, a))
    fpr, tpr, thresholds = run(train.ROC(pos_label=1), (np.array([3, 1, 4, 2]), np.array([0, 1, 1, 0])))
    out["roc"], out["auc"] = np.stack([fpr, tpr, thresholds]), train.auc(fpr, tpr)
    out["cos"] = run(train.CosineSimilarity(), (p,))
    out["cosm"] = run(train.CosineSimilarity("dot", "mean", False), (p,))
    words = ["i", "have", "a", "pen", "on", "my", "desk"]
    references = [[["i", "have", "a", "pen", "in", "my", "desk"], ["there", "is", "a", "pen", "on", "the", "desk"]]]
    out["bleu"] = run(train.BleuScore(), ([words], references))
    out["bleus"] = run(train.BleuScore(3, True), ([words], references))
    return out


@pytest.fixture(scope="module")
def computed():
    return results()


def test_every_expected_result_is_compared(computed):
    assert set(computed) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_against_mindspore(name, computed):
    assert np.shape(computed[name]) == np.shape(EXPECTED[name])
    np.testing.assert_allclose(computed[name], EXPECTED[name], rtol=1e-12)


def test_tensors_lists_and_arrays_are_alike():
    predictions, labels = [[0.2, 0.8], [0.9, 0.1]], [1, 1]
    for convert in (list, np.array, Tensor):
        assert train.Accuracy()(convert(predictions), convert(labels)) == 0.5


def test_bfloat16_predictions():
    from graphcore import dtype as dt
    assert train.Accuracy()(Tensor([[0.2, 0.8]], dt.bfloat16), Tensor([1])) == 1.0


@pytest.mark.parametrize("metric, arguments, error", [
    (train.Accuracy(), ([[0.1, 0.9]],), ValueError), (train.Accuracy(), ([[0.1, 0.9]], [0, 1]), ValueError),
    (train.Accuracy("multilabel"), ([[0.5]], [[1]]), ValueError), (train.Precision(), ([[0.1, 0.9]], [2]), ValueError),
    (train.F1(), ([[0.1, 0.9]], [-1]), ValueError), (train.Loss(), (np.zeros((2, 2)),), ValueError),
    (train.Perplexity(), (np.ones((2, 3)), np.zeros(3)), RuntimeError), (train.MAE(), ("text", [1]), TypeError),
    (train.ConfusionMatrix(2), (np.array([0, 5]), np.array([0, 1])), ValueError),
    (train.ConfusionMatrix(2), (np.array([0, 1]), np.array([-1, 1])), ValueError),
    (train.Dice(), (np.ones(3), np.ones(4)), ValueError),
    (train.ROC(class_num=3), (np.ones((2, 2)), np.zeros(2)), ValueError),
    (train.BleuScore(), ([["a"]], []), ValueError),
])
def test_unusable_inputs(metric, arguments, error):
    with pytest.raises(error):
        metric(*arguments)


@pytest.mark.parametrize("make, error", [
    (lambda: train.Accuracy("regression"), TypeError), (lambda: train.Fbeta(0), ValueError),
    (lambda: train.TopKCategoricalAccuracy(0), ValueError), (lambda: train.TopKCategoricalAccuracy(1.5), TypeError),
    (lambda: train.BleuScore(5), ValueError), (lambda: train.ConfusionMatrix(2, "rows"), ValueError),
    (lambda: train.ConfusionMatrixMetric(metric_name="luck"), NotImplementedError),
    (lambda: train.CosineSimilarity("angle"), ValueError), (lambda: train.Dice(0), ValueError),
])
def test_unusable_arguments(make, error):
    with pytest.raises(error):
        make()


@pytest.mark.parametrize("name", sorted(set(train.names()) - {"auc", "topk", "confusion_matrix"}))
def test_metrics_without_batches_say_so(name):
    with pytest.raises(RuntimeError):
        train.get_metric_fn(name).eval()


def test_metrics_by_name():
    assert isinstance(train.get_metric_fn("topk", 3), train.TopKCategoricalAccuracy)
    with pytest.raises(KeyError, match="did you mean 'accuracy'"):
        train.get_metric_fn("acuracy")
    assert set(get_metrics({"acc", "loss"})) == {"acc", "loss"} and get_metrics(None) is None
    for wrong in (["acc"], {"acc": 3}, {1: train.Accuracy()}):
        with pytest.raises(TypeError):
            get_metrics(wrong)


def test_batches_of_other_class_numbers():
    metric = train.Accuracy()
    metric.update([[0.1, 0.9]], [1])
    with pytest.raises(ValueError, match="2 classes.*3 classes"):
        metric.update([[0.1, 0.9, 0.0]], [1])


def test_indexes_choose_the_inputs():
    metric = train.Accuracy().set_indexes([2, 0])
    metric.update([1], "not used", [[0.2, 0.8]])
    assert metric.eval() == 1.0
    with pytest.raises(ValueError):
        metric.set_indexes((0, 1))


def test_roc_over_batches_and_classes():
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5], [0.4, 0.5, 0.1]])
    labels = np.array([0, 1, 2, 0])
    whole = run(train.ROC(class_num=3), (scores, labels))
    parts = run(train.ROC(class_num=3), (scores[:3], labels[:3]), (scores[3:], labels[3:]))
    assert len(whole[0]) == 3
    for left, right in zip(whole, parts):
        for a, b in zip(left, right):
            assert a.tolist() == b.tolist()
