"""Train a small convolutional net on real handwritten digits, save it, load it again, and look at what was compiled.

    python examples/digits.py

The data (UCI 8x8 digits, 1,797 images) lies in examples/data; see the README there for its source and licence.
"""
import time
from pathlib import Path

import numpy as np

import graphcore as gc
from graphcore import nn, ops
from graphcore.dataset import NumpySlicesDataset
from graphcore.train import Callback, Model, ProgressBar

HERE = Path(__file__).parent
OUT = Path("out")
BATCH = 64
EPOCHS = 12


class Net(nn.Cell):
    """Two convolutions with BatchNorm, one pooling, two dense layers."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, pad_mode="same")
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, pad_mode="same")
        self.bn2 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Dense(64 * 4 * 4, 128)
        self.drop = nn.Dropout(p=0.3)
        self.fc2 = nn.Dense(128, 10)

    def construct(self, x):
        x = ops.relu(self.bn1(self.conv1(x)))
        x = self.pool(ops.relu(self.bn2(self.conv2(x))))
        x = ops.relu(self.fc1(self.flatten(x)))
        return self.fc2(self.drop(x))


class FirstStep(Callback):
    """Notes how long after its creation the first training step was done."""

    def __init__(self):
        self.started, self.seconds = time.perf_counter(), None

    def on_train_step_end(self, run_context):
        if self.seconds is None:
            self.seconds = time.perf_counter() - self.started


def load_digits():
    """((images, labels) for training, the same for testing); images f32[N,1,8,8] in 0..1, labels i32[N]."""
    with np.load(HERE / "data" / "digits.npz") as data:
        images = (data["images"].astype(np.float32) / 16)[:, None]
        labels = data["labels"].astype(np.int32)
    order = np.random.RandomState(0).permutation(len(images))
    images, labels = images[order], labels[order]
    return (images[:1437], labels[:1437]), (images[1437:], labels[1437:])


def dataset(images, labels, shuffle):
    data = NumpySlicesDataset((images, labels), column_names=["image", "label"], shuffle=shuffle)
    return data.batch(BATCH, drop_remainder=shuffle)


def make_model(net, steps_per_epoch):
    rate = nn.cosine_decay_lr(1e-5, 2e-3, EPOCHS * steps_per_epoch, steps_per_epoch, EPOCHS)
    optimizer = nn.Adam(net.trainable_params(), learning_rate=rate, weight_decay=1e-4)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return Model(net, loss, optimizer, metrics={"accuracy"})


def main():
    started = time.perf_counter()
    gc.set_seed(1)
    gc.set_context(mode=gc.GRAPH_MODE)
    (images, labels), (test_images, test_labels) = load_digits()
    train, test = dataset(images, labels, shuffle=True), dataset(test_images, test_labels, shuffle=False)

    net = Net()
    model = make_model(net, train.get_dataset_size())
    first = FirstStep()
    model.train(EPOCHS, train, callbacks=[first, ProgressBar()], dataset_sink_mode=False)
    print(f"first step after {first.seconds:.2f} s, trained in {time.perf_counter() - started:.1f} s")

    accuracy = model.eval(test, dataset_sink_mode=False)["accuracy"]
    print(f"test accuracy: {accuracy:.2%}")

    OUT.mkdir(exist_ok=True)
    gc.save_checkpoint(net, str(OUT / "digits.ckpt"))
    again = Net()
    gc.load_param_into_net(again, gc.load_checkpoint(str(OUT / "digits.ckpt")))
    loaded = Model(again, metrics={"accuracy"}, loss_fn=nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"))
    accuracy_again = loaded.eval(test, dataset_sink_mode=False)["accuracy"]
    print(f"test accuracy of the saved net: {accuracy_again:.2%}")
    assert accuracy_again == accuracy

    (OUT / "digits.gir").write_text(gc.ir_text(model.train_network))
    print(f"wrote {OUT / 'digits.gir'} (the compiled training step) and {OUT / 'digits.ckpt'}")


if __name__ == "__main__":
    main()
