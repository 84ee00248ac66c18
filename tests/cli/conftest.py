"""Running commands inside the test process: quick, and with their output captured."""
import os
import sys

import pytest

from graphcore.cli import main, mindspore_hook


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    """``command(*arguments)`` runs ``graphcore *arguments`` in a folder of its own: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["graphcore"])
    monkeypatch.delenv("NO_COLOR", raising=False)
    before, own_main = set(sys.modules), sys.modules["__main__"]

    def run(*arguments):
        try:
            code = main.main([os.fspath(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code
        finally:
            sys.modules["__main__"] = own_main
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    mindspore_hook.uninstall()
    for name in set(sys.modules) - before:      # files of the tests; graphcore's own modules stay
        if name.partition(".")[0] != "graphcore" and str(getattr(sys.modules[name], "__file__", "")).startswith(
                str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def file(tmp_path):
    """``file(name, text)`` writes a file into the test's folder and returns its path."""
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path
    return write
