"""The onnx package's node tests: ``python -m tests.onnx.conformance [--all] [--update] [--mode pynative] [-k WORD]``.

scope.txt names the cases that count (operators of deep learning over floats, integers and bools); passes.txt those that
pass, of all, a list that only grows: a case that is on it and fails is an error.
"""
from __future__ import annotations

import argparse
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np

import graphcore as gc
from tests.onnx.backend import Prepared, as_array

HERE = Path(__file__).parent
PASSES = HERE / "passes.txt"


def listed(path: Path) -> list[str]:
    """The names in a file, separated by white space; lines that begin with # are comments."""
    return [name for line in path.read_text().splitlines() if not line.startswith("#") for name in line.split()]


def scope() -> list[str]:
    """The names of the cases that count."""
    return [f"test_{name}" for name in listed(HERE / "scope.txt")]


@cache
def cases() -> dict:
    """name -> case, of all node tests of the installed package."""
    from onnx.backend.test.loader import load_model_tests
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {case.name: case for case in load_model_tests(kind="node")}


def failure(name: str) -> str:
    """Why a node test fails; the empty string if it passes."""
    case = cases()[name]
    return why_not(case.model.SerializeToString(), case.data_sets, case.rtol, case.atol)


def why_not(model: bytes, data_sets, rtol: float, atol: float) -> str:
    """Why a model does not give what is wanted for (inputs, outputs) of data sets; the empty string if it does."""
    from onnx.backend.test.runner import Runner
    try:
        prepared = Prepared(gc.import_onnx(model))
        for inputs, wanted in data_sets:
            found = prepared.run(inputs)
            Runner.assert_similar_outputs([as_array(w) for w in wanted], found, rtol=rtol, atol=atol)
    except Exception as error:      # whatever it is, the case fails
        return f"{type(error).__name__}: {error}"
    return ""


def folders(kind: str) -> list[Path]:
    """The cases of another kind, "pytorch-converted" or "pytorch-operator": folders with a model and its data."""
    import onnx.backend.test
    return sorted((Path(onnx.backend.test.__file__).parent / "data" / kind).iterdir())


def failure_of_folder(folder: Path) -> str:
    """Why the case in a folder fails; the empty string if it passes."""
    from onnx import TensorProto
    def values(data: Path, kind: str) -> list:
        files = sorted(data.glob(f"{kind}_*.pb"), key=lambda p: int(p.stem.rpartition("_")[2]))
        return [TensorProto.FromString(f.read_bytes()) for f in files]
    data_sets = [(values(d, "input"), values(d, "output")) for d in sorted(folder.glob("test_data_set_*"))]
    return why_not((folder / "model.onnx").read_bytes(), data_sets, 1e-3, 1e-6)


def main(arguments=None) -> int:
    """Run the cases; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write passes.txt")
    parser.add_argument("--mode", choices=("graph", "pynative"), default="graph")
    parser.add_argument("--all", action="store_true", help="also the cases that are not in scope.txt")
    parser.add_argument("-k", dest="word", default="", help="only cases whose name holds this")
    options = parser.parse_args(arguments)
    if options.update and options.mode != "graph":
        parser.error("the list is of what passes compiled: --update goes with --mode graph")
    gc.set_context(mode=gc.GRAPH_MODE if options.mode == "graph" else gc.PYNATIVE_MODE)
    np.seterr(all="ignore")
    names = [n for n in (cases() if options.all else scope()) if options.word in n]
    known, passed, lost = set(listed(PASSES)) if PASSES.exists() else set(), [], []
    for name in names:
        why = failure(name)
        short = name.removeprefix("test_")
        if not why:
            passed.append(short)
            continue
        print(f"{short}: {why.splitlines()[0][:220]}")
        if short in known:
            lost.append(short)
    print(f"{len(passed)} of {len(names)} cases pass ({options.mode}); {len(lost)} that passed before fail")
    if options.update:
        PASSES.write_text("# node tests that pass; written by python -m tests.onnx.conformance --all --update\n"
                          + wrapped([n.removeprefix("test_") for n in cases()
                                     if n.removeprefix("test_") in known | set(passed)]))
    return 1 if lost else 0


def wrapped(names: list[str]) -> str:
    """Names in lines of at most 120 characters."""
    import textwrap
    return "\n".join(textwrap.wrap(" ".join(names), 118, break_on_hyphens=False)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
