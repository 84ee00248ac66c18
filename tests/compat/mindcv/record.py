"""Record anew what MindSpore gives for a model: run with the Python of an environment that has MindSpore and MindCV.

    python -m tests.compat.mindcv.record NAME:GAIN ...
    python -m tests.compat.mindcv.record --train NAME ...           # a training step, into recorded_steps.json
    python -m tests.compat.mindcv.record --images NAME:GAIN ...     # ten images, into recorded_images.json
    python -m tests.compat.mindcv.record --time NAME ...            # what a compiled call takes

The first form is for models whose record decides nothing: where the weights are so large that the outputs overflow on
the way, or that MindSpore's own outputs move by more than the tolerance with the rounding of the image.  gain: the
factor on the variance of matrices and kernels, size: the side of the images; without them, those of the record.
images: how many a training step sees, 2 unless told.
"""
from __future__ import annotations

import argparse
import json

import numpy as np

from tests.compat.mindcv.inputs import image, names_checksum
from tests.compat.mindcv.one import (
    RECORDED,
    RECORDED_IMAGES,
    RECORDED_STEPS,
    cpu_seconds,
    recorded,
    recorded_images,
    recorded_steps,
    with_weights,
)
from tests.compat.mindcv.training import IMAGES, how, step

ROUNDING = 1e-7         # what a float32 number cannot hold of itself
COMPARED = 10           # images for the comparison without rounding


def record(name: str, gain: float, old: dict) -> tuple[dict, float]:
    """(the new record, by which share of their norm the outputs move with the rounding of the image)."""
    net = _net(name, gain)
    parameters = list(net.get_parameters())
    images = [image(index, old["size"]) for index in (0, 1)]
    first, second = (_output(net, x) for x in images)
    new = {"size": old["size"], "gain": gain, "parameters": sum(int(np.prod(p.shape)) for p in parameters),
           "names_crc": names_checksum(parameters), "shape": list(first.shape)}
    for index, y in enumerate((first, second)):
        new[f"out{index}"] = _rounded(y)
        new[f"norm{index}"] = float(f"{np.linalg.norm(y):.7g}")
    apart = np.linalg.norm(first - second) / np.linalg.norm(first)
    new["telling"] = bool(apart > 1e-3)
    new["note"] = f"recorded with gain {gain:g}; with {old['gain']:g}, MindSpore does not reproduce its own outputs"
    return new, _moved(net, images[0], first, 1)


def more_images(name: str, gain: float, size: int) -> dict:
    """What MindSpore gives for `COMPARED` images, and the median share by which rounding these moves it."""
    net = _net(name, gain)
    images = [image(index, size) for index in range(COMPARED)]
    outputs = [_output(net, x) for x in images]
    moved = np.median([_moved(net, x, y, seed) for seed, (x, y) in enumerate(zip(images, outputs))])
    return {"gain": gain, "size": size, "moved": float(f"{moved:.2g}"), "outputs": [_rounded(y) for y in outputs]}


def _net(name: str, gain: float):
    import mindspore as ms
    ms.set_context(mode=ms.PYNATIVE_MODE)
    return with_weights(name, gain)


def _output(net, x) -> np.ndarray:
    import mindspore as ms
    y = net(ms.Tensor(x))
    return (y[0] if isinstance(y, (tuple, list)) else y).asnumpy()


def _moved(net, x, y, seed: int) -> float:
    noise = 1 + ROUNDING * np.random.RandomState(seed).standard_normal(x.shape)
    return float(np.linalg.norm(_output(net, (x * noise).astype(np.float32)) - y) / np.linalg.norm(y))


def _rounded(y: np.ndarray) -> list[float]:
    return [float(f"{v:.9g}") for v in y.reshape(-1)[:10]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="NAME[:GAIN[:SIZE[:IMAGES]]]")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--train", action="store_true", help="record a training step")
    what.add_argument("--images", action="store_true", help="record more images: for the comparison without rounding")
    what.add_argument("--time", action="store_true", help="record what a compiled call takes")
    parser.add_argument("--graph", action="store_true", help="compiled: in PYNATIVE_MODE some gradients are wrong")
    options = parser.parse_args()
    for argument in options.models:
        records = recorded()
        name, gain, size, images, *_ = (argument + ":::").split(":")
        old = records[name]
        gain, size = float(gain or old["gain"]), int(size or old["size"])
        if options.train:
            steps = recorded_steps()
            new = _step(name, gain, size, int(images or IMAGES), options.graph)
            steps[name] = new | _tried(steps.get(name), new)
            _write(RECORDED_STEPS, steps)
            print(f"{name}: {steps[name]}", flush=True)
        elif options.images:
            more = recorded_images()
            more[name] = more_images(name, gain, size)
            _write(RECORDED_IMAGES, more)
            print(f"{name}: the outputs move by {more[name]['moved']} with the rounding of the images", flush=True)
        elif options.time:
            old["run_s"] = _cpu_seconds(name, gain, old["size"])
            _write(RECORDED, records)
            print(f"{name}: {old['run_s']} s", flush=True)
        else:
            records[name], moved = record(name, gain, old)
            _write(RECORDED, records)
            print(f"{name}: the outputs move by {moved:.1e} with the rounding of the image", flush=True)


def _cpu_seconds(name: str, gain: float, size: int) -> float:
    """CPU seconds of a call in GRAPH_MODE."""
    import mindspore as ms
    ms.set_context(mode=ms.GRAPH_MODE)
    net, x = with_weights(name, gain), ms.Tensor(image(0, size))
    net(x)
    return cpu_seconds(net, x)


def _tried(old: dict | None, new: dict) -> dict:
    """What the new record of a step says of the old one and of those before."""
    if not old:
        return {}
    tried = dict.fromkeys([*old.get("tried", ()), how(old)])
    tried.pop(how(new), None)
    return {"tried": list(tried)} if tried else {}


def _step(name: str, gain: float, size: int, images: int, graph_mode: bool) -> dict:
    import mindspore as ms
    ms.set_context(mode=ms.GRAPH_MODE if graph_mode else ms.PYNATIVE_MODE)
    batch = {} if images == IMAGES else {"images": images}
    return {"gain": gain, "size": size, **batch, "graph_mode": graph_mode, **step(name, size, gain, images)}


def _write(path, entries: dict) -> None:
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
    path.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
