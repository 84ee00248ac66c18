"""Who takes part: which runner measures it, what must be importable, and its environment."""
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Competitor:
    """A column of the table.

    peer: the name that ``--peer`` gives its interpreter by.  packages: what that interpreter must have.
    module: of `benchmarks.runners`.  variant: of that runner.  environment: variables of its process.
    cache: variables of its process that name a folder for compiled code, or switch that cache on; ``{folder}`` stands
    for the folder.
    """

    name: str
    peer: str
    packages: tuple
    module: str
    variant: str = ""
    environment: dict = field(default_factory=dict)
    cache: dict = field(default_factory=dict)


OURS = "graphcore"

COMPETITORS = {c.name: c for c in (
    Competitor(OURS, OURS, ("numpy", "numba"), "for_graphcore", cache={"GRAPHCORE_CACHE_DIR": "{folder}"}),
    Competitor("torch", "torch", ("torch",), "for_torch"),
    Competitor("torch channels_last", "torch", ("torch",), "for_torch", "channels_last"),
    Competitor("torch.compile", "torch", ("torch",), "for_torch", "compile",
               cache={"TORCHINDUCTOR_CACHE_DIR": "{folder}"}),
    Competitor("jax", "jax", ("jax",), "for_jax",
               environment={"JAX_PLATFORMS": "cpu"},
               cache={"JAX_COMPILATION_CACHE_DIR": "{folder}", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                      "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}),
    Competitor("mindspore", "mindspore", ("mindspore",), "for_mindspore",
               # its graph compiler parses the sources of every module that a Cell refers to, NumPy's and SciPy's too
               environment={"MS_JIT_IGNORE_MODULES": "numpy,scipy", "GLOG_v": "3"},
               cache={"MS_COMPILER_CACHE_ENABLE": "1", "MS_COMPILER_CACHE_PATH": "{folder}"}),
    Competitor("onnxruntime", "onnxruntime", ("onnxruntime", "onnx"), "for_onnxruntime"),
)}

# Variables that change the speed of one library and not of another: no process gets them.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def environment(competitor: Competitor, inherited: dict, root: str, threads: int, cache: str | None = None) -> dict:
    """The variables of a competitor's process.

    root: the folder that holds `benchmarks`; cache: the folder for compiled code, None: the framework's habit.
    """
    result = {k: v for k, v in inherited.items() if k not in UNSET}
    result["PYTHONPATH"] = root
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GRAPHCORE_THREADS"):
        result[name] = str(threads)
    result.update(competitor.environment)
    if cache is not None:
        result.update({k: v.format(folder=cache) for k, v in competitor.cache.items()})
    return result
