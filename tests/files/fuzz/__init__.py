"""Files from strangers: mutants of real files, each read in a process of its own limits.

``python -m tests.files.fuzz --format all --count 100000 --seed 1 --jobs 2`` runs a campaign.  A mutant is a finding if
reading it ends the process, raises anything but a FormatError, takes more than a second or more memory than four times
the files and 64 MiB; of what is accepted, if using it ends the process, raises anything but graphcore's errors, or
gives another result than the NumPy references.  The files of a finding are kept.

A format is a module with

    seeds() -> list of {file name: bytes}       real files; the first name is what is read
    mutant(random, seeds) -> {file name: bytes}
    load(path)                                  what is tested
    use(loaded) -> str                          what is done with what was read: a word for the statistics; may raise
                                                Finding
    PORTION                                     mutants of one process; may be left out

and a line in `FORMATS`.
"""

FORMATS = {name: f"tests.files.fuzz.{name}_files"
           for name in ("safetensors", "ckpt", "gir", "mindrecord", "cache", "manifest", "onnx")}


class Finding(Exception):
    """Something that must not happen, though no exception of the tested code says so."""
