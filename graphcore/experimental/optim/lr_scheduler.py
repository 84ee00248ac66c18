"""Schedulers of the learning rates of an experimental optimiser: call ``scheduler.step()`` after each epoch or step.

They write the Parameters in ``optimizer.param_groups[i]["lr"]``, so that nothing is compiled again.
"""
from graphcore.experimental.optim.cycles import CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR
from graphcore.experimental.optim.decays import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from graphcore.experimental.optim.plateau import ReduceLROnPlateau
from graphcore.experimental.optim.scheduler import LRScheduler, SequentialLR

__all__ = ["StepLR", "LinearLR", "LRScheduler", "ExponentialLR", "PolynomialLR", "MultiplicativeLR", "ConstantLR",
           "MultiStepLR", "LambdaLR", "SequentialLR", "ReduceLROnPlateau", "CyclicLR", "CosineAnnealingWarmRestarts",
           "CosineAnnealingLR"]
