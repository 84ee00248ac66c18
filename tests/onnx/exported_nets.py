"""Nets of the benchmarks, exported with an open batch, in ONNX Runtime: ``python -m tests.onnx.exported_nets [NAME]``.

Needs onnx and onnxruntime.
"""
from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

import graphcore as gc
from benchmarks.nets import loops, sequences, vision
from benchmarks.weights import GPT, LSTM_INPUTS
from graphcore import Tensor

TOLERANCE = 1e-5            # of the largest output
# name -> (how the net is made, shape of its input, None or the number of tokens); the first axis of the shape is open
NETS = {
    "lenet": (vision.LeNet5, (3, 1, 32, 32), None),
    "resnet18": (lambda: vision.ResNet18(False), (3, 3, 32, 32), None),
    "mobilenetv2": (vision.MobileNetV2, (2, 3, 64, 64), None),
    "gpt": (sequences.Gpt, (2, GPT.length), GPT.vocabulary),
    "lstm": (sequences.Lstm, (3, 40, LSTM_INPUTS), None),
    "newton": (loops.Newton, (50,), None),
    "branching_rnn": (loops.BranchingRnn, (40, 3, 32), None),
}
FIXED = {"branching_rnn"}   # iterates over its first axis


def compare(name: str) -> float:
    """The largest difference, by the largest output."""
    import onnxruntime
    make, shape, tokens = NETS[name]
    random, net = np.random.default_rng(0), make().set_train(False)
    x = random.standard_normal(shape).astype(np.float32) if tokens is None else random.integers(
        0, tokens, shape).astype(np.int32)
    open_shape = list(shape if name in FIXED else (None, *shape[1:]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        gc.export(net, Tensor(shape=open_shape, dtype=gc.int32 if tokens else gc.float32), file_name=str(path),
                  file_format="ONNX")
        session = onnxruntime.InferenceSession(str(path))
        found = session.run(None, {session.get_inputs()[0].name: x})
    wanted = net(Tensor(x))
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    return max(float(np.abs(a.asnumpy() - b).max() / np.abs(b).max()) for a, b in zip(wanted, found, strict=True))


def main(arguments=None) -> int:
    """Compare; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NETS)}; all of them if none is named")
    failed = False
    for name in parser.parse_args(arguments).names or NETS:
        worst = compare(name)
        failed |= not worst <= TOLERANCE
        print(f"{name}: largest difference {worst:.1e} of the largest output", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
