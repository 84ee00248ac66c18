"""``mindspore.common.api``: functions that compile functions."""
from graphcore import JitConfig, jit, jit_class, ms_class, ms_function

__all__ = ["JitConfig", "jit", "jit_class", "ms_class", "ms_function"]
