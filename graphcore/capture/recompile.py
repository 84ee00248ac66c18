"""Why a function was compiled again, for `graphcore.explain_recompile`, and a warning when it happens often."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from graphcore.capture.guards.snapshots import show
from graphcore.capture.location import warn_user
from graphcore.errors import RecompileWarning
from graphcore.ir.types import TensorType
from graphcore.tensor import Tensor

WARN_AFTER = 8              # recompilations of one function
_KEPT_REASONS = 100         # the latest are kept; all are counted
_SHOWN_CHANGES = 3          # in one reason

_SIZES, _VALUES, _STATE = "sizes", "values", "state"
_WAYS_OUT = {
    _SIZES: "declare the sizes that change, set_inputs(Tensor(shape=[None, ...], dtype=...)), or pad to a few sizes",
    _VALUES: "pass numbers as Tensors or as mutable(number), and objects that stay the same from call to call",
    _STATE: "make a number that changes a Tensor argument or a Parameter(requires_grad=False), and leave what the "
            "function reads as it is between calls",
}


@dataclass(frozen=True)
class Reason:
    """One recompilation: its kind, the place that changed (to count by) and the whole text."""

    kind: str
    place: str
    text: str


def arguments_of(args, kwargs, names) -> dict[str, tuple[str, str]]:
    """Small records (kind, text) of the arguments of a call, by what they are called in messages."""
    found: dict = {}
    for index, (name, value) in enumerate(zip(names, args)):
        _record(f"argument {index} ({name})", value, found)
    for name, value in kwargs.items():
        _record(f"argument {name}", value, found)
    return found


def _record(place: str, value, found: dict) -> None:
    if isinstance(value, (Tensor, TensorType)):
        found[place] = _SIZES, str(value if isinstance(value, TensorType) else value.type_)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _record(f"{place}[{index}]", item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            _record(f"{place}[{key!r}]", item, found)
    else:
        found[place] = _VALUES, show(value)


class History:
    """The recompilations of one function, as texts."""

    def __init__(self, name: str):
        self.name = name
        self._compilations = 0
        self._reasons: list[Reason] = []
        self._places: Counter = Counter()

    def first(self) -> None:
        """It is compiled for the first time."""
        self._compilations += 1

    def again_for_arguments(self, before: dict, now: dict) -> None:
        """It is compiled again for arguments of another kind; both are made by `arguments_of`."""
        changes = {place: _change(before.get(place), now.get(place))
                   for place in {**before, **now} if before.get(place) != now.get(place)}
        if not changes:         # of another identity only
            changes = {place: "replaced by another object" for place, (kind, _) in now.items() if kind == _VALUES}
        kinds = {kind for record in (before, now) for place, (kind, _) in record.items() if place in changes}
        self._note(Reason(_SIZES if kinds == {_SIZES} else _VALUES, next(iter(changes), "the arguments"),
                          _joined([f"{place}: {change}" for place, change in changes.items()])))

    def again_for_guards(self, changes: list[str]) -> None:
        """It is compiled again since what it read has changed."""
        self._note(Reason(_STATE, changes[0].partition(": ")[0], _joined(changes)))

    def _note(self, reason: Reason) -> None:
        self._compilations += 1
        self._reasons = [*self._reasons, reason][-_KEPT_REASONS:]
        self._places[reason.kind, reason.place] += 1
        if self._compilations == WARN_AFTER + 1:
            self._warn()

    def _warn(self) -> None:
        (kind, place), count = self._places.most_common(1)[0]
        last = next(r.text for r in reversed(self._reasons) if (r.kind, r.place) == (kind, place))
        message = (f"{self.name} was compiled again {self._compilations - 1} times, {count} of them because of {place} "
                   f"(the last time: {last}); {_WAYS_OUT[kind]}. graphcore.explain_recompile shows all")
        warn_user(message, RecompileWarning)

    def explain(self) -> str:
        """One line for each compilation after the first."""
        if self._compilations <= 1:
            return f"{self.name} was compiled once" if self._compilations else f"{self.name} was never compiled"
        first = self._compilations - len(self._reasons) + 1
        lines = [f"{first + i}: {reason.text}" for i, reason in enumerate(self._reasons)]
        return "\n".join([f"{self.name} was compiled {self._compilations} times", *lines])


def _joined(texts: list[str]) -> str:
    more = len(texts) - _SHOWN_CHANGES
    return "; ".join(texts[:_SHOWN_CHANGES]) + (f"; and {more} more" if more > 0 else "")


def _change(before: tuple | None, now: tuple | None) -> str:
    if before is None:
        return f"was added, as {now[1]}"
    return f"{before[1]} -> {now[1]}" if now else f"was left out, it was {before[1]}"
