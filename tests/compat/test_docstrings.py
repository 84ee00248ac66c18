"""MindSpore's documentation examples: how they are read and judged; where MindSpore is installed, the pass list."""
import json
import textwrap

import pytest

from tests.compat.docstrings import lists, run
from tests.compat.docstrings.compare import same
from tests.compat.docstrings.sources import Example, read_examples


@pytest.mark.parametrize("printed, expected", [
    ("[[1. 2.]\n [3. 4.]]", "[[1.0000 2.] [3. 4.]]"),
    ("Tensor(shape=[2], dtype=Int64, value= [10, 14])", "Tensor(shape=[2], dtype=Int64, value=[10, 14])"),
    ("[0.8414710 nan]", "[0.84147 nan]"),
    ("(2, 3)", "(2,3)"),
    ("[1e-9 1.]", "[0. 1.]"),
])
def test_what_counts_as_the_same(printed, expected):
    assert same(printed, expected)


@pytest.mark.parametrize("printed, expected", [
    ("[1. 2.]", "[1. 2.1]"),
    ("[1. 2. 3.]", "[1. 2.]"),
    ("Tensor(shape=[2], dtype=Int64, value= [10, 14])", "Tensor(shape=[2], dtype=Int32, value= [10, 14])"),
    ("True", "False"),
    ("[[1. 2.]]", "[1. 2.]"),
    ("", "3"),
    ("[12]", "[1 2]"),
])
def test_what_does_not(printed, expected):
    assert not same(printed, expected)


def test_random_values_may_differ_but_not_their_shape():
    assert same("[[0.3 0.1]\n [0.5 0.7]]", "[[0.9 0.2] [0.1 0.4]]", is_random=True)
    assert not same("[0.3 0.1 0.5 0.7]", "[[0.9 0.2] [0.1 0.4]]", is_random=True)
    assert not same("(2, 3)", "[[0.9 0.2] [0.1 0.4]]", is_random=True)
    assert not same("(2, 3)", "(3, 2)", is_random=True)
    assert same("Tensor(shape=[1], dtype=Float32, value= [0.3])", "Tensor(shape=[1], dtype=Float32, value= [2])", True)
    assert not same("Tensor(shape=[2], dtype=Float32, value= [3])", "Tensor(shape=[1], dtype=Float32, value= [2])",
                    is_random=True)


@pytest.fixture
def package(tmp_path):
    """A package with MindSpore's ways to give names: a star import, an alias, a class with methods."""
    files = {
        "__init__.py": "from mindspore.common import *\n",
        "common/__init__.py": "from .tensor import Tensor\n",
        "common/tensor.py": '''
            class Tensor:
                def double(self):
                    """Twice.

                    Supported Platforms:
                        ``CPU``

                    Examples:
                        >>> print(2)
                        2
                    """
            ''',
        "ops/__init__.py": "from mindspore.ops.function import *\nfrom mindspore.ops.function import hidden as shown\n",
        "ops/function.py": '''
            def sine(x):
                """A wave.

                Supported Platforms:
                    ``Ascend`` ``CPU``

                Examples:
                    >>> x = 1
                    >>> print(x)
                    1
                """
            def elsewhere(x):
                """Not here.

                Supported Platforms:
                    ``Ascend``

                Examples:
                    >>> print(1)
                    1
                """
            def hidden(x):
                """Random.

                Supported Platforms:
                    ``CPU``

                Examples:
                    >>> print(3)
                    3
                """
            ''',
    }
    for name, text in files.items():
        path = tmp_path / "mindspore" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path / "mindspore"


def test_examples_are_found_under_their_public_names(package):
    found = read_examples(package)
    assert [e.name for e in found] == ["Tensor.double", "ops.hidden", "ops.sine"]
    assert found[2].statements == (("x = 1\n", ""), ("print(x)\n", "1\n"))
    assert [e.is_random for e in found] == [False, True, False]


def _example(name, *statements):
    return Example(name, tuple(statements), False)


def test_examples_run_apart_and_are_judged():
    examples = [
        _example("right", ("x = ops.square(Tensor([2.0, 3.0]))\n", ""), ("print(x)\n", "[4. 9.]\n")),
        _example("wrong", ("print(Tensor([2.0]))\n", "[3.]\n")),
        _example("raises", ("print(no_such_name)\n", "1\n")),
        _example("dies", ("import os; os._exit(3)\n", ""), ("print(1)\n", "1\n")),
        _example("is not disturbed by the others", ("print('x' in globals())\n", "False\n")),
    ]
    verdicts = {v.example.name: v.reason for v in run.run(examples, jobs=1)}
    assert verdicts["right"] is None and verdicts["is not disturbed by the others"] is None
    assert "expected: [3.]" in verdicts["wrong"]
    assert "NameError" in verdicts["raises"]
    assert "died" in verdicts["dies"]


def test_the_pass_list_still_passes():
    package = lists.find_mindspore()
    if package is None:
        pytest.skip("no MindSpore is installed; GRAPHCORE_MINDSPORE_PYTHON names an interpreter that has it")
    names = lists.read(lists.PASS)
    examples = [e for e in read_examples(package) if e.name in names]
    assert len(examples) > 0.9 * len(names), "the installed MindSpore has other examples than 2.10"
    failed = {v.example.name: v.reason for v in run.run(examples) if not v.passed}
    assert not failed, json.dumps(failed, indent=1)
