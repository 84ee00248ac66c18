"""Measuring alternatives for one program, and keeping what is faster in the cache.

The program is compiled as it is, which says what decisions there are (`compiler.choices`).  Then each option of each is
tried by itself: both programs run in turns, and the option is kept if it is faster by more than noise.  What is kept
belongs to the graph, the CPU and this version of the compiler: `shared_program` finds it from then on.
"""
from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from graphcore.compiler import program as programs
from graphcore.compiler.choices import Choices
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.schedule.steps import TYPICAL_SIZE
from graphcore.compiler.toolchain.cpu import host

#: An option is kept if the whole program takes at most this share of its time.
KEEP_BELOW = 0.98
#: Turns of both programs, and the seconds that one turn lasts at least.
TURNS, TURN_SECONDS = 9, 0.02


@dataclass(frozen=True)
class Trial:
    """One option that was tried: its time divided by that of the program so far (medians of turns), and the verdict."""

    point: str
    option: str
    instead_of: str
    ratio: float
    kept: bool


def tune(program, arrays: list, seconds: float = 60.0, told: Callable = lambda trial: None) -> list[Trial]:
    """Tune a `Program` on the arrays of its inputs, and let it run what was found; gives all trials.

    seconds: after which no new option is tried; told: called with each Trial.  Parameters that the program writes have
    their values back at the end.
    """
    keep = [(p, p.materialized()._array.copy()) for p in program.parameters.values()]
    graph, before = program.graph, program.shared
    deadline, trials, done = time.monotonic() + seconds, [], set()
    try:
        taken, best = dict(before.taken), before
        while time.monotonic() < deadline:
            open_points = {point: options for point, options in _decisions(graph, taken).items() if point not in done}
            if not open_points:
                break
            point, options = next(iter(open_points.items()))
            done.add(point)
            for option in options:
                present = taken.get(point, options[0])
                if option == present or time.monotonic() > deadline:
                    continue
                tried = {**taken, point: option}
                other = programs.SharedProgram(graph, before.key, tried)
                ratio = _ratio(program, best, other, arrays)
                if ratio < KEEP_BELOW:
                    ratio = max(ratio, _ratio(program, best, other, arrays))        # once more: it may be chance
                trials.append(Trial(point, option, present, ratio, ratio < KEEP_BELOW))
                told(trials[-1])
                if trials[-1].kept:
                    best, taken = other, tried
    finally:
        for parameter, values in keep:
            parameter._array[...] = values
        program.shared = before
        program.rebind()
    if taken != before.taken:
        programs.keep_choices(graph, taken)
        program.shared = programs.shared_program(graph)
        program.rebind()
    return trials


def _decisions(graph, taken: dict) -> dict:
    """Each point of the compiler where there is something to choose, with its options; nothing is compiled for it."""
    with Choices(taken).applied() as choices:
        compile_plan(optimize(graph), host(), dict.fromkeys(graph.symbols, TYPICAL_SIZE))
    return choices.asked


def _ratio(program, best, other, arrays: list) -> float:
    """Time of `other` divided by that of `best`: the median over pairs of turns."""
    times = _turn(program, best, arrays, 1), _turn(program, other, arrays, 1)      # also warms up
    count = max(1, round(TURN_SECONDS / max(1e-7, min(times))))
    ratios = []
    for number in range(TURNS):
        pair = [best, other] if number % 2 else [other, best]
        measured = {id(shared): _turn(program, shared, arrays, count) for shared in pair}
        ratios.append(measured[id(other)] / measured[id(best)])
    return statistics.median(ratios)


def _turn(program, shared, arrays: list, count: int) -> float:
    """Seconds of a run of `program` with the code of `shared`: the best of `count`."""
    if program.shared is not shared:
        program.shared = shared
        program.rebind()
        program.run(arrays)
    best = float("inf")
    for _ in range(count):
        started = time.perf_counter()
        program.run(arrays)
        best = min(best, time.perf_counter() - started)
    return best
