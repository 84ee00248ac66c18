"""The commands in --help and in docs/reading_the_ir.md, run as they are written."""
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from graphcore import Tensor, save_checkpoint
from graphcore.cli.main import COMMANDS
from graphcore.compiler.inspection import peaks

ROOT = Path(__file__).resolve().parent.parent.parent
TUTORIAL = (ROOT / "docs" / "reading_the_ir.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TUTORIAL, re.M | re.S)
NET = next(text for kind, text in BLOCKS if kind == "python") + """

class Wider(Net):
    def __init__(self):
        super().__init__(16)


def make_net():
    return Net()
"""
#: Commands whose examples need a script, weights, several processes or a long time, and have tests of their own.
ELSEWHERE = {"run", "launch", "compile", "import", "summary", "tune", "view"}
EXAMPLES = [line.strip() for name, module in COMMANDS.items() if name not in ELSEWHERE
            for line in module.EXAMPLES.partition("examples:")[2].splitlines() if line.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all that the examples name."""
    path = tmp_path_factory.mktemp("examples")
    (path / "net.py").write_text(NET)
    np.save(path / "x.npy", np.ones((64, 1, 8, 8), np.float32))
    return path


@pytest.fixture
def run(command, folder, monkeypatch):
    """``run(line)`` → what a command line prints."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(peaks, "SECONDS", 0.01)
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(folder / "cache"))

    def run_line(line):
        words = shlex.split(line.partition(" > ")[0])
        assert words[0] == "graphcore"
        code, out, err = command(*words[1:])
        differ = words[1] == "diff" and not out.endswith("they compute the same\n")
        assert (code, err) == (int(differ), ""), line
        return out
    return run_line


@pytest.mark.parametrize("chosen", ["the first of each", pytest.param("all", marks=pytest.mark.slow)])
def test_examples_of_help(run, folder, chosen):
    """In their order: some read what others have written."""
    run("graphcore dump net.py:Net --input 'f32[64,1,8,8]' --stage all -o dumps")
    save_checkpoint(a_net(), str(folder / "net.ckpt"))
    assert len(EXAMPLES) > 25
    first = {line.split()[1]: line for line in reversed(EXAMPLES)}
    for line in EXAMPLES if chosen == "all" else reversed(first.values()):
        run(line)


def a_net():
    """The examples' net."""
    namespace: dict = {"__name__": "net"}
    exec(NET, namespace)
    return namespace["Net"]()


def test_the_tutorial(run):
    """Every line below a command is in what the last one prints, in that order."""
    last, checked = "", 0
    for kind, text in BLOCKS:
        if kind == "sh":
            for line in text.splitlines():
                last = run(line)
        elif not kind:
            at, lines = 0, [" ".join(line.split()) for line in last.splitlines()]
            for wanted in filter(None, (" ".join(line.split()) for line in text.splitlines())):
                if wanted == "...":
                    continue
                pattern = re.compile(re.escape(wanted).replace(r"\.\.\.", ".*"))
                found = next((i for i in range(at, len(lines)) if pattern.fullmatch(lines[i])), None)
                assert found is not None, f"not in what is printed: {wanted}\n{last}"
                at, checked = found + 1, checked + 1
    assert checked > 50


def test_the_tutorials_python(capsys):
    program = [text for kind, text in BLOCKS if kind == "python"][1]
    namespace: dict = {"Net": type(a_net()), "x": Tensor(np.ones((64, 1, 8, 8), np.float32))}
    exec(program, namespace)
    assert "graph Net(" in capsys.readouterr().out and len(namespace["found"].passes) > 3


def test_every_command_has_examples():
    for name, module in COMMANDS.items():
        assert "examples:" in module.EXAMPLES and f"graphcore {name} " in module.EXAMPLES, name
        assert module.HELP and module.HELP[0].islower() and not module.HELP.endswith(".")
