"""Sentiment of sentences: words as numbers, padding, embedding, a bidirectional LSTM, training with loss scaling."""
import mindspore as ms
import mindspore.dataset as ds
import mindspore.dataset.transforms as transforms
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore import Tensor

ms.set_context(mode=ms.GRAPH_MODE)
ds.config.set_seed(11)

GOOD = "wonderful brilliant touching funny superb charming".split()
BAD = "dull awful boring clumsy tedious painful".split()
NEUTRAL = "the film a story its cast was with scenes and music ending very plot".split()
NOT = "not"


def sentences(number, seed):
    """Sentences of 5 to 14 words, and 1 where more words praise than blame; "not" turns the next word round."""
    random = np.random.RandomState(seed)
    while number:
        words, score = [], 0
        for _ in range(random.randint(5, 13)):
            kind = random.randint(0, 4)
            if kind >= 2:
                words.append(NEUTRAL[random.randint(len(NEUTRAL))])
                continue
            turned = random.rand() < 0.2
            words += [NOT] * turned + [(GOOD, BAD)[kind][random.randint(6)]]
            score += (1 if kind == 0 else -1) * (-1 if turned else 1)
        if score:
            number -= 1
            yield " ".join(words), float(score > 0)


class Sentences:
    def __init__(self, number, seed):
        self.rows = list(sentences(number, seed))

    def __getitem__(self, index):
        sentence, label = self.rows[index]
        return np.array(sentence), np.array([label], np.float32)

    def __len__(self):
        return len(self.rows)


LENGTH = 16
VOCAB = {word: i for i, word in enumerate(["<pad>", "<unk>", *GOOD, *BAD, *NEUTRAL, NOT])}
print("words:", len(VOCAB))


def tokenize(sentence):
    return np.array([VOCAB.get(word, 1) for word in str(sentence).split()], np.int64)


def create_dataset(number, seed, batch_size=32):
    dataset = ds.GeneratorDataset(Sentences(number, seed), ["sentence", "label"], shuffle=False)
    steps = [
        tokenize,
        transforms.PadEnd([LENGTH], pad_value=VOCAB["<pad>"]),
        transforms.TypeCast(ms.int32),
    ]
    dataset = dataset.map(operations=steps, input_columns=["sentence"])
    return dataset.batch(batch_size, drop_remainder=True)


class Sentiment(nn.Cell):
    """Embedding, two layers of LSTM in both directions, the last states, one number."""

    def __init__(self, words, size, hidden):
        super().__init__()
        self.embedding = nn.Embedding(words, size, padding_idx=0)
        self.rnn = nn.LSTM(size, hidden, num_layers=2, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(p=0.0)
        self.fc = nn.Dense(hidden * 2, 1)

    def construct(self, tokens):
        embedded = self.dropout(self.embedding(tokens))
        _, (hidden, _) = self.rnn(embedded)
        hidden = self.dropout(ops.concat((hidden[-2, :, :], hidden[-1, :, :]), axis=1))
        return self.fc(hidden)


net = Sentiment(len(VOCAB), 16, 24)
random = np.random.RandomState(4)
for parameter in net.trainable_params():
    limit = 0.5 if "embedding" in parameter.name else 1 / np.sqrt(24)
    parameter.set_data(Tensor(random.uniform(-limit, limit, parameter.shape), ms.float32))
    print(parameter.name, parameter.shape)

loss_fn = nn.BCEWithLogitsLoss(reduction="mean")
optimizer = nn.Adam(net.trainable_params(), learning_rate=0.01)
scaler = ms.amp.DynamicLossScaler(scale_value=2 ** 10, scale_factor=2, scale_window=25)


def forward_fn(data, label):
    logits = net(data)
    loss = loss_fn(logits, label)
    return scaler.scale(loss), logits


grad_fn = ms.value_and_grad(forward_fn, None, optimizer.parameters, has_aux=True)


@ms.jit
def train_step(data, label):
    (loss, _), grads = grad_fn(data, label)
    loss = scaler.unscale(loss)
    grads = scaler.unscale(grads)
    is_finite = ms.amp.all_finite(grads)
    scaler.adjust(is_finite)
    if is_finite:
        optimizer(ops.clip_by_global_norm(grads, 1.0))
    return loss


train_dataset, test_dataset = create_dataset(640, seed=1), create_dataset(160, seed=2)
train_dataset = train_dataset.shuffle(4)


def evaluate():
    net.set_train(False)
    metric, losses = nn.Accuracy("classification"), []
    for data, label in test_dataset.create_tuple_iterator():
        logits = net(data)
        losses.append(float(loss_fn(logits, label)))
        probability = ops.sigmoid(logits).asnumpy()
        both = np.concatenate([1 - probability, probability], axis=1)
        metric.update(both, label.asnumpy().reshape(-1).astype(np.int32))
    return np.mean(losses), metric.eval()


for epoch in range(4):
    net.set_train(True)
    total = 0.0
    for step, (data, label) in enumerate(train_dataset.create_tuple_iterator()):
        loss = train_step(data, label)
        total += float(loss.asnumpy())
        if step % 5 == 0:
            print(f"epoch {epoch + 1} step {step + 1:2d}: loss {loss.asnumpy():.5f}")
    loss, accuracy = evaluate()
    print(f"epoch {epoch + 1}: train loss {total / (step + 1):.5f}, test loss {loss:.5f}, accuracy {accuracy:.4f}")
print("scale:", float(scaler.scale_value))


def predict(sentence):
    tokens = np.zeros(LENGTH, np.int32)
    words = tokenize(sentence)
    tokens[:len(words)] = words
    score = ops.sigmoid(net(Tensor(tokens).expand_dims(0)))
    return "Positive" if score[0, 0] > 0.5 else "Negative"


for sentence in ("the film was wonderful", "a dull story with awful music", "the plot was not boring and very funny"):
    print(f"{sentence}: {predict(sentence)}")
