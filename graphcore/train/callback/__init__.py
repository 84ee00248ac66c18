"""Callbacks, as ``mindspore.train.callback`` has them."""
from graphcore.train.callback.base import Callback, RunContext
from graphcore.train.callback.base import CallbackManager as _CallbackManager
from graphcore.train.callback.base import InternalCallbackParam as _InternalCallbackParam
from graphcore.train.callback.checkpoint import CheckpointConfig, ModelCheckpoint
from graphcore.train.callback.history import History, LambdaCallback
from graphcore.train.callback.monitors import InvalidLossError, LossMonitor, TimeMonitor
from graphcore.train.callback.plateau import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from graphcore.train.callback.progress import ProgressBar
from graphcore.train.callback.refused import SummaryCollector, SummaryLandscape, SummaryRecord, UnsupportedCallbackError

__all__ = ["Callback", "CheckpointConfig", "EarlyStopping", "History", "InvalidLossError", "LambdaCallback",
           "LearningRateScheduler", "LossMonitor", "ModelCheckpoint", "ProgressBar", "ReduceLROnPlateau", "RunContext",
           "SummaryCollector", "SummaryLandscape", "SummaryRecord", "TimeMonitor", "UnsupportedCallbackError",
           "_CallbackManager", "_InternalCallbackParam"]
