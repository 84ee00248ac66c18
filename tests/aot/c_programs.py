"""Compiling and running C programs that use libraries made ahead of time."""
from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

WARNINGS = ("-Wall", "-Wextra", "-Werror")
STANDARDS = {"gcc": "-std=c11", "g++": "-std=c++17"}


def has(program: str) -> bool:
    """Whether a program is installed."""
    return shutil.which(program) is not None


def build(source: str, folder: Path, libraries, compiler: str = "gcc", options=()) -> Path:
    """Compile the text of a program in `folder` with all warnings as errors, linked with these libraries; its path."""
    suffix = ".c" if compiler == "gcc" else ".cpp"
    file = folder / f"program{suffix}"
    file.write_text(source)
    program = folder / f"program-{compiler}"
    folders = {str(Path(library).parent) for library in libraries}
    run([compiler, *WARNINGS, STANDARDS[compiler], "-O1", "-g", *options, *(f"-I{f}" for f in folders), file,
         *libraries, *(f"-Wl,-rpath,{f}" for f in folders), "-lm", "-o", program], folder)
    return program


def run(command, folder: Path, environment: dict | None = None, timeout: float = 600) -> str:
    """What a command prints; AssertionError with all that it said if it fails."""
    done = subprocess.run([str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=timeout)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def example_of(header: Path) -> str:
    """The program in the last comment of a library's header."""
    [text] = re.findall(r"^/\* Example:\n(.*?)^ \*/$", header.read_text(), re.M | re.S)
    return text
