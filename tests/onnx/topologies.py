"""Nine well-known nets with random weights, against ONNX Runtime: ``python -m tests.onnx.topologies [NAME ...]``.

The onnx package holds their graphs without weights (each a ConstantOfShape).  Here they get random ones of a size that
keeps activations in range, are imported, compiled and compared.  Needs onnx and onnxruntime.
"""
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import graphcore as gc

TOLERANCE = 1e-4            # of the largest output


def names() -> list[str]:
    """The names of the nets in the package."""
    return sorted(p.stem.removeprefix("light_") for p in _folder().glob("light_*.onnx"))


def _folder() -> Path:
    import onnx.backend.test
    return Path(onnx.backend.test.__file__).parent / "data" / "light"


def with_weights(name: str, seed: int = 0):
    """The ModelProto of a net, with random weights."""
    import onnx
    from onnx import numpy_helper
    model = onnx.load(_folder() / f"light_{name}.onnx")
    random, graph = np.random.default_rng(seed), model.graph
    shapes = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    variances = {n.input[4] for n in graph.node if n.op_type == "BatchNormalization"}
    made = [n for n in graph.node if n.op_type == "ConstantOfShape"]
    for node in made:
        shape = shapes[node.input[0]].tolist()
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 0
        values = random.standard_normal(shape) * (np.sqrt(1.8 / fan_in) if fan_in else 0.1)
        if node.output[0] in variances:
            values = random.uniform(0.5, 1.5, shape)
        elif not fan_in:
            values = values + (1.0 if _is_scale(graph, node.output[0]) else 0.0)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
        graph.node.remove(node)
    last = graph.node[-1]
    if last.op_type == "Softmax":       # of random weights it would give a one and zeros: its input says more
        graph.output[0].name = last.input[0]
        graph.output[0].type.tensor_type.ClearField("shape")
        graph.node.remove(last)
    return model


def _is_scale(graph, name: str) -> bool:
    return any(n.op_type == "BatchNormalization" and n.input[1] == name for n in graph.node)


def compare(name: str) -> tuple:
    """(largest difference by the largest output, seconds to import and compile)."""
    import onnxruntime
    data = with_weights(name).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options)
    inputs = [np.random.default_rng(1).standard_normal(i.shape).astype(np.float32) for i in session.get_inputs()]
    wanted = session.run(None, {i.name: x for i, x in zip(session.get_inputs(), inputs)})
    started = time.perf_counter()
    found = gc.import_onnx(data)(*map(gc.Tensor, inputs))
    seconds = time.perf_counter() - started
    found = found if isinstance(found, tuple) else (found,)
    if any(np.ptp(w) < 1e-3 * np.abs(w).max() for w in wanted):
        raise ValueError(f"the outputs of {name} are all alike: they tell nothing")
    worst = max(float(np.abs(a.asnumpy() - b).max() / np.abs(b).max()) for a, b in zip(found, wanted, strict=True))
    return worst, seconds


def main(arguments=None) -> int:
    """Compare; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="nets; all of them if none is named")
    options = parser.parse_args(arguments)
    failed = False
    for name in options.names or names():
        worst, seconds = compare(name)
        failed |= not worst <= TOLERANCE
        print(f"{name}: largest difference {worst:.1e} of the largest output; imported, compiled and run in "
              f"{seconds:.1f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
