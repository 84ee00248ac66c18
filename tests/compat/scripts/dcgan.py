"""A small DCGAN on digits: two nets with two optimisers, transposed convolutions, BatchNorm, and frozen halves."""
import os

import mindspore as ms
import mindspore.dataset as ds
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore import Tensor

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "data", "digits.npz")
BATCH, NOISE, FEATURES = 32, 16, 8

ms.set_context(mode=ms.GRAPH_MODE)


def create_dataset():
    images = np.load(DATA)["images"][:640].astype(np.float32)
    dataset = ds.NumpySlicesDataset(images, column_names=["image"], shuffle=False)

    def transform(image):
        return ((image / 8.0 - 1.0)[None].astype(np.float32),)

    dataset = dataset.map(transform, input_columns=["image"], output_columns=["image"])
    return dataset.batch(BATCH, drop_remainder=True)


class Generator(nn.Cell):
    """Noise f32[N, NOISE, 1, 1] to images f32[N, 1, 8, 8] in -1..1."""

    def __init__(self):
        super().__init__()
        self.generator = nn.SequentialCell(
            nn.Conv2dTranspose(NOISE, FEATURES * 4, 2, 1, "valid"),
            nn.BatchNorm2d(FEATURES * 4),
            nn.ReLU(),
            nn.Conv2dTranspose(FEATURES * 4, FEATURES * 2, 4, 2, "pad", 1),
            nn.BatchNorm2d(FEATURES * 2),
            nn.ReLU(),
            nn.Conv2dTranspose(FEATURES * 2, 1, 4, 2, "pad", 1, has_bias=True),
            nn.Tanh(),
        )

    def construct(self, noise):
        return self.generator(noise)


class Discriminator(nn.Cell):
    """Images to the probability that they are real, f32[N]."""

    def __init__(self):
        super().__init__()
        self.discriminator = nn.SequentialCell(
            nn.Conv2d(1, FEATURES, 4, 2, "pad", 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(FEATURES, FEATURES * 2, 4, 2, "pad", 1),
            nn.BatchNorm2d(FEATURES * 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(FEATURES * 2, 1, 2, 1, "valid"),
        )
        self.adv_layer = nn.Sigmoid()

    def construct(self, image):
        out = self.discriminator(image)
        return self.adv_layer(out.reshape(out.shape[0], -1))


random = np.random.RandomState(8)


def set_weights(net):
    for _, cell in net.cells_and_names():
        if isinstance(cell, (nn.Conv2d, nn.Conv2dTranspose)):
            cell.weight.set_data(Tensor(random.normal(0, 0.1, cell.weight.shape), ms.float32))
            if cell.has_bias:
                cell.bias.set_data(Tensor(random.normal(0, 0.1, cell.bias.shape), ms.float32))
        elif isinstance(cell, nn.BatchNorm2d):
            cell.gamma.set_data(Tensor(random.normal(1, 0.02, cell.gamma.shape), ms.float32))


generator, discriminator = Generator(), Discriminator()
set_weights(generator)
set_weights(discriminator)
generator.update_parameters_name("generator.")
discriminator.update_parameters_name("discriminator.")
adversarial_loss = nn.BCELoss(reduction="mean")
optimizer_d = nn.Adam(discriminator.trainable_params(), learning_rate=1e-3, beta1=0.5, beta2=0.999)
optimizer_g = nn.Adam(generator.trainable_params(), learning_rate=1e-3, beta1=0.5, beta2=0.999)
print([p.name for p in optimizer_g.parameters])
optimizer_g.update_parameters_name("optim_g.")
optimizer_d.update_parameters_name("optim_d.")


def generator_forward(noise, valid):
    generated = generator(noise)
    loss = adversarial_loss(discriminator(generated), valid)
    return loss, generated


def discriminator_forward(real, generated, valid, fake):
    real_loss = adversarial_loss(discriminator(real), valid)
    fake_loss = adversarial_loss(discriminator(generated), fake)
    return (real_loss + fake_loss) / 2


grad_generator = ms.value_and_grad(generator_forward, None, optimizer_g.parameters, has_aux=True)
grad_discriminator = ms.value_and_grad(discriminator_forward, None, optimizer_d.parameters)


@ms.jit
def train_step(images, noise):
    valid = ops.ones((images.shape[0], 1), ms.float32)
    fake = ops.zeros((images.shape[0], 1), ms.float32)
    (loss_g, generated), grads_g = grad_generator(noise, valid)
    optimizer_g(grads_g)
    loss_d, grads_d = grad_discriminator(images, ops.stop_gradient(generated), valid, fake)
    optimizer_d(grads_d)
    return loss_g, loss_d, generated


dataset = create_dataset()
size = dataset.get_dataset_size()
fixed_noise = Tensor(random.randn(4, NOISE, 1, 1), ms.float32)
generator.set_train()
discriminator.set_train()
losses_g, losses_d = [], []
for epoch in range(3):
    for i, (images,) in enumerate(dataset.create_tuple_iterator()):
        noise = Tensor(random.randn(BATCH, NOISE, 1, 1), ms.float32)
        loss_g, loss_d, generated = train_step(images, noise)
        if i % 5 == 0 or i == size - 1:
            losses = f"Loss_D:{loss_d.asnumpy():7.5f}  Loss_G:{loss_g.asnumpy():7.5f}"
            print(f"[{epoch + 1:2d}/3][{i + 1:2d}/{size}]   {losses}")
        losses_g.append(loss_g.asnumpy())
        losses_d.append(loss_d.asnumpy())
    generator.set_train(False)
    samples = generator(fixed_noise)
    generator.set_train(True)
    print("samples:", samples.shape, f"mean {samples.mean().asnumpy():.4f} std {samples.std().asnumpy():.4f}")
print(f"means: {np.mean(losses_g):.5f} {np.mean(losses_d):.5f}")
print("moving mean:", generator.generator[1].moving_mean[:4])
