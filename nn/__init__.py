"""Neural networks: Cells, containers, layers, losses, optimisers and schedules."""
from graphcore.nn.cell import Cell
from graphcore.nn.cell_options import cell_attr_register
from graphcore.nn.containers import CellDict, CellList, SequentialCell
from graphcore.nn.dynamic_lr import *  # noqa: F403
from graphcore.nn.dynamic_lr import __all__ as _dynamic_lr
from graphcore.nn.graph_cell import GraphCell
from graphcore.nn.layers import *  # noqa: F403
from graphcore.nn.layers import __all__ as _layers
from graphcore.nn.learning_rate_schedule import *  # noqa: F403
from graphcore.nn.learning_rate_schedule import __all__ as _schedules
from graphcore.nn.loss import *  # noqa: F403
from graphcore.nn.loss import __all__ as _losses
from graphcore.nn.loss import _Loss  # noqa: F401  MindSpore 1.x's name
from graphcore.nn.optim import *  # noqa: F403
from graphcore.nn.optim import __all__ as _optimizers
from graphcore.nn.parts import *  # noqa: F403
from graphcore.nn.parts import __all__ as _parts
from graphcore.nn.wrap import *  # noqa: F403
from graphcore.nn.wrap import __all__ as _wrappers
from graphcore.nn.wrap import _VirtualDatasetCell  # noqa: F401  scripts take it from here

# They stand with Model, in graphcore.train; MindSpore lists them here too.
_METRICS = """Accuracy BleuScore ConfusionMatrix ConfusionMatrixMetric CosineSimilarity Dice F1 Fbeta Loss MAE MSE
    Metric Perplexity Precision ROC Recall Top1CategoricalAccuracy Top5CategoricalAccuracy TopKCategoricalAccuracy auc
    get_metric_fn get_metrics names rearrange_inputs""".split()

__all__ = ["Cell", "CellDict", "CellList", "GraphCell", "SequentialCell", "cell_attr_register", *_dynamic_lr, *_layers,
           *_schedules, *_losses, *_optimizers, *_parts, *_wrappers, *_METRICS]


def __getattr__(name: str):
    if name == "probability":
        import importlib
        return importlib.import_module("graphcore.nn.probability")
    if name not in _METRICS:
        raise AttributeError(f"module 'nn' has no attribute {name!r}")
    from graphcore.train import metrics
    return getattr(metrics, name)


def __dir__() -> list:
    return sorted({*globals(), *_METRICS})
