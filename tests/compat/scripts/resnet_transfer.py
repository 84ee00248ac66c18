"""Transfer: a small ResNet learns the digits 0 to 4, its checkpoint is fitted to the digits 5 to 9 with a new head."""
import os
import tempfile

import mindspore as ms
import mindspore.dataset as ds
import mindspore.dataset.transforms as transforms
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore import Tensor
from mindspore.train import Callback, LossMonitor, Model, TimeMonitor

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "data", "digits.npz")

ms.set_context(mode=ms.GRAPH_MODE)
ds.config.set_seed(2)


def create_dataset(digits, training, batch_size=32):
    with np.load(DATA) as data:
        chosen = np.isin(data["labels"], digits)
        images = data["images"][chosen].astype(np.float32)[:, None] / 16.0
        labels = data["labels"][chosen] - digits[0]
    cut = 640
    part = slice(0, cut) if training else slice(cut, None)
    dataset = ds.NumpySlicesDataset((images[part], labels[part]), ["image", "label"], shuffle=training)
    dataset = dataset.map(lambda image: image - np.float32(0.3), "image", num_parallel_workers=1)
    dataset = dataset.map(transforms.TypeCast(ms.int32), "label")
    return dataset.batch(batch_size, drop_remainder=training)


class ResidualBlockBase(nn.Cell):
    """Two 3x3 convolutions and a way round them."""

    def __init__(self, in_channel, out_channel, stride=1, down_sample=None):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channel, out_channel, kernel_size=3, stride=stride)
        self.norm1 = nn.BatchNorm2d(out_channel)
        self.conv2 = nn.Conv2d(out_channel, out_channel, kernel_size=3)
        self.norm2 = nn.BatchNorm2d(out_channel)
        self.relu = nn.ReLU()
        self.down_sample = down_sample

    def construct(self, x):
        identity = x
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        if self.down_sample is not None:
            identity = self.down_sample(x)
        out += identity
        return self.relu(out)


def make_layer(last_out_channel, channel, block_nums, stride=1):
    down_sample = None
    if stride != 1 or last_out_channel != channel:
        down_sample = nn.SequentialCell([
            nn.Conv2d(last_out_channel, channel, kernel_size=1, stride=stride),
            nn.BatchNorm2d(channel),
        ])
    layers = [ResidualBlockBase(last_out_channel, channel, stride=stride, down_sample=down_sample)]
    for _ in range(1, block_nums):
        layers.append(ResidualBlockBase(channel, channel))
    return nn.SequentialCell(layers)


class ResNet(nn.Cell):
    def __init__(self, num_classes, width=8):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, kernel_size=3, pad_mode="pad", padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.layer1 = make_layer(width, width, 1)
        self.layer2 = make_layer(width, width * 2, 1, stride=2)
        self.layer3 = make_layer(width * 2, width * 4, 1, stride=2)
        self.avg_pool = nn.AvgPool2d(kernel_size=2)
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(in_channels=width * 4, out_channels=num_classes)

    def construct(self, x):
        x = self.relu(self.norm(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.flatten(self.avg_pool(x)))


def set_weights(net, seed):
    random = np.random.RandomState(seed)
    for name, parameter in net.parameters_and_names():
        if name.endswith("weight"):
            deviation = np.sqrt(2 / np.prod(parameter.shape[1:]))
            parameter.set_data(Tensor(random.normal(0, deviation, parameter.shape), ms.float32))
        elif name.endswith("fc.bias"):
            parameter.set_data(Tensor(np.zeros(parameter.shape), ms.float32))


class Accuracies(Callback):
    """Evaluates after each epoch, and keeps the best."""

    def __init__(self, model, dataset):
        super().__init__()
        self.model, self.dataset, self.best = model, dataset, 0.0

    def on_train_epoch_end(self, run_context):
        run = run_context.original_args()
        accuracy = self.model.eval(self.dataset, dataset_sink_mode=False)["accuracy"]
        self.best = max(self.best, accuracy)
        print(f"epoch {run.cur_epoch_num} of {run.epoch_num}: step {run.cur_step_num}, accuracy {accuracy:.5f}")


# The digits 0 to 4.
folder = tempfile.mkdtemp()
first, second = list(range(5)), list(range(5, 10))
net = ResNet(5)
set_weights(net, 1)
print("parameters:", len(net.trainable_params()), sum(p.size for p in net.trainable_params()))
train, test = create_dataset(first, True), create_dataset(first, False)
steps = train.get_dataset_size()
rate = nn.cosine_decay_lr(min_lr=0.001, max_lr=0.02, total_step=steps * 2, step_per_epoch=steps, decay_epoch=2)
print("rates:", [round(r, 6) for r in rate[::steps]])
optimizer = nn.Momentum(net.trainable_params(), learning_rate=rate, momentum=0.9, weight_decay=1e-4)
loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
model = Model(net, loss, optimizer, metrics={"accuracy"})
accuracies = Accuracies(model, test)
model.train(2, train, callbacks=[LossMonitor(5), TimeMonitor(), accuracies], dataset_sink_mode=False)
print(f"best: {accuracies.best:.5f}")
ms.save_checkpoint(net, os.path.join(folder, "resnet.ckpt"))

# The digits 5 to 9: the body stays, the head is new, and only the last stage is trained with it.
transferred = ResNet(5)
set_weights(transferred, 2)
parameters = ms.load_checkpoint(os.path.join(folder, "resnet.ckpt"))
for name in [name for name in parameters if name.startswith("fc.")]:
    print("new:", parameters.pop(name).name)
print("left as it is:", ms.load_param_into_net(transferred, parameters)[0])
for parameter in transferred.get_parameters():
    if not parameter.name.startswith(("fc.", "layer3.")):
        parameter.requires_grad = False
print("trained:", [p.name for p in transferred.trainable_params()])
group_params = [
    {"params": [p for p in transferred.trainable_params() if p.name.startswith("fc.")], "lr": 0.05},
    {"params": [p for p in transferred.trainable_params() if not p.name.startswith("fc.")], "weight_decay": 1e-3},
]
optimizer = nn.SGD(group_params, learning_rate=0.01, momentum=0.9, loss_scale=1024.0)
train, test = create_dataset(second, True), create_dataset(second, False)
metrics = {"accuracy": nn.Accuracy(), "top2": nn.TopKCategoricalAccuracy(2), "confusion": nn.ConfusionMatrix(5)}
scale = ms.FixedLossScaleManager(1024.0, drop_overflow_update=False)
model = Model(transferred, loss, optimizer, metrics=metrics, loss_scale_manager=scale)
model.train(2, train, callbacks=[LossMonitor(5)], dataset_sink_mode=False)
for name, value in sorted(model.eval(test, dataset_sink_mode=False).items()):
    print(name, value)
unchanged = np.array_equal(transferred.conv1.weight.asnumpy(), parameters["conv1.weight"].asnumpy())
print("the first layer is unchanged:", unchanged)
softmax = nn.Softmax(axis=1)
transferred.set_train(False)
image, label = next(iter(test.create_tuple_iterator()))
print("probabilities:", softmax(transferred(image[:2])))
print("classes:", ops.argmax(transferred(image), dim=1)[:10], label[:10])
