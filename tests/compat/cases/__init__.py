"""The cases, one module per topic: see `tests.compat`."""
