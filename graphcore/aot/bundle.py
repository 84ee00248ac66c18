"""Writing compiled models: from a captured net to a folder that C programs and `CompiledModel` use."""
from __future__ import annotations

import hashlib
import json
import keyword
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import graphcore
from graphcore.aot.manifest import FILE_NAME, ArrayInfo, FileInfo, Manifest, interface_number
from graphcore.files.atomic import atomic_write
from graphcore.files.safetensors_file import write_safetensors

#: Names that no argument can have in C or C++, in the functions and in the header's example.
_C_WORDS = frozenset("""auto break case char const continue default do double else enum extern float for goto if inline
    int long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile
    while alignas alignof and asm bool catch class compl concept consteval constexpr constinit decltype delete explicit
    export false friend module mutable namespace new noexcept not nullptr operator or private protected public requires
    template this throw true try typeid typename typeof using virtual xor NULL linux unix
    main model options status memset printf fprintf stderr stdout stdin int8_t int16_t int32_t int64_t
    uint8_t uint16_t uint32_t uint64_t""".split())
#: Those that a library cannot have; gc_run is a function in each.
_NO_NAMES = _C_WORDS - {"model"} | {"gc"}


@dataclass(frozen=True)
class Written:
    """A bundle on disk: its folder, its manifest, and the paths of its files."""

    folder: Path
    manifest: Manifest
    files: tuple


def write_bundle(folder: str | os.PathLike, name: str, exported, weights: str = "inside",
                 levels: Sequence[int] = (2, 3, 4), threads: bool = True) -> Written:
    """Compile an exported net (a `files.gir.GraphFile`) and write its bundle.

    name: of the library, the header and the C functions; weights: "inside" the library or "beside" it, as safetensors;
    levels: of x86-64 CPUs; threads: whether the library has a thread pool.
    Raises ValueError for a name that C does not allow and an unknown `weights` or level, CompileError for a net that
    needs Python, MissingPackageError where safetensors is needed and missing.
    """
    from graphcore.compiler.aot.header import Argument, header_text
    from graphcore.compiler.aot.library import build_library, targets
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in _NO_NAMES or name.startswith("_"):
        raise ValueError(f"{name!r} cannot be the name of C functions; use letters, digits and underscores")
    if weights not in ("inside", "beside"):
        raise ValueError(f"weights are 'inside' the library or 'beside' it, not {weights!r}")
    targets(levels)
    graph, folder = exported.graph, Path(folder)
    unfit = [symbol for symbol in graph.symbols if symbol in (*_C_WORDS, name)]
    if unfit:
        raise ValueError(f"the size {unfit[0]!r} cannot be called that in C; use another letter or word")
    folder.mkdir(parents=True, exist_ok=True)
    values = {parameter: exported.values[parameter] for parameter in graph.params}
    results = exported.names or (["output"] if len(graph.outputs) == 1 else
                                 [f"output_{i}" for i in range(len(graph.outputs))])
    names = _c_names((*(leaf.name for leaf in graph.inputs), *results), (*graph.symbols, name))
    arrays = [Argument(n, node.dtype, node.shape) for n, node in zip(names, (*graph.inputs, *graph.outputs))]
    inputs, outputs = arrays[:len(graph.inputs)], arrays[len(graph.inputs):]
    infos = [[ArrayInfo(a.name, a.dtype.name.rstrip("_"), tuple(s if isinstance(s, int) else str(s) for s in a.shape))
              for a in kind] for kind in (inputs, outputs)]
    weights_name = f"{name}.safetensors" if weights == "beside" and values else None
    places, weights_info = _placed_weights(folder, weights_name, values)
    interface = interface_number(name, *infos, graph.symbols)
    library = build_library(graph, name, places, levels, threads, interface)
    title = f"{name}: {graph.name}, compiled by graphcore {graphcore.__version__}"
    header = header_text(name, inputs, outputs, graph.symbols, weights_name, [r.name for r in library.levels], title)
    manifest = Manifest(
        name, tuple(infos[0]), tuple(infos[1]), graph.symbols, exported.result,
        _write(folder / f"{name}.so", library.image), weights_info, f"{name}.h", f"graphcore {graphcore.__version__}",
        tuple({"name": n, "dtype": v.dtype.name.rstrip("_"), "shape": list(v.shape)} for n, v in values.items()),
        tuple(map(asdict, library.levels)), architecture="x86-64" if library.levels[0].name != "native" else "native")
    _write(folder / f"{name}.h", header.encode())
    _write(folder / FILE_NAME, manifest.to_json().encode())
    files = [f"{name}.so", f"{name}.h", *([weights_name] if weights_name else []), FILE_NAME]
    return Written(folder, manifest, tuple(folder / file for file in files))


def name_for(folder: str | os.PathLike) -> str:
    """The name of C functions that a folder's name suggests."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", Path(folder).name).strip("_").lower()
    return name if name and not name[0].isdigit() and name not in _NO_NAMES else f"model_{name}".rstrip("_")


def _placed_weights(folder: Path, file_name: str | None, values: dict) -> tuple:
    """(`Weights` of the library, the FileInfo of the file beside it or None)."""
    from graphcore.compiler.aot.library import Weights, packed, weights_file
    if file_name is None:
        return Weights(*packed({n: np.ascontiguousarray(v.array).tobytes() for n, v in values.items()})), None
    write_safetensors(folder / file_name, values)
    content = (folder / file_name).read_bytes()
    header = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])
    offsets = {n: header[n]["data_offsets"][0] for n in values}
    return Weights(offsets, file=weights_file(content)), _info(file_name, content)


def _write(path: Path, content: bytes) -> FileInfo:
    with atomic_write(path) as file:
        file.write(content)
    return _info(path.name, content)


def _info(name: str, content: bytes) -> FileInfo:
    return FileInfo(name, len(content), hashlib.sha256(content).hexdigest())


def _c_names(wanted: Sequence[str], others: Sequence[str]) -> list[str]:
    """Names for the arguments of the C function, each once and none of the `others`."""
    taken, names = {*_C_WORDS, *others}, []
    for text in wanted:
        name = re.sub(r"[^A-Za-z0-9_]", "_", text).lstrip("_") or "x"
        name = f"x{name}" if name[0].isdigit() or keyword.iskeyword(name) else name
        number, base = 1, name
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names.append(name)
    return names

