"""What the compiler must know of a CPU: instructions, vector registers, caches, cores."""
from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class CpuTarget:
    """A CPU that kernels are compiled for.

    triple, name, features: LLVM's names of it (`features` as ``+avx,+avx2,-sse4a...``);
    vector_bytes: size of a vector register, vector_registers: their number;
    l1, l2, l3: data caches in bytes (of one core, of one core, shared), 0 where there is none.
    """

    triple: str
    name: str
    features: str
    vector_bytes: int
    vector_registers: int
    l1: int = 32 << 10
    l2: int = 1 << 20
    l3: int = 8 << 20

    @property
    def vector_floats(self) -> int:
        """float32 lanes of a vector register."""
        return self.vector_bytes // 4

    @property
    def preferred_vector_bits(self) -> int:
        """How wide loops should be vectorised; LLVM itself keeps to 256 bits on CPUs that lose nothing by 512."""
        slows_down = self.name in ("skylake-avx512", "cascadelake", "cooperlake")
        return min(self.vector_bytes * 8, 256 if slows_down else 512)

    @property
    def is_x86(self) -> bool:
        return self.triple.startswith(("x86_64", "i686", "amd64"))

    def has(self, feature: str) -> bool:
        """Whether LLVM's `feature` ('avx2', 'f16c') is among the features."""
        return f"+{feature}" in self.features.split(",")

    @property
    def identity(self) -> str:
        """What of the CPU decides the bytes of an object; the part of cache keys that names the CPU."""
        return f"{self.triple} {self.name} {self.features}"

    def to_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(data: dict) -> CpuTarget:
        return CpuTarget(**data)


#: Features of the x86-64 levels of the System V ABI, each with those of the levels below.
_LEVEL_FEATURES = {
    "x86-64": "+sse2",
    "x86-64-v2": "+sse2,+cx16,+popcnt,+sahf,+sse3,+sse4.1,+sse4.2,+ssse3",
}
_LEVEL_FEATURES["x86-64-v3"] = _LEVEL_FEATURES["x86-64-v2"] + ",+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+xsave"
_LEVEL_FEATURES["x86-64-v4"] = (_LEVEL_FEATURES["x86-64-v3"]
                                + ",+avx512bw,+avx512cd,+avx512dq,+avx512f,+avx512vl,+evex512")


@cache
def host() -> CpuTarget:
    """The CPU that this process runs on."""
    from llvmlite import binding
    features = binding.get_host_cpu_features()
    vector_bytes, vector_registers = _vectors({name for name, present in features.items() if present})
    return CpuTarget(binding.get_process_triple(), binding.get_host_cpu_name(), features.flatten(), vector_bytes,
                     vector_registers, **_cache_sizes())


def x86_level(name: str) -> CpuTarget:
    """The CPU 'x86-64', 'x86-64-v2', 'x86-64-v3' or 'x86-64-v4' on Linux.  Raises ValueError for another name."""
    if name not in _LEVEL_FEATURES:
        raise ValueError(f"unknown CPU level {name!r}; known are {', '.join(_LEVEL_FEATURES)}")
    features = _LEVEL_FEATURES[name]
    present = {feature[1:] for feature in features.split(",")}
    return CpuTarget("x86_64-unknown-linux-gnu", name, features, *_vectors(present))


def default_threads() -> int:
    """Threads that a program uses unless told otherwise: GRAPHCORE_THREADS, else the usable physical cores.

    Usable is what the process's affinity and its container's CPU quota leave; processes that mpiexec started together
    on a machine, none of them bound to cores of its own, share them evenly.
    Raises ValueError if GRAPHCORE_THREADS is no positive number.
    """
    wanted = os.environ.get("GRAPHCORE_THREADS", "").strip()
    if wanted:
        if not wanted.isdigit() or int(wanted) < 1:
            raise ValueError(f"GRAPHCORE_THREADS={wanted!r} is not a positive whole number")
        return int(wanted)
    cores = min(_usable_cores(), _quota())
    return max(1, cores if _is_bound() else cores // _processes_here())


def _processes_here() -> int:
    """How many processes MPI's launcher (MPICH's or Open MPI's) started on this machine together with this one."""
    for variable in ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE"):
        if os.environ.get(variable, "").isdigit():
            return max(1, int(os.environ[variable]))
    return 1


def _is_bound() -> bool:
    """Whether this process may use some of the machine's CPUs only."""
    return hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) < (os.cpu_count() or 1)


def _vectors(present: set) -> tuple[int, int]:
    """Bytes of a vector register and how many there are."""
    if "avx512f" in present:
        return 64, 32
    if "avx" in present:
        return 32, 16
    if platform.machine() in ("aarch64", "arm64") and "sse2" not in present:
        return 16, 32
    return 16, 16


def _usable_cores() -> int:
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = set()
    for cpu in os.sched_getaffinity(0):
        siblings = _read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        cores.add(siblings or str(cpu))
    return len(cores)


def _quota() -> int:
    """CPUs that the control group grants, rounded up."""
    fields = _read("/sys/fs/cgroup/cpu.max").split()
    if len(fields) != 2 or not fields[0].isdigit():
        return os.cpu_count() or 1
    return -(-int(fields[0]) // int(fields[1]))


def _cache_sizes() -> dict:
    """Sizes of the data caches that the operating system reports, by field of CpuTarget."""
    sizes = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_read(folder / name) for name in ("level", "type", "size"))
        if kind in ("Data", "Unified") and size.endswith("K") and level in ("1", "2", "3"):
            sizes[f"l{level}"] = int(size[:-1]) << 10
    return sizes


def _read(path) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
