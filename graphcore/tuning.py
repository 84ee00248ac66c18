"""`tune`: the compiler's alternatives, measured for one net and one kind of arguments."""
from __future__ import annotations

from collections.abc import Callable

from graphcore.inspect import compiled_of


def tune(function, *args, seconds: float = 60.0, told: Callable = lambda trial: None, **kwargs) -> list:
    """Measure what the compiler could do otherwise, and keep what makes this program faster; gives all trials.

    function: a Cell, `@jit` function or gradient function that has been called in GRAPH_MODE; args, kwargs: as for a
    call.  Layouts of images, ways to convolve, blocks of matrix products and the like are tried one by one, each
    against the program so far, until all are done or `seconds` have passed; `told` is called with each
    `compiler.tune.Trial`.  What is kept lies in the cache and serves all later processes; results may differ by
    rounding, as another order of sums does.  Parameters that the program trains have their values back at the end.

    Raises NotCompiledError before the first call, ValueError for a program that calls Python (prints, hooks).
    """
    from graphcore.compiler import tune as tuner
    program, arrays = compiled_of(function).measured(args, kwargs)
    if program.callbacks:
        raise ValueError(f"{type(function).__name__} calls Python while it runs (a print or a hook), which measuring "
                         "would do many times over; tune it without")
    return tuner.tune(program, arrays, seconds, told)
