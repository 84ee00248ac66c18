"""Models compiled ahead of time: what they compute, and what they refuse."""
from __future__ import annotations

import ctypes
import json
import re
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.aot.bundle import write_bundle
from graphcore.aot.compiled_model import CompiledModel, CompiledModelError
from graphcore.compiler.aot import linker
from graphcore.compiler.toolchain.cpu import host
from graphcore.errors import CompileError, DTypeError, FormatError, ShapeError
from graphcore.ir.types import parse_type
from graphcore.train.exporting import ExportError, exported_graph
from tests.aot.nets import NETS, LeNet, floats, leaves, made

LEVELS = [2] + [level for level, feature in ((3, "avx2"), (4, "avx512bw")) if host().has(feature)]


def assert_equal(given, wanted, tolerance=2e-6):
    assert [type(v) for v in (given, wanted)].count(tuple) in (0, 2)
    for a, b in zip(leaves(given), leaves(wanted), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), tolerance, tolerance)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NETS)
def test_gives_what_the_net_gives(bundles, name, level):
    net, inputs = made(name)
    assert_equal(CompiledModel(bundles(name), cpu_level=level)(*inputs), net(*inputs))


def test_long_sums_are_as_good_on_every_level(tmp_path):
    """Products of 2,048 steps, of positive numbers, whose partial sums grow: no level adds too many in one go."""
    weight, x = (np.random.default_rng(seed).random((64, 2048), np.float32) for seed in (0, 1))
    net = nn.Dense(2048, 64, weight_init=Tensor(weight), has_bias=False)
    gc.export(net, Tensor(x), file_name=str(tmp_path), file_format="SO", name="net", threads=False)
    exact = x.astype(np.float64) @ weight.T.astype(np.float64)
    for level in LEVELS:
        error = gc.load(tmp_path, cpu_level=level)(x).asnumpy() / exact - 1
        assert np.sqrt(np.mean(error ** 2)) < 1.1e-7, level


def test_one_library_takes_all_sizes_of_a_batch(bundles):
    net, _ = made("lenet")
    model = gc.load(bundles("lenet", types=(parse_type("f32[N,1,28,28]"),)), largest={"N": 4})
    for n in (4, 1, 3, 9, 2):
        x = floats(n, 1, 28, 28)
        assert_equal(model(x), net(x))


def test_weights_beside_the_library_can_be_exchanged(bundles, tmp_path):
    folder = bundles("lenet", "beside")
    _, (x,) = made("lenet")
    gc.set_seed(2)
    other = LeNet().set_train(False)
    again = write_bundle(tmp_path, "lenet", exported_graph(other, (x,)), "beside").folder
    assert_equal(CompiledModel(folder, weights=again / "lenet.safetensors")(x), other(x))
    (tmp_path / "short.safetensors").write_bytes((again / "lenet.safetensors").read_bytes()[:-4])
    changed = bytearray((again / "lenet.safetensors").read_bytes())
    changed[20] ^= 1
    (tmp_path / "changed.safetensors").write_bytes(changed)
    other = "is not one of this model"
    for file, words in (("short", other), ("changed", other), ("none", "cannot be read")):
        with pytest.raises(CompiledModelError, match=words):
            CompiledModel(folder, weights=tmp_path / f"{file}.safetensors")(x)


def test_a_library_that_was_written_anew_is_loaded_anew(tmp_path):
    for number in range(4):
        net = nn.ReLU() if number % 2 else nn.Tanh()
        gc.export(net, floats(3), file_name=str(tmp_path), file_format="SO", name="f", levels=(2,))
        model, x = gc.load(tmp_path), np.array([-1, 0.5, 2], np.float32)
        wanted = np.maximum(x, 0) if number % 2 else np.tanh(x)
        np.testing.assert_allclose(model(x).asnumpy(), wanted, 1e-6)
        np.testing.assert_allclose(gc.load(tmp_path)(x).asnumpy(), wanted, 1e-6)


def test_two_builds_are_the_same_bytes_and_need_no_compiler(bundles, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    net, inputs = made("lenet")
    again = write_bundle(tmp_path, "lenet", exported_graph(net, inputs)).folder
    for name in ("lenet.so", "lenet.h", "manifest.json"):
        assert (again / name).read_bytes() == (bundles("lenet") / name).read_bytes()


def test_a_library_that_cannot_refer_to_all_of_itself_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(linker, "_LARGEST", 50_000)             # in truth 2 GiB
    net, inputs = made("lenet")
    with pytest.raises(CompileError, match="put the weights beside it"):
        write_bundle(tmp_path, "lenet", exported_graph(net, inputs))


def test_only_the_c_library_is_needed(bundles):
    library = bundles("recurrent") / "recurrent.so"
    listed = subprocess.run(["nm", "-D", library], capture_output=True, text=True, check=True)
    names = [line.split()[-1].partition("@")[0] for line in listed.stdout.splitlines() if " U " in line]
    assert names
    c_library, mathematics = ctypes.CDLL("libc.so.6"), ctypes.CDLL("libm.so.6")
    assert [n for n in names if not hasattr(c_library, n) and not hasattr(mathematics, n)] == []
    shown = [line.split()[-1] for line in listed.stdout.splitlines() if " T " in line]
    assert shown == [f"recurrent_{f}" for f in ("create", "destroy", "error", "interface", "run")]


def test_a_library_is_small(bundles):
    image = (bundles("lenet", "beside") / "lenet.so").stat().st_size
    assert image < 3 * 64 * 1024


def test_loading_imports_neither_numba_nor_llvm(bundles):
    code = (f"import sys, numpy; import graphcore; m = graphcore.load({str(bundles('lenet'))!r}); "
            "m(numpy.zeros((3, 1, 28, 28), numpy.float32)); "
            "print([n for n in ('numba', 'llvmlite', 'graphcore.compiler', 'graphcore.nn') if n in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_threads_of_python_and_of_the_library(bundles):
    net, (x,) = made("lenet")
    model, wanted, failures = CompiledModel(bundles("lenet"), threads=2), net(x).asnumpy(), []

    def work():
        for _ in range(50):
            if not np.array_equal(model(x).asnumpy(), first):
                failures.append(1)
    first = model(x).asnumpy()
    np.testing.assert_allclose(first, wanted, 2e-6, 2e-6)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_what_does_not_fit_is_refused(bundles):
    model = CompiledModel(bundles("lenet"))
    with pytest.raises(ShapeError, match=r"x takes the shape \[3, 1, 28, 28\], got \[2, 1, 28, 28\]"):
        model(floats(2, 1, 28, 28))
    with pytest.raises(DTypeError, match="x takes float32, got float64"):
        model(np.zeros((3, 1, 28, 28)))
    with pytest.raises(TypeError, match="takes 1 inputs, got 2"):
        model(1, 2)
    with pytest.raises(CompiledModelError, match="no code for this CPU"):
        CompiledModel(bundles("lenet"), cpu_level=1)(floats(3, 1, 28, 28))
    assert "lenet: (x: float32[3, 1, 28, 28]) -> (output: float32[3, 10])" in repr(model)


def test_sizes_that_do_not_fit_are_named(tmp_path):
    gc.export(Two(), *map(parse_type, ("f32[M,6]", "f32[N,6]", "f32[N]")), file_name=str(tmp_path), file_format="SO")
    model = gc.load(tmp_path)
    a, b, scale = (np.ones(shape, np.float32) for shape in ((3, 6), (2, 6), 2))
    assert [tuple(y.shape) for y in model(a, b, scale)] == [(3, 2), (5, 6)]
    for inputs, words in (((a, b[:, :5], scale), "b takes the shape [N, 6] with N = 2, got [2, 5]"),
                          ((a, b, scale[:1]), "scale takes the shape [N] with N = 2, got [1]"),
                          ((a[:0], b, scale), "takes no empty arrays: M = 0, N = 2")):
        with pytest.raises(ShapeError, match=re.escape(words)):
            model(*inputs)


class Two(nn.Cell):
    """Two symbolic sizes, one of them in two inputs."""

    def construct(self, a, b, scale):
        return ops.matmul(a, ops.transpose(b, (1, 0))) * scale, ops.concat((a, b))


@pytest.mark.parametrize("options, error, words", [
    ({"largest": {"N": 3}}, ValueError, "no symbolic size 'N'"),
    ({"threads": -1}, ValueError, "threads is a number from 0"), ({"threads": 1 << 40}, ValueError, "threads is"),
    ({"cpu_level": 9}, ValueError, "cpu_level is a number from 0 to 4, got 9"),
    ({"cpu_level": "v3"}, TypeError, "cpu_level is a whole number, got 'v3'")])
def test_options_that_make_no_sense_are_refused(bundles, options, error, words):
    with pytest.raises(error, match=words):
        CompiledModel(bundles("lenet"), **options)


@pytest.mark.parametrize("size, error", [(0, ValueError), (1.5, TypeError), (1 << 70, ValueError)])
def test_largest_sizes_that_make_no_sense_are_refused(bundles, size, error):
    with pytest.raises(error, match="the largest N is a"):
        CompiledModel(bundles("lenet", types=(parse_type("f32[N,1,28,28]"),)), largest={"N": size})


def test_sizes_out_of_proportion_are_refused(bundles):
    folder = bundles("lenet", types=(parse_type("f32[N,1,28,28]"),))
    for size in (1 << 40, (1 << 62) + 1, (1 << 63) - 1):
        with pytest.raises(CompiledModelError, match="not enough memory"):
            CompiledModel(folder, largest={"N": size})


@pytest.mark.parametrize("change, words", [
    (lambda m: m.update(format="x"), "no manifest"),
    (lambda m: m.update(abi=2), "interface version 2"),
    (lambda m: m["inputs"][0].update(shape=[3, 1, 28, 29]), "do not belong together"),
    (lambda m: m["outputs"][0].update(shape=[3, 1]), "do not belong together"),
    (lambda m: m["outputs"][0].update(dtype="complex64"), "dtype"),
    (lambda m: m["outputs"][0].update(dtype=["float32"]), "dtype"),
    (lambda m: m["inputs"][0].update(shape=[1 << 40, 1 << 40]), "impossible shape"),
    (lambda m: m["inputs"][0].update(shape=["M", 1, 28, 28]), "unknown size"),
    (lambda m: m["library"].update(file="../lenet.so"), "not as it should be"),
    (lambda m: m["library"].update(bytes=3), "damaged"),
    (lambda m: m.update(result=[[1]]), "number of an output"),
    (lambda m: m.update(name="other"), "cannot be loaded"),
])
def test_a_manifest_that_is_not_right_is_refused(bundles, tmp_path, change, words):
    folder = tmp_path / "copy"
    shutil.copytree(bundles("lenet"), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FormatError, match=words):
        CompiledModel(folder)


def test_a_damaged_library_is_never_loaded(bundles, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(bundles("lenet"), folder)
    image = bytearray((folder / "lenet.so").read_bytes())
    image[len(image) // 2] ^= 1
    (folder / "lenet.so").write_bytes(image)
    with pytest.raises(FormatError, match="damaged"):
        CompiledModel(folder)
    (folder / "lenet.so").unlink()
    (folder / "lenet.so").symlink_to(bundles("lenet") / "lenet.so")
    with pytest.raises(FormatError, match="leads out of"):
        CompiledModel(folder)


class Beside(nn.Cell):
    """Does something besides computing: what its argument says."""

    def __init__(self, what):
        super().__init__()
        self.what, self.calls = what, 0
        self.count = Parameter(Tensor(np.zeros(2, np.float32)), name="count")

    def construct(self, x):
        if self.what == "count":
            ops.assign(self.count, x)
        elif self.what == "print":
            print(x)
        elif self.what == "calls":
            self.calls += 1
        elif self.what == "random":
            return x + ops.rand(2)
        elif self.what == "value":
            return x[:int(ops.argmax(x))]
        return x


@pytest.mark.parametrize("what, words", [
    ("count", "changes the Parameter count while"), ("print", r"calls Python \(print\)"),
    ("calls", "changes attributes"), ("random", "draws random numbers while"),
    ("value", "asks Python for the value .* let it be a constant")])
def test_nets_that_need_python_are_refused(tmp_path, what, words):
    with pytest.raises(ExportError, match=words):
        gc.export(Beside(what), floats(2), file_name=str(tmp_path / "net"), file_format="SO")


def test_names_that_c_does_not_allow_and_unknown_levels_are_refused(tmp_path):
    net, inputs = made("lenet")
    for name in ("int", "3d", "a-b", "_x", "class", "gc"):
        with pytest.raises(ValueError, match="cannot be the name of C functions"):
            write_bundle(tmp_path, name, exported_graph(net, inputs))
    with pytest.raises(ValueError, match="size 'long' cannot be called that in C"):
        write_bundle(tmp_path, "lenet", exported_graph(net, (parse_type("f32[long,1,28,28]"),)))
    with pytest.raises(ValueError, match="CPU levels are"):
        write_bundle(tmp_path, "lenet", exported_graph(net, inputs), levels=(5,))


def test_slices_that_a_size_does_not_allow_are_refused(tmp_path):
    class Sliced(nn.Cell):
        def construct(self, x):
            return x[3:] * 2.0

    gc.export(Sliced(), parse_type("f32[N,2]"), file_name=str(tmp_path / "sliced"), file_format="SO")
    model = gc.load(tmp_path / "sliced")
    np.testing.assert_array_equal(model(np.ones((5, 2), np.float32)).asnumpy(), np.full((2, 2), 2, np.float32))
    with pytest.raises(ShapeError, match="N = 2 is too small"):
        model(np.ones((2, 2), np.float32))


