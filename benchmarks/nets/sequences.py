"""Networks over sequences."""
from __future__ import annotations

import math

import numpy as np

from benchmarks.weights import GPT, LSTM_HIDDEN, LSTM_INPUTS
from graphcore import Tensor, nn, ops


class TransformerBlock(nn.Cell):
    """Pre-LN: causal self-attention, then two dense layers with gelu between them, each added to its input."""

    def __init__(self):
        super().__init__()
        width = GPT.width
        self.ln1, self.ln2 = nn.LayerNorm((width,), epsilon=1e-5), nn.LayerNorm((width,), epsilon=1e-5)
        self.qkv, self.proj = nn.Dense(width, 3 * width), nn.Dense(width, width)
        self.fc, self.out = nn.Dense(width, 4 * width), nn.Dense(4 * width, width)
        self.width, self.heads, self.scale = width, GPT.heads, 1 / math.sqrt(width // GPT.heads)
        self.future = Tensor(np.triu(np.ones((GPT.length, GPT.length), bool), 1))

    def construct(self, x):
        x = x + self.attention(self.ln1(x))
        return x + self.out(ops.gelu(self.fc(self.ln2(x)), approximate="tanh"))

    def attention(self, x):
        q, k, v = ops.split(self.qkv(x), self.width, -1)
        q, k, v = self.by_head(q), self.by_head(k), self.by_head(v)
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * self.scale
        shares = ops.softmax(ops.masked_fill(scores, self.future, float("-inf")), -1)
        mixed = ops.transpose(ops.matmul(shares, v), (0, 2, 1, 3))
        return self.proj(ops.reshape(mixed, x.shape))

    def by_head(self, x):
        """(batch, heads, length, width of a head)."""
        batch, length, width = x.shape
        return ops.transpose(ops.reshape(x, (batch, length, self.heads, width // self.heads)), (0, 2, 1, 3))


class Gpt(nn.Cell):
    """A small GPT: tokens (N, T) to logits (N, T, vocabulary)."""

    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(GPT.vocabulary, GPT.width), nn.Embedding(GPT.length, GPT.width)
        self.h = nn.SequentialCell([TransformerBlock() for _ in range(GPT.layers)])
        self.lnf = nn.LayerNorm((GPT.width,), epsilon=1e-5)
        self.head = nn.Dense(GPT.width, GPT.vocabulary, has_bias=False)
        self.positions = Tensor(np.arange(GPT.length, dtype=np.int32))

    def construct(self, tokens):
        x = self.wte(tokens) + self.wpe(self.positions)
        return self.head(self.lnf(self.h(x)))


class Lstm(nn.Cell):
    """An LSTM, and a dense layer on its last state."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(LSTM_INPUTS, LSTM_HIDDEN, batch_first=True)
        self.fc = nn.Dense(LSTM_HIDDEN, 10)

    def construct(self, x):
        _, (h, _) = self.lstm(x)
        return self.fc(h[0])


class LossOfEachToken(nn.Cell):
    """The mean cross-entropy of logits (N, T, vocabulary) and tokens (N, T)."""

    def __init__(self):
        super().__init__()
        self.loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")

    def construct(self, logits, tokens):
        return self.loss(ops.reshape(logits, (-1, logits.shape[-1])), ops.reshape(tokens, (-1,)))
