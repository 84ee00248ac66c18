"""``mindspore.version``: the release of MindSpore whose interface graphcore follows."""

__version__ = "2.10.0"
