"""Neural networks: Cells, containers, layers, losses, optimisers and schedules."""
from graphcore.namespace import namespace
from graphcore.nn import layers, loss, optim


def _otherwise(name: str):
    if name == "metrics":       # scripts take it from here
        from graphcore.train import metrics
        return metrics
    from graphcore.hints import instead
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{instead(__name__, name, __all__)}")


__getattr__, __dir__, __all__ = namespace("graphcore.nn", {
    "cell": "Cell",
    "cell_options": "cell_attr_register",
    "containers": "CellDict CellList SequentialCell",
    "directions": "Jvp Vjp",
    "graph_cell": "GraphCell",
    "layers": " ".join(layers.__all__),
    "loss": " ".join(["_Loss", *loss.__all__]),
    "optim": " ".join(optim.__all__),
    "parts": "GradAccumulationCell MicroBatchInterleaved PipelineCell",
    "dynamic_lr": """
        piecewise_constant_lr exponential_decay_lr natural_exp_decay_lr inverse_decay_lr cosine_decay_lr
        polynomial_decay_lr warmup_lr""",
    "learning_rate_schedule": """
        LearningRateSchedule ExponentialDecayLR NaturalExpDecayLR InverseDecayLR CosineDecayLR PolynomialDecayLR
        WarmUpLR""",
    "wrap": """
        WithLossCell WithEvalCell WithGradCell ForwardValueAndGrad TrainOneStepCell ParameterUpdate
        DistributedGradReducer DynamicLossScaleUpdateCell FixedLossScaleUpdateCell TrainOneStepWithLossScaleCell
        _VirtualDatasetCell _grad_overflow""",
    # They stand with Model, in graphcore.train; MindSpore lists them here too.
    "graphcore.train.metrics": """
        Accuracy BleuScore ConfusionMatrix ConfusionMatrixMetric CosineSimilarity Dice F1 Fbeta HausdorffDistance Loss
        MAE MSE MeanSurfaceDistance Metric OcclusionSensitivity Perplexity Precision ROC Recall RootMeanSquareDistance
        Top1CategoricalAccuracy Top5CategoricalAccuracy TopKCategoricalAccuracy auc
        get_metric_fn get_metrics names rearrange_inputs""",
}, modules="probability utils", otherwise=_otherwise)
