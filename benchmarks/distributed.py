"""``python -m benchmarks.distributed``: data parallel training on several ranks of one thread each, beside one rank.

The batch of a step is the same: each rank has its share.  Competitors take turns; of each the median step of the best
round counts, and the least memory of any: in the first round a rank may have to compile.  With PyTorch
(``--torch PYTHON``) its DistributedDataParallel over gloo runs in the same rounds.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

MIB = 1 << 20


@dataclass(frozen=True)
class Answer:
    """What rank 0 measured.

    times: seconds of each step; starting, waiting: of them, those that starting exchanges and waiting for them took, in
    the mean; alone: what the exchanges of a step take by themselves; exchanges, bytes: of a step; kept: bytes of
    Parameters and state; resident: the largest memory of the process.  A peer tells times and resident.
    """

    times: list
    resident: int
    starting: float = 0.0
    waiting: float = 0.0
    alone: float = 0.0
    exchanges: int = 0
    bytes: int = 0
    kept: int = 0

    @property
    def step(self) -> float:
        return median(self.times)


def graphcore(name: str, ranks: int, seconds: float, how: str = "whole") -> Answer:
    """graphcore on `ranks` ranks; how: "whole", or "sharded" for enable_parallel_optimizer."""
    from graphcore.cli.launch import find_mpiexec
    worker = [sys.executable, "-m", "benchmarks.runners.ranks_of_graphcore", name, how, str(seconds)]
    return _answer([worker if ranks == 1 else [find_mpiexec(), "-n", str(ranks), *worker]])


def torch(interpreter: str, name: str, ranks: int, seconds: float) -> Answer:
    """PyTorch's DistributedDataParallel on `ranks` ranks (with one, the module itself)."""
    with tempfile.TemporaryDirectory() as folder:
        return _answer([[interpreter, "-m", "benchmarks.runners.ranks_of_torch", name, str(seconds), str(rank),
                         str(ranks), os.path.join(folder, "meeting")] for rank in range(ranks)])


def _answer(commands: list) -> Answer:
    """The answer of processes that run side by side: the first one prints it.  Raises RuntimeError if one fails."""
    environment = {**os.environ, "GRAPHCORE_THREADS": "1", "OMP_NUM_THREADS": "1"}
    running = [subprocess.Popen(c, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for c in commands]
    results = [process.communicate() for process in running]
    for process, (_, errors) in zip(running, results):
        if process.returncode:
            raise RuntimeError(f"{' '.join(process.args)} failed:\n{errors}")
    return Answer(**json.loads(results[0][0].splitlines()[-1]))


def measure(name: str, ranks: int, rounds: int, seconds: float, interpreter: str | None) -> dict:
    """The best answer of each competitor, by its name."""
    competitors = {"graphcore 1": lambda: graphcore(name, 1, seconds),
                   f"graphcore {ranks}": lambda: graphcore(name, ranks, seconds),
                   f"graphcore {ranks} sharded": lambda: graphcore(name, ranks, seconds, "sharded")}
    if interpreter:
        competitors |= {"torch 1": lambda: torch(interpreter, name, 1, seconds),
                        f"torch {ranks}": lambda: torch(interpreter, name, ranks, seconds)}
    best: dict = {}
    for _ in range(rounds):
        for title, run in competitors.items():
            found, known = run(), best.get(title)
            best[title] = found if known is None else replace(
                min(found, known, key=lambda a: a.step), resident=min(found.resident, known.resident))
    return best


def table(name: str, best: dict) -> list[str]:
    """Lines for readers."""
    lines = [f"{name}: median step, speed-up over one rank, of communication hidden, memory of a rank"]
    for title, answer in best.items():
        alone = best[f"{title.split()[0]} 1"].step
        hidden = f"{1 - (answer.starting + answer.waiting) / answer.alone:6.0%}" if answer.alone else "      "
        kept = f"{answer.kept / MIB:7.1f} MiB of weights and state" if answer.kept else ""
        lines.append(f"  {title:22s} {answer.step * 1e3:8.1f} ms {alone / answer.step:6.2f}x {hidden} "
                     f"{answer.resident / MIB:7.0f} MiB {kept}")
        if answer.exchanges:
            lines.append(f"    {answer.exchanges} exchanges of {answer.bytes / MIB:.1f} MiB a step: "
                         f"{answer.starting * 1e3:.1f} ms starting, {answer.waiting * 1e3:.1f} ms waiting, "
                         f"{answer.alone * 1e3:.1f} ms by themselves")
    return lines


def main(argv=None) -> int:
    """Measure, print, and with --json write everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distributed", description=__doc__)
    parser.add_argument("--only", default="resnet18_cifar,gpt", metavar="NAMES", help="workloads that train")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="turns of every competitor (3)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of steps in each turn (4)")
    parser.add_argument("--torch", metavar="PYTHON", help="the interpreter that has PyTorch")
    parser.add_argument("--json", metavar="FILE", type=Path)
    options = parser.parse_args(argv)
    everything = {}
    for name in options.only.split(","):
        best = measure(name, options.ranks, options.rounds, options.seconds, options.torch)
        print("\n".join(table(name, best)), flush=True)
        everything[name] = {title: vars(answer) for title, answer in best.items()}
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
