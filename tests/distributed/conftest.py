"""Running scripts on several ranks, as a user does."""

import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def launch(tmp_path):
    """``launch(script, ranks=2, *arguments)`` runs a script's text by ``graphcore launch``, one thread to a rank.

    Gives the completed process: returncode, stdout (each line begins with "[rank] "), stderr.
    """
    pytest.importorskip("mpi4py", exc_type=ImportError)
    pytest.importorskip("graphcore.cli.launch").find_mpiexec()

    def run(script, *arguments, ranks=2, timeout=120):
        path = tmp_path / "train.py"
        path.write_text(textwrap.dedent(script))
        return subprocess.run([sys.executable, "-m", "graphcore.cli.main", "launch", "-n", str(ranks), "--threads", "1",
                               str(path), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              cwd=tmp_path)

    return run


def lines_of(process) -> dict:
    """What each rank printed: rank → lines.  Fails with the errors if the script did not end well."""
    assert process.returncode == 0, process.stderr + process.stdout
    found: dict = {}
    for line in process.stdout.splitlines():
        rank, _, text = line.partition("] ")
        found.setdefault(int(rank.lstrip("[")), []).append(text)
    return found
