"""Guards: what a capture read of Python, so that a change compiles again instead of giving stale results.

While a capture runs, `reads` notes attributes, globals, closure cells and containers together with a `snapshot` of what
they held.  `checks` turns the notes of one program into a function that a call runs in a few ten nanoseconds.

Attributes of Cells cost nothing there: every change of one moves the `epoch.structure` counter, and only then are they
compared.  So it is with the values of Tensors, as long as nobody else holds a view of their memory.  What can change
without anybody being told is compared at each call: globals, closure cells, plain objects, and the contents of lists,
dicts, sets, arrays and Tensors over shared memory, those of a Cell's attributes included.
"""
from __future__ import annotations

from graphcore.capture.guards.checks import Guards
from graphcore.capture.guards.reads import (
    changed,
    read_attribute,
    read_cell,
    read_container,
    read_defaults,
    read_global,
    read_watched,
    recording,
    written,
)
from graphcore.capture.guards.snapshots import static_key

__all__ = ["Guards", "changed", "read_attribute", "read_cell", "read_container", "read_defaults", "read_global",
           "read_watched", "recording", "static_key", "written"]
