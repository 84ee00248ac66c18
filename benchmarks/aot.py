"""``python -m benchmarks.aot``: nets compiled ahead of time, beside what other frameworks deploy.

graphcore's library (called from Python and, where there is a C compiler, from C), ONNX Runtime, AOTInductor and
MindSpore on the same weights and inputs: the size of the artefact and of the packages that a process needs beside it,
the time to build it, to import the framework, to load the artefact, of the first and of a later call, and the most
memory of a process that does this.  Every round starts new processes, one of each framework, in an order that
rotates; times are medians over the rounds.  Results are compared with float64 NumPy before anything is timed.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import reference, workloads
from benchmarks.__main__ import peer_paths
from benchmarks.competitors import UNSET
from benchmarks.deployed import FRAMEWORKS
from benchmarks.machine import usable_cores

NETS = {"resnet18_224": "infer", "mobilenetv2_224": "infer", "gpt": "infer_b1", "tiny": "infer"}
PEERS = {"onnxruntime": "onnxruntime", "aotinductor": "torch", "mindspore": "mindspore"}    # whose interpreter runs it
FROM_C = "graphcore (C)"
ROOT = Path(__file__).resolve().parents[1]
TIMES = ("import", "load", "first", "call")

_PROGRAM = r"""
#define _POSIX_C_SOURCE 200809L
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The most memory that this program had, in KiB; what getrusage says began before it was started. */
static long most_memory(void)
{
    char line[256];
    long found = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "VmHWM:", 6)) found = atol(line + 6);
    if (file) fclose(file);
    return found;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { SAMPLES = 100000 };
static char x[$IN$], y[$OUT$];
static double samples[SAMPLES];

int main(void)
{
    net *model;
    net_options options;
    memset(&options, 0, sizeof options);
    options.threads = $THREADS$;
    FILE *file = fopen("input", "rb");
    if (!file || fread(x, sizeof x, 1, file) != 1) return 1;
    double start = now();
    if (net_create(&model, &options)) return 2;
    double loaded = now();
    if (net_run(model, (void *)x, (void *)y)) return 3;
    double first = now(), end = first + 1;
    long memory = most_memory();
    FILE *result = fopen("output", "wb");
    if (!result || fwrite(y, sizeof y, 1, result) != 1 || fclose(result)) return 4;
    int calls = 1 + (int)(5e-4 / (first - loaded)), count = 0;
    while (count < SAMPLES && (count < 5 || now() < end)) {     /* as for the frameworks: the median */
        double begin = now();
        for (int i = 0; i < calls; i++) net_run(model, (void *)x, (void *)y);
        samples[count++] = (now() - begin) / calls;
    }
    qsort(samples, (size_t)count, sizeof *samples, by_size);
    printf("{\"import\": 0, \"load\": %.9f, \"first\": %.9f, \"call\": %.9f, \"memory\": %ld}\n", loaded - start,
           first - loaded, samples[count / 2], memory * 1024L);
    net_destroy(model);
    return 0;
}
"""


@dataclass
class Deployed:
    """What was measured of a framework and a net: `build` once, the others in each round; `failure`: why it is out."""

    build: dict = field(default_factory=dict)
    artefact: int = 0
    rounds: list = field(default_factory=list)
    failure: str = ""

    def seconds(self, what: str) -> float:
        """The median of a time."""
        return median(found[what] for found in self.rounds)


class Benchmark:
    """All frameworks on one net; artefacts stand in folders below `folder`."""

    def __init__(self, name: str, folder: Path, interpreters: dict, threads: int):
        self.name, self.mode, self.folder, self.threads = name, NETS[name], folder, threads
        self.interpreters = interpreters
        self.results = {framework: Deployed() for framework in interpreters}
        self.expected = reference.outputs(name, self.mode)
        self.inputs = workloads.given(name, self.mode).arguments[0]

    def build(self) -> None:
        """Make every artefact, each in a process of its own and with empty caches."""
        for framework, result in self.results.items():
            folder = self.folder / framework
            folder.mkdir(parents=True)
            for number, array in enumerate(self.inputs):
                np.save(folder / f"input{number}.npy", array)
            np.save(folder / "expected.npy", self.expected)
            before = _bytes(folder)
            result.build = self._ask(framework, "build")
            result.artefact = _bytes(folder) - before
            result.failure = result.build.get("error", "")
        ours = self.results["graphcore"]
        if not ours.failure:
            ours.artefact = (self.folder / "graphcore" / "bundle" / "net.so").stat().st_size
            self._build_for_c(ours)

    def _build_for_c(self, ours: Deployed) -> None:
        folder = self.folder / "graphcore"
        (folder / "input").write_bytes(b"".join(array.tobytes() for array in self.inputs))
        text = _PROGRAM
        for key, value in {"IN": sum(a.nbytes for a in self.inputs), "OUT": self.expected.size * 4,
                           "THREADS": self.threads}.items():
            text = text.replace(f"${key}$", str(value))
        (folder / "program.c").write_text(text)
        try:
            subprocess.run(["cc", "-O2", "-Ibundle", "program.c", "bundle/net.so", "-Wl,-rpath,$ORIGIN/bundle", "-o",
                            "program"], cwd=folder, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return
        self.results[FROM_C] = Deployed({"seconds": ours.build["seconds"], "needs": 0}, ours.artefact)

    def round(self, number: int) -> None:
        """A new process of each."""
        names = [name for name, result in self.results.items() if not result.failure]
        turn = number % max(len(names), 1)
        for name in names[turn:] + names[:turn]:
            found = self._run_c() if name == FROM_C else self._ask(name, "run")
            self.results[name].failure = found.get("error", "")
            if not self.results[name].failure:
                self.results[name].rounds.append(found)

    def _run_c(self) -> dict:
        folder = self.folder / "graphcore"
        done = subprocess.run([folder / "program"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            return {"error": f"the C program ended with {done.returncode}"}
        result = np.fromfile(folder / "output", np.float32).reshape(self.expected.shape)
        if np.abs(result - self.expected).max() > 1e-3 * np.abs(self.expected).max():
            return {"error": "wrong result"}
        return json.loads(done.stdout)

    def _ask(self, framework: str, phase: str) -> dict:
        folder = self.folder / framework
        environment = {k: v for k, v in os.environ.items() if k not in UNSET} | {
            "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(self.threads), "GLOG_v": "3",
            "MS_JIT_IGNORE_MODULES": "numpy,scipy", "GRAPHCORE_CACHE_DIR": str(self.folder / "cache"),
            "TORCHINDUCTOR_CACHE_DIR": str(self.folder / "inductor")}
        done = subprocess.run([self.interpreters[framework], "-m", "benchmarks.deployed", framework, phase,
                               f"{self.name}/{self.mode}", str(folder), str(self.threads)], cwd=folder,
                              env=environment, capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            words = (done.stderr.strip() or "no answer").splitlines()[-1]
            return {"error": f"{phase}: {words[:200]}"}
        return json.loads(lines[-1])


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def table(name: str, results: dict) -> str:
    """The results of a net in Markdown."""
    lines = [f"| {name} | artefact | and packages | build | import | load | first call | call | peak memory |",
             "|---|---|---|---|---|---|---|---|---|"]
    for framework, result in results.items():
        if result.failure or not result.rounds:
            lines.append(f"| {framework} | {result.failure or 'not run'} |" + " |" * 7)
            continue
        memory = median(found["memory"] for found in result.rounds)
        times = " | ".join(_duration(result.seconds(what)) for what in TIMES)
        lines.append(f"| {framework} | {_size(result.artefact)} | {_size(result.build['needs'])} | "
                     f"{_duration(result.build['seconds'])} | {times} | {_size(memory)} |")
    return "\n".join(lines)


def _size(number: float) -> str:
    return f"{number / 2**20:.1f} MiB" if number >= 2**20 else f"{number / 1024:.0f} KiB"


def _duration(seconds: float) -> str:
    return (f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3
            else f"{seconds * 1e6:.1f} us")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aot", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default=",".join(NETS), help=f"nets, separated by commas ({','.join(NETS)})")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON",
                        help="the interpreter that has a peer: torch, mindspore or onnxruntime; repeat it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--json", type=Path, help="also write everything measured")
    options = parser.parse_args()
    peers = peer_paths(options.peer)
    interpreters = {"graphcore": sys.executable} | {
        framework: peers[PEERS[framework]] for framework in FRAMEWORKS if PEERS.get(framework) in peers}
    everything = {}
    for name in options.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            benchmark = Benchmark(name, Path(folder), interpreters, options.threads)
            benchmark.build()
            for number in range(options.rounds):
                benchmark.round(number)
        print(table(name, benchmark.results), end="\n\n", flush=True)
        everything[name] = {framework: vars(result) for framework, result in benchmark.results.items()}
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))
    return int(any(results["graphcore"]["failure"] for results in everything.values()))


if __name__ == "__main__":
    sys.exit(main())
