"""The exceptions that graphcore raises.

Each is also the built-in class that a MindSpore script would catch (ValueError, TypeError, RuntimeError ...).
Messages say what was seen and the way out; errors met while a graph is captured end with the user's line.
"""
from __future__ import annotations


class GraphcoreError(Exception):
    """Base of all errors that graphcore raises on purpose."""


class ShapeError(GraphcoreError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(GraphcoreError, TypeError):
    """A dtype that an operator or a conversion does not take."""


class IndexRangeError(GraphcoreError, IndexError):
    """An index beyond the size of its axis, or of a kind that cannot index."""


class LengthError(GraphcoreError, RuntimeError):
    """A sample is longer than what there is for it."""


class NameClashError(GraphcoreError, ValueError):
    """Two Parameters of one net that bear the same name."""


class UnboundParameterError(GraphcoreError, RuntimeError):
    """A Parameter used in a graph that has no data, or a weight that does not belong to it."""


class CaptureError(GraphcoreError, RuntimeError):
    """Python that cannot be captured into a graph."""


class GradientError(GraphcoreError, RuntimeError):
    """An operator on the way from the loss to a weight has no gradient."""


class FormatError(GraphcoreError, ValueError):
    """A file (checkpoint, IR text, bundle) that is damaged or of another format."""


class CompileError(GraphcoreError, RuntimeError):
    """The compiler met something that it should have handled: a defect of graphcore, with the kernel's name."""


class IRError(GraphcoreError, AssertionError):
    """A graph that breaks the rules of the IR."""


class NonFiniteError(GraphcoreError, FloatingPointError):
    """NaN or infinity where the user asked to be told of it."""


class MissingPackageError(GraphcoreError, ImportError):
    """An optional package that is not installed; the message has the pip command."""


def shown(value) -> str:
    """A value as messages name it: the type of a tensor, short Python values themselves, of others their kind."""
    if hasattr(value, "type_"):
        return f"Tensor {value.type_}"
    if isinstance(value, type):
        return f"class {value.__name__}"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple) and len(value) <= 6:
        items = ", ".join(map(shown, value))
        return f"[{items}]" if type(value) is list else f"({items}{',' * (len(value) == 1)})"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


class RecompileWarning(UserWarning):
    """A Cell or function is compiled again and again, since something that it depends on keeps changing."""
