"""The commands that look into a compilation, on the net of examples/digits.py: what they print is what is so."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DIGITS = f"{ROOT / 'examples' / 'digits.py'}:Net"
INFER = (DIGITS, "--input", "f32[8,1,8,8]")
TRAIN = (*INFER, "--input", "i32[8]", "--train")

LIBRARY = """\
import numpy as np
from graphcore import jit, nn, ops
from graphcore.train import Model


class Two(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(4, 3)

    def construct(self, a, b):
        return self.fc(a) + b


def sized(width, bias):
    return nn.Dense(4, width, has_bias=bias)


def make_model():
    net = Two().fc
    return Model(net, nn.MSELoss(), nn.SGD(net.trainable_params()))


def make_step():
    net = Two().fc

    @jit
    def total(x):
        return net(x).sum()
    return total


def untrainable(x):
    return ops.relu(x)


step = nn.TrainOneStepCell(nn.WithLossCell(nn.Dense(4, 3), nn.MSELoss()), nn.SGD(nn.Dense(4, 3).trainable_params()))
"""


def out_of(command, *arguments):
    code, out, err = command(*arguments)
    assert (code, err) == (0, ""), err
    return out


# -- targets ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("target, inputs, head", [
    ("nets.library:Two", ["f32[5,4]", "f32[5,3]"], "graph Two(%a: f32[5,4], %b: f32[5,3]) -> f32[5,3] {"),
    ("nets/library.py:Two", ["f32[5,4]", "@b.npy"], "graph Two(%a: f32[5,4], %b: f32[2,3]) -> f32[5,3] {"),
    ("nets.library:make_model", ["f32[5,4]", "f32[5,3]"],
     "graph TrainOneStepCell(%arg0: f32[5,4], %arg1: f32[5,3]) -> f32[] {"),
    ("nets.library:make_step", ["f32[5,4]"], "graph total(%x: f32[5,4]) -> f32[] {"),
    ("nets.library:Two --train", ["f32[5,4]", "f32[5,3]", "f32[5,3]"],
     "graph TrainOneStepCell(%arg0: f32[5,4], %arg1: f32[5,3], %arg2: f32[5,3]) -> f32[] {"),
    ("nets.library:Two --train --optimizer Adam --loss L1Loss", ["f32[5,4]", "f32[5,3]", "f32[5,3]"],
     "param moment1.fc.weight: f32[3,4]"),
    ("nets.library:sized(7,bias=False)", ["f32[5,4]"], "graph Dense(%x: f32[5,4]) -> f32[5,7] {"),
    ("two.gir", [], "graph Two(%a: f32[5,4], %b: f32[5,3]) -> f32[5,3] {"),
])
def test_targets(command, file, tmp_path, target, inputs, head):
    file("nets/library.py", LIBRARY)
    np.save(tmp_path / "b.npy", np.ones((5, 3) if "5,3" in head.split("%b")[-1][:9] else (1, 3), np.float32))
    if target == "two.gir":
        file("two.gir", out_of(command, "dump", "nets.library:Two", "--input", "f32[5,4]", "--input", "f32[5,3]"))
    name, *options = target.split()
    out = out_of(command, "dump", name, *options, *[a for i in inputs for a in ("--input", i)])
    assert head.replace("f32[2,3]", "f32[1,3]") in map(str.strip, out.splitlines())


@pytest.mark.parametrize("arguments, message", [
    ("nets.nothing:Two", "there is no module 'nets.nothing'; for a file write FILE.py:NAME"),
    ("nets.library:Two --train --input f32[5,4]", "--train needs the net's input and, as the last --input, what the"),
    ("nets.library:step --train --input f32[5,4] --input f32[5,3]", "is a training step already; leave out --train"),
    ("nets.library:untrainable --train --input f32[5]", "--train takes a net; name the training step itself"),
    ("nets.library:Two --loss MSELoss", "--loss and --optimizer belong to --train"),
    ("nets.library:Two --train --input f32[5,4] --input f32[5,3] --input f32[5,3] --loss MSELos",
     "--loss: graphcore.nn has no Cell called 'MSELos'; did you mean 'MSELoss'?"),
    ("nets.library:Two --input @none.npy", "--input @none.npy: [Errno 2]"),
    ("nets", "'nets' is not a folder of dumps: it has no 00_capture.gir"),
    ("none.gir", "cannot read none.gir: No such file"),
    ("bad.gir", "bad.gir: line 1: expected 'graph'"),
    ("ok.gir --input f32[4]", "--input: the graph's input x is f32[5], not f32[4]"),
    ("ok.gir --grad", "a graph from a file is looked at as it is"),
    ("nets.library:sized(width)", "'sized(width)' is no call with plain arguments"),
    ("none.onnx", "there is no file 'none.onnx'"),
    ("model", "'model' is a compiled model, which holds machine code and no graph"),
])
def test_targets_that_are_none(command, file, arguments, message):
    file("nets/library.py", LIBRARY)
    file("bad.gir", "grph f() {}")
    file("model/manifest.json", "{}")
    file("ok.gir", "graph f(%x: f32[5]) -> f32[5] {\n  %1 = relu(%x) : f32[5]\n  return %1\n}\n")
    code, out, err = command("dump", *arguments.split())
    assert (code, out) == (2, "") and err.count("\n") == 1 and message in err


def test_an_onnx_model(command, file, tmp_path):
    pytest.importorskip("onnx.helper")
    from graphcore import Tensor, export, nn
    net = nn.SequentialCell(nn.Dense(4, 3), nn.ReLU())
    export(net, Tensor(np.ones((2, 4), np.float32)), file_name=str(tmp_path / "net"), file_format="ONNX")
    out = out_of(command, "dump", "net.onnx")
    assert "f32[2,4]) -> f32[2,3] {" in out and "relu(" in out
    assert "launches in every run" in out_of(command, "kernels", "net.onnx", "--input", "f32[2,4]")


def test_a_value_that_python_asks_for(command, file):
    """It is said that the graph is not the whole net."""
    file("asks.py", "from graphcore import nn, ops\n\n\nclass Net(nn.Cell):\n    def construct(self, x):\n"
                    "        return ops.relu(x[: int(x.sum())])\n")
    code, out, err = command("dump", "asks.py:Net", "--input", "f32[5]")
    assert code == 0 and "sum(" in out and "relu" not in out
    assert err.startswith("note: Python asks for the value of a tensor (asks.py:6); this is the program")


def test_sizes_of_a_symbolic_graph(command, file):
    file("any.gir", "graph f(%x: f32[N,4]) -> f32[N,4] {\n  %1 = relu(%x) : f32[N,4]\n  return %1\n}\n")
    for size, arguments in ((64, ()), (10, ("--input", "f32[10,4]"))):
        data = json.loads(out_of(command, "dump", "any.gir", *arguments, "--json"))
        assert data["sizes"] == {"N": size} and data["launches"][0]["items"] == 4 * size
    assert "1 parts" in out_of(command, "profile", "any.gir", "--input", "f32[10,4]", "--steps", "1")
    assert out_of(command, "run-ir", "any.gir", "--input", "f32[3,4]").startswith("output 0: float32[3, 4]  ")


# -- what they print -------------------------------------------------------------------------------------------

def test_two_processes_write_the_same_bytes(tmp_path):
    """Whatever sets, addresses and hashes are like: the text, the kernels, the plan as JSON."""
    def files(name, seed):
        folder = tmp_path / name
        arguments = ("dump", *TRAIN, "--stage", "all", "--kernels", "--json", "-o", folder)
        done = subprocess.run([sys.executable, "-m", "graphcore", *arguments], capture_output=True, text=True, cwd=ROOT,
                              env=os.environ | {"PYTHONHASHSEED": seed})
        assert done.returncode == 0, done.stderr
        return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*.*"))}

    first, second = files("a", "1"), files("b", "2")
    assert list(first) == list(second) and len(first) > 20
    assert all(first[name] == second[name] for name in first)


def test_only(command):
    lines = out_of(command, "dump", *INFER, "--only", "conv*").splitlines()
    assert [re.match(r"  %\d+ = (\w+)", line)[1] for line in lines if "conv2d(" in line] == ["conv2d"] * 2
    assert all(re.search(r"# .*conv[12]  ", line) for line in lines), "operators and Cells of that name"
    [relu] = out_of(command, "dump", *INFER, "--only", "%3", "--stage", "final").splitlines()
    assert relu.startswith("  %3 = ")
    source = (ROOT / "examples" / "digits.py").read_text().splitlines()
    line = 1 + next(i for i, text in enumerate(source) if "self.pool(ops.relu(self.bn2(" in text)
    by_line = out_of(command, "dump", *INFER, "--only", f"digits.py:{line}").splitlines()
    assert {re.search(r"= (\w+)\(", text)[1] for text in by_line} >= {"max_pool2d", "conv2d", "relu"}
    weight = out_of(command, "dump", *TRAIN, "--only", "fc1.weight").splitlines()
    assert weight[0] == "  param fc1.weight: f32[128,1024]" and len(weight) == 4
    code, _, err = command("dump", *INFER, "--only", "%999")
    assert code == 2 and "stage 00_capture has no value %999" in err
    assert out_of(command, "dump", *INFER, "--only", "lstm").strip() == "# nothing in 00_capture is lstm"


def test_kernels_of_what_is_chosen(command):
    out = out_of(command, "dump", *INFER, "--kernels", "--llvm", "--asm", "--only", "max_pool2d")
    assert re.findall(r"^# kernel (\w+) ", out, re.M) == ["max_pool2d_2x2_s2x2"]
    assert "define " in out and "vectors of " in out and "retq" in out or "ret" in out


def test_passes(command):
    out = out_of(command, "passes", *INFER)
    rows = [line.split() for line in out.splitlines()]
    assert rows[1][0] == "01_canonical" and any(row[0] == "10_fold_affine" for row in rows)
    assert re.search(r"^\d+ other passes changed nothing", out, re.M) and re.search(r"arena [\d,]+ bytes", out)
    for before, after in zip(rows[1:], rows[2:]):
        if re.match(r"\d\d_", after[0]):
            assert before[2] == after[1], "nodes after one pass are those before the next"
    assert len(out_of(command, "passes", *INFER, "--all").splitlines()) > len(rows)
    assert [p["name"] for p in json.loads(out_of(command, "passes", *INFER, "--json"))][:2] == ["canonical", "regions"]


def test_what_a_pass_changed(command):
    out = out_of(command, "passes", *INFER, "--diff", "fold_affine")
    head, *lines = out.splitlines()
    assert head.startswith("# 10_fold_affine: ") and {line[0] for line in lines} == {"+", "-"}
    assert sum(line.startswith("- %") and "conv2d(" in line for line in lines) == 2
    assert sum(line.startswith("+ %") and "conv2d(" in line and "[scale_into_weights]" in line for line in lines) == 2
    assert not any("max_pool2d" in line for line in lines), "it is what it was, over another operand"
    out = out_of(command, "passes", *INFER, "--diff", "canonical")
    operators = [line.split(" = ")[1].split("(")[0] for line in out.splitlines()[1:]]
    assert sorted(operators) == ["matmul"] * 4 + ["transpose"] * 2
    code, _, err = command("passes", *INFER, "--diff", "fold")
    assert code == 2 and "there is no pass 'fold'" in err


def test_kernels(command):
    out = out_of(command, "kernels", *INFER)
    rows = [re.split(r"  +", line) for line in out.splitlines()]
    assert rows[0] == ["kernel", "launches", "items", "flops", "bytes", "computes"]
    kernels = {row[0]: row for row in rows[1:-1]}
    pool = next(row for name, row in kernels.items() if name.startswith("max_pool2d"))
    assert (pool[1], pool[2], pool[5]) == ("1", "512", "max_pool2d")
    assert re.match(r"\d+ launches in every run, \d+ before the first; [\d.]+ M flops", out.splitlines()[-1])
    name = pool[0].rpartition("_")[0]
    source = out_of(command, "kernels", *INFER, "--source", "max_pool*")
    assert source.startswith(f"# kernel {name} ") and f"def {name}(args, begin, end, worker)" in source
    code, _, err = command("kernels", *INFER, "--asm", "max_pol2d")
    assert code == 2 and "there is no kernel 'max_pol2d'" in err
    data = json.loads(out_of(command, "kernels", *INFER, "--json"))
    assert {k["title"] for k in data["kernels"]} == set(kernels)


def test_memory(command):
    out = out_of(command, "memory", *TRAIN, "--buffers")
    arena, peak, at, steps = re.match(r"arena (\S+ \S+), most in use (\S+ \S+) at step (\d+) of (\d+);", out).groups()
    [top] = [line for line in out.splitlines() if line.endswith("<- most")]
    assert top.split()[0] == at and top.count("#") == 40 and peak in top
    data = json.loads(out_of(command, "memory", *TRAIN, "--json"))
    assert (data["peak_at"], len(data["steps"])) == (int(at), int(steps)) and data["peak"] <= data["arena"]
    assert sum(line.lstrip().startswith("b") for line in out.partition("all buffers:")[2].splitlines()) > len(
        data["buffers"])
