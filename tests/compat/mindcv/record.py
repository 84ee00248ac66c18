"""Record anew what MindSpore gives for a model: run with the Python of an environment that has MindSpore and MindCV.

    python -m tests.compat.mindcv.record NAME:GAIN ...
    python -m tests.compat.mindcv.record --train NAME:GAIN ...      # a training step, into recorded_steps.json

For models whose record decides nothing: where the weights are so large that the outputs overflow on the way, or that
MindSpore's own outputs move by more than the tolerance when the image moves by one part in ten million.  gain: the
factor on the variance of matrices and kernels.  Both measures are printed, and `recorded.json` is rewritten.
"""
from __future__ import annotations

import argparse
import json

import numpy as np

from tests.compat.mindcv.inputs import image, names_checksum, weight
from tests.compat.mindcv.one import RECORDED, RECORDED_STEPS, recorded, recorded_steps

ROUNDING = 1e-7         # what a float32 number cannot hold of itself


def record(name: str, gain: float, old: dict) -> tuple[dict, float]:
    """(the new record, by which share of their norm the outputs move with the rounding of the image)."""
    import mindspore as ms
    from mindcv.models import create_model
    ms.set_context(mode=ms.PYNATIVE_MODE)
    net = create_model(name, num_classes=10)
    net.set_train(False)
    parameters = list(net.get_parameters())
    for p in parameters:
        if p.dtype == ms.float32:
            p.set_data(ms.Tensor(weight(p.name, p.shape, gain)))

    def outputs(x) -> np.ndarray:
        y = net(ms.Tensor(x))
        return (y[0] if isinstance(y, (tuple, list)) else y).asnumpy()

    images = [image(index, old["size"]) for index in (0, 1)]
    first, second = (outputs(x) for x in images)
    noise = 1 + ROUNDING * np.random.RandomState(1).standard_normal(images[0].shape)
    moved = np.linalg.norm(outputs((images[0] * noise).astype(np.float32)) - first) / np.linalg.norm(first)
    new = {"size": old["size"], "gain": gain, "parameters": sum(int(np.prod(p.shape)) for p in parameters),
           "names_crc": names_checksum(parameters), "shape": list(first.shape)}
    for index, y in enumerate((first, second)):
        new[f"out{index}"] = [float(f"{v:.7g}") for v in y.reshape(-1)[:10]]
        new[f"norm{index}"] = float(f"{np.linalg.norm(y):.7g}")
    apart = np.linalg.norm(first - second) / np.linalg.norm(first)
    new["telling"] = bool(apart > 1e-3)
    new["note"] = f"recorded with gain {gain:g}; with {old['gain']:g}, MindSpore does not reproduce its own outputs"
    return new, float(moved)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="NAME:GAIN")
    parser.add_argument("--train", action="store_true", help="record a training step")
    options = parser.parse_args()
    records = recorded()
    for argument in options.models:
        name, _, gain = argument.partition(":")
        if options.train:
            steps = recorded_steps() if RECORDED_STEPS.exists() else {}
            steps[name] = {"gain": float(gain), **_step(name, float(gain), records[name])}
            _write(RECORDED_STEPS, steps)
            print(f"{name}: {steps[name]}", flush=True)
        else:
            records[name], moved = record(name, float(gain), records[name])
            _write(RECORDED, records)
            print(f"{name}: the outputs move by {moved:.1e} with the rounding of the image", flush=True)


def _step(name: str, gain: float, old: dict) -> dict:
    import mindspore as ms

    from tests.compat.mindcv.training import step
    ms.set_context(mode=ms.PYNATIVE_MODE)
    return step(name, old["size"], gain)


def _write(path, entries: dict) -> None:
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
    path.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
