"""LLVM IR → relocatable object: one optimisation, then code.  Needs LLVM alone, neither Numba nor NumPy."""
from __future__ import annotations

from functools import lru_cache

from llvmlite import binding

from graphcore.compiler.toolchain.cpu import CpuTarget
from graphcore.errors import CompileError


def assemble(text: str, exported: tuple, cpu: CpuTarget) -> bytes:
    """The object of a module, in which only the functions named `exported` are visible."""
    module = binding.parse_assembly(text)
    optimise(module, cpu, exported)
    return emit(module, cpu)


def assemble_part(text: str, hidden: tuple, cpu: CpuTarget) -> bytes:
    """The object of a module that is one of several in a shared library.

    All that it defines is visible to the others; names that begin with one of `hidden` are not visible outside of the
    library, so that their addresses need not be looked up in a table.  The text may have inline assembly.
    """
    binding.initialize_native_asmparser()
    module = binding.parse_assembly(text)
    for value in (*module.functions, *module.global_variables):
        if value.name.startswith(hidden) and value.linkage != binding.Linkage.internal:
            value.visibility = "hidden"
    optimise(module, cpu, tuple(f.name for f in module.functions if not f.is_declaration))
    return emit(module, cpu)


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


def commenting_machine(cpu: CpuTarget) -> binding.TargetMachine:
    """A code generator that comments the assembly that it prints."""
    machine = target_machine.__wrapped__(cpu)
    machine.set_asm_verbosity(True)
    return machine


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
