"""docs/from_pytorch.md: the graphcore halves of its pairs run as one program.

``python -m tests.test_from_pytorch torch`` prints the PyTorch halves, for an interpreter that has it.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "from_pytorch.md").read_text(encoding="utf-8")


def halves() -> tuple[list, list]:
    """The blocks of PyTorch, and ours."""
    found = re.findall(r"^```python( torch)?\n(.*?)^```$", TEXT, re.M | re.S)
    return [code for mark, code in found if mark], [code for mark, code in found if not mark]


def test_the_graphcore_halves_run():
    theirs, ours = halves()
    assert len(theirs) == len(ours) >= 7
    program = "\n".join(ours)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    print("\n".join(halves()[sys.argv[1:] != ["torch"]]))
