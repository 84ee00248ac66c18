"""MindRecord: rows of typed columns in one or more files, in MindSpore's format; each reads what the other wrote."""
from graphcore.mindrecord.exceptions import (
    MindRecordException,
    MRMInvalidSchemaError,
    MRMOpenError,
    MRMWriteRowError,
    ParamTypeError,
    ParamValueError,
)
from graphcore.mindrecord.reader import FileReader
from graphcore.mindrecord.writer import FileWriter

__all__ = ["FileReader", "FileWriter", "MRMInvalidSchemaError", "MRMOpenError", "MRMWriteRowError",
           "MindRecordException", "ParamTypeError", "ParamValueError"]
