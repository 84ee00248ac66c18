"""Callbacks, as ``mindspore.train.callback`` has them."""
from graphcore.train.callback.base import Callback, InternalCallbackParam, RunContext
from graphcore.train.callback.base import CallbackManager as _CallbackManager
from graphcore.train.callback.base import InternalCallbackParam as _InternalCallbackParam
from graphcore.train.callback.base import loss_of as _handle_loss
from graphcore.train.callback.checkpoint import CheckpointConfig, ModelCheckpoint
from graphcore.train.callback.history import History, LambdaCallback
from graphcore.train.callback.monitors import InvalidLossError, LossMonitor, TimeMonitor
from graphcore.train.callback.plateau import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from graphcore.train.callback.progress import ProgressBar
from graphcore.train.callback.refused import SummaryLandscape, UnsupportedCallbackError
from graphcore.train.callback.summary import SummaryCollector, SummaryRecord

__all__ = ["Callback", "CheckpointConfig", "EarlyStopping", "History", "InternalCallbackParam", "InvalidLossError",
           "LambdaCallback",
           "LearningRateScheduler", "LossMonitor", "ModelCheckpoint", "ProgressBar", "ReduceLROnPlateau", "RunContext",
           "SummaryCollector", "SummaryLandscape", "SummaryRecord", "TimeMonitor", "UnsupportedCallbackError",
           "_CallbackManager", "_InternalCallbackParam", "_handle_loss"]
