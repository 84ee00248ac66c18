"""The command line: `graphcore dump`, `graphcore run`."""
