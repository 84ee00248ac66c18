"""Every stage of a compilation: its text reads back to the same graph, its results are those of the captured graph.

``python -m tests.ir.stages --count 2000`` checks so many random programs of `tests.fuzz`, forward and gradients.  With
GRAPHCORE_TEST_STAGES=1 all that a run of pytest compiles is checked: every Cell of the test suite.
"""
from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys

import numpy as np

from graphcore import dtype as dt
from graphcore.compiler.autodiff import expand_gradients
from graphcore.inspect import compilation
from graphcore.ir.graph import Graph, graphs_of
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ops.evaluate import interpret

RTOL = {2: 3e-2, 4: 1e-3, 8: 1e-6}      # of the largest value, by the bytes of the narrowest float on the way


def check_texts(stages) -> None:
    """Printing and parsing gives the same graph and the same text, at every stage."""
    for stage in stages:
        text = print_graph(stage.graph)
        again = parse_graph(text)
        assert again == stage.graph, f"{stage.title} reads back to another graph:\n{text}"
        assert print_graph(again) == text, f"{stage.title} prints differently when it was read back"


def check_results(stages, arrays: list, parameters: dict, callbacks=()) -> None:
    """The operators' references give the same results at every stage, up to rounding."""
    tolerance = RTOL[narrowest(stages[0].graph)]
    wanted = None
    for stage in stages:
        graph = expand_gradients(stage.graph) if stage.number < 4 else stage.graph
        leaves = dict(zip(graph.inputs, arrays)) | {leaf: parameters[name] for name, leaf in graph.params.items()}
        values = interpret(graph, leaves, [lambda *a: a[0] if a else None] * len(callbacks))
        found = [values[o] for o in (*graph.outputs, *(n for _, n in graph.updates))]
        types = [o.type for o in (*graph.outputs, *(n for _, n in graph.updates))]
        if wanted is None:
            wanted = found
        for number, (a, b, type_) in enumerate(zip(wanted, found, types)):
            assert close(a, b, type_.dtype, tolerance), f"{stage.title}: result {number} is {b}, as captured {a}"


def close(a, b, dtype, tolerance: float) -> bool:
    """Whether two results are the same up to rounding; where one is not finite, neither need be what the other is."""
    a, b = (np.asarray(dt.bfloat16_to_float32(x) if dtype is dt.bfloat16 else x) for x in (a, b))
    if not dtype.is_float:
        return np.array_equal(a, b)
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    if a.size and not finite.any():
        return True
    scale = max(1.0, float(np.max(np.abs(a[finite]), initial=0)))
    return a.shape == b.shape and bool(np.all(np.abs(a - b)[finite] <= tolerance * scale))


def narrowest(graph: Graph) -> int:
    """Bytes of the narrowest float in a graph and its regions."""
    sizes = [8]
    for n in graph.nodes:
        sizes += [narrowest(g) for g in graphs_of(n).values()]
        if hasattr(n.type, "dtype") and n.type.dtype.is_float:
            sizes.append(n.type.dtype.itemsize)
    return min(sizes)


def checking(compile):
    """A `compiler.compile` that checks all stages of what it compiles, and their results at the first run."""
    @functools.wraps(compile)
    def checked(graph, parameters, callbacks=()):
        stages = compilation(graph).stages
        check_texts(stages)
        program = compile(graph, parameters, callbacks)
        run = program.run

        def first_run(arrays):
            program.run = run
            if not graph.symbols:
                held = {name: parameters[name].materialized()._array.copy() for name in graph.params}
                check_results(stages, [np.array(a) for a in arrays], held, callbacks)
            return run(arrays)

        program.run = first_run
        return program
    return checked


def _campaign(first: int, count: int) -> int:
    from graphcore import compiler
    from tests.fuzz.check import check
    from tests.fuzz.generator import program
    compiler.compile = checking(compiler.compile)
    bad = 0
    for seed in range(first, first + count):
        found = check(program(seed).source, f"stages_{seed}").findings
        bad += bool(found)
        for finding in found:
            print(f"{seed}: {finding.kind}: {finding.detail[:400]}", flush=True)
    return bad


def main() -> int:
    """Check programs, in processes of 100; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.ir.stages", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return min(100, _campaign(options.seed, options.count))
    bad = 0
    for first in range(options.seed, options.seed + options.count, 100):
        count = min(100, options.seed + options.count - first)
        done = subprocess.run([sys.executable, "-W", "ignore", "-m", "tests.ir.stages", "--here", "--seed", str(first),
                               "--count", str(count)], env=os.environ)
        bad += done.returncode
        print(f"{first + count - options.seed} programs, {bad} with findings", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
