"""A small GPT over characters: causal attention, warm-up and cosine decay, clipped gradients, and text from it."""
import math

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore import Parameter, Tensor
from mindspore.nn.learning_rate_schedule import LearningRateSchedule

ms.set_context(mode=ms.GRAPH_MODE)

TEXT = """when the rain comes down on the roof of the barn, the hens come in from the yard and the cat sits by the door.
when the sun comes up on the hill by the farm, the cows go out to the field and the dog runs down the road.
when the wind blows cold from the sea in the north, the men bring wood to the house and the fire burns all night.
""" * 4
CHARACTERS = sorted(set(TEXT))
INDEX = {character: i for i, character in enumerate(CHARACTERS)}
DATA = np.array([INDEX[character] for character in TEXT], np.int32)
CONTEXT, WIDTH, HEADS, LAYERS, BATCH, STEPS = 32, 48, 4, 2, 12, 80


class CausalSelfAttention(nn.Cell):
    """Every position looks at itself and those before it."""

    def __init__(self, width, heads, context):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.c_attn = nn.Dense(width, 3 * width)
        self.c_proj = nn.Dense(width, width)
        self.mask = Tensor(np.triu(np.ones((context, context)), 1), ms.bool_)

    def construct(self, x):
        batch, length, width = x.shape
        q, k, v = ops.split(self.c_attn(x), width, axis=2)
        q = q.view(batch, length, self.heads, self.size).swapaxes(1, 2)
        k = k.view(batch, length, self.heads, self.size).transpose(0, 2, 3, 1)
        v = v.view(batch, length, self.heads, self.size).swapaxes(1, 2)
        scores = ops.matmul(q, k) / math.sqrt(self.size)
        scores = scores.masked_fill(self.mask[:length, :length], -1e9)
        weights = ops.softmax(scores, axis=-1)
        out = ops.matmul(weights, v).transpose(0, 2, 1, 3).reshape(batch, length, width)
        return self.c_proj(out)


class Block(nn.Cell):
    def __init__(self, width, heads, context):
        super().__init__()
        self.ln_1 = nn.LayerNorm((width,), epsilon=1e-5)
        self.attn = CausalSelfAttention(width, heads, context)
        self.ln_2 = nn.LayerNorm((width,), epsilon=1e-5)
        self.mlp = nn.SequentialCell(nn.Dense(width, 4 * width), nn.GELU(approximate=True), nn.Dense(4 * width, width))

    def construct(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Cell):
    def __init__(self, characters, width, heads, layers, context):
        super().__init__()
        self.wte = nn.Embedding(characters, width)
        self.wpe = Parameter(ops.zeros((context, width), ms.float32), name="wpe")
        self.blocks = nn.CellList([Block(width, heads, context) for _ in range(layers)])
        self.ln_f = nn.LayerNorm((width,), epsilon=1e-5)
        self.lm_head = nn.Dense(width, characters, has_bias=False)

    def construct(self, tokens):
        length = tokens.shape[1]
        x = self.wte(tokens) + self.wpe[:length]
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class Loss(nn.Cell):
    """Cross entropy of the next character."""

    def __init__(self, net):
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, tokens):
        logits = self.net(tokens[:, :-1])
        return ops.cross_entropy(logits.reshape(-1, logits.shape[-1]), tokens[:, 1:].reshape(-1))


class WarmUpCosine(LearningRateSchedule):
    """Rises for `warmup` steps, then falls as half a cosine."""

    def __init__(self, peak, warmup, steps):
        super().__init__()
        self.warmup = nn.WarmUpLR(peak, warmup)
        self.decay = nn.CosineDecayLR(peak * 0.1, peak, steps)
        self.warmup_steps = warmup

    def construct(self, global_step):
        if global_step < self.warmup_steps:
            return self.warmup(global_step)
        return self.decay(global_step)


net = GPT(len(CHARACTERS), WIDTH, HEADS, LAYERS, CONTEXT)
random = np.random.RandomState(6)
for name, parameter in net.parameters_and_names():
    if parameter.ndim == 2:
        parameter.set_data(Tensor(random.normal(0, 0.08, parameter.shape), ms.float32))
    elif name.endswith("bias"):
        parameter.set_data(Tensor(np.zeros(parameter.shape), ms.float32))
print("characters:", len(CHARACTERS), "parameters:", sum(p.size for p in net.get_parameters()))

schedule = WarmUpCosine(3e-3, 8, STEPS)
print("rates:", [round(float(schedule(Tensor(step, ms.int32))), 6) for step in (1, 4, 8, 40, 79)])
decayed = [p for p in net.trainable_params() if p.ndim == 2]
others = [p for p in net.trainable_params() if p.ndim != 2]
optimizer = nn.AdamWeightDecay([{"params": decayed, "weight_decay": 0.01}, {"params": others}],
                               learning_rate=schedule, beta1=0.9, beta2=0.95)
loss_net = Loss(net)
grad_fn = ms.value_and_grad(loss_net, None, optimizer.parameters)


@ms.jit
def train_step(tokens):
    loss, grads = grad_fn(tokens)
    grads = ops.clip_by_global_norm(grads, 1.0)
    optimizer(grads)
    return loss


net.set_train()
for step in range(STEPS):
    starts = random.randint(0, len(DATA) - CONTEXT - 1, BATCH)
    tokens = Tensor(np.stack([DATA[s:s + CONTEXT + 1] for s in starts]))
    loss = train_step(tokens)
    if step % 8 == 0 or step == STEPS - 1:
        print(f"step {step:3d}: loss {float(loss):.5f}")

net.set_train(False)
held_out = Tensor(DATA[None, :CONTEXT + 1])
print("perplexity:", math.exp(float(loss_net(held_out))))


def generate(prompt, number):
    """The likeliest character, again and again."""
    tokens = [INDEX[character] for character in prompt]
    for _ in range(number):
        window = tokens[-CONTEXT:]
        filled = np.zeros((1, CONTEXT), np.int32)
        filled[0, :len(window)] = window
        logits = net(Tensor(filled))[0, len(window) - 1]
        tokens.append(int(logits.argmax()))
    return "".join(CHARACTERS[token] for token in tokens)


print(generate("when the ", 24))
values, places = ops.topk(ops.softmax(net(held_out[:, :-1])[0, -1], axis=-1), 3)
likely = [(CHARACTERS[int(place)], round(float(value), 4)) for value, place in zip(values, places)]
print("next after", repr(TEXT[:CONTEXT][-5:]), likely)
