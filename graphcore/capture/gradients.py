"""``value_and_grad``, ``grad`` and ``GradOperation``: functions that return gradients.

Inside a capture they add `grad` nodes to the graph that is being recorded; called from outside in GRAPH_MODE they are
captured and compiled as one program; in PYNATIVE_MODE they run on a tape of references.
"""
from __future__ import annotations

import functools
from dataclasses import dataclass

from graphcore import context
from graphcore.capture import failures
from graphcore.capture.custom_gradients import finish_hooks
from graphcore.capture.language.nests import Undefined
from graphcore.capture.location import locate, warn_user
from graphcore.capture.points import Points, carry_hooks, differentiating, hooks_of, map_leaves
from graphcore.capture.tape import ConcreteTrace
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.errors import DTypeError, GradientError, ShapeError, UnboundParameterError, shown
from graphcore.ir.graph import walk
from graphcore.ops import pointwise
from graphcore.ops.dispatch import promote
from graphcore.ops.reduction import sum_
from graphcore.tensor import Tensor


@failures.shows_users_frames
def value_and_grad(fn, grad_position=0, weights=None, has_aux=False, return_ids=False, sens_param=False):
    """A function that returns (value of `fn`, gradients).

    grad_position: an int or tuple of ints (which arguments to differentiate by), or None; weights: Parameters to
    differentiate by (list, ParameterTuple or one Parameter), or None.  With both, gradients are (inputs, weights).
    The gradient of an argument has its form: a Tensor, or a tuple, list or dict of them.  Arguments without Tensors
    have none; gradients of several arguments are a tuple, that of a single one stands alone.
    has_aux: only the first of fn's outputs is differentiated.  Outputs that are not scalars are summed, several added.
    return_ids: each gradient comes as (position or name of the Parameter, gradient), for `get_grad`.
    sens_param: the last argument of the call weighs the output, whose shape it has (or each of several outputs).
    Raises ValueError if both grad_position and weights are None or a position is negative, IndexError for one that is
    too large, GradientError for an argument that is not float.
    """
    return GradientFunction(fn, grad_position, weights, Form(has_aux, True, return_ids, sens_param))


@failures.shows_users_frames
def grad(fn, grad_position=0, weights=None, has_aux=False, return_ids=False, sens_param=False):
    """Like `value_and_grad`, returning the gradients alone (with has_aux: (gradients, tuple of the other outputs))."""
    return GradientFunction(fn, grad_position, weights, Form(has_aux, False, return_ids, sens_param))


def get_grad(gradients, identifier):
    """The gradient of one argument or Parameter among `gradients` that were made with return_ids=True.

    identifier: the argument's position, or the Parameter.  Raises GradientError if it is not among them.
    """
    wanted = identifier.name if hasattr(identifier, "name") else identifier

    def search(value):
        if not isinstance(value, tuple):
            return None
        if len(value) == 2 and type(value[0]) is type(wanted) and value[0] == wanted:
            return value
        return next(filter(None, map(search, value)), None)

    found = search(gradients)
    if found is None:
        raise GradientError(f"there is no gradient for {identifier!r} among these; they must be made with "
                            "return_ids=True, and with this position or Parameter")
    return found[1]


@dataclass(frozen=True)
class Form:
    """What a function of gradients takes and gives; see `value_and_grad`.

    all_inputs: gradients by arguments are a tuple, also of one; integer Tensors have zeros.
    """

    has_aux: bool = False
    with_value: bool = False
    return_ids: bool = False
    sens_param: bool = False
    all_inputs: bool = False


class GradientFunction:
    """A callable that differentiates another one; made by `grad` and `value_and_grad`."""

    def __init__(self, fn, grad_position, weights, form: Form):
        if grad_position is None and weights is None:
            raise ValueError("grad_position and weights are both None, so there is nothing to differentiate by; give "
                             "the position of an argument, or Parameters")
        if not callable(fn):
            raise TypeError(f"a function or a Cell is differentiated, got {shown(fn)}; give the function itself, not "
                            "its result")
        if isinstance(grad_position, bool) or grad_position is not None and not all(
                isinstance(p, int) for p in _as_tuple(grad_position)):
            raise TypeError(f"grad_position is an int or a tuple of ints, not {grad_position!r}")
        if grad_position is not None and min(_as_tuple(grad_position), default=0) < 0:
            raise ValueError(f"grad_position counts arguments from 0, got {grad_position!r}; give positions >= 0")
        self.fn, self.grad_position, self.weights, self.form = fn, grad_position, weights, form
        self.__name__ = f"grad of {getattr(fn, '__name__', type(fn).__name__)}"
        self._by_hooks: dict = {}           # what is compiled, by the hooks of the arguments
        self._compiled = None               # of these the one called last

    def __call__(self, *args, **kwargs):
        if current_trace() is not None:
            return self.traced(*args, **kwargs)
        hooks = tuple(hooks_of(a) for a in args)
        try:
            if not context.is_graph_mode():
                return self._on_tape(hooks, args, kwargs)
            compiled = self._compiled = self._by_hooks.get(hooks) or self._compiled_function(hooks)
            self._by_hooks[hooks] = compiled
            return compiled(*args, **kwargs)
        except Exception as error:
            failures.shorten(error)
            raise

    def _compiled_function(self, hooks: tuple):
        from graphcore.capture.compiled import CompiledFunction

        def traced(*args, **kwargs):
            return self.traced(*map(carry_hooks, args, hooks), **kwargs)

        return CompiledFunction(traced if any(hooks) else self.traced, self.__name__)

    # -- the differentiated function, on traced arguments ------------------------------------------------
    def traced(self, *args, **kwargs):
        """The result for arguments in a capture, or on a tape."""
        from graphcore.capture.language import callee
        trace = current_trace()
        args = list(args)
        if self.form.sens_param and not args:
            raise locate(TypeError("sens_param=True: the last argument of the call weighs the output; give it"))
        sens = args.pop() if self.form.sens_param else None
        found = Points(trace, self.form.all_inputs)
        of_inputs = self._differentiated(found, args)
        weights = self._weight_list()
        with differentiating(trace, weights) as weight_points:
            outputs = callee(self.fn)(*args, **kwargs)
            loss = _loss(trace, self._differentiated_outputs(outputs), sens)
            if weights and trace.symbolic:
                self._warn_if_none_takes_part(loss, weights, weight_points)
            gradients = trace.gradient(loss, None, [*found.points, *weight_points])
            finish_hooks(trace)
        return self._arranged(outputs, found.gradients(of_inputs, gradients), weights, gradients[len(found.points):])

    def _differentiated(self, found: Points, args: list) -> dict:
        """Position -> the form of its gradient; `args` get points to differentiate at."""
        forms = {}
        for p in _as_tuple(self.grad_position) if self.grad_position is not None else ():
            if p >= len(args):
                raise locate(IndexError(f"grad_position {p} is out of range: the function got {len(args)} arguments; "
                                        f"give positions below {len(args)}"))
            args[p], form = found.at(args[p], p)
            if form is not None:
                forms[p] = form
        return forms

    def _weight_list(self) -> list:
        if self.weights is None:
            return []
        from graphcore.parameter import Parameter
        weights = [self.weights] if isinstance(self.weights, Parameter) else list(self.weights)
        for w in weights:
            if not isinstance(w, Parameter):
                raise locate(UnboundParameterError(f"weights must be Parameters, got {shown(w)}; take those of a net "
                                                   "(net.trainable_params())"))
            if not w.dtype.is_float:
                raise locate(GradientError(f"the Parameter {w.name} has dtype {w.dtype.name}; only floats have "
                                           "gradients: leave it out of the weights (requires_grad=False)"))
        return weights

    def _warn_if_none_takes_part(self, loss, weights: list, points: list) -> None:
        if not set(points).isdisjoint(walk((loss,))):
            return
        names = ", ".join(w.name for w in weights[:3]) + (" ..." if len(weights) > 3 else "")
        warn_user(f"{self.__name__}: the result depends on none of the {len(weights)} Parameters that it is "
                  f"differentiated by ({names}), so that all gradients are zeros; are they those of another net?")

    def _differentiated_outputs(self, outputs):
        if not self.form.has_aux:
            return outputs
        if not isinstance(outputs, (tuple, list)) or not outputs:
            raise locate(GradientError("has_aux=True needs a function that returns (loss, other results ...), but this "
                                       f"one returned {shown(outputs)}"))
        return outputs[0]

    def _arranged(self, outputs, by_position: dict, weights: list, by_weight: list):
        ids, form = self.form.return_ids, self.form
        inputs = tuple((p, g) if ids else g for p, g in by_position.items())
        if len(inputs) == 1 and not form.all_inputs:
            inputs = inputs[0]
        of_weights = tuple((w.name, g) if ids else g for w, g in zip(weights, by_weight))
        if self.weights is not None and not isinstance(self.weights, (list, tuple)):
            of_weights = of_weights[0]
        result = inputs if self.weights is None else of_weights
        if self.grad_position is not None and self.weights is not None:
            result = inputs, of_weights
        if form.with_value:
            return outputs, result
        return (result, tuple(outputs[1:])) if form.has_aux else result

    # -- PYNATIVE_MODE -----------------------------------------------------------------------------------
    def _on_tape(self, hooks, args, kwargs):
        trace = ConcreteTrace(self.__name__)
        with trace.active():
            traced = [trace.add_concrete_input(f"x{i}", a) if type(a) is Tensor else a for i, a in enumerate(args)]
            result = self.traced(*map(carry_hooks, traced, hooks), **kwargs)
            plain = map_leaves(result, lambda t: Tensor._wrap(t._array.copy(), t.dtype)
                                if isinstance(t, TracedTensor) else t)
            trace.commit()
        return plain


def _loss(trace, outputs, sens):
    """The node that is differentiated: the sum of the float Tensors in a nest, weighed by those of the nest `sens`."""
    tensors = []
    for leaf in _leaves(outputs):
        if isinstance(leaf, Undefined):
            leaf.refuse()
        if isinstance(leaf, Tensor):
            tensors.append(leaf)
    if not tensors:
        raise locate(GradientError("the function returned no Tensor to differentiate; return the loss"))
    weights = [None] * len(tensors) if sens is None else list(_leaves(sens))
    if len(weights) != len(tensors):
        raise locate(GradientError(f"sens has {len(weights)} values for {len(tensors)} outputs; give one for each"))
    pairs = [(trace.node_of(t), w) for t, w in zip(tensors, weights) if t.dtype.is_float]
    if not pairs:
        raise locate(DTypeError(f"only a float output can be differentiated; this one is {tensors[0].type_}"))
    sums = [_sum(node if w is None else _weighed(trace, node, w)) for node, w in pairs]
    dtype = functools.reduce(promote, (n.dtype for n in sums))
    return functools.reduce(pointwise.add, (n if n.dtype is dtype else pointwise.cast(n, dtype=dtype) for n in sums))


def _sum(node):
    return sum_(node, axes=tuple(range(node.rank)), keepdims=False) if node.rank else node


def _weighed(trace, node, weight):
    weight = trace.node_of(weight, node.dtype)
    if weight.shape not in (node.shape, ()):
        raise locate(ShapeError(f"sens has shape {weight.shape}, the output that it weighs {node.shape}; give it the "
                                "shape of the output"))
    weight = weight if weight.dtype is node.dtype else pointwise.cast(weight, dtype=node.dtype)
    return pointwise.mul(node, weight)


class GradOperation:
    """MindSpore's older interface: ``GradOperation(get_all, get_by_list, sens_param)(fn, weights)(*inputs)``.

    get_all: gradients of all Tensors among the inputs, as a tuple (zeros for integers), else of the first; get_by_list:
    of the weights given; sens_param: the last argument of the call weighs the output.
    """

    def __init__(self, get_all=False, get_by_list=False, sens_param=False):
        for name, value in (("get_all", get_all), ("get_by_list", get_by_list), ("sens_param", sens_param)):
            if not isinstance(value, bool):
                raise TypeError(f"{name} must be a bool, got {type(value).__name__}")
        self.get_all, self.get_by_list, self.sens_param = get_all, get_by_list, sens_param
        self._last = None

    def __call__(self, fn, weights=None):
        last = self._last
        if last is None or last.fn is not fn or last.weights is not weights:
            last = self._last = _GradOperationFunction(self, fn, weights)
        return last


class _GradOperationFunction:
    def __init__(self, settings: GradOperation, fn, weights):
        self.settings, self.fn, self.weights = settings, fn, weights
        self._by_count: dict = {}

    @failures.shows_users_frames
    def __call__(self, *args, **kwargs):
        s = self.settings
        count = len(args) - (1 if s.sens_param else 0)
        if count not in self._by_count:
            position = tuple(range(count)) if s.get_all else (None if s.get_by_list else 0)
            weights = (list(self.weights) if self.weights is not None else []) if s.get_by_list else None
            form = Form(sens_param=s.sens_param, all_inputs=s.get_all)
            self._by_count[count] = GradientFunction(self.fn, position, weights, form)
        return self._by_count[count](*args, **kwargs)


def _as_tuple(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _leaves(value):
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from _leaves(v)
    elif isinstance(value, dict):
        for v in value.values():
            yield from _leaves(v)
    else:
        yield value
