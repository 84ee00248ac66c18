"""Which variant stands for its family: the one with the fewest Parameters that MindSpore itself runs."""
from __future__ import annotations

import re
from collections.abc import Iterable

# Families whose name is more than the letters that the model's name begins with.
_LONGER = ("BiT_resnet", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3", "efficientnet_v2", "shufflenet_v1",
           "shufflenet_v2", "inception_v3", "inception_v4", "resnetv2", "res2net", "pvt_v2", "regnet_x", "regnet_y",
           "mlp_mixer", "convnextv2", "swinv2", "coat_lite")


def family_of(name: str) -> str:
    """The family of a model's name: what precedes its size, width or depth."""
    return next((start for start in _LONGER if name.startswith(start)), None) or re.match(r"[a-zA-Z]+", name)[0]


def smallest_of_each(records: dict, names: Iterable[str]) -> list[str]:
    """One name per family, the smallest nets on the smallest images first."""
    best: dict = {}
    for name in names:
        if "out0" in records[name]:
            family, cost = family_of(name), cost_of(records[name])
            if family not in best or cost < best[family][0]:
                best[family] = (cost, name)
    return [name for _, name in sorted(best.values())]


def cost_of(record: dict) -> float:
    """A rough measure of what a model costs to run: parameters times pixels."""
    return record.get("parameters", 2.5e7) * record.get("size", 224) ** 2
