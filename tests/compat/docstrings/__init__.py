"""MindSpore's documentation examples, run with graphcore under MindSpore's name.

`sources` reads them from an installed MindSpore without importing it, `worker` runs them, `compare` judges what they
print.
"""
