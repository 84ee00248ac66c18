"""MindCV's 275 models, unmodified, with ``mindspore`` imported as graphcore, against what MindSpore 2.10 gave.

    python -m tests.compat.mindcv NAMES            # these models; --all: every one; --small: one variant per family
    python -m tests.compat.mindcv --all --report docs/compat.md

`recorded.json` holds, per model, the image size, the checksum of all Parameter names and shapes and the ten outputs for
two images that MindSpore 2.10 gave with the weights of `inputs.py`; for the models that it cannot run, its error.
`one.py` runs one model in a process of its own, `campaign.py` many, keeping results in a file so that a run can be
resumed, `report.py` writes the table.
"""
