"""Checkpoints split over devices: MindSpore's functions that cut and join them, which one device does not need."""
from __future__ import annotations

_NAMES = """build_searched_strategy load_distributed_checkpoint load_segmented_checkpoints merge_pipeline_strategys
    merge_sliced_parameter rank_list_for_transform restore_group_info_list transform_checkpoint_by_rank
    transform_checkpoints unified_safetensors""".split()


def _refused(name: str):
    def function(*args, **kwargs):
        raise NotImplementedError(f"{name} works on checkpoints that several devices have split among them; graphcore "
                                  "trains on one: use save_checkpoint and load_checkpoint, and join split checkpoints "
                                  "with MindSpore first")
    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Raises NotImplementedError: one device has no split checkpoints."
    return function


globals().update({name: _refused(name) for name in _NAMES})

__all__ = _NAMES.copy()
