"""Compiled models touch nothing but their arrays: guard pages, canaries, valgrind; `tests/aot/show.py` has a table."""
from __future__ import annotations

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor
from graphcore.ir.types import parse_type
from graphcore.train.exporting import exported_graph
from tests.aot import show
from tests.aot.c_programs import has
from tests.aot.guarded import Guarded, deviation, valgrind_works
from tests.aot.nets import leaves, made
from tests.aot.test_sizes import Decoder

pytestmark = pytest.mark.skipif(not has("gcc"), reason="gcc is not installed")

PAGES = [(mode, level) for level in show.host_levels() for mode in ("end", "begin")]
WATCHED = PAGES + [pytest.param("valgrind", level, marks=pytest.mark.skipif(
    not valgrind_works(), reason="valgrind is not installed, or not its headers")) for level in (2, 3)
    if level in show.host_levels()]


def watched(name: str, folder, kind=Guarded) -> tuple:
    net, inputs = made(name)
    exported = exported_graph(net, inputs)
    values = {n: v.array for n, v in exported.values.items()}
    arrays = [x.asnumpy() for x in inputs]
    return kind(exported.graph, values, arrays, folder), [y.asnumpy() for y in leaves(net(*inputs))]


@pytest.mark.parametrize("mode, level", WATCHED)
def test_a_small_net_touches_nothing_else(tmp_path, mode, level):
    model, wanted = watched("lenet", tmp_path)
    assert deviation(model.run(mode, level, threads=2), wanted) < 1e-6


@pytest.mark.parametrize("mode", ["end", "begin"])
@pytest.mark.parametrize("sizes", [{"B": 2, "T": 7}, {"B": 1, "T": 33}], ids=str)
def test_attention_of_any_length_touches_nothing_else(tmp_path, mode, sizes):
    gc.set_seed(1)
    net = Decoder().set_train(False)
    exported = exported_graph(net, [parse_type("i32[B,T]")])
    given = np.random.RandomState(0).randint(0, 9, (sizes["B"], sizes["T"])).astype(np.int32)
    values = {n: v.array for n, v in exported.values.items()}
    model = Guarded(exported.graph, values, [given], tmp_path, sizes)
    assert deviation(model.run(mode, show.host_levels()[-1], threads=2), [net(Tensor(given)).asnumpy()]) < 1e-6


class BlocksEndEarlier(Guarded):
    def _gaps(self, level, weights):
        return [(word, max(size - 4, 0), first) for word, size, first in super()._gaps(level, weights)]


class WeightsEndEarlier(Guarded):
    def _weights(self, file, at_end):
        weights, guards = super()._weights(file, at_end)
        return weights, [page - 1 for page in guards[1:]]


class OutputsEndEarlier(Guarded):
    def _built(self, folder, mode, level):
        super()._built(folder, mode, level)
        case = folder / "case.h"
        case.write_text(case.read_text().replace(", 120 };", ", 116 };"))
        return self._program(folder, mode)


@pytest.mark.parametrize("mode, kind", [
    ("end", BlocksEndEarlier), ("end", WeightsEndEarlier), ("end", OutputsEndEarlier), ("valgrind", BlocksEndEarlier),
    ("valgrind", OutputsEndEarlier)])
def test_what_is_touched_is_seen(tmp_path, mode, kind):
    """The watch works: with an array taken for shorter than it is, the same run fails."""
    if mode == "valgrind" and not valgrind_works():
        pytest.skip("valgrind is not installed, or not its headers")
    model, _ = watched("lenet", tmp_path, kind)
    with pytest.raises(AssertionError, match="ended with"):
        model.run(mode, 2, runs=1)


@pytest.mark.slow
@pytest.mark.parametrize("mode, level", WATCHED)
@pytest.mark.parametrize("name", ["resnet18_224", "gpt"])
def test_large_nets_touch_nothing_else(tmp_path, name, mode, level):
    model, wanted = show.watched(name, tmp_path)
    assert deviation(model.run(mode, level, threads=2, runs=1), wanted) < show.BOUND
