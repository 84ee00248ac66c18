"""Metrics by name."""
from __future__ import annotations

import difflib

from graphcore.train.metrics.base import Metric
from graphcore.train.metrics.classification import (
    F1,
    Accuracy,
    Precision,
    Recall,
    Top1CategoricalAccuracy,
    Top5CategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from graphcore.train.metrics.confusion import ConfusionMatrix, ConfusionMatrixMetric
from graphcore.train.metrics.curves import ROC, auc
from graphcore.train.metrics.numeric import MAE, MSE, CosineSimilarity, Dice, Loss, Perplexity
from graphcore.train.metrics.occlusion import OcclusionSensitivity
from graphcore.train.metrics.surfaces import HausdorffDistance, MeanSurfaceDistance, RootMeanSquareDistance
from graphcore.train.metrics.text import BleuScore

_METRICS = {
    "accuracy": Accuracy, "acc": Accuracy, "precision": Precision, "recall": Recall, "F1": F1, "dice": Dice,
    "roc": ROC, "auc": auc, "bleu_score": BleuScore, "cosine_similarity": CosineSimilarity,
    "topk": TopKCategoricalAccuracy, "top_1_accuracy": Top1CategoricalAccuracy,
    "top_5_accuracy": Top5CategoricalAccuracy, "mae": MAE, "mse": MSE, "loss": Loss, "perplexity": Perplexity,
    "hausdorff_distance": HausdorffDistance, "mean_surface_distance": MeanSurfaceDistance,
    "root_mean_square_distance": RootMeanSquareDistance, "occlusion_sensitivity": OcclusionSensitivity,
    "confusion_matrix": ConfusionMatrix, "confusion_matrix_metric": ConfusionMatrixMetric,
}


def names() -> list:
    """The names that `get_metric_fn` and `Model` know, sorted."""
    return sorted(_METRICS)


def get_metric_fn(name: str, *args, **kwargs):
    """A new metric of that name, made with the arguments.  Raises KeyError for an unknown name."""
    if name not in _METRICS:
        close = difflib.get_close_matches(str(name), _METRICS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names())}."
        raise KeyError(f"For 'get_metric_fn', unsupported metric {name}; {hint}")
    return _METRICS[name](*args, **kwargs)


def get_metrics(metrics) -> dict | None:
    """{name: Metric} from a set of names or a dict of metrics.  Raises TypeError for anything else."""
    if metrics is None:
        return None
    if isinstance(metrics, dict):
        for name, metric in metrics.items():
            if not isinstance(name, str) or not isinstance(metric, Metric):
                raise TypeError("For 'get_metrics', if 'metrics' is dict, the key in 'metrics' must be string and "
                                f"value in 'metrics' must be Metric, but got key:{type(name)}, value:{type(metric)}.")
        return metrics
    if isinstance(metrics, (set, frozenset)):
        return {name: get_metric_fn(name) for name in metrics}
    raise TypeError(f"For 'get_metrics', the argument 'metrics' must be None, dict or set, but got {metrics}")
