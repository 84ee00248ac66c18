"""What there is to know of a kernel's machine code: its loops, vectors, fused multiply-adds, and spilled registers."""
from __future__ import annotations

import re
from dataclasses import dataclass

#: What LLVM's comments say of a block, and of a stack slot.
_LOOP = re.compile(r"(?:#|//)\s+=>\s*This (?P<inner>Inner )?Loop Header: Depth=(?P<depth>\d+)")
_LABEL = re.compile(r"^(\.?[A-Za-z_$][\w$.]*):")
_INSTRUCTION = re.compile(r"^\s+([a-z][a-z0-9.]*)(?:\s+(.*?))?\s*$")
_SPILL, _RELOAD = re.compile(r"Spill\b"), re.compile(r"Reload\b")
#: x86 (AT&T) and AArch64 names.
_FUSED = re.compile(r"vf(?:n?madd|n?msub|maddsub|msubadd)\d*[sp][sdh]|f(?:n?madd|n?msub|mla|mls)\b")
_FLOAT = re.compile(r"v?(?:add|sub|mul|div|max|min|sqrt)[ps][sdh]$|f(?:add|sub|mul|div|max|min|sqrt)\b")
_REGISTERS = ((re.compile(r"%zmm"), 512), (re.compile(r"%ymm"), 256), (re.compile(r"%xmm|\bv\d+\.|\bq\d+\b"), 128))
_SCALAR = re.compile(r"v?(?:f?n?(?:madd|msub)\d*|add|sub|mul|div|max|min|sqrt)s[sdh]$")


@dataclass(frozen=True)
class MachineCode:
    """Counts over the assembly of one kernel.

    instructions: all of them; loops: headers, depth: of the deepest one; vector_bits: the width of the widest float
    arithmetic, 0 where there is none in vectors; float_operations: instructions that calculate with floats, fused:
    those among them that multiply and add at once; spills, reloads: registers that were stored on the stack and loaded
    again, spills_in_loops: those of them that happen inside an innermost loop; calls: of functions.
    """

    instructions: int
    loops: int
    depth: int
    vector_bits: int
    float_operations: int
    fused: int
    spills: int
    reloads: int
    spills_in_loops: int
    calls: int

    @property
    def fused_share(self) -> float:
        """The share of float instructions that multiply and add at once; 0 where there are none."""
        return self.fused / self.float_operations if self.float_operations else 0.0

    def __str__(self) -> str:
        vectors = f"vectors of {self.vector_bits} bits" if self.vector_bits else "no float vectors"
        spilled = (f"{self.spills} registers spilled, {self.spills_in_loops} of them in innermost loops" if self.spills
                   else "no register spilled")
        return (f"{self.instructions} instructions, {self.loops} loops to depth {self.depth}, {vectors}, {spilled}; "
                f"{self.fused_share:.0%} of {self.float_operations} float instructions multiply and add at once")


def machine_code(assembly: str) -> MachineCode:
    """Count over assembly as `toolchain.build.explain_object` prints it."""
    counts = dict.fromkeys(("instructions", "loops", "float_operations", "fused", "spills", "reloads",
                            "spills_in_loops", "calls"), 0)
    depth = vector_bits = 0
    innermost = False
    for line in assembly.splitlines():
        header = _LOOP.search(line)
        if _LABEL.match(line) or line.lstrip().startswith(("# %bb", "// %bb")):
            innermost = False
        if header:
            counts["loops"] += 1
            depth = max(depth, int(header["depth"]))
            innermost = bool(header["inner"])
            continue
        found = _INSTRUCTION.match(line)
        if not found or found[1].startswith("."):
            continue
        name, operands = found[1], found[2] or ""
        counts["instructions"] += 1
        counts["calls"] += name in ("call", "callq", "bl", "blr")
        is_fused = bool(_FUSED.match(name))
        if is_fused or _FLOAT.match(name):
            counts["float_operations"] += 1
            counts["fused"] += is_fused
            if not _SCALAR.match(name):
                vector_bits = max(vector_bits, next((b for pattern, b in _REGISTERS if pattern.search(operands)), 0))
        if _SPILL.search(operands):
            counts["spills"] += 1
            counts["spills_in_loops"] += innermost
        counts["reloads"] += bool(_RELOAD.search(operands))
    return MachineCode(depth=depth, vector_bits=vector_bits, **counts)
