"""Training: Model, callbacks, metrics, checkpoints, mixed precision; the names of ``mindspore.train``."""
from graphcore.namespace import namespace
from graphcore.train import metrics

__getattr__, __dir__, __all__ = namespace("graphcore.train", {
    "graphcore.context": "ParallelMode",
    "amp": "build_train_network",
    "callback": """
        Callback CheckpointConfig EarlyStopping History InvalidLossError LambdaCallback LearningRateScheduler
        LossMonitor ModelCheckpoint OnRequestExit ProgressBar ReduceLROnPlateau RunContext SummaryCollector
        SummaryLandscape SummaryRecord TimeMonitor""",
    "graphcore.files.loading": "load",
    "exporting": "export",
    "loss_scale_manager": "DynamicLossScaleManager FixedLossScaleManager LossScaleManager",
    "metrics": " ".join(metrics.__all__),
    "model": "Model",
    "second_order": "ConvertModelUtils ConvertNetUtils",
    "serialization": "CheckpointMismatchError load_checkpoint load_param_into_net save_checkpoint",
    "sinking": "DatasetHelper connect_network_with_dataset data_sink",
    "torch_state": "TorchState load_torch_state_dict to_torch_state_dict",
})
