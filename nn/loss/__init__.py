"""Losses."""
from graphcore.nn.loss.base import LossBase
from graphcore.nn.loss.classification import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    KLDivLoss,
    MultiClassDiceLoss,
    MultiLabelSoftMarginLoss,
    NLLLoss,
    SoftMarginLoss,
    SoftmaxCrossEntropyWithLogits,
)
from graphcore.nn.loss.regression import (
    CosineEmbeddingLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    L1Loss,
    MAELoss,
    MarginRankingLoss,
    MSELoss,
    PoissonNLLLoss,
    RMSELoss,
    SmoothL1Loss,
    TripletMarginLoss,
)
from graphcore.nn.loss.sequence import CTCLoss

_Loss = LossBase        # MindSpore 1.x's name

__all__ = ["LossBase", "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CrossEntropyLoss", "DiceLoss", "FocalLoss",
           "KLDivLoss", "MultiClassDiceLoss", "MultiLabelSoftMarginLoss", "NLLLoss", "SoftMarginLoss",
           "SoftmaxCrossEntropyWithLogits", "CosineEmbeddingLoss", "GaussianNLLLoss", "HingeEmbeddingLoss",
           "HuberLoss", "L1Loss", "MAELoss", "MarginRankingLoss", "MSELoss", "PoissonNLLLoss", "RMSELoss",
           "SmoothL1Loss", "TripletMarginLoss"]
