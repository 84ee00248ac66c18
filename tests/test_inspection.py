"""Looking into a compilation from Python."""
import re

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.errors import GraphcoreError
from graphcore.ir.parser import parse_graph


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(4, 3)

    def construct(self, x):
        return ops.relu(self.fc(x))


X = Tensor(np.ones((2, 4), np.float32))


@pytest.fixture(scope="module")
def found():
    return Net().compile(X)


def test_stages(found):
    assert found.stages == ["capture", "canonical"]
    assert parse_graph(found.ir("capture")) == found.graph("capture") and "matmul(%x, fc.weight)" in found.ir()
    with pytest.raises(ValueError, match="there is no stage 'fina'; did you mean 'final'?"):
        found.ir("fina")


def test_passes_kernels_memory(found):
    [changed] = [p for p in found.passes if p.changed]
    assert changed.title == "01_canonical" and changed.rules["absorb_transposes"] == 1
    kernel = next(k for k in found.kernels if "relu" in k.operators)
    assert "maximum" in kernel.source.source and [entry.number for entry in found.launches][0] == 1
    assert found.memory.peak <= found.memory.arena
    assert [(p.name, p.requires_grad) for p in found.parameters] == [("fc.weight", True), ("fc.bias", True)]
    assert found.to_json(times=False)["name"] == "Net"


def test_explain(found):
    text = str(found.explain("%4"))
    assert "relu" in text and "return ops.relu(self.fc(x))" in text and "runs on the tiles of matmul" in text
    assert "fc.weight: f32[3,4]" in str(found.explain("fc.weight"))
    with pytest.raises(ValueError, match="has no value %9"):
        found.explain("%9")


def test_in_a_notebook(found):
    page = found._repr_html_()
    assert page.count("<details>") == page.count("</details>") == len(found.stages) + len(found.kernels)
    assert "-&gt; f32[2,3]" in page and not re.search(r"<(?!/?(p|b|table|tr|td|th|details|summary|pre)\b)", page)
    assert "<pre>" in found.explain("%4")._repr_html_() and repr(found).startswith("<compilation of Net: ")


def test_of_functions_that_ran():
    @gc.jit
    def double(x):
        return x * 2

    with pytest.raises(GraphcoreError, match="call it once"):
        gc.inspection(double)
    double(X)
    assert "mul(%x, 2.0:f32)" in gc.inspection(double).ir("capture")


def test_nothing_in_pynative_mode():
    gc.set_context(mode=gc.PYNATIVE_MODE)
    assert Net().compile(X) is None
