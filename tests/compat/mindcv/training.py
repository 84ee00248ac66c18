"""One training step of a MindCV model with MindCV's own loss, schedule, optimiser and trainer.

Runs alike on MindSpore (to record) and on graphcore (to compare): whatever ``import mindspore`` gives.
"""
from __future__ import annotations

import zlib

import numpy as np

from tests.compat.mindcv.inputs import image

PROJECTIONS = 4
IMAGES = 2              # of a batch, where its record does not say otherwise


def step(name: str, size: int, gain: float, images: int = IMAGES) -> dict:
    """What one step on a batch of images does.

    loss: before the step; norm: of all gradients; projections: of all gradients on a few fixed vectors; after: the loss
    on the same images after `trainer.train` (clipped gradients, momentum, weight decay but for norms and biases, the
    first rate of a cosine schedule).  Dropout and drop path are off: their random numbers are each framework's own.
    """
    import mindspore as ms
    from mindcv.optim import create_optimizer
    from mindcv.scheduler import create_scheduler
    from mindcv.utils.trainer_factory import create_trainer
    from mindspore.dataset import NumpySlicesDataset
    net, loss_of = ready_to_train(name, gain)
    inputs, labels = batch(size, images)

    def forward(x, y):
        return loss_of(net(x), y)

    trained = net.trainable_params()
    before = {p.name: ms.Tensor(p.asnumpy().copy()) for p in net.get_parameters()}
    loss, gradients = ms.value_and_grad(forward, None, trained)(ms.Tensor(inputs), ms.Tensor(labels))
    found = measures(loss.asnumpy(), {p.name: g.asnumpy() for p, g in zip(trained, gradients)})
    for p in net.get_parameters():          # the forward pass has moved the statistics of BatchNorm
        p.set_data(before[p.name])

    schedule = create_scheduler(steps_per_epoch=4, scheduler="cosine_decay", lr=0.05, min_lr=0.0, warmup_epochs=0,
                                decay_epochs=2, num_epochs=2)
    optimizer = create_optimizer(trained, opt="momentum", lr=schedule, momentum=0.9, weight_decay=1e-3,
                                 weight_decay_filter="norm_and_bias")
    trainer = create_trainer(net, loss_of, optimizer, metrics={}, amp_level="O0", amp_cast_list=None,
                             loss_scale_type="fixed", clip_grad=True, clip_value=5.0)
    data = NumpySlicesDataset({"image": inputs, "label": labels}, shuffle=False).batch(images)
    trainer.train(1, data, dataset_sink_mode=False)
    after = forward(ms.Tensor(inputs), ms.Tensor(labels))
    return {**found, "after": float(f"{float(after.asnumpy()):.7g}")}


def ready_to_train(name: str, gain: float) -> tuple:
    """(the net with the weights of `inputs.py` and nothing random in it, MindCV's loss)."""
    from mindcv.loss import create_loss

    from tests.compat.mindcv.one import with_weights
    net = with_weights(name, gain)
    _without_chance(net)
    net.set_train(True)
    return net, create_loss("CE", label_smoothing=0.1, aux_factor=0.3)


def batch(size: int, images: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images and their labels."""
    return (np.concatenate([image(index, size) for index in range(images)]),
            ((3 + 4 * np.arange(images)) % 10).astype(np.int32))


def how(record: dict) -> str:
    """With which weights and images a step was recorded: "1 at 64", "1 at 64 with 8 images"."""
    images = record.get("images", IMAGES)
    return f"{record['gain']:g} at {record['size']}" + (f" with {images} images" if images != IMAGES else "")


def measures(loss: np.ndarray, gradients: dict) -> dict:
    """loss, norm and projections, see `step`; gradients: arrays by the Parameters' names."""
    gradients = {name: g.astype(np.float64).reshape(-1) for name, g in gradients.items()}
    squares = sum(float(g @ g) for g in gradients.values())
    return {"loss": float(f"{float(loss):.7g}"), "norm": float(f"{np.sqrt(squares):.7g}"),
            "projections": [float(f"{_projection(gradients, k):.7g}") for k in range(PROJECTIONS)]}


def _without_chance(net) -> None:
    """Let Dropout and drop path pass everything on."""
    for _, cell in net.cells_and_names():
        kinds = {kind.__name__ for kind in type(cell).__mro__}
        if "Dropout" in kinds:
            cell.p, cell.keep_prob = 0.0, 1.0
        elif "DropPath" in kinds:
            cell.keep_prob = 1.0


def _projection(gradients: dict, k: int) -> float:
    """The sum over all gradients of their products with cosines that are fixed by the Parameter's name and `k`."""
    return sum(float(g @ np.cos((0.7 + k) * np.arange(g.size) + zlib.crc32(name.encode()) % 97))
               for name, g in gradients.items())


def distance(mine: dict, theirs: dict) -> float:
    """How far a step lies from another: the largest relative distance of losses and gradients."""
    gradients = [abs(a - b) / theirs["norm"] for a, b in zip(mine["projections"], theirs["projections"])]
    gradients.append(abs(mine["norm"] - theirs["norm"]) / theirs["norm"])
    losses = [abs(mine[key] - theirs[key]) / abs(theirs[key]) for key in ("loss", "after") if key in theirs]
    return float(f"{max(*gradients, *losses):.3g}")
