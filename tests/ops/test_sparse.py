"""Sparse tensors: against the dense matrices that they stand for, with gradients, and in graphs."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import COOTensor, CSRTensor, Tensor, nn, ops

DENSE = np.array([[0, 2, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]], np.float32)


def csr(values=(2.0, 3.0, 4.0)):
    values = values if isinstance(values, Tensor) else Tensor(values)
    return CSRTensor(Tensor([0, 1, 1, 3], gc.int32), Tensor([1, 0, 3], gc.int32), values, (3, 4))


def test_conversions_there_and_back():
    for sparse in (csr(), csr().to_coo(), csr().to_coo().to_csr(), ops.dense_to_sparse_coo(Tensor(DENSE)),
                   ops.dense_to_sparse_csr(Tensor(DENSE))):
        assert sparse.to_dense().asnumpy().tolist() == DENSE.tolist()


def test_places_that_come_twice_are_added_up():
    x = COOTensor(Tensor([[1, 2], [0, 1], [1, 2]]), Tensor([1.0, 5.0, 2.0]), (2, 3))
    once = x.coalesce()
    assert once.indices.asnumpy().tolist() == [[0, 1], [1, 2]] and once.values.asnumpy().tolist() == [5, 3]
    assert x.to_dense().asnumpy().tolist() == once.to_dense().asnumpy().tolist() == [[0, 5, 0], [0, 0, 3]]
    assert x.to_csr().to_dense().asnumpy().tolist() == [[0, 5, 0], [0, 0, 3]]


def test_arithmetic():
    a, b = csr(), csr((1.0, 1.0, 1.0))
    assert (a + b).to_dense().asnumpy().tolist() == (DENSE + (DENSE != 0)).tolist()
    assert (a - a.to_coo().to_csr()).to_dense().asnumpy().tolist() == np.zeros((3, 4)).tolist()
    assert (-a * 2).to_dense().asnumpy().tolist() == (-2 * DENSE).tolist()
    row = np.arange(1, 5, dtype=np.float32)
    assert (a * Tensor(row)).to_dense().asnumpy().tolist() == (DENSE * row).tolist()
    assert (a.to_coo() / Tensor(row)).to_dense().asnumpy().tolist() == (DENSE / row).tolist()
    assert (a + Tensor(row)).asnumpy().tolist() == (DENSE + row).tolist()
    left_out = ops.coo_add(a.to_coo(), b.to_coo(), Tensor(3.5))
    assert left_out.values.asnumpy().tolist() == [4, 5]


def test_products_and_sums():
    right = np.random.RandomState(0).randn(4, 2).astype(np.float32)
    np.testing.assert_allclose(csr().mm(Tensor(right)).asnumpy(), DENSE @ right, rtol=1e-6)
    square = CSRTensor(Tensor([0, 1, 1, 2, 3], gc.int32), Tensor([1, 0, 3], gc.int32), Tensor([1.0, 2.0, 3.0]), (4, 4))
    np.testing.assert_allclose(csr().mm(square).to_dense().asnumpy(), DENSE @ square.to_dense().asnumpy())
    assert csr().sum(1).asnumpy().tolist() == [[2], [0], [7]]
    shares = ops.csr_softmax(csr(), gc.float32).values.asnumpy()
    np.testing.assert_allclose(shares, [1, 0.26894143, 0.7310586], rtol=1e-6)
    wide = COOTensor(Tensor([[0, 0]]), Tensor([9.0]), (3, 1))
    assert ops.coo_concat([csr().to_coo(), wide], 1).to_dense().asnumpy().tolist() == np.hstack(
        [DENSE, [[9], [0], [0]]]).tolist()


def test_gradients_reach_the_values_in_a_graph():
    class Net(nn.Cell):
        def construct(self, values, right):
            return ops.csr_softmax(csr(values), gc.float32).mm(right).sum()

    values, right = Tensor([2.0, 3.0, 4.0]), Tensor(np.random.RandomState(1).randn(4, 2).astype(np.float32))
    found = gc.grad(Net(), (0, 1))(values, right)
    step = 1e-2
    for k in range(3):
        moved = [Net()(Tensor(values.asnumpy() + s * np.eye(3, dtype=np.float32)[k]), right).asnumpy()
                 for s in (step, -step)]
        np.testing.assert_allclose(found[0].asnumpy()[k], (moved[0] - moved[1]) / (2 * step), atol=1e-3)
    np.testing.assert_allclose(found[1].asnumpy(), [[0.26894143] * 2, [1] * 2, [0] * 2, [0.7310586] * 2], rtol=1e-5)


@pytest.mark.parametrize("make, message", [
    (lambda: COOTensor(Tensor([[0, 1]]), Tensor([1.0, 2.0]), (2, 2)), "a row of 2 coordinates for each value"),
    (lambda: CSRTensor(Tensor([0, 1]), Tensor([0]), Tensor([1.0]), (2, 2)), "an entry more than there are rows"),
    (lambda: COOTensor(Tensor([[0.5, 1.0]]), Tensor([1.0]), (2, 2)), "must be integers"),
    (lambda: ops.coo_add(csr().to_coo(), COOTensor(Tensor([[0, 0]]), Tensor([1.0]), (1, 1)), 0), "of one shape"),
    (lambda: ops.csr_abs(Tensor([1.0])), "takes a CSRTensor"),
    (lambda: csr().mm(Tensor([[1.0]])), "do not fit"),
    (lambda: csr().sum(0), "to_dense"),
])
def test_refusals_say_the_way_out(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
