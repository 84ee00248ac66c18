"""One MindCV model in this process: created, named, run forward, compared; the result as a dict.

    python -m tests.compat.mindcv.one NAME [--mode pynative | exact | train]     # prints the dict as one line of JSON
"""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.compat.mindcv.inputs import image, names_checksum, weight

RECORDED = Path(__file__).parent / "recorded.json"
RECORDED_STEPS = Path(__file__).parent / "recorded_steps.json"
RECORDED_IMAGES = Path(__file__).parent / "recorded_images.json"
CALLS = 5               # of which the cheapest counts
MODES = ("graph", "pynative", "exact", "train")
TOLERANCE = 1e-4        # of the norm of the outputs
STEP_TOLERANCE = 1e-3   # of a training step: BatchNorm divides by the deviation of two images
# MindSpore ran none of these; the smallest size at which the model's own arithmetic works out.
SIZES = {"halonet_50t": 256, "pvt": 224, "rexnet": 64, "volo": 224, "mae": 224}


def recorded() -> dict:
    """What MindSpore gave, by model name."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def size_of(name: str, record: dict) -> int:
    """The side of the images that `name` is run on."""
    return record.get("size") or next(size for start, size in SIZES.items() if name.startswith(start))


def recorded_steps() -> dict:
    """What a training step gave under MindSpore, by model name."""
    return json.loads(RECORDED_STEPS.read_text(encoding="utf-8"))


def recorded_images() -> dict:
    """What MindSpore gave for more images, by the names of the models whose outputs rounding decides."""
    return json.loads(RECORDED_IMAGES.read_text(encoding="utf-8"))


def with_weights(name: str, gain: float):
    """A model of ten classes, not in training, with the weights of `inputs.py`; its module is `mindspore`'s."""
    import mindspore as ms
    from mindcv.models import create_model
    net = create_model(name, num_classes=10)
    net.set_train(False)
    for p in net.get_parameters():
        if p.dtype == ms.float32:
            p.set_data(ms.Tensor(weight(p.name, p.shape, gain)))
    return net


def check(name: str, record: dict, mode: str = "graph") -> dict:
    """Create, name, run and compare one model.

    mode: compiled ("graph"), by NumPy ("pynative"), one step of "train"ing, or, for models whose outputs rounding
    decides, with what it gives without rounding ("exact", see `exact.compare`).

    The result holds what was reached: created, parameters (their number), names (whether MindSpore's, if known),
    compile_s and run_s (CPU seconds of the first call and of a later one), error (the larger one of the two images'
    distances to MindSpore's outputs, divided by their norm), matches; or `failed`, the error's class and message.
    """
    result = {"model": name, "mode": mode}
    try:
        if mode == "train":
            _train(name, result)
        elif mode == "exact":
            _exact(name, result)
        else:
            _run(name, record, mode == "graph", result)
    except Exception as error:
        result["failed"] = f"{type(error).__name__}: {error}"[:2000]
    result.update(memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                  machine=f"{os.cpu_count()} cores, {platform.machine()}", mindcv=version("mindcv"))
    return result


def _run(name, record, graph_mode, result) -> None:
    import mindspore as ms
    ms.set_context(mode=ms.GRAPH_MODE if graph_mode else ms.PYNATIVE_MODE)
    net = with_weights(name, record.get("gain", 1.0))
    parameters = list(net.get_parameters())
    result.update(created=True, parameters=sum(int(np.prod(p.shape)) for p in parameters))
    if "names_crc" in record:
        result["names"] = names_checksum(parameters) == record["names_crc"]
    size = result["size"] = size_of(name, record)
    first, result["compile_s"] = _timed(net, ms.Tensor(image(0, size)))
    second, _ = _timed(net, ms.Tensor(image(1, size)))
    result["run_s"] = cpu_seconds(net, ms.Tensor(image(1, size)))
    result["compiled"] = True
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        result["failed"] = "the outputs are not finite"
    elif "out0" in record:
        result["error"] = max(_distance(first, record, 0), _distance(second, record, 1))
        result["matches"] = result["error"] <= TOLERANCE and list(first.shape) == record["shape"]


def _exact(name, result) -> None:
    import mindspore as ms

    from tests.compat.mindcv.exact import compare
    ms.set_context(mode=ms.GRAPH_MODE)
    images = recorded_images()[name]
    result.update(gain=images["gain"], moved=images["moved"], **compare(with_weights(name, images["gain"]), images))


def _train(name, result) -> None:
    import mindspore as ms

    from tests.compat.mindcv.exact import step_without_rounding
    from tests.compat.mindcv.training import IMAGES, distance, step
    ms.set_context(mode=ms.GRAPH_MODE)
    theirs = recorded_steps()[name]
    way = (name, theirs["size"], theirs["gain"], theirs.get("images", IMAGES))
    begin = _cpu()
    mine = step(*way)
    result.update(step=mine, compile_s=round(_cpu() - begin, 1), compiled=True, error=distance(mine, theirs))
    result["matches"] = result["error"] <= STEP_TOLERANCE
    if result["matches"]:
        return
    # Is it rounding?  That of Winograd's algorithm alone, or what is left without it, seen from float64: no farther
    # than MindSpore's, or there but for units whose float32 value lies on the other side of a ReLU's kink.
    os.environ["GRAPHCORE_WINOGRAD"] = "0"
    mine = step(*way)
    result["plain_sums"] = distance(mine, theirs)
    if result["plain_sums"] > STEP_TOLERANCE:
        exact, on_my_sides = step_without_rounding(*way)
        result.update(ours=distance(mine, exact), theirs=distance(theirs, exact), **on_my_sides)
    result["matches"] = (result["plain_sums"] <= STEP_TOLERANCE or result["ours"] <= result["theirs"]
                         or (result["sides"] <= STEP_TOLERANCE and result["activations"] <= STEP_TOLERANCE))


def _timed(net, x) -> tuple[np.ndarray, float]:
    """(the first output, CPU seconds of the call with those of finished compile workers)."""
    begin = _cpu()
    y = net(x)
    y = (y[0] if isinstance(y, (tuple, list)) else y).asnumpy()
    return y, round(_cpu() - begin, 4)


def cpu_seconds(net, x) -> float:
    """CPU seconds of all threads for the cheapest of `CALLS` calls: what else the machine does tells little in them."""
    return min(_timed(net, x)[1] for _ in range(CALLS))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _distance(output: np.ndarray, record: dict, index: int) -> float:
    some = output.reshape(-1)[:10].astype(np.float64)
    return float(f"{np.linalg.norm(some - record[f'out{index}']) / record[f'norm{index}']:.3g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--mode", choices=MODES, default="graph")
    options = parser.parse_args()
    from graphcore.cli import mindspore_hook
    mindspore_hook.install()
    begin = time.time()
    with contextlib.redirect_stdout(sys.stderr):
        result = check(options.name, recorded()[options.name], options.mode)
    result["seconds"] = round(time.time() - begin, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
