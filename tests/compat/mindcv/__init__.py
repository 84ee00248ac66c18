"""MindCV's 275 models, unmodified, with ``mindspore`` imported as graphcore, against what MindSpore 2.10 gave.

    python -m tests.compat.mindcv NAMES            # these models; --all: every one; --small: one variant per family
    python -m tests.compat.mindcv --all --report      # and write docs/compat.md

`recorded.json` holds, per model, the image size, the checksum of all Parameter names and shapes and the ten outputs for
two images that MindSpore 2.10 gave with the weights of `inputs.py`; for the models that it cannot run, its error.
`recorded_steps.json` holds what a training step gave, `record.py` records.  `one.py` runs one model in a process of its
own, `campaign.py` many; results are kept in `results.jsonl`, from which `report.py` makes the table.
"""
