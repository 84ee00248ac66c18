"""Numba's typing and target contexts, knowing no more of Python than kernels may use.

Numba's own would first import everything it supports.  Importing this module imports Numba.
"""
from __future__ import annotations

from functools import cache

from numba.core import cpu, fastmathpass, types
from numba.core.callconv import create_error_model
from numba.core.cpu_options import FastMathOptions
from numba.core.typing.context import BaseContext
from numba.core.typing.templates import RegistryLoader

from graphcore.compiler.codegen import language

#: What LLVM may assume of all floating-point arithmetic of kernels: that a*b + c may be one instruction.
FAST_MATH = FastMathOptions({"contract"})
ERROR_MODEL = "numpy"


class _KernelTyping(BaseContext):
    """Knows the builtin operators, the kernel language, and the mathematics that ``**`` is made of."""

    def load_additional_registries(self):
        from numba.core.typing import mathdecl
        self.install_registry(mathdecl.registry)

    def install_registry(self, registry):
        """Install functions, but of attributes few: those of arrays and strings import all behind them."""
        loader = self._registries.setdefault(registry, RegistryLoader(registry))
        for template in loader.new_registrations("attributes"):
            if template.key is types.NumberClass or isinstance(template.key, types.Module):
                self.insert_attributes(template(self))
        super().install_registry(registry)


class _KernelTarget(cpu.CPUContext):
    """Knows how numbers, ranges and tuples are lowered, and the mathematics that ``//`` and ``**`` of floats need."""

    def load_additional_registries(self):
        from numba.core import optional  # noqa: F401 - registers its implementations when imported
        from numba.cpython import builtins, iterators, mathimpl, numbers, rangeobj, tupleobj  # noqa: F401
        self.install_registry(mathimpl.registry)

    def post_lowering(self, module, library):
        fastmathpass.rewrite_module(module, self.fastmath)


class WalkTarget(_KernelTarget):
    """Instructions for one operation at a time, in functions that Numba knows nothing of."""

    def add_linking_libs(self, libs):
        if libs:
            raise NotImplementedError("an operation with a library of its own")

    def compile_internal(self, builder, impl, sig, args, locals=None):
        raise NotImplementedError("an operation that is a compiled function")


@cache
def typing_context() -> _KernelTyping:
    """The types of all that kernels may do, shared by all kernels."""
    language.namespace()
    typing = _KernelTyping()
    typing.refresh()
    return typing


@cache
def target_context(kind: type = _KernelTarget) -> _KernelTarget:
    """The instructions of all that kernels may do, shared by all kernels."""
    target = kind(typing_context(), "cpu")
    target.refresh()
    return target.subtarget(fastmath=FAST_MATH, error_model=create_error_model(ERROR_MODEL, target))
