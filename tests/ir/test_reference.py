"""docs/ir.md says what is so."""
import inspect
import re

import pytest

from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.verifier import verify
from graphcore.ops.record import REGISTRY
from tests.ir import reference

TEXT = reference.PAGE.read_text(encoding="utf-8")


def test_what_is_made_from_the_code_is_up_to_date():
    assert reference.page(TEXT) == TEXT, "python -m tests.ir.reference"


def test_every_operator_and_attribute_is_there():
    documented = dict(re.findall(r"^\| `(\w+)\([^`]*\)` \| ([^|]*) \|", TEXT, re.M))
    assert set(documented) == set(REGISTRY)
    for name, record in REGISTRY.items():
        _, named = reference.operands_and_attributes(record)
        for p in inspect.signature(record.infer).parameters.values():
            if p.kind is p.KEYWORD_ONLY:
                assert p.name in named and re.search(rf"\[?{p.name}\]?: ", documented[name]), (name, p.name)


@pytest.mark.parametrize("text", [b for kind, b in re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.M | re.S) if not kind])
def test_the_graphs_are_graphs(text):
    graph = parse_graph(text)
    verify(graph)
    assert text.endswith(print_graph(graph))


def test_every_rule_of_the_grammar_is_used():
    [grammar] = re.findall(r"^```ebnf\n(.*?)^```$", TEXT, re.M | re.S)
    rules = re.findall(r"^(\w+) +=", grammar, re.M)
    for rule in rules[1:]:
        assert len(re.findall(rf"(?<![\"\w]){rule}(?![\"\w])", grammar)) > 1, f"{rule} is defined and not used"
