"""``graphcore run-ir FILE.gir``: run a graph from a file, on compiled kernels or on the operators' references."""
from __future__ import annotations

import argparse
import os

import numpy as np

from graphcore.cli import subject
from graphcore.cli.errors import UsageError, nearest
from graphcore.ir.graph import graphs_of

HELP = "run a graph that was dumped to a file"
EXAMPLES = """\
FILE.gir is a graph that `graphcore dump` or `graphcore.export` has written, or a folder of dumps.  Inputs that are
given by their type, or not at all, are small random numbers, whole ones zeros; so are Parameters, unless --ckpt names
their values or they lie in FILE.ckpt, as `export` puts them.

examples:
  graphcore run-ir dumps/00_capture.gir --input @x.npy
  graphcore run-ir dumps/00_capture.gir --compare
  graphcore run-ir dumps --ckpt net.ckpt --input @x.npy -o results.npz"""

_SHOWN = 6          # numbers of each result


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FILE.gir", help="the graph")
    subject.add_inputs(parser)
    parser.add_argument("--ckpt", metavar="FILE", help="the Parameters' values (.ckpt or .safetensors)")
    parser.add_argument("--interpret", action="store_true", help="run it on the operators' references, node by node")
    parser.add_argument("--compare", action="store_true", help="run it both ways, and tell how far they differ")
    parser.add_argument("-o", "--output", metavar="FILE.npz",
                        help="write all results there, and the new values of Parameters")
    parser.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")


def run(options: argparse.Namespace) -> int:
    """Run and print the results; with --compare, exit code 1 if they differ by more than 1e-3.  Raises UsageError."""
    graph = subject.graph_in_file(options.target)
    if graph is None:
        raise UsageError(f"{options.target!r} is no graph in a file: name FILE.gir, or a folder of dumps")
    found = subject.of_graph(graph, [subject.read_input(text) for text in options.inputs])
    if _calls_python(graph):
        raise UsageError("the graph calls Python (a print or a hook), which is not in the file")
    inputs, parameters = subject.data(found), _parameters(graph, options)
    results = _results(graph, inputs, parameters, options.interpret)
    for name, value in results.items():
        print(f"{name}: {value.dtype}{list(value.shape)}  {_numbers(value)}")
    if options.output:
        np.savez(options.output, **results)
        print(options.output)
    if not options.compare:
        return 0
    other = _results(graph, inputs, parameters, not options.interpret)
    worst = max((_distance(results[name], other[name]) for name in results), default=0.0)
    print(f"compiled and interpreted results differ by at most {worst:.2g} of the largest value")
    return int(not worst <= 1e-3)


def _calls_python(graph) -> bool:
    return any(n.op == "host_call" or any(map(_calls_python, graphs_of(n).values())) for n in graph.nodes)


def _parameters(graph, options: argparse.Namespace) -> dict:
    """Name → array of every Parameter of the graph.  Raises UsageError."""
    arrays = {name: p.asnumpy() for name, p in subject.parameters_of(graph).items()}
    path = options.ckpt
    if path is None and options.target.endswith(".gir"):
        beside = options.target[:-4] + ".ckpt"
        path = beside if os.path.isfile(beside) else None
    if path is None:
        return arrays
    from graphcore.train import load_checkpoint
    stored = load_checkpoint(path, format="safetensors" if path.endswith(".safetensors") else "ckpt")
    for name, leaf in graph.params.items():
        if name not in stored:
            raise UsageError(f"{path} has no Parameter {name!r}{nearest(name, stored)}")
        if stored[name].type_ != leaf.type:
            raise UsageError(f"{path}: {name} is {stored[name].type_}, in the graph {leaf.type}")
        arrays[name] = stored[name].asnumpy()
    return arrays


def _results(graph, inputs: list, arrays: dict, interpret: bool) -> dict:
    """Name → array of every output and every Parameter's new value."""
    from graphcore.parameter import Parameter
    from graphcore.tensor import Tensor
    parameters = {name: Parameter(Tensor(arrays[name].copy(), leaf.dtype), name=name)
                  for name, leaf in graph.params.items()}
    outputs = subject.program_of(graph, parameters, interpret).run(inputs)
    found = {f"output {i}": Tensor._wrap(np.asarray(value), o.dtype).asnumpy()
             for i, (value, o) in enumerate(zip(outputs, graph.outputs))}
    return found | {f"update {name}": parameters[name].asnumpy() for name, _ in graph.updates}


def _numbers(value: np.ndarray) -> str:
    texts = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in value.reshape(-1)[:_SHOWN].tolist()]
    return ", ".join(texts) + (", ..." if value.size > _SHOWN else "")


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference as a share of the largest value; where either is not finite both must be the same."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return float("inf")
    a, b = a[finite], b[finite]
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-30)) if a.size else 0.0
