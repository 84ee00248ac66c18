"""A campaign: ``python -m tests.aot.fuzz --count 300 --seed 0``: random graphs as libraries and as programs.

Each seed gives a graph: of operators and views, of such with a symbolic size in its inputs, of branches and loops, or
that of a random program of `tests/fuzz`, in turn.  It is compiled ahead of time and run on every CPU level of this
machine, for several values of the size, and compared with the compiled program of this process.  Seeds run in processes
of their own, so a crash is a finding of its seed.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from graphcore import Parameter, Tensor, float32
from graphcore.aot.bundle import write_bundle
from graphcore.aot.compiled_model import CompiledModel
from graphcore.compiler.program import compile_graph
from graphcore.errors import CompileError, GraphcoreError
from graphcore.files.gir import GraphFile
from graphcore.ir.dims import Dim, evaluate
from graphcore.ir.graph import Graph, input_
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise, reduction, view
from graphcore.train.exporting import exported_graph
from tests.aot.nets import leaves
from tests.aot.show import host_levels
from tests.compiler.random_graphs import GraphMaker
from tests.compiler.random_regions import RegionMaker
from tests.fuzz import check
from tests.fuzz.generator import program

N = Dim.symbol("N")
NEXT = 1_000_003                    # from a seed whose graph no library can hold to another
VALUES = (5, 1, 3, 70, 5)
RTOL, ATOL = 1e-4, 2e-5             # of a number, of the largest of its array: levels round differently


class SymbolicMaker(GraphMaker):
    """Random graphs whose inputs have N rows."""

    def make(self, steps: int) -> tuple:
        columns = tuple(int(self.random.choice((1, 2, 3, 8, 17))) for _ in range(self.random.randint(0, 3)))
        for _ in range(2):
            self._add_input((N, *columns))
        for _ in range(steps):
            made = self._step()
            if made is not None and evaluate(made.type.size, {"N": max(VALUES)}) <= 60000:
                self.values.append(made)
        outputs = [self.values[-1], self._pick(), self._pick()]
        return Graph("symbolic", tuple(self.inputs), tuple(dict.fromkeys(outputs))), None

    def _add_input(self, shape: tuple):
        leaf = input_(f"x{len(self.inputs)}", TensorType(float32, shape))
        self.inputs.append(leaf)
        self.values.append(leaf)
        return leaf

    def _reduce(self, x):
        axes = (int(self.random.randint(x.rank)),)
        record = (reduction.sum_, reduction.max_, reduction.min_)[self.random.randint(3)]
        reduced = pointwise.tanh(record(x, axes=axes, keepdims=bool(self.random.rand() < 0.7)))
        return pointwise.sub(x, reduced) if reduced.rank == x.rank and self.random.rand() < 0.7 else reduced

    def _view(self, x):
        choice = self.random.rand()
        if choice < 0.25:
            return view.transpose(x, perm=tuple(int(i) for i in self.random.permutation(x.rank)))
        if choice < 0.5:
            return view.reshape(x, shape=self._other_shape(x))
        if choice < 0.65:
            return view.broadcast_to(x, shape=(int(self.random.choice((1, 2, 3))), *x.shape))
        # of a symbolic axis nothing, or what lies behind its first elements
        begin = [int(self.random.randint(0, s)) if isinstance(s, int) else 0 for s in x.shape]
        size = [s - b for s, b in zip(x.shape, begin)]
        return view.slice_(x, begin=tuple(begin), size=tuple(size), stride=(1,) * x.rank)

    def inputs_for(self, n: int) -> list:
        """Arrays for the inputs with N = n."""
        return [self.random.uniform(-1, 1, tuple(evaluate(s, {"N": n}) for s in leaf.shape)).astype(np.float32)
                for leaf in self.inputs]


def fixed_case(maker, steps=()) -> tuple:
    graph, arrays = maker.make(*steps)
    return GraphFile(graph, {}, list(range(len(graph.outputs)))), [arrays]


def symbolic_case(seed: int) -> tuple:
    maker = SymbolicMaker(seed)
    graph, _ = maker.make(12)
    return GraphFile(graph, {}, list(range(len(graph.outputs)))), [maker.inputs_for(n) for n in VALUES]


def program_case(seed: int) -> tuple:
    """Of the first random program from this seed on that a library can hold."""
    while True:
        namespace = check.load(program(seed).source, f"aot_{seed}")
        net, sets = namespace["Net"](), namespace["inputs"]()
        try:
            return exported_graph(net, sets[0]), [[x.asnumpy() for x in inputs] for inputs in sets]
        except GraphcoreError:
            seed += NEXT


KINDS = {"graph": lambda seed: fixed_case(GraphMaker(seed), (14,)), "symbolic": symbolic_case,
         "regions": lambda seed: fixed_case(RegionMaker(seed)), "program": program_case}


def kind_of(seed: int) -> str:
    """The kind of graph that a seed gives."""
    return list(KINDS)[seed % len(KINDS)]


def checked(seed: int) -> str:
    """Check a seed, or the first one after it (in steps) whose graph a library can hold; "" or what was found."""
    try:
        return _checked(seed)
    except CompileError as error:
        if "a library runs without Python" not in str(error):
            raise
        return checked(seed + NEXT * len(KINDS))


def _checked(seed: int) -> str:
    exported, sets = KINDS[kind_of(seed)](seed)
    compiled = compile_graph(exported.graph, {n: Parameter(v.array, name=n) for n, v in exported.values.items()})
    wanted = [compiled.run([np.asarray(a) for a in arrays]) for arrays in sets]
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(folder, "net", exported, levels=host_levels())
        for level in host_levels():
            model = CompiledModel(folder, threads=2, cpu_level=level)
            for number, (arrays, results) in enumerate(zip(sets, wanted)):
                given = leaves(model(*map(Tensor, arrays)))
                for i, (a, b) in enumerate(zip(given, [results[j] for j in _order(exported.result)], strict=True)):
                    problem = difference(a.asnumpy(), b)
                    if problem:
                        return f"v{level}, inputs {number}, output {i}: {problem}"
    return ""


def _order(result) -> list:
    return [number for part in result for number in _order(part)] if isinstance(result, list) else [result]


def difference(found: np.ndarray, wanted: np.ndarray) -> str:
    """How an array differs from what is wanted; "" if it does not."""
    if (found.dtype, found.shape) != (wanted.dtype, wanted.shape):
        return f"{found.dtype}{found.shape}, not {wanted.dtype}{wanted.shape}"
    if wanted.dtype.kind != "f":
        return "" if np.array_equal(found, wanted) else f"{found.ravel()[:8]}, not {wanted.ravel()[:8]}"
    scale = max(1.0, float(np.abs(wanted[np.isfinite(wanted)]).max(initial=0)))
    if np.allclose(found, wanted, RTOL, ATOL * scale, equal_nan=True):
        return ""
    return f"off by {np.nanmax(np.abs(found - wanted)):.3g} of {scale:.3g}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.aot.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=300, help="how many graphs")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--here", action="store_true", help="in this process, a line for each seed")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    if options.here:
        for seed in seeds:
            print(f"{seed} {checked(seed)}".replace("\n", " "), flush=True)
        return 0
    begin, findings, done = time.perf_counter(), {}, Counter()
    seed = options.seed
    while seed < seeds.stop:
        worker = subprocess.Popen([sys.executable, "-m", "tests.aot.fuzz", "--here", "--seed", str(seed), "--count",
                                   str(seeds.stop - seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  cwd=Path(__file__).resolve().parents[2])
        for line in worker.stdout:
            seed, finding = int(line.split()[0]), line.partition(" ")[2].strip()
            findings |= {seed: finding} if finding else {}
            done[kind_of(seed)] += 1
            seed += 1
        error = worker.stderr.read().strip()
        if worker.wait():
            findings[seed] = f"ended with {worker.returncode}: {error[-1500:]}"
            seed += 1
    print(f"{sum(done.values())} graphs ({', '.join(f'{n} {kind}' for kind, n in done.items())}) on levels "
          f"{', '.join(f'v{level}' for level in host_levels())}: {len(findings)} findings, "
          f"{time.perf_counter() - begin:.0f} s")
    for seed, finding in findings.items():
        print(f"seed {seed} ({kind_of(seed)}): {finding}")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
