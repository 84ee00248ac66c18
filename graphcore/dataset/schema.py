"""Schema: the columns of a TFRecord dataset, in code or from a JSON file."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dtype import DType, from_name

__all__ = ["Schema"]


class Schema:
    """Columns: names, dtypes, and shapes where they are known.

    schema_file: a JSON file, ``{"columns": {name: {"type": ..., "rank": ..., "shape": [...]}}}`` or a list of such
    entries with names.  Raises DatasetError for a file that is none.
    """

    def __init__(self, schema_file: str | None = None):
        self.columns: list[dict] = []
        self.num_rows: int | None = None
        self.dataset_type = ""
        if schema_file:
            try:
                content = json.loads(Path(schema_file).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise DatasetError(f"Schema: {schema_file} cannot be read: {error}") from error
            self.from_json(content)

    def add_column(self, name: str, de_type, shape=None) -> None:
        """Add a column; de_type: a dtype or its name, shape: a list of sizes, None where unknown.

        Raises TypeError for an unknown dtype or a shape that is no list.
        """
        if not isinstance(de_type, DType):
            try:
                de_type = from_name(str(de_type)) if de_type != "string" else None
            except TypeError:
                raise TypeError(f"Unknown column type {de_type!r}.") from None
        entry = {"name": name, "type": "string" if de_type is None else de_type.name.rstrip("_"), "rank": 1}
        if shape is not None:
            if not isinstance(shape, (list, tuple)):
                raise TypeError(f"shape must be a list of ints, got {type(shape).__name__}")
            entry |= {"rank": len(shape), "shape": list(shape)}
        self.columns.append(entry)

    def parse_columns(self, columns) -> None:
        """Add columns from a list of dicts with "name", "type" and "shape", or a dict of them by name."""
        if isinstance(columns, dict):
            columns = [{"name": name, **entry} for name, entry in columns.items()]
        if not isinstance(columns, list):
            raise TypeError(f"columns must be a dict or a list, got {type(columns).__name__}")
        for entry in columns:
            if "name" not in entry or "type" not in entry:
                raise AttributeError(f"a column needs a name and a type, got {entry!r}")
            shape = entry.get("shape")
            self.add_column(entry["name"], entry["type"], [shape] if isinstance(shape, int) else shape)

    def from_json(self, json_obj: dict) -> None:
        """Take everything from a dict as JSON gives it."""
        self.num_rows = json_obj.get("numRows")
        self.dataset_type = json_obj.get("datasetType", "")
        self.parse_columns(json_obj.get("columns", []))

    def to_json(self) -> str:
        """The same as a JSON text."""
        content: dict = {"columns": self.columns}
        if self.dataset_type:
            content["datasetType"] = self.dataset_type
        if self.num_rows:
            content["numRows"] = self.num_rows
        return json.dumps(content, indent=2, sort_keys=True)

    def __str__(self) -> str:
        return self.to_json()


def numpy_type(entry: dict) -> np.dtype | None:
    """The NumPy dtype of a column's entry; None for strings."""
    return None if entry["type"] == "string" else from_name(entry["type"]).storage
