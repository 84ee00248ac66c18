"""Models compiled ahead of time: a folder with a shared library, its C header, its weights and a manifest.

`bundle` writes one, `compiled_model` runs one, without Numba and without the compiler.
"""
