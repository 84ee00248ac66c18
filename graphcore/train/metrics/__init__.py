"""Metrics, as ``mindspore.train`` has them."""
from graphcore.train.metrics.base import Metric, rearrange_inputs
from graphcore.train.metrics.classification import (
    F1,
    Accuracy,
    Fbeta,
    Precision,
    Recall,
    Top1CategoricalAccuracy,
    Top5CategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from graphcore.train.metrics.confusion import ConfusionMatrix, ConfusionMatrixMetric
from graphcore.train.metrics.curves import ROC, auc
from graphcore.train.metrics.numeric import MAE, MSE, CosineSimilarity, Dice, Loss, Perplexity
from graphcore.train.metrics.registry import get_metric_fn, get_metrics, names
from graphcore.train.metrics.text import BleuScore

__all__ = ["Accuracy", "BleuScore", "ConfusionMatrix", "ConfusionMatrixMetric", "CosineSimilarity", "Dice", "F1",
           "Fbeta", "Loss", "MAE", "MSE", "Metric", "Perplexity", "Precision", "ROC", "Recall",
           "Top1CategoricalAccuracy", "Top5CategoricalAccuracy", "TopKCategoricalAccuracy", "auc", "get_metric_fn",
           "get_metrics", "names", "rearrange_inputs"]
