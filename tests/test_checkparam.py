"""The argument checks that MindSpore-style layers use."""
import pytest

from graphcore import _checkparam as check


@pytest.mark.parametrize("call, result", [
    (lambda: check.check_positive_int(3, "n", "Net"), 3),
    (lambda: check.check_non_negative_float(0.0), 0.0),
    (lambda: check.check_negative_int(-1), -1),
    (lambda: check.check_int(4, 4, check.GE), 4),
    (lambda: check.check_equal_int(4, 4), 4),
    (lambda: check.check_float(0.5, 1.0, check.LT), 0.5),
    (lambda: check.check_is_int(5), 5),
    (lambda: check.check_is_float(5.0), 5.0),
    (lambda: check.check_float_range(0.5, 0.0, 1.0, check.INC_NEITHER), 0.5),
    (lambda: check.check_int_range(0, 0, 1, check.INC_LEFT), 0),
    (lambda: check.check_bool(False), False),
    (lambda: check.check_string("same", ["same", "valid"]), "same"),
    (lambda: check.check_value_type("x", True, [bool, int]), True),
    (lambda: check.check_isinstance("x", 1, int), 1),
    (lambda: check.check("a", 1, "b", 1), 1),
    (lambda: check.check("a", 1, "b", (1, 2), check.IN), 1),
    (lambda: check.check_type_name("d", "f", ("f", "g"), "Net"), "f"),
    (lambda: check.check_subclass("c", bool, int, "Net"), None),
    (lambda: check.Validator.check_positive_int(7, "n"), 7),
    (lambda: check.Validator.check_float_range(1.0, 0.0, 1.0, check.Rel.INC_RIGHT), 1.0),
])
def test_what_passes_is_returned(call, result):
    assert call() == result


@pytest.mark.parametrize("call, error, message", [
    (lambda: check.check_positive_int(0, "n", "Net"), ValueError, "Net: n must be greater than 0, got 0"),
    (lambda: check.check_positive_int(True, "n"), TypeError, "n must be int, got bool"),
    (lambda: check.check_positive_int(1.0), TypeError, "the value must be int, got float"),
    (lambda: check.check_positive_float(float("nan"), "p"), ValueError, "p must be finite, got nan"),
    (lambda: check.check_float_range(1.0, 0.0, 1.0, check.INC_LEFT, "p"), ValueError, r"p must be in \[0.0, 1.0\)"),
    (lambda: check.check_int_range(0, 0, 2, check.INC_NEITHER), ValueError, r"must be in \(0, 2\), got 0"),
    (lambda: check.check_bool(1, "b"), TypeError, "b must be bool, got int"),
    (lambda: check.check_string("x", ["same"], "mode"), ValueError, "mode must be one of 'same', got 'x'"),
    (lambda: check.check_value_type("x", True, [int]), TypeError, "x must be int, got bool"),
    (lambda: check.check_value_type("x", "s", (int, float), "Net"), TypeError, "Net: x must be int or float, got str"),
    (lambda: check.check_isinstance("x", 1, str), ValueError, "x must be str, got int"),
    (lambda: check.check("a", 1, "b", 2), ValueError, r"a must be equal to b \(2\), got 1"),
    (lambda: check.check("a", 1, "b", (1,), check.NOT_IN, "Net", KeyError), KeyError, "a must be none of b"),
    (lambda: check.check_type_name("d", "h", ("f", "g"), "Net"), TypeError, "Net: d must be f or g, got h"),
    (lambda: check.check_subclass("c", str, int, "Net", "Sorry."), TypeError, "must be int, got str Sorry."),
])
def test_what_does_not_says_why(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_types_of_arguments():
    @check.args_type_check(epochs=int, name=(str, bytes))
    def train(epochs, data, name="x"):
        return epochs, data, name

    assert train(3, None) == (3, None, "x") and train(epochs=None, data=1) == (None, 1, "x")
    with pytest.raises(TypeError, match="train: epochs must be int, got str"):
        train("3", None)
    with pytest.raises(TypeError, match="name must be str or bytes, got int"):
        train(3, None, name=3)
