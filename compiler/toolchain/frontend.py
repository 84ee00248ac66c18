"""The text of a kernel → LLVM IR, by Numba's front end: for texts that `walk` does not understand.

It takes twenty times as long, and knows far more of Python.  Only Numba's translation, type inference and lowering are
used, and only the passes that kernels need: its own optimiser, linker and execution engine never see a kernel.
Importing this module imports the whole front end.
"""
from __future__ import annotations

from llvmlite import binding
from numba.core import cgutils, codegen, errors, types
from numba.core.compiler import CompilerBase, Flags, compile_extra
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.object_mode_passes import *  # noqa: F403 - registers passes that Numba's pass table expects
from numba.core.typed_passes import (
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode

from graphcore.compiler.codegen import language
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain.contexts import ERROR_MODEL, FAST_MATH, target_context, typing_context
from graphcore.errors import CompileError

SIGNATURE = (types.CPointer(types.intp), types.intp, types.intp, types.intp)


def lower(source: KernelSource) -> tuple[binding.ModuleRef, str]:
    """LLVM IR of a kernel before any optimisation, and the name of its function in there.

    The function is ``i32 name(ptr result, ptr exception, ptr args, i64 begin, i64 end, i64 worker)``.
    Raises CompileError, with the numbered text, if the text is no kernel.
    """
    with global_compiler_lock:
        return _lower(source)


def _lower(source: KernelSource) -> tuple[binding.ModuleRef, str]:
    names = language.namespace()
    try:
        exec(compile(source.source, f"<kernel {source.name}>", "exec"), names)
        function = names[source.name]
    except (SyntaxError, NameError, KeyError) as error:
        raise CompileError(_report(source, f"the text is not Python that defines {source.name}: {error}")) from None
    typing, target = typing_context(), target_context()
    library = _ModuleCollector(target.codegen(), source.name)
    try:
        typing.refresh()            # this front end brings more with it than `walk` needs
        target.refresh()
        compiled = compile_extra(typing, target, function, SIGNATURE, types.void, _flags(), {}, library=library,
                                 pipeline_class=_KernelPipeline)
    except (errors.NumbaError, NotImplementedError, AssertionError, TypeError, ValueError, KeyError,
            AttributeError) as error:
        raise CompileError(_report(source, _first_cause(error))) from None
    return library.linked_module(), compiled.fndesc.mangled_name


class _KernelPipeline(CompilerBase):
    """Bytecode → Numba's IR → types → LLVM IR; no rewriting on the way."""

    def define_pipelines(self):
        passes = PassManager("kernel")
        for pass_ in (TranslateByteCode, FixupArgs, IRProcessing, ReconstructSSA, NopythonTypeInference,
                      PreLowerStripPhis, IRLegalization, NativeLowering, NoPythonBackend):
            passes.add_pass(pass_, pass_._name)
        passes.finalize()
        return [passes]


class _ModuleCollector(codegen.CPUCodeLibrary):
    """A code library that keeps the modules it is given instead of compiling them."""

    def __init__(self, owner, name):
        codegen.CodeLibrary.__init__(self, owner, name)
        self._modules: list = []
        self._linking_libraries: list = []

    def add_ir_module(self, ir_module):
        self._modules.append(ir_module)

    def linked_module(self) -> binding.ModuleRef:
        """The kernel's module with those library functions that it calls (few kernels call any)."""
        module = _parse(self._modules[0])
        for other in self._modules[1:]:
            module.link_in(_parse(other))
        missing = {function.name for function in module.functions if function.is_declaration}
        for library in self._linking_libraries:
            if any(function.name in missing for function in library.get_defined_functions()):
                module.link_in(library._get_module_for_linking(), preserve=True)
        return module


def _parse(module) -> binding.ModuleRef:
    return binding.parse_assembly(cgutils.normalize_ir_text(str(module)))


def _flags() -> Flags:
    flags = Flags()
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model = ERROR_MODEL
    flags.fastmath = FAST_MATH
    return flags


#: Beginnings of the lines in which Numba says where it was, not what is wrong.
_NOISE = ("Failed in", "During: Pass", "File ", "<source", "This error may", "To see Python")


def _first_cause(error: Exception) -> str:
    """The part of Numba's message that says what is wrong, and in which line."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(_NOISE)]
    return "\n".join(told[:12]) or type(error).__name__


def _report(source: KernelSource, problem: str) -> str:
    numbered = "\n".join(f"{number:4} | {line}" for number, line in enumerate(source.source.splitlines(), 1))
    return (f"kernel {source.name} ({source.digest}) does not compile; please report this text as a defect.\n"
            f"{problem}\n{numbered}")
