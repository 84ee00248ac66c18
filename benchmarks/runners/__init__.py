"""One process per framework, which runs what the driver asks for: ``python -m benchmarks.runners NAME THREADS``."""
