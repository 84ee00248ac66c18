"""The networks of the workloads as Cells, and their training steps.

This package is written against the interface that graphcore and MindSpore share; the runner of MindSpore imports it
with ``graphcore`` standing for MindSpore, so that both are timed on the same program.
"""
from __future__ import annotations

from benchmarks.nets.loops import BranchingRnn, Newton
from benchmarks.nets.sequences import Gpt, LossOfEachToken, Lstm
from benchmarks.nets.small import Fused, Mlp, Tiny
from benchmarks.nets.vision import LeNet5, MobileNetV2, ResNet18
from benchmarks.workloads import cell_names
from graphcore import Tensor, grad, nn

NETS = {"mlp": Mlp, "lenet5": LeNet5, "resnet18_cifar": lambda: ResNet18(large=False),
        "resnet18_224": lambda: ResNet18(large=True), "mobilenetv2_224": MobileNetV2, "gpt": Gpt, "lstm": Lstm,
        "tiny": Tiny, "fused": Fused, "newton": Newton, "branching_rnn": BranchingRnn}


def make_net(name: str, weights: dict):
    """The net of a workload with `weights` (see `workloads.params`), in evaluation mode.

    Raises ValueError for weights that the net has no Parameters for, KeyError where some are missing.
    """
    net = NETS[name]()
    names = cell_names(weights)
    values = {names[torch_name]: value for torch_name, value in weights.items()}
    for parameter in net.get_parameters():
        parameter.set_data(Tensor(values.pop(parameter.name)))
    if values:
        raise ValueError(f"the net of {name} has no Parameters {', '.join(values)}")
    return net.set_train(False)


def make_inference(name: str, mode: str, weights: dict):
    """What is called in a mode without training: the net, or (`fwdbwd`) the gradients of its sum by all inputs."""
    net = make_net(name, weights)
    return grad(net, (0, 1, 2, 3)) if mode == "fwdbwd" else net


def make_optimizer(name: str, net):
    """The optimiser of a workload that trains."""
    parameters = net.trainable_params()
    if name in ("mlp", "lstm"):
        return nn.Adam(parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8)
    if name == "gpt":
        groups = _decayed(parameters, lambda p: len(p.shape) >= 2, 0.1)
        return nn.AdamW(groups, learning_rate=3e-4, beta1=0.9, beta2=0.95, eps=1e-8)
    if name == "lenet5":
        return nn.Momentum(parameters, learning_rate=0.01, momentum=0.9)
    groups = _decayed(parameters, lambda p: not p.name.endswith((".gamma", ".beta")), 5e-4)
    return nn.Momentum(groups, learning_rate=0.01, momentum=0.9)


def _decayed(parameters: list, chosen, decay: float) -> list[dict]:
    """Two groups: those `chosen`, with weight decay, and the others."""
    return [{"params": [p for p in parameters if chosen(p)], "weight_decay": decay},
            {"params": [p for p in parameters if not chosen(p)], "weight_decay": 0.0}]


def make_step(name: str, net):
    """The training step of a workload: ``step(x, y)`` gives the loss as a Tensor."""
    if name == "gpt":
        loss = LossOfEachToken()
    else:
        loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), make_optimizer(name, net))
    return step.set_train()
