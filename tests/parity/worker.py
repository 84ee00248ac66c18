"""Runs entries of a suite with the `mindspore` of this interpreter: python -m tests.parity.worker SUITE TOPIC SKIPPED

Started by `tests.parity.record`.  One JSON line each; a line `{"started": name}` precedes it, so that a crash has a
name.  SKIPPED is a file with a JSON list of the names to leave out.
"""
import importlib
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("MS_JIT_IGNORE_MODULES", "numpy,scipy")
os.environ.setdefault("GLOG_v", "4")


def main() -> None:
    import mindspore
    suite, topic, skipped = sys.argv[1:]
    skipped = set(json.loads(Path(skipped).read_text()))
    report = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)        # what entries print is not for the recorder
    runner = importlib.import_module(f"tests.{suite}.runner")
    for entry in runner.load(topic):
        if entry.name in skipped:
            continue
        print(json.dumps({"started": entry.name}), file=report, flush=True)
        print(json.dumps({entry.name: runner.run(mindspore, entry)}), file=report, flush=True)


if __name__ == "__main__":
    main()
