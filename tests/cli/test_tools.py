"""The smaller commands: diff, graph, run-ir, env, cache, completion."""
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from graphcore.cli import main
from graphcore.compiler import cache
from graphcore.ir.compare import compare
from graphcore.ir.parser import parse_graph

NET = """\
from graphcore import nn, ops


class Net(nn.Cell):
    def __init__(self, width=8, act=ops.relu):
        super().__init__()
        self.fc1, self.fc2, self.act = nn.Dense(4, width), nn.Dense(width, 3), act

    def construct(self, x):
        return self.fc2(self.act(self.fc1(x)))


def wider():
    return Net(16)


def other():
    return Net(8, ops.tanh)


class Deeper(Net):
    def construct(self, x):
        return super().construct(x) * 2


class Loop(nn.Cell):
    def __init__(self, step=1):
        super().__init__()
        self.step = step

    def construct(self, x, n):
        i = n * 0
        while i < n:
            x = ops.exp(x)
            i = i + self.step
        return x


def strides():
    return Loop(2)
"""
X = ("--input", "f32[5,4]")
PRINTS = """\
graph f(%x: f32[], %c: bool[]) -> () {
  %1 = if(%c, %x) {
    orelse=graph else(%v0: f32[]) -> () {
      return
    },
    then=graph then(%v0: f32[]) -> () {
      %1 = host_call(%v0) {callback=0, label="print", returns=False} : ()
      effect %1
      return
    }
  } : ()
  effect %1
  return
}
"""


@pytest.fixture
def net(file):
    file("net.py", NET)
    return "net.py:Net"


# -- diff ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("other, lines", [
    ("net.py:wider", ["~ param fc1.weight: f32[8,4] -> f32[16,4]", "~ %3 -> %3 add: type f32[5,8] -> f32[5,16]"]),
    ("net.py:other", ["- %4 = relu(%3) : f32[5,8]", "+ %4 = tanh(%3) : f32[5,8]"]),
    ("net.py:Deeper", ["+ %8 = mul(%7, 2.0:f32) : f32[5,3]", "~ output 0: %7 -> %8"]),
])
def test_diff(command, net, other, lines):
    code, out, err = command("diff", net, other, *X, "--stage", "capture")
    found = [line.partition("  #")[0].rstrip() for line in out.splitlines()]
    assert (code, err) == (1, "") and set(lines) <= set(found), out


def test_diff_of_what_is_equal(command, net):
    assert command("diff", net, net, *X) == (0, "they compute the same\n", "")
    assert command("diff", net, net, *X, "--stage", "all")[0] == 0
    command("dump", net, *X, "--stage", "all", "-o", "dumps")
    command("dump", "net.py:wider", *X, "--stage", "all", "-o", "wide")
    assert command("diff", "dumps", "dumps")[:2] == (0, "they compute the same\n")
    assert command("diff", "dumps", net)[0] == 0, "with the types of the file"
    assert command("diff", net, "dumps/00_capture.gir")[0] == 0
    code, out, _ = command("diff", "dumps", "wide")
    assert code == 1 and re.findall(r"^# stage (\S+)", out, re.M) == ["00_capture", "01_canonical"]


def test_diff_looks_into_regions(command, net):
    arguments = ("--input", "f32[5]", "--input", "i32[]")
    code, out, _ = command("diff", "net.py:Loop", "net.py:strides", *arguments)
    assert code == 1 and "while: the graph body" in out
    assert re.search(r"^~ %\d+\.body\.%\d+ -> %\d+ add: operand 1 1:i32 -> 2:i32", out, re.M)


def test_moved_nodes_are_not_new():
    """Other numbers and another order of equal work are no differences."""
    a = parse_graph("graph f(%x: f32[2]) -> (f32[2], f32[2]) {\n %1 = exp(%x) : f32[2]\n %2 = relu(%1) : f32[2]\n"
                    " %3 = tanh(%x) : f32[2]\n return %2, %3\n}\n")
    b = parse_graph("graph g(%x: f32[2]) -> (f32[2], f32[2]) {\n %1 = tanh(%x) : f32[2]\n %2 = exp(%x) : f32[2]\n"
                    " %3 = relu(%2) : f32[2]\n return %3, %1\n}\n")
    assert compare(a, b).equal and compare(a, b).same == 3
    c = parse_graph("graph g(%x: f32[2]) -> (f32[2], f32[2]) {\n %1 = tanh(%x) : f32[2]\n %2 = exp(%1) : f32[2]\n"
                    " %3 = relu(%2) : f32[2]\n return %3, %1\n}\n")
    found = compare(a, c)
    assert [(p.old.op, p.facts) for p in found.changed] == [("exp", ("operand 0 %x -> %1",))] and found.same == 2


# -- graph -----------------------------------------------------------------------------------------------------

def test_dot(command, net):
    code, out, err = command("graph", net, *X)
    assert (code, err) == (0, "") and out.startswith('digraph "Net" {') and out.count("{") == out.count("}")
    nodes = set(re.findall(r"^ *(n\d+|out\d+|c\d+) \[label", out, re.M))
    ends = {end for pair in re.findall(r"^  (\w+) -> (\w+)", out, re.M) for end in pair}
    assert ends == nodes and 'subgraph "cluster_fc1"' in out
    folded = command("graph", net, *X, "--cells", "1")[1]
    assert "cluster" not in folded and r"fc1\n" in folded and folded.count(" -> ") < out.count(" -> ")


def test_pictures_need_graphviz(command, net, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    code, out, err = command("graph", net, *X, "-o", "net.svg")
    assert (code, out) == (2, "") and "needs the program `dot` of Graphviz" in err
    assert not (tmp_path / "net.svg").exists()
    monkeypatch.undo()
    assert command("graph", net, *X, "--format", "png")[2].endswith("name a file for it with -o\n")


def test_pictures_are_drawn_by_graphviz(command, net, tmp_path, monkeypatch):
    """By a program in its place, which shows what it is given."""
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho \"<svg>$1\"; cat\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert command("graph", net, *X, "-o", "net.svg")[:2] == (0, "net.svg\n")
    assert (tmp_path / "net.svg").read_text().startswith('<svg>-Tsvg\ndigraph "Net"')
    program.write_text("#!/bin/sh\necho 'syntax error' >&2; exit 1\n")
    assert command("graph", net, *X, "--format", "svg")[2] == "graphcore graph: error: dot failed: syntax error\n"


def test_onnx(command, net, tmp_path):
    onnx = pytest.importorskip("onnx")
    assert command("graph", net, *X, "-o", "net.onnx")[:2] == (0, "net.onnx\n")
    model = onnx.load(str(tmp_path / "net.onnx"))
    assert [n.op_type for n in model.graph.node][:4] == ["transpose", "matmul", "add", "relu"]
    made = {i.name for i in model.graph.input}
    for n in model.graph.node:
        assert n.domain == "graphcore" and all(i in made or ":" in i or i[0] == "@" for i in n.input)
        made.update(n.output)
    assert {o.name for o in model.graph.output} <= made
    [weight] = [i for i in model.graph.input if i.name == "fc1.weight"]
    assert [d.dim_value for d in weight.type.tensor_type.shape.dim] == [8, 4]


# -- run-ir ----------------------------------------------------------------------------------------------------

def test_run_ir(command, net, tmp_path):
    from graphcore import Tensor, save_checkpoint
    np.save(tmp_path / "x.npy", np.arange(20, dtype=np.float32).reshape(5, 4) / 20)
    command("dump", net, *X, "--stage", "all", "-o", "dumps")
    code, out, _ = command("run-ir", "dumps", "--input", "@x.npy", "--compare", "-o", "r.npz")
    assert code == 0 and re.match(r"output 0: float32\[5, 3\]  -?\d", out) and "differ by at most" in out
    first = np.load(tmp_path / "r.npz")["output 0"]
    for stage in sorted((tmp_path / "dumps").glob("*.gir")):
        assert command("run-ir", stage, "--input", "@x.npy", "--interpret", "-o", "s.npz")[0] == 0
        np.testing.assert_allclose(np.load(tmp_path / "s.npz")["output 0"], first, rtol=1e-5, atol=1e-6)
    shapes = {"fc1.weight": (8, 4), "fc1.bias": (8,), "fc2.weight": (3, 8), "fc2.bias": (3,)}
    save_checkpoint([{"name": name, "data": Tensor(np.ones(shape, np.float32))} for name, shape in shapes.items()],
                    str(tmp_path / "w.ckpt"))
    command("run-ir", "dumps", "--input", "@x.npy", "--ckpt", "w.ckpt", "-o", "r.npz")
    x = np.load(tmp_path / "x.npy")
    np.testing.assert_allclose(np.load(tmp_path / "r.npz")["output 0"][:, 0], 8 * (x.sum(1) + 1) + 1, rtol=1e-5)


def test_run_ir_updates_parameters(command, net):
    command("dump", net, *X, "--input", "f32[5,3]", "--train", "-o", "dumps")
    code, out, _ = command("run-ir", "dumps/05_simplify.gir", "--compare")
    assert code == 0 and "update fc1.weight: float32[8, 4]" in out


@pytest.mark.parametrize("arguments, message", [
    (["net.py:Net"], "'net.py:Net' is no graph in a file"),
    (["d/00_capture.gir", "--input", "f32[5,5]"], "the graph's input x is f32[5,4], not f32[5,5]"),
    (["d/00_capture.gir", "--input", "f32[5,4]", "--input", "f32[5,4]"], "takes 1 inputs, but 2 are given: x: f32"),
    (["prints.gir"], "the graph calls Python (a print or a hook), which is not in the file"),
    (["sym.gir"], "running takes sizes"), (["wrong.gir"], "wrong.gir: "),
])
def test_run_ir_errors(command, file, net, arguments, message):
    command("dump", net, *X, "-o", "d")
    file("sym.gir", "graph f(%x: f32[N]) -> f32[N] {\n  %1 = relu(%x) : f32[N]\n  return %1\n}\n")
    file("prints.gir", PRINTS)
    file("wrong.gir", "graph f(%x: f32[2]) -> f32[3] {\n  %1 = relu(%x) : f32[3]\n  return %1\n}\n")
    code, out, err = command("run-ir", *arguments)
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1


# -- env, cache, completion ------------------------------------------------------------------------------------

def test_env(command, monkeypatch):
    monkeypatch.setenv("GRAPHCORE_CHECK", "0")
    found = json.loads(command("env", "--json")[1])
    assert found["packages"]["numba"] and found["cpu"]["vector bits"] in (128, 256, 512) and found["threads"] >= 1
    assert found["environment"]["GRAPHCORE_CHECK"] == "0"
    out = command("env")[1]
    assert re.search(r"^python +3\.", out, re.M) and "GRAPHCORE_CHECK 0" in out


def test_cache(command, net, tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(tmp_path / "cache"))
    cache.store_object("a" * 64, b"object")
    cache.store_json("programs", "b" * 64, {"x": 1})
    code, out, _ = command("cache", "list", "--all")
    assert code == 0 and re.search(r"^objects +1 ", out, re.M) and "programs/" + "b" * 64 in out
    assert command("cache", "verify")[:2] == (0, "2 entries, 0 damaged\n")
    path = tmp_path / "cache" / "objects" / ("a" * 64 + ".o")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    code, out, _ = command("cache", "verify", "--delete")
    assert code == 1 and out == f"{path}: damaged, deleted\n2 entries, 1 damaged\n" and not path.exists()
    assert command("cache", "clear", "--older-than", "1")[1] == "deleted 0 entries, 0 B\n"
    assert command("cache", "clear", "--kind", "programs")[1].startswith("deleted 1 entries")
    assert json.loads(command("cache", "list", "--json")[1])["entries"] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(command, tmp_path, shell):
    code, out, err = command("completion", shell)
    assert (code, err) == (0, "") and all(name in out for name in main.COMMANDS) and "older-than" in out
    program = shutil.which(shell)
    if program:
        (tmp_path / "script").write_text(out)
        assert subprocess.run([program, "-n", tmp_path / "script"], capture_output=True).stderr == b""


def test_completion_in_bash(command, tmp_path):
    """The function that bash would call gives commands, options and the words that may follow an option."""
    (tmp_path / "script").write_text(command("completion", "bash")[1])

    def complete(*words):
        program = (f"source ./script; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _graphcore; "
                   "echo ${COMPREPLY[@]}")
        return subprocess.run(["bash", "-c", program], capture_output=True, text=True, cwd=tmp_path).stdout.split()

    assert complete("graphcore", "expl") == ["explain"]
    assert complete("graphcore", "dump", "--ke") == ["--kernels"]
    assert complete("graphcore", "graph", "--format", "s") == ["svg"]
    assert complete("graphcore", "cache", "ver") == ["verify"]
