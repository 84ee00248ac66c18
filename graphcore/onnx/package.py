"""The onnx package, which only this part needs: imported when it is used."""
from __future__ import annotations

from graphcore.errors import FormatError, MissingPackageError


class UnsupportedOnnxError(FormatError, NotImplementedError):
    """A model that may well be sound, but uses what graphcore does not have: an operator, an attribute, a type."""


def onnx_package():
    """The module ``onnx``.  Raises MissingPackageError, which names the extra, where it is not installed."""
    try:
        import onnx
    except ImportError as error:
        raise MissingPackageError('ONNX models need the package "onnx"; install it with: '
                                  'pip install "graphcore[onnx]"') from error
    return onnx
