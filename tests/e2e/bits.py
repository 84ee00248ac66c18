"""``python -m tests.e2e.bits WORKLOAD STEPS REPEATS``: a digest of all bits that each mode of a workload computes.

Training: the losses and all Parameters, those of the optimiser too, after STEPS steps from the given weights, REPEATS
times over.  Inference: the results, REPEATS times.  Prints {mode: digest} as JSON; fails where two repeats differ.
"""
from __future__ import annotations

import hashlib
import json
import sys

from benchmarks.nets import make_inference, make_net, make_step
from benchmarks.workloads import TRAIN, batches, inference_inputs, params, workload
from graphcore import Tensor


def digest(arrays) -> str:
    """A hash of the bits of arrays."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(array.tobytes())
    return found.hexdigest()


def training(name: str, steps: int, repeats: int) -> set:
    """The digests of all repeats of some steps."""
    step = make_step(name, make_net(name, params(name)))
    parameters = list(step.get_parameters())
    start = [Tensor(p.asnumpy().copy()) for p in parameters]
    x, y = batches(name)
    found = set()
    for _ in range(repeats):
        for p, value in zip(parameters, start):
            p.set_data(Tensor(value.asnumpy().copy()))
        losses = [step(Tensor(x[i]), Tensor(y[i])).asnumpy() for i in range(steps)]
        found.add(digest([*losses, *(p.asnumpy() for p in parameters)]))
    return found


def inference(name: str, mode: str, repeats: int) -> set:
    """The digests of all repeats of an inference."""
    call = make_inference(name, mode, params(name))
    inputs = [Tensor(x) for x in inference_inputs(name, mode)]
    found = set()
    for _ in range(repeats):
        results = call(*inputs)
        found.add(digest(r.asnumpy() for r in (results if isinstance(results, tuple) else (results,))))
    return found


def main(name: str, steps: str, repeats: str) -> None:
    digests = {}
    for mode in workload(name).modes:
        found = (training(name, int(steps), int(repeats)) if mode == TRAIN else inference(name, mode, int(repeats)))
        if len(found) != 1:
            raise SystemExit(f"{name} {mode}: {len(found)} different results in {repeats} repeats")
        digests[mode] = found.pop()
    print(json.dumps(digests))


if __name__ == "__main__":
    main(*sys.argv[1:])
