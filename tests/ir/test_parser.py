"""Text that is not a graph: always a FormatError with the line, whatever the text."""
import random
import re

import numpy as np
import pytest

from graphcore.dtype import float32
from graphcore.errors import FormatError
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.scanner import parse_size
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise

GOOD = """\
graph Net(%x: f32[2,3]) -> f32[2,3] {
  param w: f32[3]
  %1 = mul(%x, w) {mode="a", n=(1,2)} : f32[2,3]   # fc  net.py:7
  update w = %1
  return %1
}
"""


@pytest.mark.parametrize("old, new, line, message", [
    ("graph Net", "grph Net", 1, "expected 'graph'"),
    ("%x: f32[2,3]", "%x f32[2,3]", 1, "expected ':' and the input's type"),
    ("%x: f32[2,3]", "%x: f31[2,3]", 1, "'f31[2,3]' is not a type"),
    ("%x: f32[2,3]", "%x: f32[2,-3]", 1, "negative size"),
    ("%x: f32[2,3]", "%x: f32[2,3], %x: f32[2]", 1, "%x is defined twice"),
    ("-> f32[2,3]", "-> f32[2,4]", 6, "its first line says f32[2,4]"),
    ("(%x, w)", "(%x, v)", 3, "v is not defined before this line"),
    ("(%x, w)", "(%2, w)", 3, "%2 is not defined before this line"),
    ("(%x, w)", "(%1, w)", 3, "%1 is not defined before this line"),
    ("(%x, w)", "(%x w)", 3, "expected ',' or ')' after an operand"),
    ("(%x, w)", "(%x, 300:i8)", 3, "300 does not fit in int8"),
    ("(%x, w)", "(%x, 1:i9)", 3, "unknown dtype 'i9'"),
    ("(%x, w)", "(%x, 1.5:i8)", 3, "1.5 is not an int8"),
    ("(%x, w)", "(%x, 1:bool)", 3, "not a bool"),
    ("(%x, w)", "(%x, @0123456789abcdef01234567)", 3, "not defined before this line"),
    ("mul(", "param(", 3, "'param' is not an operator"),
    ('mode="a"', 'mode="a', 3, "expected an attribute"),
    ('mode="a"', "mode=;", 3, "expected an attribute"),
    ("n=(1,2)", "mode=(1,2)", 3, "attribute mode is given twice"),
    ("n=(1,2)", "n=(1,2", 3, "expected ',' or ')' in a tuple"),
    ("n=(1,2)", "n=<N+>", 3, "is not a size"),
    (" : f32[2,3]   #", " #", 4, "expected ':' and the type of %1"),
    ("update w", "update v", 4, "update of v, which has no 'param' line"),
    ("update w", "change w", 4, "unknown statement 'change'"),
    ("return %1\n}", "return %1\n", 7, "expected ',' or '}' after an operand"),
    ("return %1\n}\n", "return %1\n}\nmore", 7, "expected the end"),
    ("  return %1\n", "", 5, "expected a statement"),
])
def test_what_was_expected_and_where(old, new, line, message):
    assert old in GOOD
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        parse_graph(GOOD.replace(old, new, 1))
    assert str(caught.value).startswith(f"line {line}:")


def test_comments_and_blanks_are_free():
    loose = GOOD.replace(" ", "   ").replace("return", "# a comment\n\n return").replace("\n", "\r\n")
    assert parse_graph("# stage capture\n" + loose + "# end\n") == parse_graph(GOOD)


def graph_with_data() -> str:
    big = ir.const(np.linspace(0, 1, 900, dtype="f4"))
    small = ir.const(np.arange(20, dtype="i4"))
    return print_graph(Graph("g", (), (pointwise.relu(big), pointwise.neg(small))))


@pytest.mark.parametrize("damage, message", [
    (lambda t: t.replace("f32[900]", "f32[901]"), "does not have the 3604 bytes"),
    (lambda t: t.replace("f32[900]", "i32[900]"), "does not match its data"),
    (lambda t: t.replace("f32[900]", "f32[N]"), "symbolic type"),
    (lambda t: t.replace("f32[900]", "f32[9000000000000]"), "larger than"),
    (lambda t: t.replace(" zlib {\n", " zlib {\nAAAA"), "is damaged"),
    (lambda t: t.replace(" raw {\n", " raw {\nAAAA"), "does not have the 80 bytes"),
    (lambda t: t.replace(" raw {\n", " raw {\n=A"), "is damaged"),
    (lambda t: t.replace(" raw {\n", " rare {\n"), "a damaged data section"),
    (lambda t: t[:t.index("data @")], "is left out; print the graph with data=True"),
    (lambda t: t[:-3], "a damaged data section"),
])
def test_damaged_data(damage, message):
    text = graph_with_data()
    parse_graph(text)
    with pytest.raises(FormatError, match=re.escape(message)):
        parse_graph(damage(text))


def test_data_under_a_wrong_digest_is_refused():
    text = graph_with_data()
    digest = re.search(r"@([0-9a-f]{24})", text)[1]
    with pytest.raises(FormatError, match="does not match its data"):
        parse_graph(text.replace(digest, "0" * 24))


@pytest.mark.parametrize("text", [
    GOOD.replace("(1,2)", "(" * 3000 + ")" * 3000),
    GOOD.replace(" : f32[2,3]   #", " : " + "(" * 3000 + "f32[2]" + ")" * 3000 + "   #"),
    GOOD.replace('"a"', "graph g() -> () { %1 = a() {x=" * 3000),
    GOOD.replace("f32[2,3]", "f32[" + "(" * 50 + "N" + ")//2" * 50 + "]"),
    GOOD.replace("f32[2,3]", "f32[" + "9" * 5000 + "]"),
    GOOD.replace("f32[2,3]", "f32[" + ",".join("1" * 100) + "]"),
    GOOD.replace("(1,2)", "9" * 10000),
    GOOD.replace("w)", "[" + ",".join("1" * 9000) + "]:f32)"),
    "graph " * 10000, "{" * 10000, "`" * 10000, "", "\n" * 10000, "#" * 10000, "\x00",
], ids=lambda t: re.sub(r"\s+", " ", t)[:20] + f"...{len(t)}")
def test_hostile_text_is_refused_quickly(text):
    with pytest.raises(FormatError):
        parse_graph(text)


def test_random_damage_never_escapes_as_another_error():
    rng = random.Random(7)
    pieces = ["%", "(", ")", "{", "}", ",", ":", "f32[", "]", "graph ", "return ", "`", '"', "@", "#", "\n", "-", "0x",
              "1e", "nan", "<", ">", "param ", "const ", "effect ", "=", "//", "N", "\\", "data @", "True", "é", "\x00",
              "9" * 30]
    sources = [GOOD, graph_with_data()]
    for _ in range(3000):
        text = list(rng.choice(sources))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text))
            text[at:at + rng.choice((0, 1, 1, 5, 40))] = rng.choice(pieces)
        try:
            graph = parse_graph("".join(text))
        except FormatError:
            continue
        assert isinstance(graph, Graph)


N, M = Dim.symbol("N"), Dim.symbol("M")


@pytest.mark.parametrize("size", [0, 7, N, 2 * N, N * M, N * N * 3 - M + 4, (N + 1) // 2, ((N + 1) // 2) * 6 + N,
                                  N // 3 * M, ((N // 2) + M) // 5,
                                  -N, 5 - N * M, (3 * N + 7) // 4 * ((M + 1) // 2)], ids=str)
def test_sizes_read_back(size):
    assert parse_size(str(size)) == size


@pytest.mark.parametrize("text", ["", "N+", "(N)", "N//2", "(N//2", "(N)//0", "2N", "N N", "N**2", "1.5", "N" * 200,
                                  "²"])
def test_what_is_no_size(text):
    with pytest.raises(FormatError):
        parse_size(text)


def test_types_are_shared_and_nodes_interned():
    graph = parse_graph(GOOD)
    assert graph.inputs[0] is ir.input_("x", TensorType(float32, (2, 3)))
    assert graph.outputs[0].attrs == {"mode": "a", "n": (1, 2)}
