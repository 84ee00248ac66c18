"""What docs/aot.md shows works as it stands there."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.aot.c_programs import WARNINGS, has, run

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "aot.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the page's net has been compiled by the page's command."""
    folder = tmp_path_factory.mktemp("page")
    net = next(block for block in blocks("python") if block.startswith("# net.py"))
    (folder / "net.py").write_text(net)
    [command] = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("graphcore compile")]
    script = "import sys; from graphcore.cli.main import main; sys.exit(main(sys.argv[1:]))"
    python = f"'{sys.executable}' -c '{script}'"
    run(["sh", "-c", command.replace("graphcore", python, 1)], folder, environment())
    return folder


def environment() -> dict:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def python_block(first: str) -> str:
    return next(block for block in blocks("python") if block.startswith(first))


def probabilities(folder) -> np.ndarray:
    """What the compiled net gives for zeros, by graphcore."""
    code = python_block("import numpy as np\n\nimport graphcore") + "print(*y.asnumpy()[0])\n"
    printed = run([sys.executable, "-c", code], folder, environment()).splitlines()
    assert printed[0] in TEXT
    return np.array(printed[1].split(), np.float32)


def test_the_page_s_library_in_python(folder):
    assert probabilities(folder).sum() == pytest.approx(1)


def test_five_lines_with_numpy_alone(folder):
    code = python_block("import ctypes")
    assert len(code.strip().splitlines()) == 5
    code += ("import sys\nprint(*y[0])\n"
             "print([m for m in sys.modules if m.startswith(('graphcore', 'numba', 'llvm'))])\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    numbers, modules = done.stdout.splitlines()
    # an editable installation leaves a module that finds the packages, without importing any
    assert [m for m in eval(modules) if "finder" not in m] == []
    np.testing.assert_array_equal(np.array(numbers.split(), np.float32), probabilities(folder))


@pytest.mark.skipif(not has("cc"), reason="cc is not installed")
def test_the_page_s_c_program(folder):
    [program] = blocks("c")
    (folder / "program.c").write_text(program)
    [command] = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("cc ")]
    run(["sh", "-c", command + " " + " ".join(WARNINGS)], folder)
    printed = run([folder / "program"], folder).split()
    assert printed == [f"{number:.4f}" for number in probabilities(folder)]


def test_the_export_of_the_page(folder, tmp_path):
    (tmp_path / "net.py").write_text((folder / "net.py").read_text())
    code = python_block("import graphcore as gc\nfrom graphcore.ir")
    run([sys.executable, "-c", code], tmp_path, environment())
    assert sorted(f.name for f in (tmp_path / "build").iterdir()) == ["manifest.json", "net.h", "net.so"]
