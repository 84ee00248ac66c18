"""Training: Model, callbacks, metrics, checkpoints, mixed precision; the names of ``mindspore.train``."""
from graphcore.context import ParallelMode
from graphcore.files.loading import load
from graphcore.train.amp import build_train_network
from graphcore.train.callback import (
    Callback,
    CheckpointConfig,
    EarlyStopping,
    History,
    InvalidLossError,
    LambdaCallback,
    LearningRateScheduler,
    LossMonitor,
    ModelCheckpoint,
    ProgressBar,
    ReduceLROnPlateau,
    RunContext,
    SummaryCollector,
    SummaryLandscape,
    SummaryRecord,
    TimeMonitor,
)
from graphcore.train.exporting import export
from graphcore.train.loss_scale_manager import DynamicLossScaleManager, FixedLossScaleManager, LossScaleManager
from graphcore.train.metrics import (
    F1,
    MAE,
    MSE,
    ROC,
    Accuracy,
    BleuScore,
    ConfusionMatrix,
    ConfusionMatrixMetric,
    CosineSimilarity,
    Dice,
    Fbeta,
    Loss,
    Metric,
    Perplexity,
    Precision,
    Recall,
    Top1CategoricalAccuracy,
    Top5CategoricalAccuracy,
    TopKCategoricalAccuracy,
    auc,
    get_metric_fn,
    get_metrics,
    names,
    rearrange_inputs,
)
from graphcore.train.model import Model
from graphcore.train.serialization import CheckpointMismatchError, load_checkpoint, load_param_into_net, save_checkpoint
from graphcore.train.sinking import DatasetHelper, connect_network_with_dataset, data_sink

__all__ = [
    "Accuracy", "BleuScore", "Callback", "CheckpointConfig", "CheckpointMismatchError", "ConfusionMatrix",
    "ConfusionMatrixMetric", "CosineSimilarity", "DatasetHelper", "Dice", "DynamicLossScaleManager", "EarlyStopping",
    "F1", "Fbeta",
    "FixedLossScaleManager", "History", "InvalidLossError", "LambdaCallback", "LearningRateScheduler", "Loss",
    "LossMonitor", "LossScaleManager", "MAE", "MSE", "Metric", "Model", "ModelCheckpoint", "ParallelMode",
    "Perplexity", "Precision", "ProgressBar", "ROC", "Recall", "ReduceLROnPlateau", "RunContext", "SummaryCollector",
    "SummaryLandscape", "SummaryRecord", "TimeMonitor", "Top1CategoricalAccuracy", "Top5CategoricalAccuracy",
    "TopKCategoricalAccuracy", "auc", "build_train_network",
    "connect_network_with_dataset", "data_sink",
    "export", "get_metric_fn", "get_metrics", "load", "load_checkpoint",
    "load_param_into_net", "names", "rearrange_inputs", "save_checkpoint",
]
