"""Compiled models in a program that sees every access beside an array: `guarded.c`, and what it has to know.

The library is built with gaps between the blocks of its memory, and its file of weights has pages without access
between the arrays.
"""
from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from graphcore.compiler.aot.header import Argument, header_text
from graphcore.compiler.aot.level import Interface, LevelCode
from graphcore.compiler.aot.library import Weights, build_library, targets
from graphcore.compiler.aot.model import WeightsFile
from graphcore.compiler.aot.plan import plan_level
from graphcore.compiler.aot.support import fnv
from graphcore.compiler.pipeline import optimize
from graphcore.ir.dims import evaluate
from graphcore.ir.graph import Graph
from tests.aot import c_programs

PAGE, GAP = 4096, 192
SOURCE = Path(__file__).with_name("guarded.c")
HEADER = b"A file of weights with pages without access between its arrays.".ljust(PAGE)


@dataclass
class Guarded:
    """A model whose runs are watched.

    graph: an inference graph; values: name -> array of each Parameter; inputs: arrays; sizes: value of each symbolic
    size; folder: for all files.
    """

    graph: Graph
    values: dict
    inputs: list
    folder: Path
    sizes: dict = field(default_factory=dict)

    def run(self, mode: str, level: int, threads: int = 1, runs: int = 2) -> list:
        """The outputs on a CPU level.  mode: "end", "begin" or "valgrind" (see guarded.c).

        Raises AssertionError where the program fails or valgrind reports anything, with all that it says.
        """
        folder = self.folder / f"{mode}-v{level}"
        folder.mkdir(parents=True, exist_ok=True)
        program = self._built(folder, mode, level)
        (folder / "inputs").write_bytes(b"".join(np.ascontiguousarray(a).tobytes() for a in self.inputs))
        is_plain = mode == "valgrind"
        command = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"] if is_plain else []
        command += [program, "plain" if is_plain else mode, level, threads, runs, "inputs", "outputs", "weights"]
        c_programs.run(command, folder, timeout=3600)
        content, outputs, at = (folder / "outputs").read_bytes(), [], 0
        for node in self.graph.outputs:
            shape = tuple(evaluate(s, self.sizes) for s in node.shape)
            count = int(np.prod(shape, dtype=np.int64))
            outputs.append(np.frombuffer(content, node.dtype.storage, count, at).reshape(shape))
            at += count * node.dtype.itemsize
        return outputs

    def _built(self, folder: Path, mode: str, level: int) -> Path:
        weights, guards = self._weights(folder / "weights", mode != "begin")
        graph, sizes = self.graph, self.sizes
        nodes = (*graph.inputs, *graph.outputs)
        image = build_library(graph, "net", weights, (level,), gap=GAP).image
        (folder / "net.so").write_bytes(image)
        arguments = [Argument(f"a{i}", node.dtype, node.shape) for i, node in enumerate(nodes)]
        count = len(graph.inputs)
        (folder / "net.h").write_text(header_text("net", arguments[:count], arguments[count:], graph.symbols, "weights",
                                                  [f"v{level}"], "net: a test"))
        bytes_of = [evaluate(node.type.size, sizes) * node.dtype.itemsize for node in nodes]
        given = ", ".join([*(str(sizes[s]) for s in graph.symbols), *(f"(void *)(a)[{i}]" for i in range(len(nodes)))])
        gaps = ", ".join(f"{{{word}, {size}, {int(first)}}}" for word, size, first in self._gaps(level, weights))
        (folder / "case.h").write_text(f"""\
#include "net.h"
#include <stddef.h>
enum {{ INPUTS = {count}, ARRAYS = {len(nodes)}, GAP = {GAP} }};
typedef net MODEL;
typedef net_options OPTIONS;
#define CREATE net_create
#define DESTROY net_destroy
#define ERROR net_error
#define RUN(model, a) net_run(model, {given})
#define SET_SIZES(options) do {{ {' '.join(f'(options).max_{s} = {sizes[s]};' for s in graph.symbols)} }} while (0)
static const size_t array_bytes[] = {{ {', '.join(map(str, bytes_of))} }};
static const size_t guard_pages[] = {{ {', '.join(map(str, guards))} }};
static const struct {{ size_t word, bytes; int is_prologue; }} gaps[] = {{ {gaps} }};
""")
        return self._program(folder, mode)

    def _program(self, folder: Path, mode: str) -> Path:
        options = ["-DPLAIN"] if mode == "valgrind" else []
        return c_programs.build(SOURCE.read_text(), folder, [folder / "net.so"], options=["-fno-builtin", *options])

    def _weights(self, file: Path, at_end: bool) -> tuple:
        """(`Weights`, numbers of the pages without access); writes the file."""
        offsets, guards, content = {}, [1], bytearray(HEADER + bytes(PAGE))
        for name in self.graph.params:
            data = np.ascontiguousarray(self.values[name]).tobytes()
            room = -len(data) % PAGE
            offsets[name] = len(content) + (room if at_end else 0) - PAGE
            content += bytes(room) + data if at_end else data + bytes(room)
            guards.append(len(content) // PAGE)
            content += bytes(PAGE)
        file.write_bytes(content)
        return Weights(offsets, file=WeightsFile(len(content), PAGE, fnv(HEADER))), guards

    def _gaps(self, level: int, weights: Weights):
        """(word of the handle that holds the block's address, its bytes without the gap, whether it is the prologue's)
        of each block and derived array."""
        [(_, key, cpu)] = targets((level,))
        graph = self.graph
        plan = plan_level(optimize(graph), cpu, GAP)
        inputs, outputs = ([node.type.size * node.dtype.itemsize for node in nodes]
                           for nodes in (graph.inputs, graph.outputs))
        code = LevelCode(key, plan, Interface(graph.symbols, tuple(inputs), tuple(outputs), weights.offsets,
                                              {constant.digest: 0 for constant in plan.constants}))
        for block in (*plan.blocks, *plan.prologue_blocks):
            yield (code.layout.bases + code.numbers.bases[block.symbol], evaluate(block.bytes, self.sizes) - GAP,
                   block in plan.prologue_blocks)
        for number, size in enumerate(plan.derived, len(inputs) + len(outputs)):
            yield code.layout.arrays + number, evaluate(size, self.sizes) - GAP, False


def valgrind_works() -> bool:
    """Whether valgrind is installed, and its header."""
    return c_programs.has("valgrind") and c_programs.has("gcc") and subprocess.run(
        ["gcc", "-E", "-"], input="#include <valgrind/memcheck.h>\n", capture_output=True, text=True).returncode == 0


def deviation(found: list, wanted: list) -> float:
    """The largest difference, relative to the largest number of its array; inf for a NaN."""
    worst = 0.0
    for a, b in zip(found, wanted, strict=True):
        a, b = a.astype(np.float64), np.asarray(b, np.float64)
        if not (np.isfinite(a) == np.isfinite(b)).all():
            return float("inf")
        if b.size:
            worst = max(worst, float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)))
    return worst
