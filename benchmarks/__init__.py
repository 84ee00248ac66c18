"""Benchmarks: graphcore beside PyTorch, JAX, MindSpore and ONNX Runtime, alternated in one run.

``python -m benchmarks --only mlp,lenet5,tiny``; the README in this folder says how to read the table.
"""
