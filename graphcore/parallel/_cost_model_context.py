"""Weights of MindSpore's search for a parallel strategy: remembered, as there is nothing to search for on one CPU."""
from __future__ import annotations

__all__ = ["get_cost_model_context", "reset_cost_model_context", "set_cost_model_context"]

_DEFAULTS = {
    "device_memory_capacity": 17179869184.0, "costmodel_alpha": 1.0, "costmodel_beta": 400.0, "costmodel_gamma": 0.001,
    "costmodel_communi_threshold": 2048.0, "costmodel_communi_const": 3072.0, "costmodel_communi_bias": 1024.0,
    "multi_subgraphs": False, "run_phase": 0, "costmodel_allreduce_fusion_algorithm": 0,
    "costmodel_allreduce_fusion_times": 0, "costmodel_allreduce_fusion_tail_percent": 0.1,
    "costmodel_allreduce_fusion_tail_time": 0.1, "costmodel_allreduce_fusion_allreduce_inherent_time": 0.1,
    "costmodel_allreduce_fusion_allreduce_bandwidth": 0.1, "costmodel_allreduce_fusion_computation_time_parameter": 0.1,
    "rp_matmul_mem_coef": 0.1,
}
_current = dict(_DEFAULTS)


def set_cost_model_context(**kwargs) -> None:
    """Set weights.  Raises ValueError for unknown ones."""
    for key in kwargs:
        if key not in _DEFAULTS:
            raise ValueError(f"the cost model has no {key!r}; it has {', '.join(_DEFAULTS)}")
    _current.update(kwargs)


def get_cost_model_context(attr_key: str):
    """One weight.  Raises ValueError for an unknown one."""
    if attr_key not in _DEFAULTS:
        raise ValueError(f"the cost model has no {attr_key!r}; it has {', '.join(_DEFAULTS)}")
    return _current[attr_key]


def reset_cost_model_context() -> None:
    """Set all weights back."""
    _current.update(_DEFAULTS)


def _set_multi_subgraphs(multi_subgraph=True) -> None:
    """Remember whether a net has several graphs."""
    set_cost_model_context(multi_subgraphs=multi_subgraph)


def _set_rp_matmul_mem_coef(coefficient) -> None:
    """Remember the weight of memory in products of matrices."""
    set_cost_model_context(rp_matmul_mem_coef=coefficient)
