"""``graphcore dump``: what it prints, and what it says when it cannot."""
import json
import re

import pytest

from graphcore.cli import highlight
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.verifier import verify

NET = """\
from helper_module import scale

import graphcore as gc
from graphcore import nn, ops


class Net(nn.Cell):
    def __init__(self, channels=4):
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3)
        self.bn = nn.BatchNorm2d(channels)
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(channels * 64, 10)

    def construct(self, x):
        x = ops.relu(self.bn(self.conv(x)))
        return self.fc(self.flatten(x)) * scale


class Wide(nn.Cell):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Dense(4, width)

    def construct(self, x):
        return self.fc(x)


def make_wide():
    return Wide(3)


def make_nothing():
    return 5


@gc.jit
def area(radius):
    return radius * radius * 3.0


def weighted(x, y):
    return ops.relu(x) + y


small = Wide(2)
number = 5

if __name__ == "__main__":
    raise SystemExit("must not run")
"""


@pytest.fixture
def net(file):
    file("helper_module.py", "scale = 0.5\n")
    return file("net.py", NET)


def test_a_net_by_its_class(command, net):
    code, out, err = command("dump", f"{net}:Net", "--input", "f32[2,1,8,8]")
    assert (code, err) == (0, "")
    assert "\ngraph Net(%x: f32[2,1,8,8]) -> f32[2,10] {\n" in out
    assert "  param conv.weight: f32[4,1,3,3]\n" in out
    assert re.search(r"= conv2d\(%x, conv\.weight\) \{.*\} : f32\[2,4,8,8\] +# conv  net\.py:16\n", out)
    assert "update" not in out
    graph = parse_graph(out)
    verify(graph)
    assert out.endswith(print_graph(graph)) and out.startswith("# Parameter ")
    table = [line for line in out.splitlines() if line.startswith("#")]
    assert len(table) == 1 + len(graph.params)
    assert re.fullmatch(r"# conv\.weight +f32\[4,1,3,3\] +144  yes +%1 +-", table[1])


def test_gradients_are_in_training_mode(command, net):
    code, out, err = command("dump", f"{net}:Net", "--input", "f32[2,1,8,8]", "--grad")
    assert (code, err) == (0, "")
    graph = parse_graph(out)
    verify(graph, final=True)
    assert [name for name, _ in graph.updates] == ["bn.moving_mean", "bn.moving_variance"]
    assert len(graph.outputs) == 1 + 5      # the output, and one gradient for each trainable Parameter
    assert [str(o.type) for o in graph.outputs[1:]] == ["f32[4,1,3,3]", "f32[4]", "f32[4]", "f32[10,256]", "f32[10]"]
    nodes = [line for line in out.splitlines() if re.match(r"  %\d+ = ", line)]
    assert all(re.search(r"# .*net\.py:\d+", line) for line in nodes), "each node has the user's line"


@pytest.mark.parametrize("name, inputs, head", [
    ("make_wide", ["f32[5,4]"], "graph Wide(%x: f32[5,4]) -> f32[5,3] {"),
    ("small", ["f32[5,4]"], "graph Wide(%x: f32[5,4]) -> f32[5,2] {"),
    ("small.fc", ["f32[4]"], "graph Dense(%x: f32[4]) -> f32[2] {"),
    ("area", ["f32[N]"], "graph area(%radius: f32[N]) -> f32[N] {"),
    ("weighted", ["f32[2,3]", "f32[3]"], "graph weighted(%x: f32[2,3], %y: f32[3]) -> f32[2,3] {"),
])
def test_what_can_be_named(command, net, name, inputs, head):
    arguments = [a for i in inputs for a in ("--input", i)]
    code, out, err = command("dump", f"{net}:{name}", *arguments)
    assert (code, err) == (0, "")
    assert next(line for line in out.splitlines() if not line.startswith("#")) == head
    verify(parse_graph(out))


def test_functions_are_differentiated_by_their_inputs(command, net):
    code, out, _ = command("dump", f"{net}:weighted", "--input", "f32[2,3]", "--input", "f32[3]", "--grad")
    assert code == 0 and out.startswith("graph weighted(%x: f32[2,3], %y: f32[3]) -> (f32[2,3], f32[2,3], f32[3]) {")


def test_all_stages(command, net):
    code, out, _ = command("dump", f"{net}:Net", "--input", "f32[2,1,8,8]", "--stage", "all")
    assert code == 0
    titles = re.findall(r"^# stage (\d\d_\w+)$", out, re.M)
    assert titles[:2] == ["00_capture", "01_canonical"] and titles == sorted(titles)
    graphs = [parse_graph(part) for part in re.split(r"^# stage .*$", out, flags=re.M)[1:]]
    assert len(graphs) == len(titles) and all(a != b for a, b in zip(graphs, graphs[1:])), "only what changed"


def test_one_stage_by_name_or_title(command, net):
    arguments = ("dump", f"{net}:small", "--input", "f32[5,4]", "--stage")
    first = command(*arguments, "simplify")[1]
    verify(parse_graph(first))
    assert command(*arguments, "05_simplify")[1] == first
    code, out, err = command(*arguments, "simplfy")
    assert (code, out) == (2, "") and "did you mean 'simplify'?" in err and "capture, " in err


def test_kernels(command, net):
    code, out, _ = command("dump", f"{net}:Net", "--input", "f32[2,1,8,8]", "--kernels")
    assert code == 0
    headers = re.findall(r"^# kernel (\w+) [0-9a-f]{24}: (launched|called)", out, re.M)
    assert headers and len(re.findall(r"^def \w+\(args, begin, end, worker\)", out, re.M)) == len(headers)
    assert re.search(r"^# memory: arena [\d.]+ MiB, of which [\d.]+ are in use at step \d+ of \d+", out, re.M)


def test_json(command, net):
    code, out, _ = command("dump", f"{net}:Net", "--input", "f32[2,1,8,8]", "--json")
    assert code == 0
    record = json.loads(out)
    nodes, stage = record["nodes"], record["stages"][0]
    [x], places = stage["graph"]["inputs"], {node: where for node, _, where in stage["graph"]["nodes"]}
    assert stage["title"] == "00_capture" and nodes[x] == {
        "op": "input", "inputs": [], "attributes": {"name": "x"}, "type": "f32[2,1,8,8]"}
    conv = next(i for i in places if nodes[i]["op"] == "conv2d")
    assert [nodes[i]["attributes"]["name"] for i in nodes[conv]["inputs"]] == ["x", "conv.weight"]
    place = record["places"][places[conv][0]]
    assert (place["scope"], place["line"]) == ("conv", 16)
    assert record["sources"][place["file"]].startswith("from helper")
    memory = record["memory"]
    assert memory["peak"] == max(step["used"] for step in memory["steps"]) <= memory["arena"]


def test_into_a_folder(command, net, tmp_path):
    code, out, _ = command("dump", f"{net}:small", "--input", "f32[5,4]", "--stage", "all", "--kernels", "-o", "dumps")
    assert code == 0
    written = sorted(p.relative_to(tmp_path / "dumps").as_posix() for p in (tmp_path / "dumps").rglob("*.*"))
    assert written[0] == "00_capture.gir" and any(w.startswith("kernels/") for w in written)
    for path in (tmp_path / "dumps").glob("*.gir"):
        verify(parse_graph(path.read_text()))
    assert out.splitlines()[0] == "dumps/00_capture.gir"
    again, first = (command("dump", *target, "--stage", "final")[1]
                    for target in (["dumps"], [f"{net}:small", "--input", "f32[5,4]"]))
    assert parse_graph(again) == parse_graph(first)


def test_two_dumps_are_equal(command, net):
    arguments = ("dump", f"{net}:Net", "--input", "f32[2,1,8,8]", "--grad", "--stage", "all", "--kernels")
    assert command(*arguments) == command(*arguments)


def test_a_mindspore_file(command, file):
    path = file("ms_net.py", "import mindspore as ms\nfrom mindspore import nn\n\n\nnet = nn.Dense(4, 2)\n")
    code, out, _ = command("dump", f"{path}:net", "--input", "f32[5,4]")
    assert code == 0 and "param weight: f32[2,4]" in out


@pytest.mark.parametrize("target, inputs, message", [
    ("net.py", [], "does not name anything to look at; write FILE.py:NAME"),
    ("nett.py:Net", [], "there is no file 'nett.py'; did you mean 'net.py'?"),
    ("net.py:Nett", [], "net.py has nothing called 'Nett'; did you mean 'Net'?"),
    ("net.py:zzz", [], "net.py has nothing called 'zzz'; it has Net, Wide, area"),
    ("net.py:small.fd", [], "small has nothing called 'fd'; did you mean 'fc'?"),
    ("net.py:Wide", ["f32[5,4]"], "Wide cannot be constructed without arguments (it needs width)"),
    ("net.py:make_nothing", [], "make_nothing() returned an int, not an nn.Cell"),
    ("net.py:number", [], "number is an int; name an nn.Cell"),
    ("net.py:small", [], "small.construct takes (x), but 0 inputs are given: repeat --input TYPE"),
    ("net.py:small", ["f32[4]", "f32[4]"], "small.construct takes (x), but 2 inputs are given"),
    ("net.py:small", ["f31[4]"], "--input: 'f31[4]' is not a type; write for example f32[64,1,8,8]"),
    ("net.py:small", ["f32[4"], "'f32[4' is not a type"),
    ("net.py:small", ["f32[4)]"], "is not a size"),
])
def test_usage_errors_are_one_line(command, net, target, inputs, message):
    code, out, err = command("dump", target, *[a for i in inputs for a in ("--input", i)])
    assert (code, out) == (2, "")
    assert err.startswith("graphcore dump: error: ") and err.count("\n") == 1 and message in err


def test_errors_in_the_net_show_the_users_line(command, net):
    code, out, err = command("dump", f"{net}:weighted", "--input", "f32[5,7]", "--input", "f32[6]")
    assert (code, out) == (2, "")
    assert "net.py:43" in err and "return ops.relu(x) + y" in err and "^" in err and "Traceback" not in err


@pytest.mark.parametrize("text, message", [
    ("import nothing_like_this", "bad.py:1: ModuleNotFoundError: No module named 'nothing_like_this'"),
    ("\n\n1 / 0", "bad.py:3: ZeroDivisionError: division by zero"),
    ("def f(:", "bad.py:1: SyntaxError"),
    ("from graphcore.nn import Densee", "bad.py:1: ImportError: cannot import name 'Densee' from 'graphcore.nn'; did"),
    ("from mindspore.nn import Densee", "bad.py:1: ImportError: cannot import name 'Densee' from 'mindspore.nn'; did"),
])
def test_errors_in_the_file_are_one_line(command, file, text, message):
    file("bad.py", text + "\n")
    code, _, err = command("dump", "bad.py:Net")
    assert code == 2 and err.startswith(f"graphcore dump: error: {message}") and err.count("\n") == 1


def test_a_traceback_on_demand(command, file):
    file("bad.py", "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        command("dump", "bad.py:Net", "--traceback")


def test_a_file_named_like_a_module(command, file):
    import json as real
    path = file("json.py", "from graphcore import nn\n\nnet = nn.Dense(4, 2)\n")
    code, out, _ = command("dump", f"{path}:net", "--input", "f32[5,4]")
    assert code == 0 and "param weight" in out
    import json as after
    assert after is real


def test_commands_and_help(command):
    code, out, err = command("dmp", "x")
    assert code == 2 and err == "graphcore: error: there is no command 'dmp'; did you mean 'dump'?\n"
    assert command()[0] == 2
    code, out, _ = command("--version")
    assert code == 0 and re.match(r"graphcore \d", out)
    code, out, _ = command("dump", "--help")
    assert code == 0 and "--grad" in out and "examples:" in out


def test_colours_only_for_terminals(command, net, monkeypatch):
    arguments = ("dump", f"{net}:small", "--input", "f32[5,4]")
    plain = command(*arguments)[1]
    assert "\x1b" not in plain
    monkeypatch.setattr(highlight, "wanted", lambda stream=None: True)
    coloured = command(*arguments)[1]
    assert "\x1b[" in coloured and re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_no_color_is_respected(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert highlight.wanted(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not highlight.wanted(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not highlight.wanted(Terminal())
