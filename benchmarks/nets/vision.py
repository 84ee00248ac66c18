"""Convolutional networks."""
from __future__ import annotations

from benchmarks.weights import mobilenetv2_blocks, resnet18_blocks
from graphcore import nn, ops


class LeNet5(nn.Cell):
    """LeNet-5 with relu and max pooling, for images (N, 1, 32, 32)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid", has_bias=True)
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True)
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()
        self.fc1, self.fc2, self.fc3 = nn.Dense(400, 120), nn.Dense(120, 84), nn.Dense(84, 10)

    def construct(self, x):
        x = self.pool(ops.relu(self.conv1(x)))
        x = self.pool(ops.relu(self.conv2(x)))
        x = ops.relu(self.fc1(self.flatten(x)))
        return self.fc3(ops.relu(self.fc2(x)))


def conv3x3(inputs, outputs, stride):
    return nn.Conv2d(inputs, outputs, 3, stride, pad_mode="pad", padding=1)


class ResidualBlock(nn.Cell):
    """Two 3x3 convolutions with BatchNorm beside a shortcut, which is a 1x1 convolution where shapes differ."""

    def __init__(self, block):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(block.inputs, block.outputs, block.stride), nn.BatchNorm2d(block.outputs)
        self.conv2, self.bn2 = conv3x3(block.outputs, block.outputs, 1), nn.BatchNorm2d(block.outputs)
        self.projected = block.projected
        if block.projected:
            self.dconv = nn.Conv2d(block.inputs, block.outputs, 1, block.stride, pad_mode="valid")
            self.dbn = nn.BatchNorm2d(block.outputs)

    def construct(self, x):
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = self.dbn(self.dconv(x)) if self.projected else x
        return ops.relu(y + shortcut)


class ResNet18(nn.Cell):
    """ResNet-18: `large` for ImageNet's images (7x7 stem, pooling, 1000 classes), otherwise for CIFAR's."""

    def __init__(self, large):
        super().__init__()
        self.large = large
        if large:
            self.conv1 = nn.Conv2d(3, 64, 7, 2, pad_mode="pad", padding=3)
            self.pool = nn.MaxPool2d(3, 2, pad_mode="pad", padding=1)
        else:
            self.conv1 = conv3x3(3, 64, 1)
        self.bn1 = nn.BatchNorm2d(64)
        blocks = [ResidualBlock(block) for block in resnet18_blocks()]
        self.layer1, self.layer2 = nn.SequentialCell(blocks[0:2]), nn.SequentialCell(blocks[2:4])
        self.layer3, self.layer4 = nn.SequentialCell(blocks[4:6]), nn.SequentialCell(blocks[6:8])
        self.fc = nn.Dense(512, 1000 if large else 10)

    def construct(self, x):
        x = ops.relu(self.bn1(self.conv1(x)))
        if self.large:
            x = self.pool(x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(ops.mean(x, (2, 3)))


def pointwise(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 1, pad_mode="valid")


class InvertedResidual(nn.Cell):
    """MobileNetV2's block: more channels, a 3x3 convolution on each by itself, fewer channels."""

    def __init__(self, block):
        super().__init__()
        self.expands, self.residual = block.expands, block.residual
        if block.expands:
            self.econv, self.ebn = pointwise(block.inputs, block.hidden), nn.BatchNorm2d(block.hidden)
        self.dconv = nn.Conv2d(block.hidden, block.hidden, 3, block.stride, pad_mode="pad", padding=1,
                               group=block.hidden)
        self.dbn = nn.BatchNorm2d(block.hidden)
        self.pconv, self.pbn = pointwise(block.hidden, block.outputs), nn.BatchNorm2d(block.outputs)

    def construct(self, x):
        y = ops.relu6(self.ebn(self.econv(x))) if self.expands else x
        y = ops.relu6(self.dbn(self.dconv(y)))
        y = self.pbn(self.pconv(y))
        return x + y if self.residual else y


class MobileNetV2(nn.Cell):
    """MobileNetV2, width 1.0, for ImageNet's images."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(3, 32, 2), nn.BatchNorm2d(32)
        self.b = nn.SequentialCell([InvertedResidual(block) for block in mobilenetv2_blocks()])
        self.conv2, self.bn2 = pointwise(320, 1280), nn.BatchNorm2d(1280)
        self.fc = nn.Dense(1280, 1000)

    def construct(self, x):
        x = ops.relu6(self.bn1(self.conv1(x)))
        x = ops.relu6(self.bn2(self.conv2(self.b(x))))
        return self.fc(ops.mean(x, (2, 3)))
