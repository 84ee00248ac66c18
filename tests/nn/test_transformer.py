"""Attention and Transformer layers against what MindSpore 2.10 gave (``record_transformer.py``)."""
import copy
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.errors import DTypeError, ShapeError
from tests.nn.transformer_cases import (
    CASES,
    CAUSAL,
    CROSS,
    OTHER,
    PADDING,
    SEQUENCE,
    digest,
    filled,
    first,
    inputs_of,
    make,
    wave,
)

RECORDED = json.loads(Path(__file__).with_name("transformer_results.json").read_text())


@pytest.mark.parametrize("name", RECORDED["signatures"])
def test_signatures_are_those_of_mindspore(name):
    for method, recorded in (("__init__", "init"), ("construct", "construct")):
        parameters = inspect.signature(getattr(getattr(nn, name), method)).parameters
        found = {p.name: None if p.default is p.empty else str(p.default) for p in parameters.values()}
        assert {**found, "self": None} == {"self": None, **RECORDED["signatures"][name][recorded]}
        assert list(found)[1:] == list(RECORDED["signatures"][name][recorded])


class Case(nn.Cell):
    """The net of a case with its masks: called with its inputs, gives (a loss, its outputs)."""

    def __init__(self, case):
        super().__init__()
        self.net = filled(make(nn, case), Tensor)
        inputs, self.places, self.named = inputs_of(case, Tensor)
        self.count = len(inputs)

    def construct(self, *inputs):
        outputs = self.net(*[inputs[place] for place in self.places], **self.named)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return (outputs[0] * Tensor(wave(*outputs[0].shape, step=0.21))).sum(), outputs


class Cases(nn.Cell):
    """The sum of the losses of cases, and their outputs, as one program."""

    def __init__(self, names):
        super().__init__()
        self.cases = nn.CellList([Case(name) for name in names])

    def construct(self, *inputs):
        total, outputs, start = 0.0, (), 0
        for case in self.cases:
            loss, found = case(*inputs[start:start + case.count])
            total, outputs, start = total + loss, outputs + found, start + case.count
        return total, outputs


# compiling all of them would take long
COMPILED = ("other sizes", "bias of keys", "both masks", "decoder layer, norm first")


def test_outputs_and_gradients_as_in_mindspore(mode):
    names = CASES if mode == "eager" else COMPILED
    net = Cases(names).set_train(False)
    inputs = [x for case in names for x in inputs_of(case, Tensor)[0]]
    weights = net.trainable_params()
    step = gc.value_and_grad(net, tuple(range(len(inputs))), weights, has_aux=True)
    (_, outputs), (of_inputs, of_weights) = step(*inputs)
    outputs, of_inputs, of_weights = iter(outputs), iter(of_inputs), iter(of_weights)
    for case in names:
        recorded = RECORDED[case]
        for expected in recorded["outputs"]:
            np.testing.assert_allclose(next(outputs).asnumpy(), expected, rtol=2e-5, atol=2e-6, err_msg=case)
        for expected in recorded["input gradients"]:
            assert digest(next(of_inputs).asnumpy()) == pytest.approx(expected, rel=2e-5, abs=2e-5), case
        for (name, _), expected in zip(recorded["parameters"], recorded["gradients"]):
            assert digest(next(of_weights).asnumpy()) == pytest.approx(expected, rel=2e-5, abs=5e-5), (case, name)
    assert next(outputs, None) is next(of_inputs, None) is next(of_weights, None) is None


@pytest.mark.parametrize("case", CASES)
def test_parameters_are_those_of_mindspore(case):
    found = [[p.name, list(p.shape)] for p in make(nn, case).get_parameters()]
    assert found == RECORDED[case]["parameters"]


def test_first_values():
    net = nn.MultiheadAttention(64, 4, add_bias_kv=True)
    values = {p.name: p.asnumpy() for p in net.get_parameters()}
    assert 0.145 < np.abs(values["in_proj_weight"]).max() <= (6 / 256) ** 0.5
    assert not values["in_proj_bias"].any() and 0.1 < values["bias_k"].std() < 0.16
    assert 0.12 < np.abs(values["out_proj.weight"]).max() <= 0.125
    layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 6), 2).layers
    assert (layers[0].dense1.weight.asnumpy() == layers[1].dense1.weight.asnumpy()).all()
    whole = nn.Transformer(64, 4, 2, 1, 32)
    weights = [layer.dense1.weight.asnumpy() for layer in whole.encoder.layers]
    assert 0.24 < np.abs(weights[0]).max() <= 0.25 and (weights[0] != weights[1]).any()


def test_what_is_printed():
    assert repr(nn.MultiheadAttention(8, 2)) == (
        "MultiheadAttention(\n  (out_proj): Dense(input_channels=8, output_channels=8, has_bias=True)\n)")


@pytest.mark.parametrize("activation, function", [
    (nn.ReLU(), ops.relu), (ops.gelu, ops.gelu), (ops.tanh, ops.tanh), ("gelu", ops.gelu), (nn.GELU(), None)])
def test_activations(activation, function, eager):
    layer = filled(nn.TransformerEncoderLayer(8, 2, 6, activation=activation), Tensor).set_train(False)
    result = layer(Tensor(SEQUENCE))
    assert result.shape == SEQUENCE.shape
    if function is not None:
        layer.activation = function if not isinstance(activation, nn.Cell) else layer.activation
        np.testing.assert_allclose(layer._ff_block(Tensor(SEQUENCE), layer.dropout2).asnumpy(),
                                   layer.dense2(function(layer.dense1(Tensor(SEQUENCE)))).asnumpy(), rtol=1e-6)


def test_masks_of_both_kinds_together(eager):
    net = filled(nn.MultiheadAttention(8, 2), Tensor)
    query, key = Tensor(SEQUENCE), Tensor(OTHER)
    by_bool = net(query, key, key, Tensor(PADDING), True, Tensor(CROSS))
    by_float = net(query, key, key, Tensor(np.where(PADDING, -np.inf, 0).astype(np.float32)), True, Tensor(CROSS))
    by_bytes = net(query, key, key, Tensor(PADDING), True, Tensor(CROSS.astype(np.uint8)))
    for a, b, c in zip(by_bool, by_float, by_bytes):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), rtol=1e-5)
        np.testing.assert_allclose(a.asnumpy(), c.asnumpy(), rtol=1e-5)


def test_a_query_that_may_see_nothing(mode):
    # MindSpore: weights of -inf or NaN
    net = filled(nn.MultiheadAttention(8, 2), Tensor)
    mask = np.zeros((3, 4), bool)
    mask[1] = True

    def loss(query, key):
        output, weights = net(query, key, key, attn_mask=Tensor(mask))
        return output.sum(), output, weights

    step = gc.value_and_grad(loss, (0, 1), None, has_aux=True)
    (_, output, weights), gradients = step(Tensor(SEQUENCE), Tensor(OTHER))
    assert not weights.asnumpy()[:, 1].any()
    np.testing.assert_allclose(output.asnumpy()[1], np.broadcast_to(net.out_proj.bias.asnumpy(), (2, 8)), rtol=1e-6)
    assert all(np.isfinite(g.asnumpy()).all() for g in gradients)


def test_dropout_works_in_training_only(eager):
    gc.set_seed(3)
    net = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True)
    x = Tensor(first(SEQUENCE))
    still = net.set_train(False)(x).asnumpy()
    assert (net(x).asnumpy() == still).all()
    net.set_train(True)
    once, again = net(x).asnumpy(), net(x).asnumpy()
    assert (once != still).any() and (once != again).any()
    attention = nn.MultiheadAttention(8, 2, dropout=0.5).set_train(True)
    weights = attention(Tensor(SEQUENCE), Tensor(OTHER), Tensor(OTHER), average_attn_weights=False)[1].asnumpy()
    assert (weights == 0).any()


def test_copies_are_layers_of_their_own(eager):
    layer = nn.TransformerDecoderLayer(8, 2, 6)
    twin = copy.deepcopy(layer)
    twin.dense1.weight.set_data(ops.zeros((6, 8)))
    assert layer.dense1.weight.asnumpy().any()
    stack = nn.TransformerDecoder(layer, 2, nn.LayerNorm((8,)))
    assert len({id(p) for p in [*stack.get_parameters(), *layer.get_parameters()]}) == 2 * 18 + 2 + 18
    assert stack(Tensor(SEQUENCE), Tensor(OTHER), memory_key_padding_mask=Tensor(PADDING)).shape == SEQUENCE.shape


def test_custom_stacks(eager):
    class Double(nn.Cell):
        def construct(self, src, src_mask=None, src_key_padding_mask=None):
            return src * 2

    class Sum(nn.Cell):
        def construct(self, tgt, memory, **masks):
            return tgt + memory.sum()

    net = nn.Transformer(8, 2, custom_encoder=Double(), custom_decoder=Sum())
    np.testing.assert_allclose(net(Tensor(OTHER), Tensor(SEQUENCE)).asnumpy(), SEQUENCE + 2 * OTHER.sum(), rtol=1e-5)


def test_sizes_that_change_from_call_to_call(compiled):
    net = filled(nn.TransformerEncoderLayer(8, 2, 6), Tensor).set_train(False)
    whole = net(Tensor(OTHER)).asnumpy()
    net.set_inputs(Tensor(shape=[None, None, 8], dtype=gc.float32))
    np.testing.assert_allclose(net(Tensor(OTHER)).asnumpy(), whole, rtol=1e-5, atol=1e-6)
    assert net(Tensor(SEQUENCE[:, :1])).shape == (3, 1, 8)


def test_a_transformer_learns_to_copy(compiled):
    gc.set_seed(5)
    rng = np.random.default_rng(5)
    tokens = rng.integers(1, 6, (16, 4))

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(6, 16)
            self.places = gc.Parameter(rng.normal(size=(1, 4, 16)).astype(np.float32), name="places")
            self.transformer = nn.Transformer(16, 2, 1, 1, 32, dropout=0.0, batch_first=True)
            self.head = nn.Dense(16, 6)
            self.mask = Tensor(np.triu(np.ones((4, 4), bool), 1))

        def construct(self, source, target):
            source, target = (self.embedding(x) + self.places for x in (source, target))
            return self.head(self.transformer(source, target, tgt_mask=self.mask))

    class Loss(nn.Cell):
        def __init__(self, net):
            super().__init__(auto_prefix=False)
            self.net, self.loss = net, nn.CrossEntropyLoss()

        def construct(self, source, target):
            shifted = ops.cat((ops.zeros((16, 1), gc.int32), target[:, :-1]), 1)
            return self.loss(self.net(source, shifted).reshape((-1, 6)), target.reshape((-1,)))

    net = Net()
    step = nn.TrainOneStepCell(Loss(net), nn.Adam(net.trainable_params(), 0.01))
    step.set_train()
    data = Tensor(tokens, gc.int32)
    losses = [float(step(data, data)) for _ in range(60)]
    assert losses[0] > 1.2 and losses[-1] < 0.2
    assert gc.explain_recompile(step) == "TrainOneStepCell was compiled once"


@pytest.mark.parametrize("make_net, error, text", [
    (lambda: nn.MultiheadAttention(8, 3), ValueError, "divisible by num_heads"),
    (lambda: nn.MultiheadAttention(8.0, 2), TypeError, "embed_dim"),
    (lambda: nn.MultiheadAttention(8, 2, dropout=1.5), ValueError, "dropout"),
    (lambda: nn.MultiheadAttention(8, 2, kdim=0), ValueError, "kdim"),
    (lambda: nn.MultiheadAttention(8, 2, batch_first=1), TypeError, "batch_first"),
    (lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"), ValueError, "'relu', 'gelu'"),
    (lambda: nn.TransformerDecoderLayer(8, 2, activation=3), TypeError, "a Cell or a function"),
    (lambda: nn.TransformerEncoderLayer(8, 2, norm_first=None), TypeError, "norm_first"),
    (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 6), 0), ValueError, "num_layers"),
    (lambda: nn.TransformerEncoder(8, 2), TypeError, "must be a Cell"),
])
def test_bad_arguments(make_net, error, text):
    with pytest.raises(error, match=text):
        make_net()


@pytest.mark.parametrize("inputs, named, error, text", [
    ((SEQUENCE, OTHER, OTHER[0]), {}, ShapeError, "3 axes each"),
    ((SEQUENCE[None],) * 3, {}, ShapeError, "3 axes each"),
    ((SEQUENCE[..., :4], OTHER, OTHER), {}, ShapeError, "last axis of the query must be 8"),
    ((SEQUENCE, OTHER, SEQUENCE), {}, ShapeError, "a value for each key"),
    ((SEQUENCE[:, :1], OTHER, OTHER), {}, ShapeError, "one batch size"),
    ((SEQUENCE, OTHER, OTHER), dict(attn_mask=CAUSAL), ShapeError, r"\(3, 4\) or \(4, 3, 4\)"),
    ((SEQUENCE, OTHER, OTHER), dict(key_padding_mask=PADDING[0]), ShapeError, r"\(2, 4\)"),
    ((SEQUENCE, OTHER, OTHER), dict(key_padding_mask=PADDING.astype(np.int32)), DTypeError, "mask != 0"),
])
def test_inputs_that_do_not_fit(inputs, named, error, text, eager):
    with pytest.raises(error, match=text):
        nn.MultiheadAttention(8, 2)(*map(Tensor, inputs), **{k: Tensor(v) for k, v in named.items()})


def test_sequences_that_do_not_fit(eager):
    net = nn.Transformer(8, 2, 1, 1, 6)
    with pytest.raises(ShapeError, match="d_model = 8"):
        net(Tensor(OTHER), Tensor(SEQUENCE[..., :4]))
    with pytest.raises(ShapeError, match="one batch size"):
        net(Tensor(OTHER), Tensor(SEQUENCE[:, :1]))
