"""Callbacks of MindSpore that graphcore does not have; using one says what to use instead."""
from __future__ import annotations

from graphcore.errors import GraphcoreError
from graphcore.train.callback.base import Callback


class UnsupportedCallbackError(GraphcoreError, NotImplementedError):
    """A callback that needs a service which graphcore does not have."""


class SummaryLandscape(Callback):
    """Raises UnsupportedCallbackError: the loss around a trained net is not mapped."""

    def __init__(self, *args, **kwargs):
        raise UnsupportedCallbackError("SummaryLandscape maps the loss around a trained net, which graphcore does not; "
                                       "SummaryCollector and SummaryRecord write losses, histograms and images")
