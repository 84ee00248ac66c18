"""A callback made of functions."""
from __future__ import annotations

from graphcore.train.callback.base import Callback


class LambdaCallback(Callback):
    """A callback made of functions, each called with the `RunContext` at the moment that its name says."""

    def __init__(self, on_train_epoch_begin=None, on_train_epoch_end=None, on_train_step_begin=None,
                 on_train_step_end=None, on_train_begin=None, on_train_end=None, on_eval_epoch_begin=None,
                 on_eval_epoch_end=None, on_eval_step_begin=None, on_eval_step_end=None, on_eval_begin=None,
                 on_eval_end=None):
        super().__init__()
        for name, function in list(locals().items()):
            if name.startswith("on_") and function is not None:
                if not callable(function):
                    raise TypeError(f"{name} must be callable, but got {type(function).__name__}")
                setattr(self, name, function)
