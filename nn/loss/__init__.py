"""Losses."""
from graphcore.namespace import namespace

# Which module defines which loss: each lists them in its __all__, too.
__getattr__, __dir__, __all__ = namespace("graphcore.nn.loss", {
    "base": "LossBase _Loss=LossBase",       # _Loss: MindSpore 1.x's name
    "classification": """
        SoftmaxCrossEntropyWithLogits CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss DiceLoss
        MultiClassDiceLoss FocalLoss SoftMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss MultilabelMarginLoss""",
    "sequence": "CTCLoss",
    "regression": """
        MSELoss RMSELoss L1Loss MAELoss SmoothL1Loss HuberLoss MarginRankingLoss CosineEmbeddingLoss
        HingeEmbeddingLoss TripletMarginLoss TripletMarginWithDistanceLoss PoissonNLLLoss GaussianNLLLoss""",
})
