"""What the README shows is true: its program learns, its commands exist, its IR is IR."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from graphcore.cli.main import make_parser
from graphcore.ir.parser import parse_graph
from graphcore.ir.verifier import verify

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def test_the_program_learns():
    [program] = blocks("python")
    assert len(program.strip().splitlines()) <= 24
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    loss, values = re.match(r"loss ([\d.]+) \[(.*)\]", done.stdout).groups()
    assert float(loss) < 0.01
    assert [round(float(v)) for v in values.split()] == [0, 1, 1, 0]


def test_the_commands_exist():
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("graphcore ")]
    assert len(commands) >= 4
    for line in commands:
        make_parser().parse_args(shlex.split(line, comments=True)[1:])


def test_the_graph_is_a_graph():
    [text] = [b for b in blocks("") if b.startswith("graph ")]
    verify(parse_graph(text))


def test_the_two_commands_stand_alone_in_their_lines():
    lines = README.splitlines()
    assert lines.count('pip install -e ".[test]" && pytest') == 1
    assert lines.count('pip install -e ".[examples]" && python examples/digits.py') == 1


def test_the_paths_exist():
    for path in re.findall(r"`((?:docs|examples|benchmarks)/[\w/.]+|\w+\.md)`", README):
        assert (ROOT / path).exists(), path


def test_the_page_about_training_is_true(tmp_path):
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=120,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert "Multiply-adds: 3.07 k" in done.stdout and "epoch 4: 8 steps" in done.stdout
    assert (tmp_path / "runs" / "history.csv").read_text().startswith("epoch,loss,seconds,acc\n1,")
