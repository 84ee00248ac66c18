"""The symbols that a kernel's object may need from elsewhere."""
from __future__ import annotations

#: What kernels may need: the C library's mathematics, and the block copies that LLVM makes of loops.
ALLOWED = frozenset("memcpy memmove memset".split()) | {
    name + suffix for suffix in ("", "f") for name in
    "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc tgamma "
    "lgamma cbrt pow atan2 fmod hypot ldexp fma floor ceil trunc rint nearbyint round roundeven sqrt sincos "
    "fmax fmin fmaximum fminimum".split()}
