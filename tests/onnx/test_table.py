"""The table against the schemas of the onnx package: no attribute or input is left out unnoticed; the page shows it."""
import pytest

pytest.importorskip("onnx.helper")

from onnx import defs  # noqa: E402

from graphcore.onnx import table  # noqa: E402
from graphcore.onnx.package import UnsupportedOnnxError  # noqa: E402
from tests.onnx import table as listing  # noqa: E402

# (operator, attribute) that is refused when a model sets it
REFUSED = {("Constant", "sparse_value"), ("Constant", "value_string"),
           ("Constant", "value_strings")}


def test_attributes_and_inputs_are_those_of_the_standard():
    faults, met = [], set()
    names = {e.name for e in table.all_entries()}
    for schema in defs.get_all_schemas_with_history():
        if schema.domain or schema.name not in names or not 7 <= schema.since_version <= table.LATEST:
            continue
        try:
            entry = table.find("", schema.name, schema.since_version)
        except UnsupportedOnnxError:
            continue
        where = f"{schema.name} of opset {schema.since_version}"
        unknown = set(schema.attributes) - set(entry.attributes)
        met |= {(schema.name, a) for a in unknown}
        faults += [f"{where}: the attribute {a}" for a in unknown if (schema.name, a) not in REFUSED]
        if entry.most is not None and len(schema.inputs) > entry.most:
            faults.append(f"{where}: {len(schema.inputs)} inputs")
    assert not faults, "\n".join(faults)
    assert met == REFUSED


def test_the_page_shows_the_table():
    text = listing.PAGE.read_text(encoding="utf-8")
    assert text == listing.page(text), "run python -m tests.onnx.table"
    assert len(listing.rows()) > 150
