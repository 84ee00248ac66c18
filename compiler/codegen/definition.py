"""How a name of the kernel language is given its instructions.

The decorator here does what `numba.extending.intrinsic` does, without its side effect: that one makes Numba import all
it has (arrays, linear algebra and SciPy with it) before the first kernel compiles, a third of a second at least.
"""
from __future__ import annotations

from collections.abc import Callable

from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import lower_builtin


def intrinsic(definition: Callable | None = None, *, prefer_literal: bool = False):
    """Make a function of the kernel language from ``definition(typing, *argument_types)``.

    The definition returns None if it does not take these types, else ``(signature, generate)``, where
    ``generate(context, builder, signature, arguments)`` emits the instructions and returns the LLVM value.
    It is called more than once.  With `prefer_literal`, literal arguments arrive as literal types.
    """
    if definition is None:
        return lambda definition: intrinsic(definition, prefer_literal=prefer_literal)

    def function(*arguments):
        raise TypeError(f"{definition.__name__} belongs to kernels and cannot be called from Python")

    function.__name__ = function.__qualname__ = definition.__name__
    function.__doc__ = definition.__doc__
    function.definition, function.prefer_literal = definition, prefer_literal
    literal = prefer_literal

    class Template(AbstractTemplate):
        key = function
        prefer_literal = literal

        def generic(self, args, kws):
            made = None if kws else definition(self.context, *args)
            return made and made[0]

    infer_global(function, types.Function(Template))

    @lower_builtin(function, types.VarArg(types.Any))
    def lower(context, builder, signature, arguments):
        _, generate = definition(context.typing_context, *signature.args)
        return generate(context, builder, signature, arguments)

    return function
