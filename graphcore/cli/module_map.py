"""Where the names of MindSpore's modules live in graphcore."""
from __future__ import annotations

from collections.abc import Callable

# graphcore module -> MindSpore modules (without "mindspore.") whose names it holds, beside the one of its own name.
_MERGED = {
    "nn": """nn.layer nn.layer.activation nn.layer.basic nn.layer.channel_shuffle nn.layer.combined nn.layer.container
        nn.layer.conv nn.layer.dense nn.layer.embedding nn.layer.image nn.layer.math nn.layer.normalization
        nn.layer.padding nn.layer.pooling nn.layer.timedistributed nn.layer.transformer
        nn.wrap nn.wrap.cell_wrapper nn.wrap.grad_reducer nn.wrap.loss_scale nn.cell nn.dynamic_lr
        nn.learning_rate_schedule nn.loss nn.loss.loss nn.optim""",
    "nn.layers.rnn": "nn.layer.rnn_cells nn.layer.rnns",
    "nn.optim": """nn.optim.ada_grad nn.optim.adadelta nn.optim.adafactor nn.optim.adam nn.optim.adamax nn.optim.asgd
        nn.optim.ftrl nn.optim.lamb nn.optim.lars nn.optim.lazyadam nn.optim.momentum nn.optim.optimizer
        nn.optim.proximal_ada_grad nn.optim.rmsprop nn.optim.rprop nn.optim.sgd nn.optim.thor""",
    "experimental.optim": """experimental.optim.adadelta experimental.optim.adagrad experimental.optim.adamax
        experimental.optim.adamw experimental.optim.asgd experimental.optim.nadam experimental.optim.radam
        experimental.optim.rmsprop experimental.optim.rprop""",
    "train.metrics": "nn.metrics",
    "ops": """ops.function ops.function.array_func ops.function.clip_func ops.function.debug_func
        ops.function.image_func ops.function.linalg_func ops.function.math_func ops.function.nn_func
        ops.function.other_func ops.function.parameter_func ops.function.random_func ops.functional
        ops.functional_overload ops.auto_generate ops.primitive ops.composite""",
    "ops.composite": "ops.composite.base ops.composite.math_ops ops.composite.multitype_ops",
    "ops.operations": """ops.operations.array_ops ops.operations.comm_ops ops.operations.control_ops
        ops.operations.debug_ops ops.operations.image_ops ops.operations.inner_ops ops.operations.linalg_ops
        ops.operations.math_ops ops.operations.nn_ops ops.operations.other_ops ops.operations.random_ops
        ops.operations.sparse_ops ops.operations._inner_ops ops.operations._grad_ops""",
    "ops.primitives.recurrent": "ops.operations._rl_inner_ops",
    "numpy": "numpy.array_creations numpy.array_ops numpy.dtypes numpy.logic_ops numpy.math_ops",
    "common.api": "common.jit_config graph.api graph.jit_config",
    "train": "train.model train.dataset_helper train.train_thor",
    "train.callback": """train.callback._callback train.callback._checkpoint train.callback._early_stop
        train.callback._history train.callback._lambda_callback train.callback._loss_monitor
        train.callback._lr_scheduler_callback train.callback._reduce_lr_on_plateau train.callback._time_monitor""",
    "train.metrics.metric": "nn.metrics.metric",
    "train.callback.summary": "train.summary train.summary.summary_record",
    "dataset": """dataset.engine dataset.engine.datasets dataset.engine.datasets_standard_format
        dataset.engine.datasets_user_defined dataset.engine.datasets_vision dataset.engine.iterators""",
    "dataset.samplers": "dataset.engine.samplers",
    "dataset.audio": "dataset.audio.utils",
    "dataset.config": "dataset.core.config",
    "dataset.transforms": "dataset.transforms.transforms",
    "dataset.vision": "dataset.vision.transforms dataset.vision.utils dataset.transforms.vision",
    "dataset.vision.c_transforms": "dataset.transforms.vision.c_transforms",
    "dataset.vision.py_transforms": "dataset.transforms.vision.py_transforms",
}
_HOMES = {old: f"graphcore.{home}" for home, names in _MERGED.items() for old in names.split()}

# Modules of graphcore under MindSpore's own paths, for hints about misspelt ones.
_OWN = """_checkparam amp common common.api common.dtype common.initializer common.parameter common.seed
    common.tensor communication communication.management context dataset dataset.audio dataset.config
    dataset.text dataset.transforms
    dataset.transforms.c_transforms dataset.transforms.py_transforms dataset.vision dataset.vision.c_transforms
    dataset.vision.py_transforms experimental experimental.optim experimental.optim.adam experimental.optim.lr_scheduler
    experimental.optim.optimizer experimental.optim.sgd log nn nn.optim numpy ops ops.operations parallel
    parallel._auto_parallel_context parallel._utils train train.callback train.loss_scale_manager train.metrics
    train.serialization""".split()
PACKAGES = frozenset(m.rpartition(".")[0] for m in _HOMES)     # those that other modules are imported from
MODULES = tuple(sorted({*_HOMES, *_OWN}))


def target_of(wanted: str, exists: Callable[[str], bool]) -> str | None:
    """The graphcore module that stands for ``mindspore.<wanted>``: the one of the same path, or else the table's."""
    same = f"graphcore.{wanted}"
    if ("." not in wanted or exists(same.rpartition(".")[0])) and exists(same):
        return same
    home = _HOMES.get(wanted)
    return home if home is not None and exists(home) else None
