"""Callback, the base of all callbacks, and what Model hands to them."""
from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from graphcore.tensor import Tensor

_PLACES = ("begin", "epoch_begin", "step_begin", "step_end", "epoch_end", "end")


class Callback:
    """Base of callbacks: override the methods for the moments at which something should happen.

    Each method takes the `RunContext`.  The methods without ``on_train_`` or ``on_eval_`` are MindSpore's older names,
    called at training and at evaluation.  A callback is a context manager, entered for the run.
    """

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin(self, run_context):
        """Before the run."""

    def epoch_begin(self, run_context):
        """Before an epoch."""

    def step_begin(self, run_context):
        """Before a step."""

    def step_end(self, run_context):
        """After a step."""

    def epoch_end(self, run_context):
        """After an epoch."""

    def end(self, run_context):
        """After the run."""

    def on_train_begin(self, run_context):
        """Before training."""
        self.begin(run_context)

    def on_train_epoch_begin(self, run_context):
        """Before an epoch of training."""
        self.epoch_begin(run_context)

    def on_train_step_begin(self, run_context):
        """Before a step of training."""
        self.step_begin(run_context)

    def on_train_step_end(self, run_context):
        """After a step of training."""
        self.step_end(run_context)

    def on_train_epoch_end(self, run_context):
        """After an epoch of training, and its evaluation in `Model.fit`."""
        self.epoch_end(run_context)

    def on_train_end(self, run_context):
        """After training."""
        self.end(run_context)

    def on_eval_begin(self, run_context):
        """Before an evaluation."""
        self.begin(run_context)

    def on_eval_epoch_begin(self, run_context):
        """Before the steps of an evaluation."""
        self.epoch_begin(run_context)

    def on_eval_step_begin(self, run_context):
        """Before a step of an evaluation."""
        self.step_begin(run_context)

    def on_eval_step_end(self, run_context):
        """After a step of an evaluation."""
        self.step_end(run_context)

    def on_eval_epoch_end(self, run_context):
        """After the steps of an evaluation."""
        self.epoch_end(run_context)

    def on_eval_end(self, run_context):
        """After an evaluation."""
        self.end(run_context)


def _for_each(name: str):
    def call(self, run_context):
        for callback in self._callbacks:
            getattr(callback, name)(run_context)

    call.__name__ = name
    return call


class CallbackManager(Callback):
    """Several callbacks as one; each call goes to all, in order.

    Raises TypeError for anything but a Callback, a list of them, or None.
    """

    def __init__(self, callbacks):
        callbacks = [] if callbacks is None else callbacks if isinstance(callbacks, list) else [callbacks]
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError("The 'callbacks' must be a Callback or a list of Callbacks, but got a "
                                f"{type(callback).__name__}; derive it from graphcore.train.Callback.")
        self._callbacks, self._stack = list(callbacks), None

    def __enter__(self):
        if self._stack is None:
            self._stack = ExitStack().__enter__()
            entered = [(callback, self._stack.enter_context(callback)) for callback in self._callbacks]
            # A callback may hand out another one; one that hands out nothing useful stands for itself.
            self._callbacks = [target if isinstance(target, Callback) else callback for callback, target in entered]
        return self

    def __exit__(self, *error):
        return self._stack.__exit__(*error)

    for _name in (*_PLACES, *(f"on_{mode}_{place}" for mode in ("train", "eval") for place in _PLACES)):
        locals()[_name] = _for_each(_name)
    del _name


class InternalCallbackParam(dict):
    """What a run is about, by name, as keys and as attributes."""

    def __getattr__(self, key):
        try:
            return self[key]
        except KeyError:
            raise AttributeError(f"the run has no {key!r}; it has {', '.join(sorted(self))}") from None

    def __setattr__(self, key, value):
        self[key] = value


class RunContext:
    """What callbacks get: the facts of the run, and the way to stop it."""

    def __init__(self, original_args: dict):
        if not isinstance(original_args, dict):
            raise TypeError("The argument 'original_args' of RunContext should be dict type, "
                            f"but got {type(original_args)}.")
        self._original_args, self._stop_requested = original_args, False

    def original_args(self) -> dict:
        """The facts of the run: cur_epoch_num, cur_step_num, batch_num, net_outputs, train_network, ..."""
        return self._original_args

    def request_stop(self) -> None:
        """End the run after this step."""
        self._stop_requested = True

    def get_stop_requested(self) -> bool:
        """Whether the end was requested."""
        return self._stop_requested


def loss_of(net_outputs):
    """The loss in what a training network returned: a float, or of a tuple the first Tensor as it is."""
    if isinstance(net_outputs, (tuple, list)):
        return net_outputs[0]
    if isinstance(net_outputs, Tensor):
        return float(np.mean(net_outputs.asnumpy()))
    return net_outputs


def check_count(value, name: str, least: int = 0) -> int:
    """`value`, if it is an int of at least `least`.  Raises TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, but got {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, but got {value}")
    return value


def set_cur_net(net) -> None:
    """MindSpore notes the net that an operator saves; here Callbacks find theirs in the RunContext."""
