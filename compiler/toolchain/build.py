"""KernelSource → relocatable object: LLVM IR from its text, one optimisation, code."""
from __future__ import annotations

import logging

from llvmlite import binding

from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain import assemble
from graphcore.compiler.toolchain.cpu import CpuTarget, host
from graphcore.compiler.toolchain.elf import undefined_symbols
from graphcore.compiler.toolchain.half import SOFTWARE_CONVERSIONS, lacks_half
from graphcore.compiler.toolchain.naming import symbol
from graphcore.compiler.toolchain.symbols import ALLOWED
from graphcore.errors import CompileError

log = logging.getLogger("graphcore.codegen")

#: The C function around what Numba's front end made of a kernel.  Nothing else points at the row that `args` points at
#: while the kernel runs.
_ENTRY = """
declare i32 @"{inner}"(ptr, ptr, ptr, i64, i64, i64)

define void @{symbol}(ptr noalias readonly %args, i64 %begin, i64 %end, i64 %worker) nounwind
    {attributes} {{
  %result = alloca ptr
  %exception = alloca ptr
  %status = call i32 @"{inner}"(ptr %result, ptr %exception, ptr %args, i64 %begin, i64 %end, i64 %worker)
  ret void
}}
"""


def build_object(source: KernelSource, cpu: CpuTarget | None = None) -> bytes:
    """The relocatable object that defines `symbol(source)`, for `cpu` (default: this one).

    Raises CompileError if the text is no kernel, or needs a function that kernels may not call.
    """
    cpu = cpu or host()
    return checked(source, assemble.assemble(kernel_ir(source, cpu), (symbol(source),), cpu))


def explain_object(source: KernelSource, cpu: CpuTarget | None = None) -> tuple[str, str]:
    """The optimised LLVM IR and the assembly of a kernel, with LLVM's comments about loops and spilled registers.

    Raises CompileError if the text is no kernel.
    """
    cpu = cpu or host()
    module = binding.parse_assembly(kernel_ir(source, cpu))
    assemble.optimise(module, cpu, exported=(symbol(source),))
    return str(module), assemble.commenting_machine(cpu).emit_assembly(module)


def checked(source: KernelSource, image: bytes) -> bytes:
    """The object of a kernel, if it needs nothing but what kernels may call; else raises CompileError."""
    foreign = [name for name in undefined_symbols(image) if name not in ALLOWED]
    if foreign:
        raise CompileError(f"kernel {source.name} needs {', '.join(foreign)}, which no kernel may call; "
                           f"please report this text as a defect.\n{source.source}")
    return image


def kernel_ir(source: KernelSource, cpu: CpuTarget) -> str:
    """LLVM IR, not optimised, of the kernel as the C function `symbol(source)` and of what it calls.

    Raises CompileError if the text is no kernel.
    """
    from graphcore.compiler.toolchain import walk  # imports Numba, which only compiling needs
    vectors = f'"prefer-vector-width"="{cpu.preferred_vector_bits}"'
    try:
        text = walk.lower(source, symbol(source), vectors)
    except walk.NotUnderstood as reason:
        log.info("Numba's front end takes %s: %s", source.name, reason)
        text = _ir_by_numba(source, vectors)
    if not lacks_half(cpu):
        return text
    module = binding.parse_assembly(text)
    module.link_in(binding.parse_assembly(SOFTWARE_CONVERSIONS))
    return str(module)


def _ir_by_numba(source: KernelSource, attributes: str) -> str:
    from graphcore.compiler.toolchain import frontend
    module, inner = frontend.lower(source)
    module.link_in(binding.parse_assembly(_ENTRY.format(inner=inner, symbol=symbol(source), attributes=attributes)))
    return str(module)
