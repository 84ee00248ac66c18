"""Every command that looks into a compilation, on the training step of a ResNet-18."""
import json
import os
import re
import subprocess
import sys

import pytest

from graphcore.compiler.inspection import peaks
from graphcore.ir.parser import parse_graph
from tests.cli.test_examples import ROOT

NET = """\
from benchmarks.nets.vision import ResNet18


def resnet():
    return ResNet18(False)
"""
TRAIN = ("resnet.py:resnet", "--input", "f32[2,3,32,32]", "--input", "i32[2]", "--train")


@pytest.fixture
def resnet(file, command, monkeypatch):
    file("resnet.py", NET)
    monkeypatch.setattr(peaks, "SECONDS", 0.01)
    return command


def shown(command, *arguments):
    code, out, err = command(*arguments)
    assert (code, err) == (0, "")
    return out


def test_dump_and_explain(resnet):
    text = shown(resnet, "dump", *TRAIN, "--stage", "final")
    graph = parse_graph(text)
    assert len(graph.nodes) > 1000 and len(graph.params) > 120
    weight = shown(resnet, "explain", *TRAIN, "--param", "layer3.0.conv2.weight")
    assert "conv2d_grad_weight" in weight and "in place" in weight
    conv = re.search(r"(%\d+) = conv2d\(.*layer1\.1\.conv1  vision\.py:\d+", text)[1]
    told = shown(resnet, "explain", *TRAIN, conv, "--stage", "final")
    assert "self.conv1(x)" in told and "kept alive by launch" in told


@pytest.mark.slow
@pytest.mark.parametrize("arguments, pattern", [
    (["passes"], r"^04_grad +[\d,]+ +[\d,]+ +\+\d+ -\d+"),
    (["passes", "--diff", "grad"], r"^\+ %\d+ = conv2d_grad_weight"),
    (["kernels"], r"^winograd_products_4_\w+ +\d+"), (["kernels", "--code"], r"^fused\w+ .* \d+%"),
    (["memory", "--buffers"], r"^arena [\d.]+ MiB, most in use"), (["explain", "--line", "vision.py:44"], "in the la"),
    (["profile", "--steps", "2"], r"^layer4 +[\d,.]+ +[\d.]+%"), (["graph"], r'subgraph "cluster_layer2'),
    (["graph", "--cells", "1"], r'label="layer3\\n\d+ operators'),
])
def test_the_others(resnet, arguments, pattern):
    assert re.search(pattern, shown(resnet, arguments[0], *TRAIN, *arguments[1:]), re.M)


@pytest.mark.slow
def test_diff_run_ir_and_json(resnet, tmp_path):
    shown(resnet, "dump", *TRAIN, "--stage", "all", "-o", "dumps")
    assert resnet("diff", "dumps", "dumps")[0] == 0
    assert "differ by at most" in shown(resnet, "run-ir", "dumps/04_grad.gir", "--compare")
    data = json.loads(shown(resnet, "dump", *TRAIN, "--json"))
    assert len(json.dumps(data, separators=(",", ":"))) < 3_000_000 and len(data["launches"]) > 150


@pytest.mark.slow
def test_a_dump_takes_less_than_a_second(file, tmp_path):
    """Of the processor's time, in a process of its own whose modules are compiled to bytecode already."""
    file("resnet.py", NET)
    program = ("import time, sys; from graphcore.cli.main import main; code = main(sys.argv[1:]); "
               "print(code, time.process_time(), file=sys.stderr)")
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program, "dump", *TRAIN], capture_output=True, text=True,
                              cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "",
                                                 "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode")})
        code, taken = done.stderr.split()
        assert code == "0"
        seconds.append(float(taken))
    assert min(seconds) < 1.0
