"""One framework's way to deploy a net: ``python -m benchmarks.deployed FRAMEWORK build|run NAME/MODE FOLDER THREADS``.

`build` makes the artefact in FOLDER, `run` loads it in a process that knows nothing else, compares its result with
expected.npy there, and times it.  Both print a line of JSON.  `benchmarks.aot` starts these processes.
"""
from __future__ import annotations

import importlib
import json
import sys
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

TOLERANCE = 1e-3            # of the largest expected number


class Graphcore:
    """A library with its weights inside, called from Python."""

    module, packages = "graphcore", ("graphcore", "numpy")

    def build(self, name, mode, folder, threads):
        from benchmarks import nets, workloads
        from graphcore import Tensor
        from graphcore.aot.bundle import write_bundle
        from graphcore.train.exporting import exported_graph
        given = workloads.given(name, mode)
        net, tensors = nets.make_net(name, given.weights), [Tensor(array) for array in given.arguments[0]]

        def make():
            write_bundle(folder / "bundle", "net", exported_graph(net, tensors))
        return make

    def load(self, folder, inputs, threads):
        import graphcore
        model = graphcore.load(folder / "bundle", threads=threads)
        return lambda: model(*inputs).asnumpy()


class OnnxRuntime:
    """An ONNX model and an inference session."""

    module, packages = "onnxruntime", ("onnxruntime", "numpy")

    def build(self, name, mode, folder, threads):
        from benchmarks import workloads
        from benchmarks.runners import for_onnxruntime as runner
        given = workloads.given(name, mode)

        def make():
            writer, (inputs,) = runner.ModelWriter(given.weights), given.arguments
            model = writer.model(dict(zip(runner.INPUTS, inputs)), runner.NETS[name](writer), runner.RANKS.get(name, 2))
            (folder / "model.onnx").write_bytes(model.SerializeToString())
        return make

    def load(self, folder, inputs, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        feed = dict(zip("xbcd", inputs))
        return lambda: session.run(None, feed)[0]


class AotInductor:
    """A package of torch.export and AOTInductor."""

    module, packages = "torch", ("torch", "numpy")

    def build(self, name, mode, folder, threads):
        import torch

        from benchmarks import workloads
        from benchmarks.runners.torch_nets import NETS, load
        given, net = workloads.given(name, mode), NETS[name]().eval()
        load(net, given.weights)
        inputs = self._tensors(given.arguments[0])

        def make():
            with torch.no_grad():
                exported = torch.export.export(net, inputs)
                torch._inductor.aoti_compile_and_package(exported, package_path=str(folder / "model.pt2"))
        return make

    def load(self, folder, inputs, threads):
        import torch
        torch.set_num_threads(threads)
        model, tensors = torch._inductor.aoti_load_package(str(folder / "model.pt2")), self._tensors(inputs)

        def call():
            with torch.inference_mode():
                found = model(*tensors)
            return (found[0] if isinstance(found, (tuple, list)) else found).numpy()
        return call

    def _tensors(self, arrays):
        import torch
        tensors = [torch.tensor(array) for array in arrays]
        return tuple(t if t.is_floating_point() else t.long() for t in tensors)


class MindSpore:
    """A MINDIR file, loaded into a GraphCell."""

    module, packages = "mindspore", ("mindspore", "numpy")

    def build(self, name, mode, folder, threads):
        import mindspore

        from benchmarks import workloads
        from benchmarks.runners.for_mindspore import cells_of_mindspore
        self._set(mindspore, threads)
        given = workloads.given(name, mode)
        net = cells_of_mindspore().make_net(name, given.weights)
        tensors = [mindspore.Tensor(array) for array in given.arguments[0]]
        return lambda: mindspore.export(net, *tensors, file_name=str(folder / "model"), file_format="MINDIR")

    def load(self, folder, inputs, threads):
        import mindspore
        self._set(mindspore, threads)
        net = mindspore.nn.GraphCell(mindspore.load(str(folder / "model.mindir")))
        tensors = [mindspore.Tensor(array) for array in inputs]
        return lambda: net(*tensors).asnumpy()

    def _set(self, mindspore, threads):
        mindspore.set_context(mode=mindspore.GRAPH_MODE, device_target="CPU", runtime_num_threads=threads)


FRAMEWORKS = {"graphcore": Graphcore, "onnxruntime": OnnxRuntime, "aotinductor": AotInductor, "mindspore": MindSpore}


def build(framework, name: str, mode: str, folder: Path, threads: int) -> dict:
    """Make the artefact; {"seconds": without imports and making the net, "needs": bytes of installed packages}."""
    make = framework.build(name, mode, folder, threads)
    begin = time.perf_counter()
    make()
    return {"seconds": time.perf_counter() - begin, "needs": installed_bytes(framework.packages)}


def run(framework, name: str, mode: str, folder: Path, threads: int) -> dict:
    """Seconds of import, load, first call and a call (the median of samples); bytes of memory at most."""
    begin = time.perf_counter()
    importlib.import_module(framework.module)
    import numpy as np
    imported = time.perf_counter()
    inputs = [np.load(path) for path in sorted(folder.glob("input*.npy"))]
    expected = np.load(folder / "expected.npy")
    start = time.perf_counter()
    call = framework.load(folder, inputs, threads)
    loaded = time.perf_counter()
    result = call()
    first = time.perf_counter()
    memory = most_memory()
    deviation = float(np.abs(np.asarray(result, np.float64) - expected).max() / np.abs(expected).max())
    if not deviation < TOLERANCE:
        return {"error": f"the result is off by {deviation:.2g} of the largest number"}
    return {"import": imported - begin, "load": loaded - start, "first": first - loaded, "call": median_call(call),
            "memory": memory, "deviation": deviation}


def most_memory() -> int:
    """The most bytes of memory that this process had; what `resource` says began before it was started."""
    [kibibytes] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    return int(kibibytes) * 1024


def median_call(call, seconds: float = 1.0) -> float:
    """The median over samples, each of as many calls as take half a millisecond."""
    begin = time.perf_counter()
    call()
    calls = max(1, int(5e-4 / (time.perf_counter() - begin)))
    samples, end = [], time.perf_counter() + seconds
    while len(samples) < 5 or time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        samples.append((time.perf_counter() - begin) / calls)
    return sorted(samples)[len(samples) // 2]


def installed_bytes(packages) -> int:
    """Bytes of the installed files of distributions, those that they require not counted.

    An editable installation has no files of its own; its packages are those of the checkout.
    """
    total = 0
    for package in packages:
        try:
            found = distribution(package)
        except PackageNotFoundError:
            continue
        files = [Path(found.locate_file(path)) for path in found.files or ()]
        size = sum(file.stat().st_size for file in files if file.is_file())
        if package == "graphcore" and size < 100_000:
            root = Path(__file__).resolve().parents[1]
            modules = [file for part in ("graphcore", "nn", "compiler") for file in (root / part).rglob("*.py")]
            size = sum(file.stat().st_size for file in modules)
        total += size
    return total


def main(name: str, phase: str, workload: str, folder: str, threads: str) -> None:
    answer = {"build": build, "run": run}[phase](FRAMEWORKS[name](), *workload.split("/"), Path(folder), int(threads))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
