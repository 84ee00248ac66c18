"""load: what `export` wrote."""
from __future__ import annotations

import os

__all__ = ["load"]


def load(file_name: str | os.PathLike, **kwargs):
    """Read what `export` wrote.

    file_name: a ``.gir`` file, which gives a `files.gir.GraphFile` that ``nn.GraphCell`` runs; or the folder of a model
    that was compiled ahead of time, which gives an `aot.compiled_model.CompiledModel`, with its options (threads,
    cpu_level, weights, largest).
    Raises ValueError for what is not there or has another ending, NotImplementedError for ``.mindir``, FormatError for
    damaged files.
    """
    if os.path.isdir(file_name):
        from graphcore.aot.compiled_model import CompiledModel
        return CompiledModel(file_name, **kwargs)
    from graphcore.files.gir import SUFFIX, read_graph
    if str(file_name).endswith(".mindir"):
        raise NotImplementedError("load: graphcore does not read MindSpore's .mindir files; export the net with "
                                  "file_format='GIR', or load its checkpoint")
    if not os.path.exists(file_name):
        raise ValueError(f"For 'load', the file {file_name} does not exist.")
    if not str(file_name).endswith(SUFFIX):
        raise ValueError(f"For 'load', the file must end with '{SUFFIX}' or be the folder of a compiled model, but got "
                         f"{file_name}.")
    return read_graph(file_name)
