"""Functions made of functions: over batches of examples (`vmap`), with tangents and cotangents (`jvp`, `vjp`), and with
whole Jacobians (`jacfwd`, `jacrev`).  They compose with each other, with `grad` and with `jit`.
"""
from graphcore.capture.transforms.jacobians import jacfwd, jacrev
from graphcore.capture.transforms.products import jvp, vjp
from graphcore.capture.transforms.taylor import derivative, jet, linearize
from graphcore.capture.transforms.vectorize import vmap

__all__ = ["derivative", "jacfwd", "jacrev", "jet", "jvp", "linearize", "vjp", "vmap"]
