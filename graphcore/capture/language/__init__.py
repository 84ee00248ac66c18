"""The language of converted functions: what stands for Python's control flow, calls, attributes and items.

Converted code (`graphcore.capture.convert`) calls these names.  With Python values each does what Python does; where a
traced tensor decides, it records a region of the graph.
"""
from __future__ import annotations

from graphcore.capture.language.branches import and_, compare, if_, if_expression, if_return, local, not_, or_
from graphcore.capture.language.calls import callee
from graphcore.capture.language.effects import assert_, raised
from graphcore.capture.language.items import (
    attribute,
    delete_item,
    in_place,
    item,
    own,
    set_attribute,
    set_global,
    set_item,
    set_item_of_outer,
    slice,
)
from graphcore.capture.language.loops import for_, while_
from graphcore.capture.language.nests import UNBOUND

__all__ = [
    "UNBOUND", "and_", "assert_", "attribute", "callee", "compare", "delete_item", "for_", "if_", "if_expression",
    "if_return", "in_place", "item", "local", "not_", "or_", "own", "raised", "set_attribute", "set_global", "set_item",
    "set_item_of_outer", "slice", "while_",
]
