"""The values that are known by name at one place of a kernel's text."""
from __future__ import annotations

from types import MappingProxyType

from graphcore.compiler.codegen.text import compute_type
from graphcore.compiler.schedule.loops import Index, Literal
from graphcore.ir.graph import Node
from graphcore.ops.record import REGISTRY


class Scope:
    """The values that are known by name at one place of the text; writes the lines that compute missing ones.

    reload: member -> the output in whose memory it lies.
    """

    def __init__(self, writer, element, index_of, outer: Scope | None = None, reload=MappingProxyType({})):
        self.writer, self.element, self.index_of, self.outer, self.reload = writer, element, index_of, outer, reload
        self.names: dict = {}
        self.tables: dict = {}

    def value(self, m: Node) -> str:
        """The name of a member's value."""
        known = self.names.get(m)
        if known is not None:
            return known
        writer, group = self.writer, self.writer.group
        if m in self.tables:
            text = f"load({self.tables[m]}, j)"
        elif self.outer is not None and group.nodes[m] == "row":
            return self.outer.value(m)
        elif m in self.reload:
            text = f"load({self.element(writer.loops.outputs[self.reload[m]], True)})"
        else:
            text = self._expression(m)
        return self._assign(m, f"v{writer.members.index(m)}", text)

    def _assign(self, key, name: str, text: str) -> str:
        self.writer.line(f"{name} = {text}")
        self.names[key] = name
        return name

    def operand(self, operand, m: Node) -> str:
        """The text of one operand of member m."""
        if isinstance(operand, Node):
            return self.value(operand)
        if isinstance(operand, Literal):
            return self.writer.constant(operand.node)
        if isinstance(operand, Index):
            return f"{compute_type(operand.dtype)}({self.index_of(operand)})"
        known = self.names.get(operand)
        if known is not None:
            return known
        if self.outer is not None and operand.level == "row" and not self.tables and self.writer.group.reduced:
            return self.outer.operand(operand, m)
        name = self.writer.pointers[operand, False][0]
        return self._assign(operand, f"e{name}", f"load({self.element(operand, False)})")

    def _expression(self, m: Node) -> str:
        record, code = REGISTRY[m.op], compute_type(m.dtype)
        if m.op == "random_uniform":
            return f"philox_uniform(key0, key1, {m.attrs['site']}, {self.index_of(self.writer.loops.positions[m])})"
        texts = [self.operand(o, m) for o in self.writer.loops.operands[m]]
        if m.op == "cast" and m.dtype.code in ("f16", "bf16"):      # asked for, so it rounds even if nothing is stored
            return f"round_{m.dtype.code}(f32({texts[0]}))"
        source = compute_type(m.inputs[0].dtype) if m.inputs else code
        text = record.scalar.format(*texts).replace("T(", f"{source}(")
        return text if m.dtype.is_bool and record.scalar != "{0}" else f"{code}({text})"
