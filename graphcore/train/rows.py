"""Whether a Model can learn from the rows of a dataset, said before the first step in the user's words."""
from __future__ import annotations

import inspect

from graphcore.capture.location import warn_user


def warn_without_optimizer(method: str, loss_fn, optimizer) -> None:
    """Warn of a Model whose loss nothing makes smaller."""
    if loss_fn is not None and optimizer is None:
        warn_user(f"Model.{method}: the Model has a loss_fn but no optimizer, so that losses are computed and no "
                  "Parameter changes; give Model(..., optimizer=...)")


def check_row(row: tuple, network, loss_fn) -> None:
    """Raises ValueError unless a row is (data, label) for a loss_fn, or else the arguments of the net."""
    if loss_fn is not None:
        if len(row) != 2:
            raise ValueError("When 'loss_fn' is not None, 'train_dataset' should return two elements, but got "
                             f"{len(row)}, please check the number of elements returned by 'train_dataset'")
        return
    signature = inspect.signature(network.construct)
    try:
        signature.bind(*row)
    except TypeError:
        name = type(network).__name__
        raise ValueError(f"a row of 'train_dataset' has {len(row)} elements, and {name} is defined as "
                         f"construct{signature}; a Model without loss_fn trains a net that takes the whole row and "
                         f"returns the loss: give Model a loss_fn, or wrap {name} in nn.WithLossCell") from None
