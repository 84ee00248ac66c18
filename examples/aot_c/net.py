"""A net that recognises digits: trained a little, and compiled to a library for main.c.

    python net.py FOLDER

The folder gets digits.so, digits.h and manifest.json, and test.bin with images and labels that the net was not trained
on: a count (int32), then for each 64 pixels (float32, in 0..1) and a label (int32).
"""
import sys
from pathlib import Path

import numpy as np

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.ir.types import parse_type

DATA = Path(__file__).resolve().parent.parent / "data" / "digits.npz"
TRAINED_ON, BATCH, EPOCHS = 1437, 64, 8


class Net(nn.Cell):
    """LeNet's shape for images of 8x8 pixels; gives the probability of each digit."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, pad_mode="same")
        self.conv2 = nn.Conv2d(16, 32, 3, pad_mode="same")
        self.norm1, self.norm2 = nn.BatchNorm2d(16), nn.BatchNorm2d(32)
        self.pool, self.flatten = nn.MaxPool2d(2, 2), nn.Flatten()
        self.fc1, self.fc2 = nn.Dense(128, 64), nn.Dense(64, 10)

    def logits(self, x):
        x = self.pool(ops.relu(self.norm1(self.conv1(x))))
        x = self.pool(ops.relu(self.norm2(self.conv2(x))))
        return self.fc2(ops.relu(self.fc1(self.flatten(x))))

    def construct(self, x):
        return ops.softmax(self.logits(x))


def load_digits():
    """(images f32[1797,1,8,8] in 0..1, labels i32[1797]) in a random order."""
    with np.load(DATA) as data:
        images, labels = data["images"].astype(np.float32)[:, None] / 16, data["labels"].astype(np.int32)
    order = np.random.RandomState(0).permutation(len(images))
    return images[order], labels[order]


def train(net, images, labels):
    """Some epochs of Adam; prints the last loss."""
    optimizer = nn.Adam(net.trainable_params(), learning_rate=3e-3)

    def loss_of(x, y):
        return ops.cross_entropy(net.logits(x), y)

    step = gc.value_and_grad(loss_of, None, optimizer.parameters)
    net.set_train()
    for _ in range(EPOCHS):
        for at in range(0, len(images) - BATCH + 1, BATCH):
            loss, gradients = step(Tensor(images[at:at + BATCH]), Tensor(labels[at:at + BATCH]))
            optimizer(gradients)
    print(f"trained: loss {float(loss):.4f}")


def write_cases(path, images, labels):
    """The file that main.c reads."""
    with open(path, "wb") as file:
        file.write(np.int32(len(images)).tobytes())
        for image, label in zip(images, labels):
            file.write(image.tobytes() + label.tobytes())


def main(folder):
    gc.set_seed(1)
    images, labels = load_digits()
    net = Net()
    train(net, images[:TRAINED_ON], labels[:TRAINED_ON])
    # N stays open: the library takes any number of images up to the one that digits_create is told
    gc.export(net, parse_type("f32[N,1,8,8]"), file_name=folder, file_format="SO", name="digits")
    write_cases(Path(folder, "test.bin"), images[TRAINED_ON:], labels[TRAINED_ON:])


if __name__ == "__main__":
    main(sys.argv[1])
