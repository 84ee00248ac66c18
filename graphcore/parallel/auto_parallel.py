"""AutoParallel: a net that MindSpore would split over devices, and that runs whole on this one."""
from __future__ import annotations

from graphcore.nn.cell import Cell

__all__ = ["AutoParallel"]

_MODES = ("semi_auto", "sharding_propagation", "recursive_programming")
# Settings of the splitting, each a method that is accepted: with one device there is nothing to split.
_SETTINGS = """comm_fusion dataset_strategy disable_gradient_fp32_sync disable_loss_repeated_mean
    disable_strategy_file_only_for_trainable_params dump_local_norm enable_device_local_norm enable_fp32_communication
    enable_gradients_mean enable_local_value_norm hsdp load_operator_strategy_file load_param_strategy_file
    no_init_parameters_in_compile print_local_norm save_operator_strategy_file save_param_strategy_file
    set_group_ckpt_save_file transformer_opt""".split()


class AutoParallel(Cell):
    """``AutoParallel(network, parallel_mode="semi_auto")``: the network itself, which one device runs whole.

    The settings of MindSpore's class are accepted without effect; `pipeline` raises ParallelismError for more than one
    stage.  Raises ValueError for an unknown mode.
    """

    def __init__(self, network, parallel_mode="semi_auto"):
        super().__init__(auto_prefix=False)
        if parallel_mode not in _MODES:
            raise ValueError(f"parallel_mode must be one of {', '.join(_MODES)}, got {parallel_mode!r}")
        self.network, self._parallel_mode = network, parallel_mode

    def construct(self, *args, **kwargs):
        return self.network(*args, **kwargs)

    def pipeline(self, stages=1, output_broadcast=False, interleave=False, scheduler="1f1b"):
        """Accepted for one stage."""
        from graphcore.parallel import ParallelismError
        if stages != 1:
            raise ParallelismError(f"pipeline(stages={stages}): graphcore runs on one CPU, in one stage")


def _accepted(name: str):
    def setting(self, *args, **kwargs) -> None:
        pass
    setting.__name__ = name
    setting.__doc__ = "A setting of the splitting over devices, without effect on one."
    return setting


for _name in _SETTINGS:
    setattr(AutoParallel, _name, _accepted(_name))
