"""What MindSpore's security advisories MSSA-2021-001 to 008 name, and its kin: refused, or right, in both modes."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import nn, ops
from graphcore.errors import DTypeError, GraphcoreError, IndexRangeError, ShapeError


def ones(*shape, dtype=np.float32):
    return gc.Tensor(np.ones(shape, dtype))


NO_ROWS, ROWS = ones(0, 3), gc.Tensor([0, 1], gc.int32)
NOTHING = [[0, 0], [0, 0]]

# advisory, call, the error and its words, or the shape of the result
REFUSED = [
    ("001 Split", lambda: ops.Split(0, 0)(ones(4, 4)), ShapeError, "output_num is at least 1"),
    ("001 Split", lambda: ops.split(ones(4, 4), 0), ShapeError, "must be positive"),
    ("001 Split", lambda: ops.chunk(ones(4, 4), 0), ShapeError, "positive"),
    ("002 SpaceToBatch", lambda: ops.SpaceToBatchND([0, 2], NOTHING)(ones(1, 1, 2, 2)), ShapeError, "at least 1"),
    ("002 SpaceToBatch", lambda: ops.batch_to_space_nd(ones(4, 1, 2, 2), [2, 0], NOTHING), ShapeError, "at least 1"),
    ("002 SpaceToBatch", lambda: ops.SpaceToDepth(0)(ones(1, 1, 2, 2)), GraphcoreError, "at least"),
    ("002 SpaceToBatch", lambda: ops.DepthToSpace(0)(ones(1, 4, 2, 2)), GraphcoreError, "at least"),
    ("003 Reduce", lambda: ops.amax(NO_ROWS, 0), ShapeError, "no element"),
    ("003 Reduce", lambda: ops.ReduceMin()(NO_ROWS, 0), ShapeError, "no element"),
    ("004 DepthwiseConv2D", lambda: nn.Conv2d(2, 0, 3, group=2), ValueError, "out_channels"),
    ("004 DepthwiseConv2D", lambda: ops.conv2d(ones(1, 2, 5, 5), ones(2, 1, 0, 3), groups=2), ShapeError, "at least 1"),
    ("005 SparseToDense", lambda: ops.SparseToDense()(ROWS), TypeError, "missing 2 required"),
    ("006 Transpose", lambda: ops.transpose(ones(2, 3), (0, 2)), ShapeError, "axis 2 is out of range"),
    ("006 Transpose", lambda: ops.Transpose()(ones(2, 3), (1, 1 << 40)), ShapeError, "out of range"),
    ("007 Gather", lambda: ops.gather(gc.Tensor(1.0), ROWS, 0), ShapeError, "0-d"),
    ("007 MatMul", lambda: ops.MatMul()(gc.Tensor(1.0), ones(2, 2)), GraphcoreError, None),
    ("007 Concat", lambda: ops.concat([gc.Tensor(1.0), gc.Tensor(2.0)], 0), GraphcoreError, None),
    ("007 ArgMinMax", lambda: ops.argmax(NO_ROWS, 0), ShapeError, "need an element"),
    ("008 Tile", lambda: ops.tile(ones(2, 3), (2.5, 2)), DTypeError, "ints"),
    ("008 Tile", lambda: ops.tile(ones(2, 3), (-1, 2)), ShapeError, "negative"),
]
RIGHT = [
    ("001 Split", lambda: ops.Split(0, 2)(NO_ROWS)[1], np.ones((0, 3))),
    ("001 Split", lambda: ops.split(ones(0, 4), 2, 1)[0], np.ones((0, 2))),
    ("003 Reduce", lambda: ops.sum(NO_ROWS, 0), np.zeros(3)),
    ("003 Reduce", lambda: ops.prod(NO_ROWS, 0), np.ones(3)),
    ("003 Reduce", lambda: ops.mean(NO_ROWS, 0), np.full(3, np.nan)),
    ("003 Reduce", lambda: ops.amax(ones(2, 0), 0), np.ones(0)),
    ("004 DepthwiseConv2D", lambda: ops.conv2d(ones(1, 2, 5, 5), ones(0, 1, 3, 3), groups=2), np.ones((1, 0, 3, 3))),
    *((f"008 Tile {np.dtype(d).name}", lambda d=d: ops.tile(ones(2, 3, dtype=d), (2, 2)), np.ones((4, 6), d))
      for d in (np.int8, np.int64, np.float16, np.float64, bool)),
]


def both_ways(call):
    """The call as it is, and within a graph."""
    yield call
    yield gc.jit(lambda: call())


@pytest.mark.parametrize("number, call, error, words", REFUSED, ids=[case[0] for case in REFUSED])
def test_it_is_refused(number, call, error, words):
    for run in both_ways(call):
        with pytest.raises(error, match=words):
            run()


@pytest.mark.parametrize("number, call, expected", RIGHT, ids=[case[0] for case in RIGHT])
def test_it_is_done_right(number, call, expected):
    for run in both_ways(call):
        np.testing.assert_array_equal(run().asnumpy(), expected)


@pytest.mark.parametrize("lookup", [lambda x, i: ops.gather(x, i, 0), lambda x, i: ops.Gather()(x, i, 0),
                                    lambda x, i: ops.EmbeddingLookup()(x, i, 0)])
def test_rows_of_an_empty_table(lookup):
    """007: an error where Python can raise one; a kernel cannot, and reads nothing: zeros."""
    gc.set_context(mode=gc.PYNATIVE_MODE)
    with pytest.raises(IndexRangeError, match="axis of size 0"):
        lookup(NO_ROWS, ROWS)
    gc.set_context(mode=gc.GRAPH_MODE)
    np.testing.assert_array_equal(gc.jit(lookup)(NO_ROWS, ROWS).asnumpy(), np.zeros((2, 3)))
