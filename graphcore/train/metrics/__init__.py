"""Metrics, as ``mindspore.train`` has them."""
from graphcore.namespace import namespace

__getattr__, __dir__, __all__ = namespace("graphcore.train.metrics", {
    "base": "Metric rearrange_inputs",
    "classification": """
        Accuracy F1 Fbeta Precision Recall Top1CategoricalAccuracy Top5CategoricalAccuracy TopKCategoricalAccuracy""",
    "confusion": "ConfusionMatrix ConfusionMatrixMetric",
    "curves": "ROC auc",
    "numeric": "CosineSimilarity Dice Loss MAE MSE Perplexity",
    "occlusion": "OcclusionSensitivity",
    "registry": "get_metric_fn get_metrics names",
    "surfaces": "HausdorffDistance MeanSurfaceDistance RootMeanSquareDistance",
    "text": "BleuScore",
})
