"""The table of docs/compat.md: one row per model, and what does not match, with the reason."""
from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path

from tests.compat.mindcv.families import family_of
from tests.compat.mindcv.one import STEP_TOLERANCE
from tests.compat.mindcv.training import how

PAGE = Path(__file__).resolve().parents[3] / "docs" / "compat.md"
_HEAD = """# MindCV's models

What `python -m tests.compat.mindcv --all --report` found: all {models} models that MindCV {mindcv} registers,
unmodified, with `mindspore` imported as graphcore. Generated from `tests/compat/mindcv/results.jsonl`; do not edit.

- **names**: the names and shapes of all Parameters have MindSpore 2.10's checksum, so that its checkpoints fit.
- **error**: the distance of the outputs for two images to what MindSpore 2.10 gave with the same weights, divided by
  their norm; 1e-4 is allowed, or what rounding decides (*, see below). Compiled (GRAPH_MODE), batch of 1.
- **first call**: CPU seconds of capture and compilation, with the kernels that other models had left in the cache.
- **a call**: CPU milliseconds of a later one, all threads together, the cheapest of five; **MindSpore**: its own in
  GRAPH_MODE, for one small variant of each family. The machine ({machine}) was busy with other work, so that wall
  time would tell little.
- **trains**: how far the gradients and losses of one training step (MindCV's loss, schedule, optimiser and trainer) lie
  from MindSpore's; 1e-3 is allowed. One small variant of each family, two images unless said below: a single unit of a
  late layer that rounding puts on the other side of a ReLU's kink moves the gradients by 1e-3 and more. So more is
  allowed (*) where they match with `GRAPHCORE_WINOGRAD=0`, or are then no farther than MindSpore's from what they are
  without rounding, or are that but for units on the other side (see "Where a ReLU's kink decides").
  Where MindSpore's own gradients are {moved} or more from that, nothing can be compared with them (in brackets).
  The weights are drawn times a gain; for mobilenet_v1, mnasnet, regnet_x, mixnet, resnet18, resnest14, resnetv2_50 and
  BiT a second gain was tried after the first one missed.{tried}

{summary}

| model | image | parameters | names | error | first call | a call | MindSpore | trains |
|---|---:|---:|---|---:|---:|---:|---:|---:|
"""


#: Gradients of MindSpore that rounding moves by so much say nothing about those of others.
_MOVED = 0.01

_WITHOUT_ROUNDING = """
## Where rounding decides

With the recorded weights these nets amplify rounding by more than 1e-4 of the outputs: their activations grow, and
softmax and sums of large numbers of either sign see the last digits. What a model gives without rounding (its operators
in float64, with the same float32 weights) tells how near a float32 result can be expected to come.

- **moved**: how far MindSpore's own outputs move when the image moves by one part in ten million.
- **MindSpore**, **graphcore**: the median distance of its outputs to those without rounding, divided by their norm.
- **ratio**: the geometric mean over the images of graphcore's distance over MindSpore's, and the factor within which it
  is known (two standard errors). A model counts as matching where graphcore is not measurably farther than MindSpore.

| model | weights' gain | images | moved | MindSpore | graphcore | ratio |
|---|---:|---:|---:|---:|---:|---:|
"""

_KINKS = """
## Where a ReLU's kink decides

The training steps that miss MindSpore's also with `GRAPHCORE_WINOGRAD=0`, seen from the step without rounding:

- **MindSpore**, **graphcore**: how far their steps lie from it.
- **units**: how many units of ReLUs and windows of max poolings take another side in graphcore's step, and of how many;
  **activations**: the largest distance of those that they are chosen by, divided by their norm.
- **same sides**: how far graphcore's step lies from the one without rounding in which all units take graphcore's sides.
  A step counts as matching as far as rounding lets it where this and the activations' distance are at most 1e-3.

| model | MindSpore | graphcore | units | activations | same sides |
|---|---:|---:|---:|---:|---:|
"""


def page(records: dict, results: dict, steps: dict) -> str:
    """The table of the models of `records` with the results in graph mode; steps: the records of training steps."""
    found = {name: results.get((name, "graph"), {}) for name in records}
    trained = {name: results.get((name, "train"), {}) for name in records}
    exact = {name: results[name, "exact"] for name in sorted(records) if (name, "exact") in results}
    for name, result in exact.items():      # with the weights of the record: what that says about it counts here too
        if result.get("matches") and "error" in found[name] and records[name]["gain"] == result["gain"]:
            found[name] = {**found[name], "by_rounding": not found[name]["matches"], "matches": True}
    rows = [_row(name, records[name], found[name], trained[name])
            for name in sorted(records, key=lambda n: (family_of(n).lower(), n))]
    failed = [f"- `{name}`: {_reason(records[name], result)}" for name, result in sorted(found.items())
              if result and not result.get("matches")]
    failed += [f"- `{name}`: its training step is {result['error']:.2g} away" for name, result in trained.items()
               if verdict(result) == "misses"]
    notes = [f"- `{name}`: {record['note']}" for name, record in records.items() if "note" in record]
    text = _HEAD.format(models=len(records), mindcv=_all(results, "mindcv"), machine=_all(results, "machine"),
                        summary=_summary(records, found, trained), moved=_MOVED, tried=_tried(steps))
    text += "\n".join(rows) + "\n" + _WITHOUT_ROUNDING + "\n".join(map(_exact_row, exact.values()))
    text += "\n\nRecorded again, with smaller weights, for the table above:\n\n" + "\n".join(notes)
    text += "\n" + _KINKS + "\n".join(_kinks_row(r) for _, r in sorted(trained.items()) if "sides" in r)
    return text + "\n\n## What has no match\n\n" + ("\n".join(failed) or "Nothing.") + "\n"


def _exact_row(result: dict) -> str:
    ratio = f"{result['ratio']:.2g} (within {result['give']:.2g})"
    return (f"| {result['model']} | {result['gain']:g} | {result['images']} | {result['moved']:.1e} "
            f"| {result['theirs']:.1e} | {result['ours']:.1e} | {ratio if result['matches'] else f'**{ratio}**'} |")


def _kinks_row(result: dict) -> str:
    return (f"| {result['model']} | {result['theirs']:.1e} | {result['ours']:.1e} | {result['flipped']} of "
            f"{result['units'] / 1e6:.1f} M | {result['activations']:.1e} | {result['sides']:.1e} |")


def _tried(steps: dict) -> str:
    """A sentence for the models whose training step was recorded again, with another gain or more and larger images."""
    again = [f"{name} ({', '.join(step['tried'])} before {how(step)})"
             for name, step in steps.items() if "tried" in step]
    text = f"Recorded again after a first step that rounding moved, gain at image size: {', '.join(again)}."
    return textwrap.indent("\n" + textwrap.fill(text, 118), "  ") if again else ""


def _all(results: dict, key: str) -> str:
    """The distinct values of a key of the results."""
    return " or ".join(sorted({result[key] for result in results.values() if key in result}))


def _summary(records, found, trained) -> str:
    comparable = [name for name in records if "out0" in records[name]]
    others = [name for name in records if "out0" not in records[name]]
    count = {key: sum(bool(found[name].get(key)) for name in comparable) for key in ("created", "names", "compiled",
                                                                                     "matches")}
    run = sum("failed" not in found[name] and bool(found[name].get("compiled")) for name in others)
    missing = sum(not result for result in found.values())
    steps = Counter(verdict(result) for result in trained.values() if result)
    right = sum(verdict(result) == "open" and result.get("sides", 1) <= STEP_TOLERANCE for result in trained.values())
    return (f"Of the {len(comparable)} models that MindSpore 2.10 runs itself, {count['created']} are created, "
            f"{count['names']} have its names, {count['compiled']} compile and run, {count['matches']} match. Of the "
            f"{len(others)} others, {run} run here. A training step matches for {steps['matches']} of "
            f"{sum(steps.values())}, for {steps['rounding']} more as far as rounding lets it (*). For {steps['open']} "
            f"nothing can be compared with MindSpore's; {right} of these are what they are without rounding on their "
            "own sides of all kinks."
            + (f" {missing} models have not been run yet: the others are the cheaper ones." if missing else ""))


def _row(name, record, result, training) -> str:
    if not result:
        return f"| {name} | | | | not run yet | | | | |"
    names = "as MindSpore's" if result.get("names") else "" if "names_crc" not in record else "**differ**"
    error = f"{result['error']:.1e}" if "error" in result else "runs" if result.get("compiled") else "**fails**"
    if result.get("by_rounding"):
        error += " *"
    if "matches" in result and not result["matches"]:
        error = f"**{error}**"
    parameters = f"{result['parameters'] / 1e6:.1f} M" if "parameters" in result else ""
    first = f"{result['compile_s']:.1f} s" if "compile_s" in result else ""
    call, theirs = (f"{1000 * found['run_s']:.1f} ms" if "run_s" in found else "" for found in (result, record))
    trains = f"{training['error']:.1e}" if "error" in training else "**fails**" if training else ""
    marked = {"rounding": f"{trains} *", "open": f"({trains})", "misses": f"**{trains}**"}
    trains = marked.get(verdict(training), trains)
    return (f"| {name} | {result.get('size', '')} | {parameters} | {names} | {error} | {first} | {call} | {theirs} "
            f"| {trains} |")


def verdict(result: dict) -> str:
    """What a training step shows: "matches", "rounding" (does, as far as that lets it), "open", "misses" or "fails"."""
    if "error" not in result:
        return "fails"
    if result["matches"] and "plain_sums" not in result:
        return "matches"
    if result.get("theirs", 0) >= _MOVED:
        return "open"
    return "rounding" if result["matches"] else "misses"


def _reason(record: dict, result: dict) -> str:
    """Why a model has no match: what failed here, or that MindSpore gave nothing to compare with."""
    here = (result.get("failed") or ("runs here" if result.get("compiled") else "not run yet")).splitlines()[0]
    if result.get("error", 0) and not result.get("matches"):
        here = f"the outputs are {result['error']:.2g} of the norm away"
    if "error" in record:
        return f"MindSpore 2.10 cannot run it ({record['error'][:100].strip()}); {here}"
    return here
