"""Strings with tensors in them: what stands for a tensor while capturing, and its value when the program runs.

``f"{x}"``, ``"%s" % x`` and ``str(x)`` cannot know the value of a traced tensor; they get a mark, which is replaced in
what is printed, raised or returned.
"""
from __future__ import annotations

import re

from graphcore.capture.trace import TEXT_MARK, Trace
from graphcore.tensor import Tensor

_MARK = re.compile(f"{TEXT_MARK}<tensor [^{TEXT_MARK}]*>{TEXT_MARK}")


def has_marks(value) -> bool:
    """Whether a string holds marks of tensors."""
    return isinstance(value, str) and TEXT_MARK in value


class Text:
    """A string with marks: `tensors` in order, and `filled(values)` with their values in place."""

    def __init__(self, text: str, trace: Trace):
        marks = _MARK.findall(text)
        self._parts = _MARK.split(text)
        found = [trace.tensor_of_text(mark) for mark in marks]
        self.tensors = [tensor for tensor, _ in found]
        self._specs = [spec for _, spec in found]

    def filled(self, values) -> str:
        """The string with each tensor's value formatted as was asked for."""
        shown = [repr(v) if spec == "!r" else format(v, spec) for v, spec in zip(values, self._specs)]
        return self._parts[0] + "".join(s + part for s, part in zip(shown, self._parts[1:]))


def plain_tensor(array, dtype) -> Tensor:
    """A Tensor of values that the program gave."""
    return Tensor._wrap(array, dtype)
