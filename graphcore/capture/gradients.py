"""``value_and_grad``, ``grad`` and ``GradOperation``: functions that return gradients.

Inside a capture they add `grad` nodes to the graph that is being recorded; called from outside in GRAPH_MODE they are
captured and compiled as one program; in PYNATIVE_MODE they run on a tape of references.
"""
from __future__ import annotations

from graphcore import context
from graphcore.capture import failures
from graphcore.capture.location import locate
from graphcore.capture.trace import ConcreteTrace, TracedTensor, current_trace
from graphcore.errors import GradientError, UnboundParameterError, shown
from graphcore.tensor import Tensor


@failures.shows_users_frames
def value_and_grad(fn, grad_position=0, weights=None, has_aux=False, return_ids=False, sens_param=False):
    """A function that returns (value of `fn`, gradients).

    grad_position: an int or tuple of ints (which arguments to differentiate by), or None; weights: Parameters to
    differentiate by (list, ParameterTuple or one Parameter), or None.  With both, gradients are (inputs, weights).
    has_aux: only the first of fn's outputs is differentiated.  Outputs that are not scalars are summed.
    sens_param: the last argument of the call weighs the output, whose shape it has.
    Raises ValueError if both grad_position and weights are None, IndexError for a position out of range.
    """
    return GradientFunction(fn, grad_position, weights, has_aux, True, return_ids, sens_param)


@failures.shows_users_frames
def grad(fn, grad_position=0, weights=None, has_aux=False, return_ids=False, sens_param=False):
    """Like `value_and_grad`, returning the gradients alone (with has_aux: (gradients, aux))."""
    return GradientFunction(fn, grad_position, weights, has_aux, False, return_ids, sens_param)


class GradientFunction:
    """A callable that differentiates another one; made by `grad` and `value_and_grad`."""

    def __init__(self, fn, grad_position, weights, has_aux, with_value, return_ids=False, sens_param=False):
        if grad_position is None and weights is None:
            raise ValueError("grad_position and weights are both None: nothing to differentiate by; give one of them")
        if not callable(fn):
            raise TypeError(f"a function or a Cell is differentiated, got {shown(fn)}; give the function itself, not its "
                            "result")
        if isinstance(grad_position, list):
            raise TypeError("grad_position must be an int or a tuple of ints, got a list")
        if isinstance(grad_position, bool) or grad_position is not None and not all(
                isinstance(p, int) for p in _as_tuple(grad_position)):
            raise TypeError(f"grad_position must be an int or a tuple of ints, got {grad_position!r}")
        self.fn, self.grad_position, self.weights = fn, grad_position, weights
        self.has_aux, self.with_value, self.return_ids, self.sens_param = has_aux, with_value, return_ids, sens_param
        self.__name__ = f"grad of {getattr(fn, '__name__', type(fn).__name__)}"
        self._compiled = None

    def __call__(self, *args, **kwargs):
        if current_trace() is not None:
            return self.traced(*args, **kwargs)
        try:
            if not context.is_graph_mode():
                return self._on_tape(args, kwargs)
            if self._compiled is None:
                from graphcore.capture.compiled import CompiledFunction
                self._compiled = CompiledFunction(self.traced, self.__name__)
            return self._compiled(*args, **kwargs)
        except Exception as error:
            failures.shorten(error)
            raise

    # -- the differentiated function, on traced arguments ------------------------------------------------
    def traced(self, *args, **kwargs):
        from graphcore.capture.language import callee
        trace = current_trace()
        positions = _as_tuple(self.grad_position) if self.grad_position is not None else ()
        args = list(args)
        if self.sens_param and not args:
            raise locate(TypeError("sens_param=True: the last argument of the call weighs the output; give it"))
        sens = args.pop() if self.sens_param else None
        at = self._arguments_to_differentiate(trace, args, positions)
        others = self._independent_arguments(trace, args, {p % len(args) for p in positions} if args else ())
        weights = self._weight_list()
        weight_nodes = [trace.differentiable_parameter(w) for w in weights]
        outputs = callee(self.fn)(*args, **kwargs)
        loss = self._loss(trace, outputs)
        gradients = trace.gradient(loss, trace.node_of(sens) if sens is not None else None,
                                   at + weight_nodes + others)
        return self._arrange(outputs, gradients[:len(at)], gradients[len(at):len(at) + len(weights)])

    def _arguments_to_differentiate(self, trace, args, positions):
        found = []
        for p in positions:
            if not -len(args) <= p < len(args):
                raise locate(IndexError(f"grad_position {p} is out of range: the function got {len(args)} arguments; "
                                        f"give positions from 0 to {len(args) - 1}"))
            if not isinstance(args[p], Tensor):
                raise locate(GradientError(f"argument {p} is {shown(args[p])}, not a Tensor: there is no gradient with "
                                           "respect to it; pass a Tensor"))
            node = trace.node_of(args[p])
            if not node.dtype.is_float:
                raise locate(GradientError(f"argument {p} has dtype {node.dtype.name}, only floats have gradients; cast "
                                           "it with .astype(ms.float32), or leave it out of grad_position"))
            point = trace.differentiable(node)
            args[p] = TracedTensor(point, trace)
            found.append(point)
        return found

    @staticmethod
    def _independent_arguments(trace, args, positions) -> list:
        """Points at which the sweep ends: arguments computed from the weights outside `fn` are constants to it."""
        points = []
        for i, a in enumerate(args):
            if i in positions or not isinstance(a, TracedTensor) or a.node.is_leaf or not a.dtype.is_float:
                continue
            args[i] = TracedTensor(trace.differentiable(a.node), trace)
            points.append(args[i].node)
        return points

    def _weight_list(self) -> list:
        if self.weights is None:
            return []
        from graphcore.parameter import Parameter
        weights = [self.weights] if isinstance(self.weights, Parameter) else list(self.weights)
        for w in weights:
            if not isinstance(w, Parameter):
                raise UnboundParameterError(f"weights must be Parameters, got {shown(w)}; take them from net.trainable_params()")
        return weights

    def _loss(self, trace, outputs):
        from graphcore.ops.pointwise import add
        from graphcore.ops.reduction import sum_
        if self.has_aux and not (isinstance(outputs, (tuple, list)) and len(outputs) > 1):
            raise locate(GradientError(f"has_aux=True: the function returns (loss, others...), but returned "
                                       f"{shown(outputs)}; return a tuple, or leave has_aux out"))
        first = outputs[0] if self.has_aux else outputs
        tensors = [t for t in _leaves(first) if isinstance(t, Tensor)]
        if not tensors:
            raise locate(GradientError(f"the function returned no Tensor to differentiate, but {shown(first)}; return the "
                                       "loss"))
        nodes = [trace.node_of(t) for t in tensors]
        if len(nodes) == 1:
            return nodes[0]
        sums = [sum_(n, axes=tuple(range(n.rank)), keepdims=False) if n.rank else n for n in nodes]
        total = sums[0]
        for s in sums[1:]:
            total = add(total, s)
        return total

    def _arrange(self, outputs, by_input, by_weight):
        inputs = None if self.grad_position is None else (
            by_input[0] if isinstance(self.grad_position, int) else tuple(by_input))
        if self.weights is None:
            result = inputs
        else:
            of_weights = tuple(by_weight) if isinstance(self.weights, (list, tuple)) else by_weight[0]
            result = of_weights if inputs is None else (inputs, of_weights)
        if self.with_value:
            return outputs, result
        return (result, outputs[1] if len(outputs) == 2 else tuple(outputs[1:])) if self.has_aux else result

    # -- PYNATIVE_MODE -----------------------------------------------------------------------------------
    def _on_tape(self, args, kwargs):
        trace = ConcreteTrace(self.__name__)
        with trace.active():
            traced = [trace.add_concrete_input(f"x{i}", a) if type(a) is Tensor else a for i, a in enumerate(args)]
            result = self.traced(*traced, **kwargs)
            plain = _map_leaves(result, lambda t: Tensor._wrap(t._array.copy(), t.dtype)
                                if isinstance(t, TracedTensor) else t)
            trace.commit()
        return plain


class GradOperation:
    """MindSpore's older interface: ``GradOperation(get_all, get_by_list, sens_param)(fn, weights)(*inputs)``.

    get_all: gradients of all inputs (else of the first); get_by_list: of the weights given; sens_param: the last
    argument of the call weighs the output.
    """

    def __init__(self, get_all=False, get_by_list=False, sens_param=False):
        for name, value in (("get_all", get_all), ("get_by_list", get_by_list), ("sens_param", sens_param)):
            if not isinstance(value, bool):
                raise TypeError(f"{name} must be a bool, got {type(value).__name__}")
        self.get_all, self.get_by_list, self.sens_param = get_all, get_by_list, sens_param

    def __call__(self, fn, weights=None):
        return _GradOperationFunction(self, fn, weights)


class _GradOperationFunction:
    def __init__(self, settings: GradOperation, fn, weights):
        self.settings, self.fn, self.weights = settings, fn, weights
        self._by_count: dict = {}

    @failures.shows_users_frames
    def __call__(self, *args, **kwargs):
        s = self.settings
        count = len(args) - (1 if s.sens_param else 0)
        if count not in self._by_count:
            tensors = tuple(i for i, a in enumerate(args[:count]) if isinstance(a, Tensor) and a.dtype.is_float)
            position = tensors if s.get_all else (None if s.get_by_list else 0)
            weights = (list(self.weights) if self.weights is not None else []) if s.get_by_list else None
            self._by_count[count] = GradientFunction(self.fn, position, weights, False, with_value=False,
                                                     sens_param=s.sens_param)
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


def _map_leaves(value, f):
    if isinstance(value, (list, tuple)):
        mapped = [_map_leaves(v, f) for v in value]
        return type(value)(*mapped) if hasattr(value, "_fields") else type(value)(mapped)
    if isinstance(value, dict):
        return {k: _map_leaves(v, f) for k, v in value.items()}
    return f(value)
