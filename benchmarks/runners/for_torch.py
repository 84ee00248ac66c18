"""PyTorch: eager; variant "channels_last" keeps images and convolution weights in that memory format, variant "compile"
compiles net, loss and gradient by ``torch.compile`` and updates with the same fused optimisers."""
from __future__ import annotations

import functools

import torch

from benchmarks.runners.task import Task, Unsupported
from benchmarks.runners.torch_nets import NETS, load, loss_of, make_optimizer
from benchmarks.workloads import Given

CONVOLUTIONAL = ("lenet5", "resnet18_cifar", "resnet18_224", "mobilenetv2_224")
BRANCHING = ("newton", "branching_rnn")     # torch.compile ends a graph at every branch


class Framework:
    """PyTorch on the CPU."""

    def __init__(self, threads: int, variant: str):
        self.version = torch.__version__
        self.channels_last, self.compiles = variant == "channels_last", variant == "compile"
        torch.set_num_threads(threads)

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode).  Raises Unsupported for what is not the variant's."""
        if given.name not in NETS:
            raise Unsupported(f"no net for {given.name}")
        if self.channels_last and given.name not in CONVOLUTIONAL:
            raise Unsupported(f"{given.name} has no images")
        if self.compiles and given.name in BRANCHING:
            raise Unsupported(f"{given.name} branches on tensors")
        net = NETS[given.name]()
        arguments = [tuple(map(self._tensor, arrays)) for arrays in given.arguments]
        if self.channels_last:
            net = net.to(memory_format=torch.channels_last)
        task = self._training if given.trains else self._gradients if given.mode == "fwdbwd" else self._inference
        return task(given, net, arguments)

    def _tensor(self, array):
        tensor = torch.tensor(array)
        if not tensor.is_floating_point():
            return tensor.long()
        return tensor.contiguous(memory_format=torch.channels_last) if self.channels_last else tensor

    def _compiled(self, function):
        """In the variant "compile", compiled for the shapes it is called with: other modes use the same classes."""
        return torch.compile(function, dynamic=False) if self.compiles else function

    def _inference(self, given, net, arguments) -> Task:
        load(net, given.weights)
        return Task(self._compiled(net.eval()), arguments, to_numpy=lambda output: output.numpy(),
                    scope=torch.inference_mode)

    def _gradients(self, given, net, arguments) -> Task:
        arguments = [tuple(tensor.requires_grad_() for tensor in tensors) for tensors in arguments]
        total = self._compiled(lambda *inputs: net(*inputs).sum())
        return Task(lambda *inputs: torch.autograd.grad(total(*inputs), inputs), arguments)

    def _training(self, given, net, arguments) -> Task:
        optimizer = make_optimizer(given.name, net.train())
        loss_of_net = self._compiled(functools.partial(loss_of, net))

        def reset() -> None:
            load(net, given.weights)
            optimizer.state.clear()

        def call(x, y) -> float:
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of_net(x, y)
            loss.backward()
            optimizer.step()
            return loss.item()

        reset()
        return Task(call, arguments, reset)
