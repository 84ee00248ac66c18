"""``python -m benchmarks.runners.derive_expected NAME...``: what `benchmarks.expected` holds, by PyTorch in float64.

Prints the five losses (before the update, at steps 0 to 4) and the L2 norm of each gradient at step 0.
"""
from __future__ import annotations

import sys

import torch

from benchmarks.runners.torch_nets import NETS, load, loss_of, make_optimizer
from benchmarks.workloads import batches, params


def derive(name: str) -> tuple[list[float], dict[str, float]]:
    """(losses, gradient norms by name) of a workload that trains."""
    net = NETS[name]()
    load(net, params(name))
    net = net.double().train()
    optimizer, losses, norms = make_optimizer(name, net), [], {}
    for x, y in zip(*batches(name)):
        x = torch.tensor(x).double() if x.dtype.kind == "f" else torch.tensor(x).long()
        optimizer.zero_grad()
        loss = loss_of(net, x, torch.tensor(y).long())
        loss.backward()
        norms = norms or {n: p.grad.norm().item() for n, p in net.named_parameters()}
        optimizer.step()
        losses.append(loss.item())
    return losses, {n: norms[n] for n in params(name) if n in norms}


def main(names: list[str]) -> None:
    """Print them in the form of `benchmarks.expected`."""
    for name in names:
        losses, norms = derive(name)
        print(f'    "{name}": ({", ".join(map(repr, losses))}),\n    "{name}": {{')
        print("\n".join(f'        "{n}": {norm!r},' for n, norm in norms.items()))
        print("    },")


if __name__ == "__main__":
    main(sys.argv[1:])
