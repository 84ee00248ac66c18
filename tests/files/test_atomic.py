"""Files are the old ones or complete new ones."""
import os
import signal
import subprocess
import sys
import time

import pytest

from graphcore.files.atomic import atomic_path, atomic_write


def test_a_file_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with atomic_write(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(KeyError):
        with atomic_write(target) as file:
            file.write(b"half")
            raise KeyError
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_permissions_and_links(tmp_path):
    (tmp_path / "ordinary").write_bytes(b"")
    with atomic_path(tmp_path / "file") as temporary:
        os.remove(temporary)
        temporary.write_bytes(b"by another writer")
        os.chmod(temporary, 0o600)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "ordinary").stat().st_mode
    os.symlink(tmp_path / "file", tmp_path / "link")
    with atomic_write(tmp_path / "link") as file:
        file.write(b"through the link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"through the link"


def test_missing_directories_are_reported(tmp_path):
    with pytest.raises(FileNotFoundError):
        with atomic_write(tmp_path / "none" / "file"):
            pass


SAVER = """
import sys
import numpy as np
from graphcore import dtype as dt
from graphcore.files.ckpt import write_ckpt
from graphcore.files.stored import StoredTensor

values, turn = np.zeros(400_000, np.float32), 0
while True:
    values[:] = turn
    write_ckpt(sys.argv[1], {"w": StoredTensor(dt.float32, values)})
    turn += 1
    print(turn, flush=True)
"""


def test_killed_while_saving_there_is_a_whole_checkpoint(tmp_path):
    from graphcore.files.ckpt import read_ckpt
    target = tmp_path / "net.ckpt"
    for attempt in range(6):
        saver = subprocess.Popen([sys.executable, "-c", SAVER, str(target)], stdout=subprocess.PIPE,
                                 env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)})
        saver.stdout.readline()
        time.sleep(0.003 * attempt)
        os.kill(saver.pid, signal.SIGKILL)
        saver.wait()
        saver.stdout.close()
        values = read_ckpt(target)["w"].array
        assert (values == values[0]).all()
