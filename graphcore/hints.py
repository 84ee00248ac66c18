"""What stands here for names that a program expects: the ends of messages about attributes that there are none of.

People who come from PyTorch write `loss.backward()`; that name cannot be near any of ours, so it stands in a table.
"""
from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable

_ELSEWHERE = "everything runs on the CPU: leave it out"
_FUNCTIONAL = ("gradients are results of a function here: loss, gradients = value_and_grad(forward, None, "
               "optimizer.parameters)(x, y)")
_STEP = "an optimiser is called with the gradients: optimizer(gradients)"

#: For each kind of object: PyTorch's name → what to write.
PYTORCH = {
    "Tensor": {
        "backward": _FUNCTIONAL, "grad": _FUNCTIONAL, "grad_fn": _FUNCTIONAL, "requires_grad": _FUNCTIONAL,
        "requires_grad_": _FUNCTIONAL, "retain_grad": _FUNCTIONAL, "is_leaf": _FUNCTIONAL,
        "detach_": "write x = ops.stop_gradient(x)", "cuda": _ELSEWHERE, "is_cuda": _ELSEWHERE,
        "pin_memory": _ELSEWHERE,
    },
    "Cell": {
        "parameters": "write get_parameters(), or for an optimiser trainable_params()",
        "named_parameters": "write parameters_and_names()", "children": "write cells()",
        "named_children": "write name_cells()", "modules": "write cells_and_names()",
        "named_modules": "write cells_and_names()", "train": "write set_train()", "eval": "write set_train(False)",
        "forward": "it is called construct here", "cuda": _ELSEWHERE, "cpu": _ELSEWHERE, "to": "a dtype is set by "
        "to_float(dtype); " + _ELSEWHERE, "half": "write to_float(float16)", "bfloat16": "write to_float(bfloat16)",
        "zero_grad": "gradients are not kept, so there is nothing to set to zero", "step": _STEP,
        "requires_grad_": "set requires_grad of its Parameters",
        "register_parameter": "write insert_param_to_cell(name, parameter)",
        "add_module": "write insert_child_to_cell(name, cell)",
        "register_full_backward_hook": "write register_backward_hook(hook)",
    },
    "graphcore.nn": {
        "Module": "derive from nn.Cell, and call forward construct", "Sequential": "write nn.SequentialCell",
        "ModuleList": "write nn.CellList", "ModuleDict": "write nn.CellDict",
        "ParameterList": "write graphcore.ParameterTuple", "Parameter": "write graphcore.Parameter",
        "ConvTranspose1d": "write nn.Conv1dTranspose", "ConvTranspose2d": "write nn.Conv2dTranspose",
        "ConvTranspose3d": "write nn.Conv3dTranspose", "functional": "functions stand in graphcore.ops",
        "init": "initialisers stand in graphcore.common.initializer", "DataLoader": "datasets stand in "
        "graphcore.dataset: GeneratorDataset(source, column_names).batch(size)",
    },
    "graphcore": {
        "save": "write save_checkpoint(net, path)", "compile": "write jit, or call the net: GRAPH_MODE compiles",
        "optim": "optimisers stand in graphcore.nn", "cuda": _ELSEWHERE,
    },
}


def instead(kind: str, name: str, known: Iterable[str] = ()) -> str:
    """The end of a message: what to write instead of an unknown `name`, the nearest of `known`, or nothing."""
    told = PYTORCH.get(kind, {}).get(name)
    if told is not None:
        return f"; {told}"
    if name.startswith("_"):
        return ""
    known = list(known)
    near = difflib.get_close_matches(name.lower(), {k.lower() for k in known}, 1, 0.7)
    if not near:
        return ""
    [nearest] = difflib.get_close_matches(name, [k for k in known if k.lower() == near[0]], 1, 0)     # Concat, concat
    return f"; did you mean {nearest!r}?"


@functools.lru_cache(maxsize=512)       # programs ask hasattr(x, name) again and again
def instead_of_method(name: str) -> str:
    """`instead` for an attribute of Tensors."""
    from graphcore.tensor import Tensor
    return instead("Tensor", name, [n for n in dir(Tensor) if n[0] != "_"])
