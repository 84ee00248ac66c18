"""Checkpoints: of nets, lists and training; what loads and what does not; training goes on where it stopped."""
import os
import tempfile

import mindspore as ms
import mindspore.dataset as ds
import mindspore.nn as nn
import numpy as np
from mindspore import Parameter, Tensor
from mindspore.train import CheckpointConfig, LossMonitor, Model, ModelCheckpoint

ms.set_context(mode=ms.GRAPH_MODE)
folder = tempfile.mkdtemp()


def path(name):
    return os.path.join(folder, name)


class Network(nn.Cell):
    def __init__(self, classes=4):
        super().__init__()
        self.flatten = nn.Flatten()
        self.body = nn.SequentialCell(nn.Dense(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dense(16, 8), nn.ReLU())
        self.head = nn.Dense(8, classes)

    def construct(self, x):
        return self.head(self.body(self.flatten(x)))


def filled(net, seed):
    random = np.random.RandomState(seed)
    for name, parameter in net.parameters_and_names():
        if name.endswith(("weight", "bias")):
            parameter.set_data(Tensor(random.randn(*parameter.shape) * 0.3, parameter.dtype))
    return net


# A net.
net = filled(Network(), 1)
x = Tensor(np.random.RandomState(2).randn(2, 3, 4), ms.float32)
ms.save_checkpoint(net, path("net.ckpt"))
parameters = ms.load_checkpoint(path("net.ckpt"))
for name, parameter in parameters.items():
    print(name, parameter.shape, parameter.dtype)
print(parameters["head.bias"])
other = Network()
print("not loaded:", ms.load_param_into_net(other, parameters))
print("equal:", np.array_equal(net(x).asnumpy(), other(x).asnumpy()))
print("outputs:", net(x))

# Some of it.
print("by prefix:", sorted(ms.load_checkpoint(path("net.ckpt"), filter_prefix="body")))
print("by choice:", sorted(ms.load_checkpoint(path("net.ckpt"), choice_func=lambda name: name.endswith("bias"))))
ms.save_checkpoint(net, path("head.ckpt"), choice_func=lambda name: name.startswith("head"))
print("saved by choice:", sorted(ms.load_checkpoint(path("head.ckpt"))))
wider = Network(classes=4)
missing, unused = ms.load_param_into_net(wider, ms.load_checkpoint(path("head.ckpt")))
print("missing:", missing)
print("unused:", unused)
try:
    ms.load_param_into_net(Network(classes=5), ms.load_checkpoint(path("net.ckpt")))
except RuntimeError as error:
    print("refused:", isinstance(error, RuntimeError))

# Lists, dictionaries, and things beside.
ms.save_checkpoint([{"name": "scale", "data": Tensor([1.5, 2.5], ms.float32)},
                    {"name": "count", "data": Parameter(Tensor(7, ms.int32), name="count")}],
                   path("list.ckpt"), append_dict={"epoch": 3, "rate": 0.25, "done": False, "note": "half way"})
for name, value in ms.load_checkpoint(path("list.ckpt")).items():
    print(name, value)
half = Parameter(Tensor([1.5, -2.0], ms.float16), name="half")
ms.save_checkpoint([{"name": "half", "data": half}], path("half.ckpt"))
print("half:", ms.load_checkpoint(path("half.ckpt"))["half"].dtype)

# Training that stops and goes on.
random = np.random.RandomState(5)
features = random.randn(96, 3, 4).astype(np.float32)
labels = (features.sum(axis=(1, 2)) > 0).astype(np.int32) + 2 * (features[:, 0, 0] > 0).astype(np.int32)


def dataset():
    return ds.NumpySlicesDataset({"x": features, "y": labels}, shuffle=False).batch(32)


def make_model(net):
    rate = nn.piecewise_constant_lr([6, 12, 100], [0.05, 0.02, 0.01])
    optimizer = nn.Adam(net.trainable_params(), learning_rate=rate, weight_decay=1e-3)
    return Model(net, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"), optimizer, {"acc"}), optimizer


whole, _ = make_model(filled(Network(), 3))
whole.train(4, dataset(), callbacks=LossMonitor(3), dataset_sink_mode=False)

first_net = filled(Network(), 3)
first, optimizer = make_model(first_net)
config = CheckpointConfig(save_checkpoint_steps=3, keep_checkpoint_max=3, append_info=["epoch_num", {"lr": 0.05}])
first.train(2, dataset(), callbacks=[LossMonitor(3), ModelCheckpoint("half", folder, config)], dataset_sink_mode=False)
saved = ms.load_checkpoint(path("half-2_3.ckpt"))
print("in the checkpoint:", sorted(saved))
print("epochs:", saved["epoch_num"], "rate:", saved["lr"])

second_net = Network()
second, optimizer = make_model(second_net)
ms.load_param_into_net(second_net, saved)
print("optimizer lacks:", ms.load_param_into_net(optimizer, saved)[0])
second.train(4, dataset(), callbacks=LossMonitor(3), dataset_sink_mode=False, initial_epoch=int(saved["epoch_num"]))
print("evaluation:", whole.eval(dataset()), second.eval(dataset()))
difference = max(float(np.abs(a.asnumpy() - b.asnumpy()).max())
                 for a, b in zip(second_net.get_parameters(), whole.predict_network.get_parameters()))
print("largest difference:", difference < 1e-5)

# A net as data.
state = {name: parameter for name, parameter in net.parameters_dict().items() if "moving" not in name}
print("state:", list(state)[:3], len(state))
third = Network()
ms.load_param_into_net(third, state)
print("third:", np.allclose(third(x).asnumpy(), net(x).asnumpy()))
