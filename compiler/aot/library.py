"""A graph and the places of its weights → a shared library."""
from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphcore.compiler import cache
from graphcore.compiler.aot.level import Interface, level_module
from graphcore.compiler.aot.linker import Data, link
from graphcore.compiler.aot.model import Model, WeightsFile, model_module
from graphcore.compiler.aot.plan import Block, LevelPlan, plan_level
from graphcore.compiler.aot.support import fnv, support_module
from graphcore.compiler.choices import Choices
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.runtime import native
from graphcore.compiler.toolchain import assemble
from graphcore.compiler.toolchain.compile import objects
from graphcore.compiler.toolchain.cpu import CpuTarget, host, x86_level
from graphcore.errors import CompileError
from graphcore.ir.dims import evaluate
from graphcore.ir.graph import Graph

LEVELS = (2, 3, 4)
ALIGNMENT = 64


@dataclass(frozen=True)
class Weights:
    """Where a library finds the Parameters.

    offsets: the byte of each, by name, counted from the first one's place; content: all their bytes, to be put into the
    library; or file: a file beside it.
    """

    offsets: Mapping[str, int]
    content: bytes | None = None
    file: WeightsFile | None = None


def weights_file(content: bytes) -> WeightsFile:
    """What a library has to know of a safetensors file to read it itself; `content` is all of it."""
    header_bytes = 8 + int.from_bytes(content[:8], "little")
    return WeightsFile(len(content), header_bytes, fnv(content[:header_bytes]))


@dataclass(frozen=True)
class LevelReport:
    """What a level holds: its name, the number of its kernels, the bytes of their objects, the bytes of the arena and
    of the derived arrays where all sizes are 1, and what a run launches."""

    name: str
    kernels: int
    code_bytes: int
    arena_bytes: int
    derived_bytes: int
    launches: int


@dataclass(frozen=True)
class Library:
    """The bytes of a shared library, and a report of each level in it."""

    image: bytes
    levels: tuple


def targets(levels: Sequence[int] = LEVELS) -> list[tuple[int, str, CpuTarget]]:
    """(number, name, CPU) of the levels that a library for this system has; one without a number if it is no x86-64.

    Raises ValueError for a level that does not exist.
    """
    unknown = [level for level in levels if level not in LEVELS]
    if unknown or not levels:
        raise ValueError(f"CPU levels are {', '.join(map(str, LEVELS))} (of x86-64), not {unknown or 'none'}")
    if not links_itself():
        return [(0, "native", host())]
    return [(level, f"v{level}", x86_level(f"x86-64-v{level}")) for level in sorted(set(levels))]


def links_itself() -> bool:
    """Whether libraries for this system are made by the project's own linker."""
    return sys.platform.startswith("linux") and host().triple.startswith("x86_64")


FUNCTIONS = ("create", "run", "destroy", "error", "interface")


def build_library(graph: Graph, name: str, weights: Weights, levels: Sequence[int] = LEVELS, has_pool: bool = True,
                  interface: int = 0, gap: int = 0) -> Library:
    """Compile an inference graph to a library whose functions are called ``NAME_create`` and so on.

    has_pool: whether its models can use several threads; interface: the number that NAME_interface gives; gap: see
    `plan_level`.
    Raises CompileError for a graph that needs Python while it runs, or changes Parameters.
    """
    if graph.updates or graph.effects:
        raise CompileError("a library's net cannot change its Parameters or print: take it out of construct")
    with Choices().applied():               # what was measured on this machine is nothing to others
        optimized = optimize(graph)
    cpus = targets(levels)
    plans = {key: plan_level(optimized, cpu, gap) for _, key, cpu in cpus}
    constants = {c.digest: c for plan in plans.values() for c in plan.constants}
    offsets, content = packed({digest: c.array.tobytes() for digest, c in constants.items()})
    shared = Interface(graph.symbols, tuple(_bytes(leaf) for leaf in graph.inputs),
                       tuple(_bytes(node) for node in graph.outputs), weights.offsets, offsets)
    model = Model(name, tuple((number, key) for number, key, _ in cpus), graph.symbols,
                  len(graph.inputs) + len(graph.outputs), weights.file, has_pool, interface)
    base = x86_level("x86-64") if links_itself() else host()
    scopes = {"": [
        _object(model_module(model), base), native.executor_object(base, has_pool),
        _object(support_module(weights.file is not None, has_pool, model.levels[0][0] > 0), base)]}
    reports = []
    for _, key, cpu in cpus:
        plan = plans[key]
        kernels = objects(plan.kernels, cpu)
        scopes[key] = [kernels[symbol] for symbol in sorted(kernels)] + [
            _object(level_module(key, plan, shared), cpu)]
        reports.append(_report(key, plan, scopes[key]))
    data = [Data("gc_constants", content)] if content else []
    if weights.content is not None:
        data.append(Data("gc_weights", weights.content))
    exported = [f"{name}_{function}" for function in FUNCTIONS]
    linker = _own_linker if links_itself() else _system_linker
    return Library(linker(scopes, exported, f"{name}.so", data), tuple(reports))


def packed(contents: Mapping[str, bytes]) -> tuple[dict, bytes]:
    """(offset of each, all of them in one block), aligned for vectors."""
    offsets, block = {}, bytearray()
    for key, content in contents.items():
        block += bytes(-len(block) % ALIGNMENT)
        offsets[key] = len(block)
        block += content
    return offsets, bytes(block)


def _bytes(node):
    return node.type.size * node.dtype.itemsize


def _object(text: str, cpu: CpuTarget) -> bytes:
    """The object of a module of the library's own, from the cache if it is there."""
    key = cache.digest("library", text, cpu.identity, cache.versions())
    image = cache.load_object(key)
    if image is None:
        image = assemble.assemble_part(text, ("gc_", "create_", "resize_"), cpu)
        cache.store_object(key, image)
    return image


def arena_bytes(blocks: Sequence[Block], sizes: Mapping[str, int]) -> int:
    """The bytes of the arena with these blocks (`LevelPlan.blocks`) for these values of the symbolic sizes."""
    ends: dict = {}
    for block in blocks:
        begin = max((ends[below] for below in block.above), default=0)
        ends[block.symbol] = begin + -(-evaluate(block.bytes, sizes) // ALIGNMENT) * ALIGNMENT
    return max(ends.values(), default=0)


def _report(key: str, plan: LevelPlan, images: Sequence[bytes]) -> LevelReport:
    sizes = _Ones()
    return LevelReport(key, len(plan.kernels), sum(map(len, images)), arena_bytes(plan.blocks, sizes),
                       sum(evaluate(size, sizes) for size in plan.derived), len(plan.program.calls))


class _Ones(dict):
    def __missing__(self, symbol):
        return 1


def _own_linker(scopes: Mapping, exported: Sequence[str], name: str, data: Sequence[Data]) -> bytes:
    return link(scopes, exported, ("libm.so.6", "libc.so.6"), name, data)


def _system_linker(scopes: Mapping, exported: Sequence[str], name: str, data: Sequence[Data]) -> bytes:
    """Link by the system's C compiler.  Raises CompileError where there is none, with what it said."""
    darwin = sys.platform == "darwin"
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for scope in scopes.values():
            for image in scope:
                files.append(Path(folder, f"{len(files)}.o"))
                files[-1].write_bytes(image)
        for block in data:
            Path(folder, block.symbol).write_bytes(block.content)
            files.append(Path(folder, f"{block.symbol}.s"))
            symbol = f"_{block.symbol}" if darwin else block.symbol
            section = ".const" if darwin else ".section .rodata"
            end = "" if darwin else '.section .note.GNU-stack,"",@progbits\n'      # the stack need not be executable
            files[-1].write_text(f'{section}\n.globl {symbol}\n.balign {block.alignment}\n{symbol}:\n'
                                 f'.incbin "{Path(folder, block.symbol)}"\n{end}')
        # Names that are not exported are the library's own: another model's library has the same ones.
        shown, result = Path(folder, "exported"), Path(folder, name)
        if darwin:
            shown.write_text("".join(f"_{symbol}\n" for symbol in exported))
            options = [f"-Wl,-exported_symbols_list,{shown}", f"-Wl,-install_name,@rpath/{name}"]
        else:
            shown.write_text(f"{{ global: {'; '.join(exported)}; local: *; }};\n")
            options = [f"-Wl,--version-script={shown}", f"-Wl,-soname,{name}", "-Wl,-z,now"]
        try:
            done = subprocess.run(["cc", "-shared", *options, "-o", str(result), *map(str, files), "-lm"],
                                  capture_output=True, text=True)
        except FileNotFoundError:
            raise CompileError("on this system libraries are linked by the C compiler 'cc', which is not installed; "
                               "on Linux x86-64 none is needed") from None
        if done.returncode:
            raise CompileError(f"cc could not link the library:\n{done.stderr}")
        return result.read_bytes()
