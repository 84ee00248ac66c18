"""Neural networks: Cells, containers, layers, losses, optimisers and schedules."""
from graphcore.nn.cell import Cell
from graphcore.nn.cell_options import cell_attr_register
from graphcore.nn.containers import CellDict, CellList, SequentialCell
from graphcore.nn.dynamic_lr import *  # noqa: F403
from graphcore.nn.dynamic_lr import __all__ as _dynamic_lr
from graphcore.nn.layers import *  # noqa: F403
from graphcore.nn.layers import __all__ as _layers
from graphcore.nn.learning_rate_schedule import *  # noqa: F403
from graphcore.nn.learning_rate_schedule import __all__ as _schedules
from graphcore.nn.loss import *  # noqa: F403
from graphcore.nn.loss import __all__ as _losses
from graphcore.nn.optim import *  # noqa: F403
from graphcore.nn.optim import __all__ as _optimizers
from graphcore.nn.wrap import *  # noqa: F403
from graphcore.nn.wrap import __all__ as _wrappers

__all__ = ["Cell", "CellDict", "CellList", "SequentialCell", "cell_attr_register", *_dynamic_lr, *_layers, *_schedules,
           *_losses, *_optimizers, *_wrappers]


def __getattr__(name: str):
    # Metrics (nn.Accuracy, nn.Metric ...) stand with Model; MindSpore lists them here.
    from graphcore.train import metrics
    if name.startswith("_") or not hasattr(metrics, name):
        raise AttributeError(f"module 'nn' has no attribute {name!r}")
    return getattr(metrics, name)
