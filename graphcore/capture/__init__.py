"""Capture: running construct on traced tensors, and compiled functions."""
