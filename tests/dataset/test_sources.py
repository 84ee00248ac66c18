"""Sources: what they accept, which rows they give, and how they complain.  Expected values are MindSpore 2.10's."""
import numpy as np
import pytest

from graphcore import dataset as ds
from graphcore import dtype as dt
from graphcore.dataset import ColumnError, DatasetError

PAIRS = [(i, np.float32([i, -i])) for i in range(5)]


def pairs(n=5, **options):
    return ds.GeneratorDataset(PAIRS[:n], ["a", "b"], **{"shuffle": False, **options})


def column(dataset, name=None):
    """One column of one epoch as a list."""
    names = dataset.get_col_names()
    place = names.index(name) if name else 0
    return [row[place].tolist() for row in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)]


def count_to(n):
    def generate():
        yield from range(n)
    return generate


def test_generator_function_is_read_anew_in_each_epoch():
    dataset = ds.GeneratorDataset(count_to(3), "a")
    assert column(dataset) == column(dataset) == [0, 1, 2]
    assert dataset.get_dataset_size() == len(dataset) == 3


def test_rows_of_python_numbers_take_numpy_dtypes():
    row = next(ds.GeneratorDataset([(1, 2.5, True, "x")], list("abcd")).create_tuple_iterator(output_numpy=True))
    assert [value.dtype.str[1:] for value in row] == ["i8", "f8", "b1", "U1"]
    assert all(value.shape == () for value in row)


def test_iterator_gives_tensors_with_their_dtypes():
    row = next(pairs().create_dict_iterator())
    assert list(row) == ["a", "b"]
    assert (row["a"].dtype, row["b"].dtype, row["b"].shape) == (dt.int64, dt.float32, (2,))


def test_one_shot_iterators_are_recorded():
    dataset = ds.GeneratorDataset(iter([(1,), (2,)]), ["a"])
    assert dataset.get_dataset_size() == 2
    assert column(dataset.repeat(2)) == [1, 2, 1, 2]


def test_shuffle_defaults():
    rows = [(i,) for i in range(100)]
    assert column(ds.GeneratorDataset(rows, ["a"])) != list(range(100))
    assert sorted(column(ds.GeneratorDataset(rows, ["a"]))) == list(range(100))
    assert column(ds.GeneratorDataset(count_to(100), ["a"])) == list(range(100))
    assert column(ds.NumpySlicesDataset(np.arange(100))) != list(range(100))


def test_num_samples():
    assert column(pairs(num_samples=2)) == [0, 1]
    assert column(ds.GeneratorDataset(count_to(9), ["a"], num_samples=4)) == [0, 1, 2, 3]
    assert ds.GeneratorDataset(count_to(9), ["a"], num_samples=4).get_dataset_size() == 4


def test_rows_do_not_alias_the_source():
    data = np.zeros((4, 2), np.float32)
    next(ds.NumpySlicesDataset(data, shuffle=False).create_tuple_iterator())[0].asnumpy()[:] = 7
    next(ds.NumpySlicesDataset(data, shuffle=False).batch(2).create_tuple_iterator())[0].asnumpy()[:] = 7
    assert not data.any()


@pytest.mark.parametrize("arguments, error, words", [
    (dict(source=count_to(3)), ValueError, "columns_names"),
    (dict(source=3, column_names=["a"]), TypeError, "__getitem__"),
    (dict(source=[], column_names=["a"]), DatasetError, "no rows"),
    (dict(source=[1], column_names=["a", "a"]), ColumnError, "'a'"),
    (dict(source=count_to(3), column_names=["a"], sampler=ds.SequentialSampler()), ValueError, "__getitem__"),
    (dict(source=[1], column_names=["a"], shuffle=True, sampler=ds.SequentialSampler()), ValueError, "shuffle=True"),
    (dict(source=[1], column_names=["a"], num_shards=2), ValueError, "shard_id"),
    (dict(source=[1], column_names=["a"], column_types=[dt.int8, dt.int8]), ValueError, "2 entries"),
])
def test_unusable_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        ds.GeneratorDataset(**arguments)


@pytest.mark.parametrize("source, names, types, words", [
    ([(1, 2)], ["a"], None, "2 value"),
    ([(1,)], ["a", "b"], None, "1 value"),
    ([(1,)], ["a"], [dt.int32], "int32"),
    ([(None,)], ["a"], None, "None"),
    ([([[1], [2, 3]],)], ["a"], None, "column 'a'"),
])
def test_rows_that_do_not_fit_name_row_and_column(source, names, types, words):
    with pytest.raises(DatasetError, match=words) as caught:
        column(ds.GeneratorDataset(source, names, types))
    assert "row 0" in str(caught.value)


def test_failing_sources_are_named():
    class Broken:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            raise OSError("disk gone")

    with pytest.raises(DatasetError, match="row 0: OSError: disk gone"):
        column(ds.GeneratorDataset(Broken(), ["a"], shuffle=False))


def test_numpy_slices_columns():
    assert ds.NumpySlicesDataset(([1, 2], [3, 4])).get_col_names() == ["column_0", "column_1"]
    assert ds.NumpySlicesDataset({"x": [1], "y": [2.0]}).get_col_names() == ["x", "y"]
    dataset = ds.NumpySlicesDataset(np.arange(6).reshape(3, 2), ["z"], shuffle=False)
    assert (dataset.get_col_names(), column(dataset)) == (["z"], [[0, 1], [2, 3], [4, 5]])


@pytest.mark.parametrize("data, names, words", [
    ({"x": [1, 2], "y": [3]}, None, "y has 1 rows"),
    (([1], [2]), ["a"], "required is 2"),
    ([], ["a"], "empty"),
])
def test_numpy_slices_errors(data, names, words):
    with pytest.raises(ValueError, match=words):
        ds.NumpySlicesDataset(data, names)


def test_epochs_of_an_iterator():
    iterator = pairs(3).create_dict_iterator(num_epochs=2, output_numpy=True)
    assert [[int(row["a"]) for row in iterator] for _ in range(2)] == [[0, 1, 2]] * 2
    with pytest.raises(DatasetError, match="2 epoch"):
        next(iterator)


def test_iterating_a_dataset_is_one_epoch():
    assert [len(row) for row in pairs(2)] == [2, 2]


def test_columns_of_an_iterator():
    row = next(pairs().create_tuple_iterator(columns=["b"], output_numpy=True))
    assert len(row) == 1 and row[0].shape == (2,)
    with pytest.raises(ColumnError, match=r"'bb'.*\['a', 'b'\].*did you mean 'b'"):
        pairs().create_tuple_iterator(columns=["bb"])


def test_shapes_types_sizes():
    batched = pairs().batch(2)
    assert batched.output_shapes() == [[2], [2, 2]]
    assert batched.output_types() == [np.dtype("int64"), np.dtype("float32")]
    assert batched.output_shapes(estimate=True) == [[None], [None, 2]]
    assert (batched.get_batch_size(), pairs().get_batch_size()) == (2, 1)
