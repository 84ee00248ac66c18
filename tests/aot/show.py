"""``python -m tests.aot.show``: compiled models, called from C, where every access beside an array is seen.

LeNet's shape trained on digits, ResNet-18 on 224x224 images, and the GPT of the benchmarks.  Each CPU level that this
machine has runs with pages without access behind and before every array, with gaps in its memory that must keep their
pattern, and (v2 and v3: valgrind knows no AVX-512) under valgrind.  The table shows how far the results are from those
of the compiled graph, relative to the largest.  Options: names of models (default: all).
"""
from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path

import graphcore as gc
from benchmarks import nets, workloads
from graphcore import Tensor
from graphcore.compiler.toolchain.cpu import host
from graphcore.train.exporting import exported_graph
from tests.aot import c_programs
from tests.aot.guarded import Guarded, deviation, valgrind_works

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "aot_c" / "net.py"
BOUND = 1e-6        # of the deviation, on every level


def host_levels() -> list[int]:
    """The x86-64 levels of this machine."""
    return [2] + [level for level, feature in ((3, "avx2"), (4, "avx512bw")) if host().has(feature)]


def digits() -> tuple:
    """(net, inputs): the example's net after its training, on 5 images that it has not seen."""
    spec = importlib.util.spec_from_file_location("aot_c_net", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    gc.set_seed(1)
    images, labels = example.load_digits()
    net = example.Net()
    example.train(net, images[:example.TRAINED_ON], labels[:example.TRAINED_ON])
    return net, [images[-5:]]


def of_benchmark(name: str, mode: str) -> tuple:
    """(net, inputs) of a workload of the benchmarks."""
    given = workloads.given(name, mode)
    return nets.make_net(name, given.weights), list(given.arguments[0])


MODELS = {"digits": digits, "resnet18_224": lambda: of_benchmark("resnet18_224", "infer"),
          "gpt": lambda: of_benchmark("gpt", "infer_b1")}


def watched(name: str, folder: Path) -> tuple[Guarded, list]:
    """A model to be run on its input, and what its compiled graph gives."""
    net, arrays = MODELS[name]()
    net.set_train(False)
    tensors = [Tensor(a) for a in arrays]
    exported = exported_graph(net, tensors)
    values = {n: v.array for n, v in exported.values.items()}
    return Guarded(exported.graph, values, arrays, folder), [net(*tensors).asnumpy()]


def undefined_names(library: Path) -> list[str]:
    """The functions that a library takes from others."""
    lines = c_programs.run(["nm", "-D", "--undefined-only", library], library.parent).splitlines()
    return sorted(line.split()[-1].partition("@")[0] for line in lines)


def main() -> int:
    names = sys.argv[1:] or list(MODELS)
    modes = ["end", "begin"] + ["valgrind"] * valgrind_works()
    print("model         level  run        deviation  seconds  library without weights")
    bad = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            model, wanted = watched(name, Path(folder))
            for level in host_levels():
                for mode in modes:
                    if mode == "valgrind" and level > 3:
                        continue
                    begin, runs = time.perf_counter(), 1 if mode == "valgrind" else 3
                    try:
                        found = deviation(model.run(mode, level, threads=2, runs=runs), wanted)
                        verdict = f"{found:9.2e}" + " !" * (found > BOUND)
                        bad += found > BOUND
                    except AssertionError as error:
                        verdict, bad = f"FAILED\n{error}", bad + 1
                    library = Path(folder, f"{mode}-v{level}", "net.so")
                    print(f"{name:13} v{level}     {mode:10} {verdict}  {time.perf_counter() - begin:7.1f}  "
                          f"{library.stat().st_size:,} bytes", flush=True)
            print(f"{name}: from the C library: {', '.join(undefined_names(library))}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
