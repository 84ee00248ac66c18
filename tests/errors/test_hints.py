"""Names of other frameworks, and misspelt ones, are answered with what to write here."""
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.hints import PYTORCH

OWNERS = {"Tensor": Tensor([1.0]), "Cell": nn.Dense(2, 3), "graphcore.nn": nn, "graphcore": gc}


@pytest.mark.parametrize("kind", PYTORCH)
def test_pytorchs_names(kind):
    for name, answer in PYTORCH[kind].items():
        with pytest.raises(AttributeError) as caught:
            getattr(OWNERS[kind], name)
        assert str(caught.value).endswith("; " + answer), name
        assert not hasattr(OWNERS[kind], name)


@pytest.mark.parametrize("owner, name, end", [
    (nn, "Conv2D", "'Conv2D'; did you mean 'Conv2d'?"), (ops, "relu7", "'relu7'; did you mean 'relu'?"),
    (gc, "Modell", "'Modell'; did you mean 'Model'?"), (gc, "matmul", "'matmul'; write ops.matmul"),
    (Tensor([1.0]), "reshap", "'reshap'; did you mean 'reshape'?"), (nn, "_hidden", "'_hidden'"),
    (Tensor([1.0]), "qqqqqq", "'Tensor' object has no attribute 'qqqqqq'"),
])
def test_the_nearest_name(owner, name, end):
    with pytest.raises(AttributeError) as caught:
        getattr(owner, name)
    assert str(caught.value).endswith(end)


def test_adam_names_its_arguments():
    with pytest.raises(KeyError, match="lr; it takes params, learning_rate, beta1"):
        nn.Adam(nn.Dense(2, 3).trainable_params(), lr=0.1)
