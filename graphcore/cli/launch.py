"""``graphcore launch -n N SCRIPT.py [ARGS...]``: run a script as N processes that train together, over MPI."""
from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from graphcore.cli.errors import UsageError

HELP = "run a script as several processes that train together (over MPI)"
EXAMPLES = """\
examples:
  graphcore launch -n 2 train.py
  graphcore launch -n 8 --threads 4 --hosts node1,node2 train.py --epochs 3"""

#: How mpiexec's process manager reports a process that did not end by itself.
_KILLED = re.compile(r"PID (\d+) RUNNING AT (\S+)")
_SIGNAL = re.compile(r"EXIT STRING: .*\(signal (\d+)\)")
_NOTICE = re.compile(r"=+$|=\s|YOUR APPLICATION TERMINATED|This typically refers|Please see the FAQ|Abort\(\d+\)|"
                     r"rank \d+ of \d+ failed with ")


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--processes", type=int, required=True, metavar="N", help="how many processes (ranks)")
    parser.add_argument("--threads", type=int, metavar="T",
                        help="threads of each process (default: the machine's cores shared evenly)")
    parser.add_argument("--hosts", metavar="A,B", help="machines to start them on (mpiexec -hosts; default: this one)")
    parser.add_argument("script", metavar="SCRIPT.py", help="the script; it calls communication.init()")
    parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="passed on to the script")


def run(options: argparse.Namespace) -> int:
    """Run the script; each line that a process prints begins with its rank.  When one fails all are stopped.

    Returns 0, or the exit code of the process that failed first (128 + the signal that killed it), after its error.
    Raises UsageError if there is no script or no mpiexec.
    """
    if options.processes < 1:
        raise UsageError(f"-n {options.processes}: there must be at least one process")
    if not os.path.isfile(options.script):
        raise UsageError(f"there is no script {options.script!r}")
    mpiexec = find_mpiexec()
    environment = dict(os.environ)
    if options.threads:
        environment["GRAPHCORE_THREADS"] = str(options.threads)
    hosts = ["-hosts", options.hosts] if options.hosts else []
    with tempfile.TemporaryDirectory(prefix="graphcore-launch-") as folder:
        environment["GRAPHCORE_LAUNCH_REPORTS"] = folder
        command = [mpiexec, "-prepend-rank", "-n", str(options.processes), *hosts, sys.executable, "-m",
                   "graphcore.cli.rank", options.script, *options.arguments]
        notices, code = _watched(command, environment)
        return _report(Path(folder), notices, code)


def find_mpiexec() -> str:
    """MPICH's mpiexec: beside this interpreter (the `mpich` wheel), else on the path.  Raises UsageError for none."""
    beside = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    for candidate in (beside, shutil.which("mpiexec.hydra"), shutil.which("mpiexec")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise UsageError("there is no mpiexec; pip install 'graphcore[distributed]' brings MPICH's")


def _watched(command: list, environment: dict) -> tuple:
    """(what the process manager said of failures, exit code) of a command whose output is passed on."""
    try:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   errors="replace")
    except OSError as error:
        raise UsageError(f"{command[0]} does not run: {error}") from None
    notices: list = []
    readers = [threading.Thread(target=_pass_on, args=(source, target, notices), daemon=True)
               for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))]
    for reader in readers:
        reader.start()
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    for reader in readers:
        reader.join()
    return notices, code


def _pass_on(source, target, notices: list) -> None:
    """Pass lines on as they come, without the process manager's own about failures, which are kept."""
    for line in source:
        text = re.sub(r"^\[\d+\] ", "", line).strip()
        if _NOTICE.match(text):
            notices.append(text)
        else:
            target.write(line)
            target.flush()


def _report(folder: Path, notices: list, code: int) -> int:
    """Say who failed first and with what; returns the exit code."""
    reports = sorted((p for p in folder.glob("rank*") if not p.suffix), key=lambda path: path.stat().st_mtime_ns)
    if reports:
        own_code, _, error = reports[0].read_text().partition("\n")
        print(f"\n{reports[0].name.replace('rank', 'rank ')} failed; all ranks were stopped.  Its error:\n{error}",
              file=sys.stderr)
        return int(own_code)
    text = "\n".join(notices)
    killed, by = _KILLED.search(text), _SIGNAL.search(text)
    if killed:
        pid, host = killed.groups()
        started = folder / f"process{pid}-{host}"
        who = f"rank {started.read_text()}" if started.exists() else "a rank"
        number = int(by.group(1)) if by else 0
        how = f"was killed by signal {number} ({signal.Signals(number).name})" if by else f"ended with exit code {code}"
        print(f"\n{who} (process {pid} on {host}) {how}; all ranks were stopped", file=sys.stderr)
        return 128 + number if by else code
    if code and any(folder.glob("process*")):
        print(f"\na rank left with exit code {code}, without an error of its own; all ranks were stopped",
              file=sys.stderr)
    return code
