"""Callbacks that record, or call what they are given."""
from __future__ import annotations

import numpy as np

from graphcore.tensor import Tensor
from graphcore.train.callback.base import Callback


class History(Callback):
    """The network's output (the loss) and the metrics of each epoch.

    epoch: ``{"epoch": [1, 2, ...]}``; history: ``{"net_output": [...], metric: [...]}``.
    """

    def __init__(self):
        super().__init__()
        self.history: dict = {}
        self.epoch: dict | None = None

    def begin(self, run_context):
        self.epoch = {"epoch": []}

    def epoch_end(self, run_context):
        run = run_context.original_args()
        self.epoch["epoch"].append(run.get("cur_epoch_num", 1))
        output = run.get("net_outputs")
        if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
            output = output[0]
        if isinstance(output, Tensor):
            output = np.mean(output.asnumpy())
        for name, value in {"net_output": output, **(run.get("metrics") or {})}.items():
            self.history.setdefault(name, []).append(value)


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
