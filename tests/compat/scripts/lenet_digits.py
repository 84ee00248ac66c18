"""LeNet-5 learns handwritten digits: data pipeline, training with Model, evaluation, checkpoint, prediction."""
import os
import tempfile

import mindspore as ms
import mindspore.dataset as ds
import mindspore.dataset.transforms as transforms
import mindspore.dataset.vision as vision
import mindspore.nn as nn
import numpy as np
from mindspore import Tensor
from mindspore.common.initializer import Normal
from mindspore.train import Accuracy, CheckpointConfig, LossMonitor, Model, ModelCheckpoint, TimeMonitor

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "data", "digits.npz")

ms.set_context(mode=ms.GRAPH_MODE, device_target="CPU")
ms.set_seed(1)
ds.config.set_seed(1)


class Digits:
    """Random access to images uint8[8, 8, 1] and labels, as GeneratorDataset wants it."""

    def __init__(self, first, last):
        data = np.load(DATA)
        order = np.random.RandomState(7).permutation(len(data["labels"]))[first:last]
        self.images = (data["images"][order] * 15).astype(np.uint8)[..., None]
        self.labels = data["labels"][order]

    def __getitem__(self, index):
        return self.images[index], self.labels[index]

    def __len__(self):
        return len(self.labels)


def create_dataset(first, last, batch_size=32, training=True):
    dataset = ds.GeneratorDataset(Digits(first, last), ["image", "label"], shuffle=False)
    image_transforms = [
        vision.Resize((32, 32)),
        vision.Rescale(1.0 / 255.0, 0.0),
        vision.Normalize(mean=(0.3,), std=(0.35,), is_hwc=True),
        vision.HWC2CHW(),
    ]
    dataset = dataset.map(image_transforms, input_columns="image")
    dataset = dataset.map(transforms.TypeCast(ms.int32), input_columns="label")
    if training:
        dataset = dataset.shuffle(buffer_size=256)
    return dataset.batch(batch_size, drop_remainder=training)


class LeNet5(nn.Cell):
    """Two convolutions, three dense layers."""

    def __init__(self, num_class=10, num_channel=1):
        super().__init__()
        self.conv1 = nn.Conv2d(num_channel, 6, 5, pad_mode="valid")
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.relu = nn.ReLU()
        self.max_pool2d = nn.MaxPool2d(kernel_size=2, stride=2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Dense(16 * 5 * 5, 120, weight_init=Normal(0.02))
        self.fc2 = nn.Dense(120, 84, weight_init=Normal(0.02))
        self.fc3 = nn.Dense(84, num_class, weight_init=Normal(0.02))

    def construct(self, x):
        x = self.max_pool2d(self.relu(self.conv1(x)))
        x = self.max_pool2d(self.relu(self.conv2(x)))
        x = self.flatten(x)
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        return self.fc3(x)


def set_weights(net, seed):
    """Weights that do not depend on a framework's random numbers."""
    random = np.random.RandomState(seed)
    for parameter in net.get_parameters():
        fan_in = np.prod(parameter.shape[1:]) if parameter.ndim > 1 else 25
        values = random.uniform(-1, 1, parameter.shape) / np.sqrt(fan_in)
        parameter.set_data(Tensor(values, parameter.dtype))


net = LeNet5()
print(net)
set_weights(net, seed=3)
train_dataset, test_dataset = create_dataset(0, 1408), create_dataset(1408, 1797, training=False)
print("steps per epoch:", train_dataset.get_dataset_size(), "columns:", train_dataset.get_col_names())
print("shapes:", train_dataset.output_shapes(), "types:", train_dataset.output_types())

loss_fn = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
optimizer = nn.Momentum(net.trainable_params(), learning_rate=0.02, momentum=0.9)
model = Model(net, loss_fn, optimizer, metrics={"Accuracy": Accuracy(), "loss": nn.Loss()})

with tempfile.TemporaryDirectory() as folder:
    config = CheckpointConfig(save_checkpoint_steps=44, keep_checkpoint_max=2)
    checkpoint = ModelCheckpoint(prefix="lenet", directory=folder, config=config)
    callbacks = [checkpoint, LossMonitor(4), TimeMonitor()]
    model.train(2, train_dataset, callbacks=callbacks, dataset_sink_mode=False)
    print(sorted(name for name in os.listdir(folder) if name.endswith(".ckpt")))
    print("evaluation:", model.eval(test_dataset, dataset_sink_mode=False))

    again = LeNet5()
    not_loaded, _ = ms.load_param_into_net(again, ms.load_checkpoint(os.path.join(folder, "lenet-2_44.ckpt")))
    print("not loaded:", not_loaded)

model = Model(again)
for batch in test_dataset.create_dict_iterator():
    logits = model.predict(batch["image"])
    predicted = np.argmax(logits.asnumpy(), axis=1)
    print(f'Predicted: "{predicted[:10]}", Actual: "{batch["label"].asnumpy()[:10]}"')
    break
