"""Training: Model, callbacks, metrics, checkpoints, mixed precision; the names of ``mindspore.train``."""
from graphcore.namespace import namespace
from graphcore.train import metrics


def _otherwise(name: str):
    if name == "context":       # scripts take it from here
        from graphcore import context
        return context
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__getattr__, __dir__, __all__ = namespace("graphcore.train", {
    "graphcore.context": "ParallelMode",
    "amp": "build_train_network",
    "callback": """
        Callback CheckpointConfig EarlyStopping History InvalidLossError LambdaCallback LearningRateScheduler
        LossMonitor ModelCheckpoint OnRequestExit ProgressBar ReduceLROnPlateau RunContext SummaryCollector
        SummaryLandscape SummaryRecord TimeMonitor""",
    "graphcore.files.loading": "load",
    "converting": "ckpt_to_safetensors load_checkpoint_async safetensors_to_ckpt",
    "exporting": "export",
    "loss_scale_manager": "DynamicLossScaleManager FixedLossScaleManager LossScaleManager",
    "metrics": " ".join(metrics.__all__),
    "model": "Model",
    "second_order": "ConvertModelUtils ConvertNetUtils",
    "serialization": "CheckpointMismatchError load_checkpoint load_param_into_net save_checkpoint",
    "sinking": "DatasetHelper connect_network_with_dataset data_sink",
    "torch_state": "TorchState load_torch_state_dict to_torch_state_dict",
}, otherwise=_otherwise)
