"""Tracing: run Python code on symbolic Tensors and record what it does as a graph.

A `Trace` collects nodes, the Parameters that were met (leaves that hold a name and a type, never data), their new
values, and the places in the user's code.  `capture.tape` has the one that also computes every value as it goes.
"""
from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np

from graphcore.capture.location import locate, user_origin
from graphcore.dtype import DType, complex64
from graphcore.errors import CaptureError, DTypeError, GraphcoreError, ShapeError, shown
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, Origins
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise, structural
from graphcore.ops.record import Operator
from graphcore.ops.view import broadcast_to, reshape
from graphcore.tensor import Tensor

_local = threading.local()
TEXT_MARK = "\u2063"        # around what stands for a tensor in a string: an invisible separator


class NeedsValue(Exception):
    """Python code asks for the value of `node` in the middle of a capture."""

    def __init__(self, node: Node):
        super().__init__("a value is needed that only the program computes")
        self.node = node


class DecideByValue(BaseException):
    """A capture is to start again, with the branches of this code decided by the value of their condition."""

    def __init__(self, code):
        super().__init__("a variable is used that only one branch gives a value to")
        self.code = code


def current_trace() -> Trace | None:
    """The trace that is being recorded on this thread, or None outside a capture."""
    return getattr(_local, "trace", None)


class TracedTensor(Tensor):
    """A Tensor inside a capture: it has a node instead of values."""

    __slots__ = ("node", "recorder")

    def __init__(self, node: Node, trace: Trace):
        self.node, self.recorder = node, trace
        self._dtype = node.type.dtype

    @property
    def _array(self):
        return self.recorder.value_of(self.node)

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def shape(self) -> tuple:
        return self.node.type.shape

    def __bool__(self):
        return bool(self.recorder.python_value(self.node, bool))

    def __int__(self):
        return int(self.recorder.python_value(self.node, int))

    def __index__(self):
        if not self._dtype.is_integer:
            return super().__index__()
        return int(self.recorder.python_value(self.node, int))

    def item(self, *index):
        """The element as a number of the graph: its value is known when the program runs."""
        if not self.recorder.symbolic:
            return super().item(*index)
        element = self[index[0] if len(index) == 1 else index] if index else self
        if element.size != 1:
            raise locate(ValueError(f"item() takes one element out of a tensor; this one is {element.type_}, give an "
                                    "index"))
        return TracedNumber(element.reshape(()).node, self.recorder)

    def tolist(self):
        """The elements as numbers of the graph, in nested lists."""
        if not self.recorder.symbolic:
            return super().tolist()
        return [row.tolist() for row in self] if self.shape else self.item()

    def __hash__(self):
        self.recorder.check_hashable(self.node)
        return id(self)

    def __deepcopy__(self, memodict):
        return self

    __copy__ = None     # copy.copy falls back on __reduce_ex__, refused below

    def __reduce__(self):
        raise locate(CaptureError("a tensor has no values to copy or pickle while the graph is captured; use it as it "
                                  "is, tensors do not change"))

    def __array_function__(self, function, types, args, kwargs):
        self.recorder.require_value(self.node, f"numpy.{function.__name__}")
        return function._implementation(*args, **kwargs)

    def __format__(self, spec):
        return self.recorder.text_of(self, spec)

    def __str__(self):
        return self.recorder.text_of(self, "")

    def __repr__(self):
        return self.recorder.text_of(self, "!r")


class TracedNumber(TracedTensor):
    """A number whose value the program computes: what int(), float(), bool(), not and item() give of a traced tensor.

    It computes as a 0-d tensor and leaves the graph as a Python number.
    """

    __slots__ = ()


# Messages of Python name the class; to the user it is a Tensor.
TracedNumber.__name__ = TracedTensor.__name__ = Tensor.__name__


class Trace:
    """One capture in progress.  Use ``with trace.active():``."""

    symbolic = True         # values are not known while recording
    without_gradients = False       # whether what is recorded now is a constant to gradients, see `no_grad`

    def __init__(self, name: str, assumed: tuple = ()):
        self.name = name
        self.assumed, self._asked = assumed, 0      # the values that Python code asked for, in order
        self.inputs: list[Node] = []
        self.effects: list[Node] = []
        self.origins = Origins()
        self.parameters: dict[str, object] = {}      # bound name -> Parameter
        self.callbacks: list = []                    # Python functions for `host_call` nodes
        self.effect_callbacks: set = set()           # the numbers of those that give nothing
        self.touched: dict = {}                      # Python state that was changed, see `capture.places`
        self.owned: dict = {}                        # id -> container that was made during this trace
        self.outside: dict = {}                      # id -> container that was there before the capture
        self.argument_places: dict = {}              # id of a list or dict among the arguments -> where it stands
        self.states: dict = {}                       # key -> (attribute, its input), see `capture.attributes`
        self.read_attributes: dict = {}              # key -> (owner, value) of attributes read as constants
        self.decided: set = set()                    # code of branches that are decided by the value of their condition
        self.stacked: dict = {}                      # id -> (list, what a loop's body appends to it)
        self._leaves: dict[int, Node] = {}           # id(Parameter) -> its leaf
        self._state: dict[int, Node] = {}            # id(Parameter) -> its value now, where it was assigned
        self._texts: dict[str, tuple] = {}           # what stands for a tensor in a string -> (the tensor, format)
        self._scope: list[str] = []
        self.written: dict[int, object] = {}         # id(Parameter) -> Parameter, for those
        self._sites = 0
        self._outer: Trace | None = None
        self._random_key: Node | None = None

    # -- being recorded --------------------------------------------------------------------------------
    @contextmanager
    def active(self):
        """Make this the trace of the current thread."""
        self._outer, _local.trace = current_trace(), self
        try:
            yield self
        finally:
            _local.trace = self._outer

    @contextmanager
    def scope(self, name: str):
        """Nodes made inside belong to the Cell called `name`."""
        self._scope.append(name)
        try:
            yield
        finally:
            self._scope.pop()

    # -- values ----------------------------------------------------------------------------------------
    def add_input(self, name: str, type: TensorType) -> TracedTensor:
        """A new argument of the graph."""
        self.refuse_complex(type.dtype)
        leaf = ir.input_(name, type)
        self.inputs.append(leaf)
        return TracedTensor(leaf, self)

    def node_of(self, value, dtype: DType | None = None) -> Node:
        """The node of anything an operator can take: a traced or plain Tensor, a Parameter, a number."""
        from graphcore.parameter import Parameter
        if isinstance(value, TracedTensor):
            return value.node if value.recorder is self else self.node_from_outside(value)
        if isinstance(value, Parameter):
            return self._state.get(id(value)) or self.leaf(value)
        if isinstance(value, Tensor):
            self.refuse_complex(value.dtype)
            return ir.const(value._array, value.dtype)
        if isinstance(value, complex):
            self.refuse_complex(complex64)
        node = ir.const(np.asarray(value))
        return node if dtype is None else pointwise.literal(value, ir.input_("", TensorType(dtype, ())))

    def refuse_complex(self, dtype: DType) -> None:
        """Raise CaptureError for a complex dtype in a graph."""
        if dtype.is_complex and self.symbolic:
            raise locate(CaptureError("complex tensors are computed outside of graphs only: call this part outside of "
                                      "construct, or in PYNATIVE_MODE, or compute with real and imaginary parts"))

    def node_from_outside(self, value: TracedTensor) -> Node:
        """The node of a tensor that another trace recorded."""
        raise locate(CaptureError("a tensor of another capture was used: a value computed inside construct was kept "
                                  "outside of it (in a global, or an attribute); return it instead"))

    def leaf(self, parameter) -> Node:
        """The leaf of a Parameter; its name is numbered when another Parameter of the graph bears it."""
        leaf = self._leaves.get(id(parameter))
        if leaf is None:
            name = self._unique_name(parameter)
            self.parameters[name] = parameter
            leaf = ir.param(name, TensorType(parameter.dtype, tuple(parameter.shape)))
            self._leaves[id(parameter)] = leaf
        return leaf

    def _unique_name(self, parameter) -> str:
        """Its name; name_1, name_2 ... for those that only a graph brings together, as two optimisers' global_step."""
        name, number = parameter.name, 0
        while name in self.parameters:
            number += 1
            name = f"{parameter.name}_{number}"
        return name

    def assign(self, parameter, value) -> None:
        """Record the new value of a Parameter; it is cast to the Parameter's dtype.  ShapeError if shapes differ."""
        if not isinstance(value, (Tensor, bool, int, float, np.generic, np.ndarray)):
            raise locate(DTypeError(f"Parameter {parameter.name} cannot be given {shown(value)}; give it a tensor or a "
                                    "number"))
        node = self.node_of(value, parameter.dtype)
        if node.dtype is not parameter.dtype:
            node = pointwise.cast(node, dtype=parameter.dtype)
        if node.shape != tuple(parameter.shape):
            if node.type.size == 1 and parameter.size == 1:
                node = reshape(node, shape=tuple(parameter.shape))
            elif node.shape == ():
                node = broadcast_to(node, shape=tuple(parameter.shape))
            else:
                raise locate(ShapeError(f"Parameter {parameter.name} has shape {tuple(parameter.shape)}; a value of "
                                        f"shape {node.shape} cannot be assigned to it; reshape the value"))
        self.leaf(parameter)
        self.origins.add(node, (user_origin(self._scope_name),))
        self.set_value(parameter, node)

    def set_value(self, parameter, node: Node) -> None:
        """From now on the value of a Parameter is `node`, which has its type."""
        self._state[id(parameter)] = node
        self.written[id(parameter)] = parameter

    def random_key(self) -> Node:
        """The key of this call's random numbers; the generator advances once per call of the program."""
        from graphcore.random import key_parameter
        if self._random_key is None:
            parameter = key_parameter()
            self._random_key = self.value_now(parameter)
            advanced = pointwise.add(self._random_key, ir.const(np.array([0, 1], np.int64)))
            self.origins.add(advanced, (user_origin(self._scope_name),))
            self.set_value(parameter, advanced)
        return self._random_key

    def next_site(self) -> int:
        """A number that tells this call of a random operator (or barrier) from all others of the graph."""
        self._sites += 1
        return self._sites

    # -- recording -------------------------------------------------------------------------------------
    def apply(self, record: Operator, inputs, attrs) -> TracedTensor:
        """Apply an operator to Tensors."""
        nodes = [self.node_of(i) for i in inputs]
        try:
            result = record(*nodes, **attrs)
        except GraphcoreError as error:
            raise locate(error) from None
        return self.record(result)

    def record(self, node: Node) -> TracedTensor:
        """Note where a node comes from, and wrap it."""
        if self.without_gradients:
            node = structural.stop_gradient(node)
        self.origins.add(node, (user_origin(self._scope_name),))
        return TracedTensor(node, self)

    @property
    def _scope_name(self) -> str:
        return self._scope[-1] if self._scope else ""

    # -- values that Python asks for -------------------------------------------------------------------
    def python_value(self, node: Node, kind: type):
        """The value of a one-element tensor, for Python code that must have it now.

        The outermost trace learns it by running what has been recorded (see `compiled.capture_call`), and is then
        valid for this value only.  Raises ValueError for a tensor of several elements, CaptureError where there is no
        way to know.
        """
        if node.type.size != 1:
            raise locate(ValueError(
                "The truth value of an array with more than one element is ambiguous: only a tensor of one element can "
                f"be converted to {kind.__name__}, this one has type {node.type}; use .all() or .any()"))
        if node.op == "const":
            return node.attrs["value"].array.item()
        if node.dtype.is_float and kind is not bool:
            self.require_value(node, "a Python number")
        return self.assume(node)

    def assume(self, node: Node, why: str = "Python code asks for the value of a tensor",
               cure: str = "compute with tensors there (ops.where, arithmetic)"):
        """The value of a node, which this capture then depends on.  Raises CaptureError (why, cure) in a region."""
        if self._asked == len(self.assumed):
            raise NeedsValue(node)
        self._asked += 1
        return self.assumed[self._asked - 1]

    def require_value(self, node: Node, purpose: str) -> None:
        """Raise CaptureError: the value of `node` exists only when the program runs."""
        raise locate(CaptureError(
            f"the value of a tensor of type {node.type} is needed for {purpose} while the graph is captured, but it is "
            "known only when the program runs. Compute with tensors instead (ops.where, ops.select), move this code "
            "out of construct, or run it in PYNATIVE_MODE"))

    def check_hashable(self, node: Node) -> None:
        """Tensors are hashed by identity; a trace of a loop's body refuses it."""

    def text_of(self, tensor: TracedTensor, spec: str) -> str:
        """What stands for a tensor's value in a string until the program runs (see `capture.texts`)."""
        text = f"{TEXT_MARK}<tensor {tensor.node.type} {len(self.root._texts)}>{TEXT_MARK}"
        self.root._texts[text] = (tensor, spec)
        return text

    def tensor_of_text(self, text: str) -> tuple:
        """(tensor, format) that `text` stands for."""
        return self.root._texts[text]

    @property
    def root(self) -> Trace:
        """The outermost trace of this capture."""
        return self

    def value_of(self, node: Node) -> np.ndarray:
        """The values of a node; a plain trace has none."""
        self.require_value(node, "Python code (asnumpy, tolist, NumPy)")

    def gradient(self, loss: Node, sens: Node | None, wrt) -> list[TracedTensor]:
        """Nodes for the gradients of sum(loss) with respect to the nodes `wrt`; expanded later by the compiler."""
        if not loss.type.dtype.is_float:
            raise locate(DTypeError(f"only a float output can be differentiated, this one is {loss.type}; return the "
                                    "loss before it is made integer"))
        inputs = (loss,) + ((sens,) if sens is not None else ()) + tuple(wrt)
        together = structural.grad(*inputs, sens=sens is not None)
        self.origins.add(together, (user_origin(self._scope_name),))
        return [self.record(structural.item(together, index=i)) for i in range(len(wrt))]

    # -- the result ------------------------------------------------------------------------------------
    def finish(self, outputs) -> Graph:
        """The graph of what was recorded, returning the nodes `outputs`."""
        updates = []
        for name, parameter in self.parameters.items():
            value = self._state.get(id(parameter))
            if value is not None and value is not self._leaves[id(parameter)]:
                updates.append((name, value))
        return Graph(self.name, tuple(self.inputs), tuple(outputs), tuple(updates), tuple(self.effects), self.origins)

    def value_now(self, parameter) -> Node:
        """The node of a Parameter's present value."""
        return self._state.get(id(parameter)) or self.leaf(parameter)


@contextmanager
def no_trace():
    """Run code outside of any capture (initialisers, callbacks)."""
    outer, _local.trace = current_trace(), None
    try:
        yield
    finally:
        _local.trace = outer
