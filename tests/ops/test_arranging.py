"""Functions that arrange elements anew, and those that write Parameters: against NumPy, with gradients, in graphs."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops

RANDOM = np.random.RandomState(0)
X = RANDOM.randn(3, 4)
ROWS = RANDOM.randn(5, 2)
IDS = Tensor([0, 2, 0, -1, 2], gc.int32)


def values(t):
    return t.asnumpy()


def test_blocks_and_sets():
    found = values(ops.block_diag(Tensor(X), Tensor([1.0, 2.0]), Tensor(3.0)))
    expected = np.zeros((5, 7))
    expected[:3, :4], expected[3, 4:6], expected[4, 6] = X, [1, 2], 3
    assert found.tolist() == expected.astype(found.dtype).tolist()
    assert values(ops.cartesian_prod(Tensor([1, 2]), Tensor([3, 4, 5]))).tolist() == [[a, b] for a in (1, 2) for b in
                                                                                     (3, 4, 5)]
    assert values(ops.combinations(Tensor([1, 2, 3]), 2)).tolist() == [[1, 2], [1, 3], [2, 3]]
    assert ops.combinations(Tensor([1, 2]), 3).shape == (0, 3)


def test_diagonals_there_and_back():
    for k in (0, 2, -1, (-1, 1), (0, 2)):
        for align in ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"):
            part = ops.matrix_diag_part(Tensor(X), k, 0.0, align)
            kept = values(ops.matrix_diag(part, k, 3, 4, 0.0, align))
            low, high = (k, k) if isinstance(k, int) else k
            offset = np.arange(4) - np.arange(3)[:, None]
            inside = (offset >= low) & (offset <= high)
            assert kept.tolist() == np.where(inside, X, 0).tolist()
            put = values(ops.matrix_set_diag(Tensor(np.zeros((3, 4))), part, k, align))
            assert put.tolist() == kept.tolist()
    filled = values(ops.diagonal_scatter(Tensor(X), Tensor([7.0, 8.0, 9.0]), 1))
    expected = X.copy()
    expected[[0, 1, 2], [1, 2, 3]] = [7, 8, 9]
    assert filled.tolist() == expected.tolist()
    tall = np.zeros((5, 2))
    np.fill_diagonal(tall, 5, wrap=True)
    assert values(Tensor(np.zeros((5, 2))).fill_diagonal(5.0, wrap=True)).tolist() == tall.tolist()


def test_slices_put_back():
    expected = X.copy()
    expected[1] = 9
    assert values(ops.select_scatter(Tensor(X), Tensor(np.full(4, 9.0)), 0, 1)).tolist() == expected.tolist()
    expected = X.copy()
    expected[:, 0:4:2] = 9
    assert values(ops.slice_scatter(Tensor(X), Tensor(np.full((3, 2), 9.0)), 1, 0, 4, 2)).tolist() == expected.tolist()
    put = Tensor(X).index_put([Tensor([0, 0]), Tensor([1, 1])], Tensor([1.0, 2.0]), accumulate=True)
    assert values(put)[0, 1] == X[0, 1] + 3
    mask = X > 0
    expected = X.copy()
    expected[mask] = np.arange(mask.sum())
    assert values(Tensor(X).masked_scatter(Tensor(mask), Tensor(np.arange(12.0)))).tolist() == expected.tolist()


def test_space_and_batch_there_and_back():
    image = RANDOM.randn(2, 3, 4, 6)
    moved = ops.space_to_batch_nd(Tensor(image), [2, 3], [[0, 0], [1, 2]])
    assert moved.shape == (12, 3, 2, 3)
    assert values(ops.batch_to_space_nd(moved, [2, 3], [[0, 0], [1, 2]])).tolist() == image.tolist()


def test_numbers_about_tensors():
    np.testing.assert_allclose(values(ops.cov(Tensor(X))), np.cov(X))
    np.testing.assert_allclose(values(ops.cov(Tensor(X), correction=0, fweights=Tensor([1, 2, 1, 3]))),
                               np.cov(X, ddof=0, fweights=[1, 2, 1, 3]))
    np.testing.assert_allclose(values(ops.cov(Tensor(X), aweights=Tensor([1.0, 2.0, 1.0, 3.0]))),
                               np.cov(X, aweights=[1, 2, 1, 3]))
    np.testing.assert_allclose(values(ops.dist(Tensor(X), Tensor(X[::-1].copy()), 3)),
                               (np.abs(X - X[::-1]) ** 3).sum() ** (1 / 3))
    np.testing.assert_allclose(values(ops.pdist(Tensor(ROWS))),
                               [np.linalg.norm(ROWS[i] - ROWS[j]) for i in range(5) for j in range(i + 1, 5)])
    long = values(ops.renorm(Tensor(X), 2, 0, 1.0))
    assert (np.linalg.norm(long, axis=1) <= 1 + 1e-12).all()
    with_nan = np.where(X > 0.5, np.nan, X)
    np.testing.assert_allclose(values(ops.nanmedian(Tensor(with_nan), 0)[0]),
                               np.nanquantile(with_nan, 0.5, 0, method="lower"))
    big = np.array([1000.0, 1001.0, -1000.0])
    np.testing.assert_allclose(values(ops.logcumsumexp(Tensor(big), 0)), np.logaddexp.accumulate(big))
    assert values(ops.histc(Tensor([1.0, 2, 2, 9]), 3, 1, 4)).tolist() == [1, 2, 0]


def test_segments():
    inside = [[0, 2], [], [1, 4]]
    for name, combine, start in (("max", np.max, -np.finfo(np.float64).max), ("min", np.min, np.finfo(np.float64).max),
                                 ("prod", np.prod, 1)):
        found = values(getattr(ops, f"unsorted_segment_{name}")(Tensor(ROWS), IDS, 3))
        expected = [combine(ROWS[i], axis=0) if i else [start] * 2 for i in inside]
        np.testing.assert_allclose(found, expected)


def test_runs_of_equal_elements():
    x = Tensor([[1, 1], [1, 1], [2, 1], [1, 1]])
    found, inverse, counts = ops.unique_consecutive(x, True, True, 0)
    assert values(found).tolist() == [[1, 1], [2, 1], [1, 1]]
    assert values(inverse).tolist() == [0, 0, 1, 2] and values(counts).tolist() == [2, 1, 1]
    assert values(ops.unique_consecutive(x)).tolist() == [1, 2, 1]


FUNCTIONS = {
    "segment max": (lambda x: ops.unsorted_segment_max(x, IDS, 3)[::2], ROWS),
    "segment min": (lambda x: ops.unsorted_segment_min(x, IDS, 3)[::2], ROWS),
    "segment prod": (lambda x: ops.unsorted_segment_prod(x, IDS, 3), ROWS),
    "logcumsumexp": (lambda x: ops.logcumsumexp(x, 1), X), "nanmedian": (lambda x: ops.nanmedian(x, 1)[0], X),
    "cov": (lambda x: ops.cov(x), X), "pdist": (lambda x: ops.pdist(x), X),
    "renorm": (lambda x: ops.renorm(x, 2, 0, 1.0), X),
    "matrix_diag_part": (lambda x: ops.matrix_diag_part(x, (-1, 1)), X),
    "diagonal_scatter": (lambda x: ops.diagonal_scatter(x, x[0, :3] * x[1, :3], 1), X),
    "block_diag": (lambda x: ops.block_diag(x, x * x), X), "mirror_pad": (lambda x: ops.mirror_pad(
        x, Tensor([[1, 2], [2, 1]]), "SYMMETRIC"), X),
    "space_to_batch": (lambda x: ops.space_to_batch_nd(x.reshape(1, 1, 3, 4), [1, 2], [[0, 0], [1, 1]]), X),
    "combinations": (lambda x: ops.combinations(x[0], 2), X), "vander": (lambda x: ops.vander(x[0]), np.abs(X)),
}


SPOTS = Tensor([[0], [2], [0], [3]])
FUNCTIONS |= {
    f"tensor scatter {kind}": (lambda x, kind=kind: getattr(ops, f"tensor_scatter_{kind}")(x[:4], SPOTS, x[-4:]), ROWS)
    for kind in ("max", "min", "mul", "div")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_at_once_and_in_a_graph(name):
    function, x = FUNCTIONS[name]

    def loss(v):
        y = function(v)
        weights = Tensor(np.cos(np.arange(y.size)).reshape(y.shape))
        return (y * weights).sum()

    found = values(gc.grad(loss)(Tensor(x)))
    step = 1e-6
    for place in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[place] = step
        slope = (values(loss(Tensor(x + moved))) - values(loss(Tensor(x - moved)))) / (2 * step)
        np.testing.assert_allclose(found[place], slope, rtol=1e-5, atol=1e-7)


def test_equal_values_share_the_gradient_of_a_scattered_maximum():
    x, updates, spots = Tensor([1.0, 5.0, 2.0]), Tensor([1.0, 1.0, 3.0, 7.0]), Tensor([[0], [0], [1], [2]])
    of_x, of_updates = gc.grad(lambda x, u: ops.tensor_scatter_max(x, spots, u).sum(), (0, 1))(x, updates)
    np.testing.assert_allclose(values(of_x), [1 / 3, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(values(of_updates), [1 / 3, 1 / 3, 0, 1], rtol=1e-6)


def test_updates_of_zero_in_a_scattered_product():
    x, updates, spots = Tensor([2.0, 3.0]), Tensor([0.0, 5.0, 0.0, 0.0]), Tensor([[0], [0], [1], [1]])
    of_x, of_updates = gc.grad(lambda x, u: ops.tensor_scatter_mul(x, spots, u).sum(), (0, 1))(x, updates)
    assert values(of_x).tolist() == [0, 0] and values(of_updates).tolist() == [10, 0, 0, 0]


@pytest.mark.parametrize("kind", ["update", "add", "sub", "mul", "div", "max", "min"])
def test_parameters_are_written_at_once_and_in_a_graph(kind):
    combine = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "max": np.maximum,
               "min": np.minimum}.get(kind)
    expected = ROWS.copy()
    updates = RANDOM.randn(3, 2)
    rows = [1, 3, 4] if combine is None else [1, 3, 1]
    if combine is None:
        expected[rows] = updates
    else:
        combine.at(expected, rows, updates)

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor(ROWS), name="w")

        def construct(self, indices, updates):
            getattr(ops, f"scatter_{kind}")(self.w, indices, updates)
            return self.w.sum()

    net = Net()
    total = net(Tensor(rows, gc.int32), Tensor(updates))
    np.testing.assert_allclose(values(net.w), expected)
    np.testing.assert_allclose(values(total), expected.sum())
    w = Parameter(Tensor(ROWS), name="w")
    given = getattr(ops, f"Scatter{kind.capitalize()}")()(w, Tensor(rows, gc.int32), Tensor(updates))
    assert type(given) is Tensor and values(given).tolist() == values(w).tolist()
    np.testing.assert_allclose(values(w), expected)


def test_points_of_parameters():
    w = Parameter(Tensor(X), name="w")
    ops.scatter_nd_max(w, Tensor([[0, 1], [2, 3]], gc.int32), Tensor([9.0, -9.0]))
    expected = X.copy()
    expected[0, 1] = 9
    assert values(w).tolist() == expected.tolist()
    found = ops.tensor_scatter_mul(Tensor(X), Tensor([[0, 0], [0, 0]]), Tensor([2.0, 3.0]))
    np.testing.assert_allclose(values(found)[0, 0], 6 * X[0, 0])


def test_refusals_say_the_way_out():
    with pytest.raises(ValueError, match="'REFLECT' or 'SYMMETRIC'"):
        ops.mirror_pad(Tensor(X), Tensor([[1, 1], [1, 1]]), "WRAP")
    with pytest.raises(ValueError, match="give one of each for every axis of space"):
        ops.space_to_batch_nd(Tensor(X), [2, 2, 2], [[0, 0]])
    with pytest.raises(ValueError, match="they have the shape"):
        ops.tensor_scatter_max(Tensor(X), Tensor([[0, 0]]), Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="writes a Parameter"):
        ops.scatter_add(Tensor(X), Tensor([0]), Tensor(X[:1]))
