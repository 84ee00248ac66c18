"""Stages: batch, map, filter, shuffle, repeat, skip, take, columns, zip, concat, split."""
import gc
import threading

import numpy as np
import pytest

from graphcore import dataset as ds
from graphcore.dataset import ColumnError, DatasetError


def pairs(n=5):
    return ds.GeneratorDataset([(i, np.float32([i, i])) for i in range(n)], ["a", "b"], shuffle=False)


def rows(dataset):
    return [[value.tolist() for value in row] for row in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)]


def column(dataset):
    return [row[0] for row in rows(dataset)]


def ragged(*lengths):
    return ds.GeneratorDataset([(np.arange(n),) for n in lengths], ["a"], shuffle=False)


# batch

def test_batch():
    assert column(pairs().batch(2)) == [[0, 1], [2, 3], [4]]
    assert column(pairs().batch(2, drop_remainder=True)) == column(pairs().batch(2, True)) == [[0, 1], [2, 3]]


@pytest.mark.parametrize("drop", [False, True])
def test_slicing_arrays_equals_stacking_rows(drop):
    data = {"x": np.arange(22).reshape(11, 2), "y": np.arange(11)}
    fast = ds.NumpySlicesDataset(data, shuffle=False).batch(4, drop)
    slow = ds.NumpySlicesDataset(data, shuffle=False).map(lambda x: x, ["x"]).batch(4, drop)
    assert rows(fast) == rows(slow)
    assert fast.get_dataset_size() == len(rows(fast)) == (2 if drop else 3)


def test_sizes_of_batches_and_repeats():
    assert pairs().batch(2).repeat(3).get_dataset_size() == 9
    assert pairs().repeat(3).batch(2).get_dataset_size() == 8
    assert pairs().repeat(3).get_repeat_count() == 3
    assert (pairs().repeat().get_dataset_size(), pairs().repeat().get_repeat_count()) == (5, -1)


def test_batch_size_function():
    assert column(pairs(6).batch(lambda info: info.get_batch_num() + 1)) == [[0], [1, 2], [3, 4, 5]]
    with pytest.raises(DatasetError, match="at least 1"):
        rows(pairs().batch(lambda info: 0))


def test_per_batch_map():
    def shift(values, info):
        return ([v + 100 * info.get_batch_num() for v in values],)

    assert column(pairs(3).batch(2, per_batch_map=shift, input_columns=["a"])) == [[0, 1], [102]]

    def two(values, info):
        return [v * 10 for v in values], values

    doubled = pairs(3).batch(2, per_batch_map=two, input_columns=["a"], output_columns=["p", "q"])
    assert doubled.get_col_names() == ["p", "q", "b"]
    assert rows(doubled)[0][:2] == [[0, 10], [0, 1]]
    with pytest.raises(DatasetError, match="1 column"):
        rows(pairs().batch(2, per_batch_map=shift, input_columns=["a"], output_columns=["p", "q"]))
    with pytest.raises(DatasetError, match="per_batch_map failed: TypeError"):
        rows(pairs().batch(2, per_batch_map=shift))


def test_rows_that_do_not_stack():
    with pytest.raises(DatasetError, match=r"column 'a'.*\(1,\) and \(2,\)"):
        rows(ragged(1, 2).batch(2))
    mixed = ds.GeneratorDataset([(1,), (2.5,)], ["a"], shuffle=False)
    with pytest.raises(DatasetError, match="column 'a'.*int64 and float64"):
        rows(mixed.batch(2))


def test_padded_batch():
    assert column(ragged(1, 2, 3, 4).padded_batch(2)) == [[[0, 0], [0, 1]], [[0, 1, 2, 0], [0, 1, 2, 3]]]
    filled = ragged(1, 2).padded_batch(2, pad_info={"a": ([4], -1)})
    assert column(filled) == [[[0, -1, -1, -1], [0, 1, -1, -1]]]
    with pytest.raises(DatasetError, match="rank 1"):
        rows(ragged(1, 2).padded_batch(2, pad_info={"a": ([4, 4], 0)}))


def test_bucket_batch():
    batches = column(ragged(1, 5, 2, 6, 1).bucket_batch_by_length("a", [3], [2, 2], pad_info={"a": (None, 0)}))
    assert batches == [[[0, 0], [0, 1]], [[0, 1, 2, 3, 4, 0], [0, 1, 2, 3, 4, 5]], [[0]]]
    with pytest.raises(ValueError, match="2 positive"):
        ragged(1).bucket_batch_by_length("a", [3], [2])


# map

def test_map_in_place_chained_and_by_default_on_the_first_columns():
    assert column(pairs(3).map([lambda x: x * 2, lambda x: x + 1], "a")) == [1, 3, 5]
    assert column(pairs(3).map(lambda x: x * 2)) == [0, 2, 4]
    assert rows(pairs(1).map(lambda x, y: (y, x), ["a", "b"])) == [[[0.0, 0.0], 0]]


def test_map_columns():
    assert pairs().map(lambda x: x, ["b"], ["s"]).get_col_names() == ["a", "s"]
    assert pairs().map(lambda x, y: x + y, ["a", "b"], ["s"]).get_col_names() == ["s"]
    assert pairs().map(lambda x: (x, x), ["b"], ["s", "t"]).get_col_names() == ["s", "t", "a"]
    assert pairs().map(lambda x, y: (x, y), ["b", "a"], ["p", "q"]).get_col_names() == ["q", "p"]


@pytest.mark.parametrize("operation, columns, outputs, words", [
    (lambda x: None, ["a"], None, "None"),
    (lambda x: 1 / 0, ["a"], None, "row 0.*ZeroDivisionError"),
    (lambda x: object(), ["a"], None, "object"),
    (lambda x: (x, x), ["a"], None, "2 column"),
    (lambda x: x, ["a"], ["p", "q"], "1 column"),
])
def test_map_failures(operation, columns, outputs, words):
    with pytest.raises(DatasetError, match=words):
        rows(pairs().map(operation, columns, outputs))


def test_map_with_threads_keeps_order_and_errors():
    assert column(pairs(5).map(lambda x: x + 1, ["a"], num_parallel_workers=3)) == [1, 2, 3, 4, 5]
    with pytest.raises(DatasetError, match="row 3"):
        rows(pairs(5).map(lambda x: [0, 1, 2][x], ["a"], num_parallel_workers=3))


@pytest.mark.parametrize("workers", [1, 4])
def test_errors_show_the_users_line(workers):
    def operation(x):
        return {}[int(x)]

    with pytest.raises(DatasetError, match=r"KeyError: 0 \(test_dataset_stages.py:\d+: return {}\[int\(x\)\]\)"):
        rows(pairs().map(operation, ["a"], num_parallel_workers=workers))
    with pytest.raises(DatasetError, match=r"ZeroDivisionError: .* \(test_dataset_stages.py:\d+: "):
        rows(ds.GeneratorDataset(lambda: (1 / 0 for _ in range(2)), ["a"], num_parallel_workers=workers))


def test_a_loop_that_is_left_does_not_wait_for_rows_ahead():
    gate, started = threading.Event(), []

    def operation(x):
        started.append(int(x))
        assert x == 0 or gate.wait(30)
        return x

    mapped = pairs(100).map(operation, ["a"], num_parallel_workers=2)
    iterator = mapped.create_tuple_iterator(num_epochs=1)
    next(iterator)
    threading.Timer(0.1, gate.set).start()
    del iterator
    gc.collect()
    assert gate.is_set() and len(started) <= 4         # the first, and those that were under way


# the others

def test_skip_take_filter_repeat():
    assert column(pairs().skip(3)) == [3, 4] and column(pairs().skip(30)) == []
    assert column(pairs().take(2)) == [0, 1] and column(pairs().take(-1)) == [0, 1, 2, 3, 4]
    kept = pairs().filter(lambda a: a > 2, ["a"])
    assert (column(kept), kept.get_dataset_size()) == ([3, 4], 2)
    endless = pairs(2).repeat().create_tuple_iterator(output_numpy=True)
    assert [int(next(endless)[0]) for _ in range(5)] == [0, 1, 0, 1, 0]


def test_flat_map():
    inner = pairs(3).project("a").flat_map(lambda a: ds.NumpySlicesDataset([int(a)] * int(a + 1), ["n"], shuffle=False))
    assert (inner.get_col_names(), column(inner)) == (["n"], [0, 1, 1, 2, 2, 2])


def test_shuffle_moves_rows_within_its_buffer():
    shuffled = column(pairs(5).repeat(20).shuffle(4))
    assert sorted(shuffled) == sorted([0, 1, 2, 3, 4] * 20)
    assert shuffled != [0, 1, 2, 3, 4] * 20


def test_zip_concat_project_rename():
    both = ds.zip((pairs(2), pairs(3).rename(["a", "b"], ["c", "d"])))
    assert (both.get_col_names(), both.get_dataset_size()) == (["a", "b", "c", "d"], 2)
    assert column(pairs(2) + pairs(1)) == [0, 1, 0]
    assert (pairs(2) + pairs(1)).get_dataset_size() == 3
    assert column(pairs(2).concat([pairs(1), pairs(2)])) == [0, 1, 0, 0, 1]
    assert pairs().project(["b", "a"]).get_col_names() == ["b", "a"]
    assert rows(pairs(2).zip(pairs(2).rename(["a", "b"], ["c", "d"])))[1] == [1, [1.0, 1.0], 1, [1.0, 1.0]]


@pytest.mark.parametrize("make", [
    lambda: pairs().map(lambda x: x, "zz"), lambda: pairs().rename("zz", "q"), lambda: pairs().project("zz"),
    lambda: pairs().filter(lambda x: x, "zz"), lambda: pairs().batch(2, input_columns=["zz"]),
    lambda: pairs().padded_batch(2, pad_info={"zz": (None, 0)}),
])
def test_unknown_columns_are_named(make):
    with pytest.raises(ColumnError, match=r"'zz'.*\['a', 'b'\]"):
        make()


@pytest.mark.parametrize("make", [
    lambda: ds.zip((pairs(), pairs())), lambda: pairs().rename("a", "b"), lambda: pairs().project(["a", "a"]),
    lambda: pairs() + pairs().rename("a", "z"), lambda: pairs().map(lambda x: (x, x), ["a"], ["b", "c"]),
])
def test_clashing_columns(make):
    with pytest.raises(ColumnError):
        make()


@pytest.mark.parametrize("make", [
    lambda: pairs().batch(0), lambda: pairs().take(0), lambda: pairs().repeat(0), lambda: pairs().skip(-1),
    lambda: pairs().shuffle(1), lambda: pairs().create_dict_iterator(num_epochs=0),
])
def test_counts_out_of_range(make):
    with pytest.raises(ValueError):
        make()


def test_split():
    assert [part.get_dataset_size() for part in pairs(5).split([0.7, 0.3])] == [3, 2]
    assert [column(part) for part in pairs(5).split([3, 2], randomize=False)] == [[0, 1, 2], [3, 4]]
    parts = pairs(5).split([3, 2])
    assert sorted(column(parts[0]) + column(parts[1])) == [0, 1, 2, 3, 4]


def test_split_of_a_stream_stays_disjoint_over_epochs():
    stream = ds.GeneratorDataset(lambda: iter(range(20)), ["a"]).shuffle(20)
    train, test = stream.split([15, 5])
    seen = {tuple(sorted(column(train))) for _ in range(3)}
    assert len(seen) == 1
    assert sorted(column(train) + column(test)) == list(range(20))


def test_split_errors():
    with pytest.raises(ValueError, match="sum up to 1"):
        pairs().split([0.7, 0.1])
    with pytest.raises(DatasetError, match="8 is not equal to dataset size 5"):
        pairs().split([7, 1])


def test_apply():
    assert column(pairs().apply(lambda d: d.take(1))) == [0]
    with pytest.raises(TypeError):
        pairs().apply(lambda d: 3)
