"""Callbacks of MindSpore that graphcore does not have; using one says what to use instead."""
from __future__ import annotations

from graphcore.errors import GraphcoreError
from graphcore.train.callback.base import Callback


class UnsupportedCallbackError(GraphcoreError, NotImplementedError):
    """A callback that needs a service which graphcore does not have."""


class SummaryCollector(Callback):
    """Raises UnsupportedCallbackError: MindInsight's summary files are not written."""

    def __init__(self, *args, **kwargs):
        raise UnsupportedCallbackError("SummaryCollector writes files for MindInsight, which graphcore does not; use "
                                       "train.History, or a Callback that logs run_context.original_args()")


class SummaryLandscape(SummaryCollector):
    """Raises UnsupportedCallbackError, as SummaryCollector does."""


class SummaryRecord:
    """Raises UnsupportedCallbackError, as SummaryCollector does."""

    def __init__(self, *args, **kwargs):
        raise UnsupportedCallbackError("SummaryRecord writes files for MindInsight, which graphcore does not; use "
                                       "train.History, or a Callback that writes what it wants to keep")
