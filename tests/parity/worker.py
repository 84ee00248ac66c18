"""Runs programs with the `mindspore` of this interpreter, one JSON line each: python -m tests.parity.worker TOPIC.

Started by `tests.parity.record`.  A line `{"started": key}` precedes each program, so that a crash has a name.
"""
import json
import os
import sys

os.environ.setdefault("MS_JIT_IGNORE_MODULES", "numpy,scipy")
os.environ.setdefault("GLOG_v", "4")


def main() -> None:
    """Arguments: a topic, then the names of programs to leave out."""
    import mindspore

    from tests.language import runner
    topic, skipped = sys.argv[1], set(sys.argv[2:])
    report = os.fdopen(os.dup(1), "w")
    for entry in runner.load(topic):
        if entry.name in skipped:
            continue
        print(json.dumps({"started": entry.name}), file=report, flush=True)
        print(json.dumps({entry.name: runner.run(mindspore, entry)}), file=report, flush=True)


if __name__ == "__main__":
    main()
