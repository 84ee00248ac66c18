"""One of the processes of ``graphcore launch``: runs the script, and leaves a report if that fails."""
from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path


def main() -> int:
    """Run the script that the command line names; what goes wrong ends all processes."""
    def report(kind, error, trace) -> None:
        _leave_report(130 if issubclass(kind, KeyboardInterrupt) else 1,
                      "".join(traceback.format_exception(kind, error, trace)))

    sys.excepthook = report
    for stream in (sys.stdout, sys.stderr):     # whole lines, which the launcher can tell apart
        stream.reconfigure(line_buffering=True, write_through=False)
    _introduce_itself()
    from graphcore.cli import run
    options = argparse.Namespace(script=sys.argv[1], arguments=sys.argv[2:])
    try:
        code = run.run(options)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if code:
            _leave_report(code, f"it ended by itself with exit code {error.code}\n")
    if code:
        _end_all(code)
    return code


def _introduce_itself() -> None:
    """Note which rank this process is: should it be killed, the process manager knows its number alone."""
    folder = Path(os.environ["GRAPHCORE_LAUNCH_REPORTS"])
    if folder.is_dir():
        (folder / f"process{os.getpid()}-{os.environ.get('PMI_HOSTNAME', '')}").write_text(os.environ["PMI_RANK"])


def _leave_report(code: int, text: str) -> None:
    """Write what happened where the launcher looks for it; whole or not at all."""
    folder = Path(os.environ["GRAPHCORE_LAUNCH_REPORTS"])
    path = folder / f"rank{os.environ.get('PMI_RANK', '0')}"
    if folder.is_dir():
        path.with_suffix(".part").write_text(f"{code}\n{text}")
        path.with_suffix(".part").rename(path)
    else:                                       # on another machine than the launcher
        print(text, file=sys.stderr, flush=True)


def _end_all(code: int) -> None:
    """Stop the other processes, which may be waiting for this one; without MPI the launcher does it."""
    sys.stdout.flush()
    if "mpi4py.MPI" in sys.modules:
        from mpi4py import MPI
        MPI.COMM_WORLD.Abort(code)


if __name__ == "__main__":
    sys.exit(main())
