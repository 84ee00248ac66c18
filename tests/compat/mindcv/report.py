"""The table of docs/compat.md: one row per model, and what does not match, with the reason."""
from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from tests.compat.mindcv.families import family_of

_HEAD = """# MindCV's models

What `python -m tests.compat.mindcv --all --report docs/compat.md` found: all {models} models that MindCV {mindcv}
registers, unmodified, with `mindspore` imported as graphcore. Generated; do not edit.

- **names**: the names and shapes of all Parameters have MindSpore 2.10's checksum, so that its checkpoints fit.
- **error**: the distance of the outputs for two images to what MindSpore 2.10 gave with the same weights, divided by
  their norm; 1e-4 is allowed. Compiled (GRAPH_MODE), batch of 1.
- **first call**: CPU seconds of capture and compilation, with the kernels that other models had left in the cache;
  **a call**: CPU milliseconds of a later one, on a machine that was busy with other work ({machine}).
- **MindSpore**: its own wall milliseconds for such a call, where they were measured (two threads, the same machine).
- **trains**: how far the gradients of one training step lie from MindSpore's (`--mode train`; some small variants).

{summary}

| model | image | parameters | names | error | first call | a call | MindSpore | trains |
|---|---:|---:|---|---:|---:|---:|---:|---:|
"""


def write_report(path: Path, records: dict, results: dict) -> None:
    """Write the table of the models of `records` with the results in graph mode."""
    found = {name: results.get((name, "graph"), {}) for name in records}
    trained = {name: results.get((name, "train"), {}) for name in records}
    rows = [_row(name, records[name], found[name], trained[name])
            for name in sorted(records, key=lambda n: (family_of(n).lower(), n))]
    failed = [f"- `{name}`: {_reason(records[name], result)}" for name, result in sorted(found.items())
              if result and not result.get("matches")]
    text = _HEAD.format(models=len(records), mindcv=version("mindcv"), summary=_summary(records, found, trained),
                        machine=f"{os.cpu_count()} cores, {platform.machine()}")
    text += "\n".join(rows) + "\n\n## What has no match\n\n" + ("\n".join(failed) or "Nothing.") + "\n"
    path.write_text(text, encoding="utf-8")


def _summary(records, found, trained) -> str:
    comparable = [name for name in records if "out0" in records[name]]
    others = [name for name in records if "out0" not in records[name]]
    count = {key: sum(bool(found[name].get(key)) for name in comparable) for key in ("created", "names", "compiled",
                                                                                     "matches")}
    run = sum("failed" not in found[name] and bool(found[name].get("compiled")) for name in others)
    missing = sum(not result for result in found.values())
    steps = sum(bool(result.get("matches")) for result in trained.values())
    return (f"Of the {len(comparable)} models that MindSpore 2.10 runs itself, {count['created']} are created, "
            f"{count['names']} have its names, {count['compiled']} compile and run, {count['matches']} match. Of the "
            f"{len(others)} others, {run} run here. A training step matches for {steps} of "
            f"{sum(bool(r) for r in trained.values())}."
            + (f" {missing} models have not been run yet: the others are the cheaper ones." if missing else ""))


def _row(name, record, result, training) -> str:
    if not result:
        return f"| {name} | | | | not run yet | | | | |"
    names = "as MindSpore's" if result.get("names") else "" if "names_crc" not in record else "**differ**"
    error = f"{result['error']:.1e}" if "error" in result else "runs" if result.get("compiled") else "**fails**"
    if "matches" in result and not result["matches"]:
        error = f"**{error}**"
    parameters = f"{result['parameters'] / 1e6:.1f} M" if "parameters" in result else ""
    first = f"{result['compile_s']:.1f} s" if "compile_s" in result else ""
    call = f"{1000 * result['run_s']:.1f} ms" if "run_s" in result else ""
    theirs = f"{record['milliseconds']:.0f} ms" if "milliseconds" in record else ""
    trains = f"{training['error']:.1e}" if "error" in training else "**fails**" if training else ""
    return (f"| {name} | {result.get('size', '')} | {parameters} | {names} | {error} | {first} | {call} | {theirs} "
            f"| {trains} |")


def _reason(record: dict, result: dict) -> str:
    """Why a model has no match: what failed here, or that MindSpore gave nothing to compare with."""
    here = (result.get("failed") or ("runs here" if result.get("compiled") else "not run yet")).splitlines()[0]
    if result.get("error", 0) and not result.get("matches"):
        here = f"the outputs are {result['error']:.2g} of the norm away"
    if "error" in record:
        return f"MindSpore 2.10 cannot run it ({record['error'][:100].strip()}); {here}"
    return here
