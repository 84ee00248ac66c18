"""Names of kernels in objects."""
from __future__ import annotations

import re

from graphcore.compiler.launch import KernelSource


def symbol(source: KernelSource) -> str:
    """The name of a kernel's function in its object: equal for equal texts, different for different ones."""
    return f"gc_{re.sub('[^A-Za-z0-9_]', '_', source.name)}_{source.digest}"
