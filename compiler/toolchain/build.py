"""KernelSource → relocatable object: LLVM IR from its text, one optimisation, code."""
from __future__ import annotations

import logging
from functools import lru_cache

from llvmlite import binding

from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain.cpu import CpuTarget, host
from graphcore.compiler.toolchain.half import SOFTWARE_CONVERSIONS, lacks_half
from graphcore.compiler.toolchain.naming import symbol
from graphcore.compiler.toolchain.symbols import ALLOWED, undefined_symbols
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
    image = emit(_optimised_module(source, cpu), cpu)
    foreign = [name for name in undefined_symbols(image) if name not in ALLOWED]
    if foreign:
        raise CompileError(f"kernel {source.name} needs {', '.join(foreign)}, which no kernel may call; "
                           f"please report this text as a defect.\n{source.source}")
    return image


def explain_object(source: KernelSource, cpu: CpuTarget | None = None) -> tuple[str, str]:
    """The optimised LLVM IR and the assembly of a kernel.  Raises CompileError if the text is no kernel."""
    cpu = cpu or host()
    module = _optimised_module(source, cpu)
    return str(module), target_machine(cpu).emit_assembly(module)


def _optimised_module(source: KernelSource, cpu: CpuTarget) -> binding.ModuleRef:
    module = _module(source, cpu)
    if lacks_half(cpu):
        module.link_in(binding.parse_assembly(SOFTWARE_CONVERSIONS))
    optimise(module, cpu, exported=(symbol(source),))
    return module


def _module(source: KernelSource, cpu: CpuTarget) -> binding.ModuleRef:
    """The kernel as the C function `symbol(source)`, and what it calls."""
    from graphcore.compiler.toolchain import walk  # imports Numba, which only compiling needs
    vectors = f'"prefer-vector-width"="{cpu.preferred_vector_bits}"'
    try:
        return binding.parse_assembly(walk.lower(source, symbol(source), vectors))
    except walk.NotUnderstood as reason:
        log.info("Numba's front end takes %s: %s", source.name, reason)
    from graphcore.compiler.toolchain import frontend
    module, inner = frontend.lower(source)
    module.link_in(binding.parse_assembly(_ENTRY.format(inner=inner, symbol=symbol(source), attributes=vectors)))
    return module


def optimise(module: binding.ModuleRef, cpu: CpuTarget, exported: tuple) -> None:
    """Run LLVM's whole pipeline once, for `cpu`; only the functions named `exported` stay visible."""
    machine = target_machine(cpu)
    module.triple = cpu.triple
    module.data_layout = str(machine.target_data)
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name not in exported:
            value.linkage = "internal"
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    options.loop_interleaving = True
    options.loop_unrolling = True
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)


def emit(module: binding.ModuleRef, cpu: CpuTarget) -> bytes:
    """Position-independent code for the small memory model."""
    return target_machine(cpu).emit_object(module)


@lru_cache(maxsize=8)
def target_machine(cpu: CpuTarget) -> binding.TargetMachine:
    """LLVM's code generator for `cpu`.  Raises CompileError for a CPU that this LLVM cannot generate code for."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    try:
        target = binding.Target.from_triple(cpu.triple)
        return target.create_target_machine(cpu=cpu.name, features=cpu.features, opt=3, reloc="pic", codemodel="small")
    except RuntimeError as error:
        raise CompileError(f"no code generator for {cpu.triple} ({cpu.name}): {error}") from None
