"""Errors of MindRecord files, under MindSpore's names."""
from graphcore.errors import FormatError, GraphcoreError


class MindRecordException(GraphcoreError):
    """Anything that is wrong with a MindRecord file or with what is written to it."""


class MRMInvalidSchemaError(MindRecordException):
    """A schema that is none."""


class MRMOpenError(MindRecordException, FormatError):
    """A file that cannot be opened, or is no MindRecord file."""


class MRMWriteRowError(MindRecordException, RuntimeError):
    """Rows that do not fit their schema."""


class ParamTypeError(MindRecordException, TypeError):
    """An argument of a wrong type."""


class ParamValueError(MindRecordException, ValueError):
    """An argument of a wrong value."""
