"""Callbacks, as ``mindspore.train.callback`` has them."""
from graphcore.namespace import namespace

__getattr__, __dir__, __all__ = namespace("graphcore.train.callback", {
    "base": """
        Callback InternalCallbackParam RunContext _CallbackManager=CallbackManager
        _InternalCallbackParam=InternalCallbackParam _handle_loss=loss_of
        _set_cur_net=set_cur_net set_cur_net""",
    "checkpoint": "CheckpointConfig ModelCheckpoint",
    "functions": "LambdaCallback",
    "history": "History",
    "monitors": "InvalidLossError LossMonitor TimeMonitor",
    "plateau": "EarlyStopping LearningRateScheduler ReduceLROnPlateau",
    "progress": "ProgressBar",
    "refused": "SummaryLandscape UnsupportedCallbackError",
    "request": "OnRequestExit",
    "summary": "SummaryCollector SummaryRecord",
})
__all__ += ["_CallbackManager", "_InternalCallbackParam", "_handle_loss"]       # as MindSpore's star import gives them
