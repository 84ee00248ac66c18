"""Ahead-of-time compilation: a graph and its weights become one shared library with C functions, and its header."""
