"""The pipeline: from a captured graph to the graph that is scheduled, stage by stage.

Read `STAGES` from top to bottom; each takes a graph and gives a graph.  The runner times, verifies and records them; no
stage prints.
"""
from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.passes import (
    algebra,
    attention,
    branches,
    channels_last,
    counting,
    exchanges,
    fold_affine,
    hoisting,
    kept_values,
    loop_products,
    loop_results,
    loop_sums,
    loops,
    regions,
    split_reductions,
    states_before,
)
from graphcore.compiler.schedule.windows import insert_copies
from graphcore.ir.graph import Graph, map_regions


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline: ``run(graph, log) -> graph``, where `log` collects the rewrites."""

    name: str
    run: Callable


def everywhere(run: Callable) -> Callable:
    """`run` on the graphs of all regions, innermost first, then on the graph itself."""
    def stage(graph: Graph, log: list) -> Graph:
        return run(map_regions(graph, lambda inner: stage(inner, log)), log)
    return stage


_simplify = everywhere(algebra.RULES.apply)
_REGION_STEPS = (*branches.SIMPLIFY, *counting.COUNT, *loops.SIMPLIFY, *hoisting.HOIST, *loop_products.PRODUCTS,
                 *loop_sums.SUMS)

STAGES = (
    Stage("canonical", _simplify),
    Stage("regions", lambda graph, log: regions.simplify(graph, _REGION_STEPS, log)),
    Stage("attention", everywhere(attention.find_attention)),
    Stage("grad", lambda graph, log: expand_gradients(graph)),
    Stage("simplify", _simplify),
    Stage("regions_again", lambda graph, log: regions.simplify(graph, (*_REGION_STEPS, *branches.CHOOSE), log)),
    Stage("kept_as_used", everywhere(kept_values.kept_as_used)),
    Stage("states_before", everywhere(states_before.states_before)),
    Stage("regions_at_last", lambda graph, log: regions.simplify(graph, _REGION_STEPS, log)),
    Stage("fold_affine", everywhere(fold_affine.fold_affine)),
    Stage("channels_last", everywhere(channels_last.channels_last)),
    Stage("split_reductions", everywhere(split_reductions.RULES.apply)),
    Stage("simplify_again", _simplify),
    Stage("exchanges", everywhere(exchanges.arrange)),
    Stage("copies", everywhere(lambda graph, log: insert_copies(graph))),
    Stage("kept_values_apart", everywhere(lambda graph, log: loop_results.kept_values_apart(graph))),
)


@dataclass(frozen=True)
class StageReport:
    """What one stage did: the graph after it, seconds, and the rewrites."""

    name: str
    graph: Graph
    seconds: float
    rewrites: tuple = field(repr=False)


def run_stages(graph: Graph) -> list[StageReport]:
    """Run the whole pipeline; the first report is the graph as captured.

    With GRAPHCORE_CHECK=1 the graph is verified after every stage.
    """
    check = os.environ.get("GRAPHCORE_CHECK") == "1"
    reports = [StageReport("capture", graph, 0.0, ())]
    for stage in STAGES:
        reports.append(run_stage(stage, graph))
        graph = reports[-1].graph
        if check:
            from graphcore.ir.verifier import verify
            verify(graph)
    return reports


def run_stage(stage: Stage, graph: Graph) -> StageReport:
    """Run one stage, timed, with its rewrites."""
    log: list = []
    started = time.perf_counter()
    graph = stage.run(graph, log)
    return StageReport(stage.name, graph, time.perf_counter() - started, tuple(log))


def optimize(graph: Graph) -> Graph:
    """The graph after all stages."""
    return run_stages(graph)[-1].graph
