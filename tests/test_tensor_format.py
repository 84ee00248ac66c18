"""The printed forms of Tensors; the expected texts are MindSpore 2.10's."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


@pytest.mark.parametrize("data, dtype, text", [
    ([1.0, 2.0], None, "Tensor(shape=[2], dtype=Float32, value= [ 1.00000000e+00,  2.00000000e+00])"),
    ([[1.0, -2.0], [3, 4]], None,
     "Tensor(shape=[2, 2], dtype=Float32, value=\n[[ 1.00000000e+00, -2.00000000e+00],\n "
     "[ 3.00000000e+00,  4.00000000e+00]])"),
    (1, None, "Tensor(shape=[], dtype=Int64, value= 1)"),
    (3.5, None, "Tensor(shape=[], dtype=Float32, value= 3.5)"),
    (123456789.0, None, "Tensor(shape=[], dtype=Float32, value= 1.23457e+08)"),
    (1e-7, None, "Tensor(shape=[], dtype=Float32, value= 1e-07)"),
    (float("nan"), None, "Tensor(shape=[], dtype=Float32, value= nan)"),
    (True, None, "Tensor(shape=[], dtype=Bool, value= True)"),
    ([True, False], None, "Tensor(shape=[2], dtype=Bool, value= [ True, False])"),
    ([[True], [True]], None, "Tensor(shape=[2, 1], dtype=Bool, value=\n[[ True],\n [ True]])"),
    ([-1, 100], dt.int32, "Tensor(shape=[2], dtype=Int32, value= [ -1, 100])"),
    ([1.5], dt.float16, "Tensor(shape=[1], dtype=Float16, value= [ 1.5000e+00])"),
    ([1.5, 2.25, 1e6, 1e-3], dt.bfloat16,
     "Tensor(shape=[4], dtype=BFloat16, value= [        1.5,        2.25,      999424, 0.000999451])"),
    (np.array([1e300, 1.0]), None, "Tensor(shape=[2], dtype=Float64, value= [1.00000000e+300,  1.00000000e+00])"),
    ([float("nan"), 1.0], None, "Tensor(shape=[2], dtype=Float32, value= [            nan,  1.00000000e+00])"),
    (np.zeros(0, np.float32), None, "Tensor(shape=[0], dtype=Float32, value= )"),
    (np.zeros((1, 0, 2), np.int32), None, "Tensor(shape=[1, 0, 2], dtype=Int32, value=\n)"),
])
def test_repr(data, dtype, text):
    assert repr(Tensor(data, dtype)) == text


def test_long_vectors_are_wrapped_then_cut():
    lines = repr(Tensor(np.arange(30, dtype=np.float32))).splitlines()
    assert [line.count("e+") for line in lines] == [12, 12, 6]
    assert lines[0].endswith("1.10000000e+01, ") and lines[1].startswith("  1.20000000e+01")
    assert repr(Tensor(np.arange(50))).splitlines()[1].startswith(" 24, 25")
    assert repr(Tensor(np.arange(1001, dtype=np.int32))) == \
        "Tensor(shape=[1001], dtype=Int32, value= [   0,    1,    2 ...  998,  999, 1000])"


def test_long_axes_of_matrices_are_cut():
    assert repr(Tensor(np.arange(14).reshape(7, 2))) == (
        "Tensor(shape=[7, 2], dtype=Int64, value=\n[[ 0,  1],\n [ 2,  3],\n [ 4,  5],\n "
        "...\n [ 8,  9],\n [10, 11],\n [12, 13]])")
    text = repr(Tensor(np.arange(3000, dtype=np.int32).reshape(3, 10, 100)))
    assert text.splitlines()[1:6] == ["[[[   0,    1,    2 ...   97,   98,   99],",
                                      "  [ 100,  101,  102 ...  197,  198,  199],",
                                      "  [ 200,  201,  202 ...  297,  298,  299],", "  ...",
                                      "  [ 700,  701,  702 ...  797,  798,  799],"]


def test_str_is_numpys():
    array = np.array([[1.0, 2.5], [3, 4]], np.float32)
    assert str(Tensor(array)) == str(array) == f"{Tensor(array)}"
    assert str([Tensor(1.0)]) == "[Tensor(shape=[], dtype=Float32, value= 1)]"


def test_printing_a_parameters_values_is_no_escape():
    p = Parameter(Tensor([1.0]))
    repr(p.data), str(p.data), repr(p.value())
    assert not p._escaped
