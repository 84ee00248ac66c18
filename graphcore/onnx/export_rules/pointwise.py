"""Rules of operators on elements and of reductions."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Node
from graphcore.onnx.tensors import CODES
from graphcore.onnx.writer import RULES, OnnxExportError, Writer, rule

for _name, _op in {
        "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg", "abs": "Abs", "sign": "Sign",
        "reciprocal": "Reciprocal", "relu": "Relu", "floor": "Floor", "ceil": "Ceil", "round": "Round", "pow": "Pow",
        "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin",
        "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh", "acosh": "Acosh",
        "atanh": "Atanh", "tanh": "Tanh", "sigmoid": "Sigmoid", "erf": "Erf", "is_nan": "IsNaN", "eq": "Equal",
        "select": "Where", "maximum": "Max", "minimum": "Min", "copy": "Identity", "stop_gradient": "Identity",
        "barrier": "Identity"}.items():
    RULES[_name] = lambda w, node, *inputs, op=_op: w.add(op, *inputs)

for _name, _op in {"lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual"}.items():
    def _ordered(w, node, a, b, op=_op):
        if node.inputs[0].dtype.is_bool:
            a, b = w.cast(a, dt.int32), w.cast(b, dt.int32)
        return w.add(op, a, b)
    RULES[_name] = _ordered

for _name, (_of_bools, _of_integers) in {"logical_and": ("And", "BitwiseAnd"), "logical_or": ("Or", "BitwiseOr"),
                                         "logical_xor": ("Xor", "BitwiseXor"),
                                         "logical_not": ("Not", "BitwiseNot")}.items():
    RULES[_name] = lambda w, node, *inputs, ops=(_of_bools, _of_integers): w.add(
        ops[0] if node.dtype.is_bool else ops[1], *inputs)


@rule("ne")
def not_equal(w: Writer, node: Node, a, b):
    return w.add("Not", w.add("Equal", a, b))


@rule("fence")
def fence(w, node, x, late):
    return w.add("Identity", x)


@rule("square")
def square(w, node, x):
    return w.add("Mul", x, x)


@rule("is_finite")
def is_finite(w, node, x):
    return w.add("Not", w.add("Or", w.add("IsNaN", x), w.add("IsInf", x)))


@rule("rsqrt")
def rsqrt(w, node, x):
    return w.add("Reciprocal", w.add("Sqrt", x))


@rule("trunc")
def trunc(w, node, x):
    negative = w.add("Less", x, w.number(0, node))
    return w.add("Where", negative, w.add("Ceil", x), w.add("Floor", x))


@rule("floor_div")
def floor_div(w, node, a, b):
    if node.dtype.is_float:
        return w.add("Floor", w.add("Div", a, b))
    return w.add("Div", w.add("Sub", a, w.add("Mod", a, b)), b)


@rule("mod")
def mod(w, node, a, b):
    if node.dtype.is_integer:
        return w.add("Mod", a, b)
    return w.add("Sub", a, w.add("Mul", w.add("Floor", w.add("Div", a, b)), b))


@rule("exp2")
def exp2(w, node, x):
    return w.add("Pow", w.number(2, node), x)


@rule("expm1")
def expm1(w, node, x):
    """By sinh where e^x - 1 would lose digits: 2 e^(x/2) sinh(x/2)."""
    half = w.add("Mul", x, w.number(0.5, node))
    small = w.add("Mul", w.add("Mul", w.add("Exp", half), w.add("Sinh", half)), w.number(2, node))
    near = w.add("Less", w.add("Abs", x), w.number(1, node))
    return w.add("Where", near, small, w.add("Sub", w.add("Exp", x), w.number(1, node)))


@rule("log1p")
def log1p(w, node, x):
    """By atanh where 1 + x would lose digits: 2 atanh(x / (x + 2))."""
    near = w.add("Less", w.add("Abs", x), w.number(0.5, node))
    part = w.add("Div", x, w.add("Add", x, w.number(2, node)))
    safe = w.add("Where", near, part, w.number(0, node))
    small = w.add("Mul", w.add("Atanh", safe), w.number(2, node))
    return w.add("Where", near, small, w.add("Log", w.add("Add", x, w.number(1, node))))


@rule("log2")
def log2(w, node, x):
    return w.add("Mul", w.add("Log", x), w.number(1 / math.log(2), node))


@rule("log10")
def log10(w, node, x):
    return w.add("Mul", w.add("Log", x), w.number(1 / math.log(10), node))


@rule("erfc")
def erfc(w, node, x):
    return w.add("Sub", w.number(1, node), w.add("Erf", x))


@rule("atan2")
def atan2(w, node, y, x):
    """atan(y / x), moved by pi where x is negative."""
    zero = w.number(0, node)
    angle, below = w.add("Atan", w.add("Div", y, x)), w.add("Less", y, zero)
    turn = w.add("Where", below, w.number(-math.pi, node), w.number(math.pi, node))
    beside = w.add("Where", w.add("Less", x, zero), w.add("Add", angle, turn), angle)
    upright = w.add("Mul", w.add("Sign", y), w.number(math.pi / 2, node))
    return w.add("Where", w.add("Equal", x, zero), upright, beside)


@rule("left_shift", "right_shift")
def shift(w, node, x, by):
    if node.dtype.kind != "u":
        raise OnnxExportError(f"{node.op} of {node.dtype.name} has no form in ONNX, only of unsigned integers")
    return w.add("BitShift", x, by, direction="LEFT" if node.op == "left_shift" else "RIGHT")


@rule("cast")
def cast(w, node, x):
    return w.add("Cast", x, to=CODES[node.dtype])


@rule("iota")
def iota(w, node):
    axis, shape = node.attrs["axis"], node.shape
    extent = shape[axis]
    if isinstance(extent, Dim):
        places = w.add("Range", w.constant(np.int64(0)), w.count(extent), w.constant(np.int64(1)))
    else:
        places = w.constant(np.arange(extent))
    if node.dtype is not dt.int64:
        places = w.cast(places, node.dtype)
    if len(shape) == 1:
        return w.add("Identity", places)
    column = w.add("Reshape", places, w.ints([-1 if i == axis else 1 for i in range(len(shape))]))
    return w.add("Expand", column, w.ints(shape))


# -- reductions -------------------------------------------------------------------------------------------------

for _name, _op in {"sum": "ReduceSum", "prod": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin"}.items():
    def _reduced(w, node, x, op=_op):
        if not node.attrs["axes"]:
            return w.add("Identity", x)
        return w.add(op, x, w.ints(node.attrs["axes"]), keepdims=int(node.attrs["keepdims"]))
    RULES[_name] = _reduced


@rule("all", "any")
def of_bools(w, node, x):
    if not node.attrs["axes"]:
        return w.add("Identity", x)
    found = w.add("ReduceMin" if node.op == "all" else "ReduceMax", w.cast(x, dt.int32), w.ints(node.attrs["axes"]),
                  keepdims=int(node.attrs["keepdims"]))
    return w.cast(found, dt.bool_)
