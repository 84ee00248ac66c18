"""Callbacks that act when a monitored number stops getting better, or on the learning rate at each step."""
from __future__ import annotations

import logging
import math

import numpy as np

from graphcore import dtype as dt
from graphcore.communication.parameters import mean_of_all
from graphcore.context import ParallelMode
from graphcore.errors import shown
from graphcore.files.stored import StoredTensor
from graphcore.parallel import get_auto_parallel_context
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor
from graphcore.train.callback.base import Callback, check_count, loss_of

log = logging.getLogger("graphcore.train")
_SMALLER_IS_BETTER = ("hausdorff_distance", "mae", "mse", "loss", "perplexity", "mean_surface_distance",
                      "root_mean_square_distance", "eval_loss")


class _Monitored(Callback):
    """Watches one number: 'loss' (of the last step), 'eval_loss' or a metric (of the evaluation in `Model.fit`).

    'eval_loss' is the mean over the evaluation; MindSpore 2.10's is the loss of its last batch.
    """

    def __init__(self, monitor, min_delta, patience, verbose, mode):
        super().__init__()
        if not isinstance(monitor, str):
            raise TypeError(f"monitor must be a str, but got {type(monitor).__name__}")
        if isinstance(min_delta, bool) or not isinstance(min_delta, (int, float)):
            raise TypeError(f"min_delta must be a number, but got {type(min_delta).__name__}")
        if not isinstance(verbose, bool):
            raise TypeError(f"verbose must be a bool, but got {type(verbose).__name__}")
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode should be 'auto', 'min' or 'max', but got {mode}.")
        self.monitor, self.min_delta, self.verbose, self.mode = monitor, abs(min_delta), verbose, mode
        self.patience = check_count(patience, "patience")
        self._descending = mode == "min" or mode == "auto" and monitor in _SMALLER_IS_BETTER
        self._restart()

    def _restart(self) -> None:
        self.wait = 0
        self.best = math.inf if self._descending else -math.inf

    def is_improvement(self, value: float, than: float) -> bool:
        """Whether `value` is better by more than min_delta."""
        return value < than - self.min_delta if self._descending else value > than + self.min_delta

    def _current(self, run) -> float | None:
        if self.monitor == "loss":
            value, choices = loss_of(run.get("net_outputs")), ["loss"]
        else:
            results = run.get("eval_results", {})
            value, choices = results.get(self.monitor), ["loss", *results]
        if value is None:
            log.warning("%s watches %r, which this epoch does not have; it has %s.", type(self).__name__, self.monitor,
                        ", ".join(map(repr, choices)))
            return None
        array = value.asnumpy() if isinstance(value, Tensor) else np.asarray(value)
        if array.size != 1:
            raise ValueError(f"{type(self).__name__} only supports scalar monitor now, but {self.monitor!r} has the "
                             f"shape {array.shape}.")
        value = float(array.reshape(()))
        if get_auto_parallel_context("parallel_mode") == ParallelMode.DATA_PARALLEL:
            return mean_of_all(value)       # so that all processes decide alike
        return value


class EarlyStopping(_Monitored):
    """Stops the training when the monitored number has not become better for `patience` epochs.

    min_delta: what counts as better.  baseline: improvements count only beyond it.
    restore_best_weights: whether the weights of the best epoch are put back when the training is stopped.
    Unlike MindSpore 2.10's, it goes on while epochs get better with ``patience=0`` too, and regards a baseline and
    numbers that are 0.
    """

    def __init__(self, monitor: str = "eval_loss", min_delta: float = 0, patience: int = 0, verbose: bool = False,
                 mode: str = "auto", baseline: float | None = None, restore_best_weights: bool = False):
        super().__init__(monitor, min_delta, patience, verbose, mode)
        if not isinstance(restore_best_weights, bool):
            raise TypeError(f"restore_best_weights must be a bool, but got {type(restore_best_weights).__name__}")
        if baseline is not None and (isinstance(baseline, bool) or not isinstance(baseline, (int, float))):
            raise TypeError(f"baseline must be a number or None, but got {type(baseline).__name__}")
        self.baseline, self.restore_best_weights = baseline, restore_best_weights
        self.stopped_epoch = 0
        self._best_weights: list | None = None

    def on_train_begin(self, run_context):
        self._restart()
        self.stopped_epoch, self._best_weights = 0, None

    def on_train_epoch_end(self, run_context):
        run = run_context.original_args()
        value = self._current(run)
        if value is None:
            return
        better = self.is_improvement(value, self.best)
        if self.restore_best_weights and (better or self._best_weights is None):
            self._best_weights = _snapshot(run.train_network)
        self.wait += 1
        if better:
            self.best = value
            if self.baseline is None or self.is_improvement(value, self.baseline):
                self.wait = 0
        if self.wait >= self.patience and not (better and self.wait == 0):
            self._stop(run, run_context)

    def _stop(self, run, run_context) -> None:
        self.stopped_epoch = run.cur_epoch_num
        run_context.request_stop()
        if self._best_weights is not None:
            if self.verbose:
                print("Restoring model weights from the end of the best epoch.")
            for parameter, stored in self._best_weights:
                parameter.set_data(stored.to_tensor())

    def on_train_end(self, run_context):
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch:05d}: early stopping")


def _snapshot(network) -> list:
    """Copies of the values of all Parameters."""
    stored = ((parameter, StoredTensor.of(parameter)) for _, parameter in network.parameters_and_names())
    return [(parameter, StoredTensor(tensor.dtype, tensor.array.copy())) for parameter, tensor in stored]


def learning_rate_of(optimizer, who: str) -> Parameter:
    """The learning rate as a Parameter.  Raises ValueError for schedules and for groups with their own rates."""
    rate = getattr(optimizer, "learning_rate", None)
    if not isinstance(rate, Parameter):
        raise ValueError(f"{who} does not support dynamic learning rate and group learning rate now.")
    return rate


class ReduceLROnPlateau(_Monitored):
    """Multiplies the learning rate by `factor` when the monitored number has not become better for `patience` epochs.

    cooldown: epochs to wait after that before watching again; min_lr: the lowest rate.
    """

    def __init__(self, monitor: str = "eval_loss", factor: float = 0.1, patience: int = 10, verbose: bool = False,
                 mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0):
        super().__init__(monitor, min_delta, patience, verbose, mode)
        if not isinstance(factor, float):
            raise TypeError(f"factor must be a float, but got {type(factor).__name__}")
        if not 0 < factor < 1:
            raise ValueError(f"factor must be between 0 and 1, but got {factor!r}")
        if isinstance(min_lr, bool) or not isinstance(min_lr, (int, float)):
            raise TypeError(f"min_lr must be a number, but got {type(min_lr).__name__}")
        self.factor, self.min_lr = factor, min_lr
        self.cooldown = check_count(cooldown, "cooldown")
        self.cooldown_counter = 0

    def on_train_begin(self, run_context):
        self._restart()
        self.cooldown_counter = 0

    def on_train_epoch_end(self, run_context):
        run = run_context.original_args()
        rate = learning_rate_of(run.optimizer, "ReduceLROnPlateau")
        value = self._current(run)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(rate, run)
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _reduce(self, rate: Parameter, run) -> None:
        current = np.float32(float(rate))
        if current <= self.min_lr:
            return
        reduced = Tensor(max(current * np.float32(self.factor), np.float32(self.min_lr)), dt.float32)
        rate.set_data(reduced)
        if self.verbose:
            print(f"Epoch {run.cur_epoch_num:05d}: ReduceLROnPlateau reducing learning rate to {reduced}.")


class LearningRateScheduler(Callback):
    """Sets the learning rate after each step to ``learning_rate_function(lr, cur_step_num)``."""

    def __init__(self, learning_rate_function):
        super().__init__()
        if not callable(learning_rate_function):
            raise TypeError("learning_rate_function must be callable, but got "
                            f"{type(learning_rate_function).__name__}")
        self.learning_rate_function = learning_rate_function

    def step_end(self, run_context):
        run = run_context.original_args()
        rate = learning_rate_of(run.optimizer, "LearningRateScheduler")
        # The shortest decimal of the float32, so that the user's function sees 0.1 and not 0.10000000149.
        current = float(str(np.float32(float(rate))))
        wanted = self.learning_rate_function(current, run.cur_step_num)
        if isinstance(wanted, bool) or not isinstance(wanted, (int, float, np.number, Tensor)):
            raise TypeError("LearningRateScheduler: the function must return the learning rate, a number, but "
                            f"returned {shown(wanted)}")
        if not math.isclose(current, wanted, rel_tol=1e-10):
            rate.set_data(Tensor(float(wanted), dt.float32))
