"""graphcore: graph-mode deep learning on CPUs in MindSpore's programming model.

    import graphcore as gc
    from graphcore import nn, ops, Tensor, Parameter

A Cell's ``construct`` is captured into an IR graph, differentiated, fused, and compiled to machine code by Numba.
Everything here is loaded when it is first used: importing graphcore costs next to nothing, and Numba is imported only
when a kernel has to be compiled.
"""
from __future__ import annotations

import importlib
import os

__version__ = "0.1.0"

# In a checkout the folders `nn` and `compiler` stand beside this one; installed, they are inside it.
if not os.path.isdir(os.path.join(__path__[0], "nn")):
    __path__.append(os.path.dirname(__path__[0]))

from graphcore.namespace import namespace  # noqa: E402  the path comes first

# ``mindspore.bool`` and the like: dtypes that a star import must not put in the builtins' place.
_BUILTINS = {"bool": "bool_", "int": "int32", "float": "float32", "long": "int64"}


def _otherwise(name: str):
    if name in _BUILTINS:
        return getattr(importlib.import_module("graphcore.dtype"), _BUILTINS[name])
    hint = ""
    if name[0] != "_":      # the import system asks for some of those
        from graphcore.hints import instead
        from graphcore.ops.functional import __all__ as functions
        hint = f"; write ops.{name}" if name in functions else instead("graphcore", name, __all__)
    raise AttributeError(f"module 'graphcore' has no attribute {name!r}{hint}")


__getattr__, __dir__, __all__ = namespace("graphcore", {
    "dtype": """float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_ complex64
        complex128 half single double float_ int_ uint byte short intc intp ubyte ushort uintc uintp number
        dtype_to_nptype dtype_to_pytype pytype_to_dtype""",
    "tensor": "Tensor is_tensor",
    "symbol": "Symbol",
    "train.converting": "ckpt_to_safetensors load_checkpoint_async safetensors_to_ckpt",
    "parameter": "Parameter",
    "parameter_tuple": "ParameterTuple",
    "context": "GRAPH_MODE PYNATIVE_MODE ParallelMode get_context set_context",
    "parallel": """Layout build_searched_strategy load_distributed_checkpoint load_segmented_checkpoints
        merge_pipeline_strategys merge_sliced_parameter rank_list_for_transform restore_group_info_list shard
        transform_checkpoint_by_rank transform_checkpoints unified_safetensors
        get_auto_parallel_context reset_auto_parallel_context set_auto_parallel_context""",
    "parallel.nn": "sync_pipeline_shared_parameters",
    "random": "get_rng_state get_seed set_rng_state set_seed",
    "capture.gradients": "get_grad grad value_and_grad",
    "capture.no_grad": "_no_grad no_grad",
    "capture.custom_gradients": "recompute",
    "capture.jit": "jit",
    "capture.transforms": "jacfwd jacrev jvp vjp vmap",
    "common.sparse_tensor": "COOTensor CSRTensor RowTensor SparseTensor",
    "common.kinds": "Float Int TensorType Type get_py_obj_dtype tensor_type",
    "common.dtype": "cdouble cfloat",
    "common._grad_function": "_Function",
    "common.tensor": "from_numpy frombuffer",
    "common.api": "COMPATIBLE JitConfig LAX STRICT jit_class lazy_inline ms_class ms_function mutable no_inline",
    "train": """Model Callback CheckpointConfig DynamicLossScaleManager EarlyStopping FixedLossScaleManager History
        LambdaCallback LearningRateScheduler LossMonitor LossScaleManager ModelCheckpoint ReduceLROnPlateau RunContext
        ConvertModelUtils ConvertNetUtils DatasetHelper OnRequestExit SummaryCollector SummaryLandscape TimeMonitor
        build_train_network
        connect_network_with_dataset data_sink export load_checkpoint load_param_into_net
        load_torch_state_dict save_checkpoint to_torch_state_dict""",
    "files.loading": "load",
    "communication": "get_group_size get_rank",
    "device": "set_device",
    "parallel.algo_parameter_config": "get_algo_parameters reset_algo_parameters set_algo_parameters",
    "preparations": """get_offload_context set_offload_context get_ps_context initial_seed manual_seed
        reset_ps_context run_check set_deterministic
        set_ps_context set_recursion_limit""",
    "profiler": "Profiler",
    "runtime": """Stream StreamCtx current_stream default_stream dispatch_threads_num
        empty_cache launch_blocking max_memory_allocated max_memory_reserved memory_allocated memory_reserved
        memory_stats reset_max_memory_allocated reset_max_memory_reserved reset_peak_memory_stats
        set_cpu_affinity set_cur_stream set_kernel_launch_group set_memory synchronize""",
    "train.callback": "SummaryRecord",
    "train.metrics": """Accuracy BleuScore ConfusionMatrix ConfusionMatrixMetric CosineSimilarity Dice F1 Fbeta
        HausdorffDistance Loss MAE MSE MeanSurfaceDistance Metric OcclusionSensitivity Perplexity Precision ROC Recall
        RootMeanSquareDistance Top1CategoricalAccuracy Top5CategoricalAccuracy
        TopKCategoricalAccuracy auc get_metric_fn names rearrange_inputs""",
    "onnx": "import_onnx",
    "inspect": "compiled_graph explain_recompile ir_text memory_text",
    "inspected": "inspection",
    "net_summary": "summary",
    "tuning": "tune",
}, modules="""amp boost common communication compiler context dataset device_context dtype errors experimental
    files hal initializer ir log mindrecord mint nn numpy onnx ops parallel parameter profiler random
    runtime scipy tensor train version""", otherwise=_otherwise)
