"""Short vectors in the kernel language, for loops that LLVM's own vectoriser serves badly: short rows, strided, padded.

A value of type *lanes* holds a fixed number of elements in registers.  Loads and stores say which indices exist
(``0 <= index < extent``); others are not touched, so a row of any length needs no loop for its rest.  The number of
lanes is a literal of the kernel's text.  CPUs without masked access use one lane: the same text, scalar code.
"""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import register_model

from graphcore.compiler.codegen.definition import intrinsic
from graphcore.compiler.codegen.pointers import ElementPointer

I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_LLVM = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.boolean: I1}


class Lanes(types.Type):
    """The type of `count` elements of a Numba number type (boolean for conditions)."""

    def __init__(self, element: types.Type, count: int):
        self.element, self.count = element, count
        super().__init__(f"lanes_{element}x{count}")

    @property
    def llvm(self) -> ir.VectorType:
        return ir.VectorType(_LLVM.get(self.element) or ir.IntType(self.element.bitwidth), self.count)

    @property
    def is_float(self) -> bool:
        return isinstance(self.element, types.Float)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, type_):
        super().__init__(manager, type_, type_.llvm)


def _constant(type_: ir.VectorType, values) -> ir.Constant:
    return ir.Constant(type_, [ir.Constant(type_.element, v) for v in values])


def _splat(builder, scalar, count: int):
    vector = ir.VectorType(scalar.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(I32, 0))
    return _shuffle(builder, first, first, [0] * count)


def _shuffle(builder, a, b, order):
    return builder.shuffle_vector(a, b, _constant(ir.VectorType(I32, len(order)), order))


def _inside(builder, start, extent, count: int):
    """Mask of the elements start .. start+count-1 that are in 0 .. extent-1."""
    start, extent = (_splat(builder, builder.trunc(word, I32), count) for word in (start, extent))
    places = builder.add(start, _constant(start.type, range(count)))
    return builder.icmp_unsigned("<", places, extent)


def _masked(builder, name: str, result, vector, arguments):
    """Call LLVM's masked load or store of a vector type."""
    letter = {"float": "f32", "double": "f64"}.get(str(vector.element), str(vector.element))
    signature = ir.FunctionType(result, [a.type for a in arguments])
    function = cgutils.get_or_insert_function(builder.module, signature,
                                              f"llvm.masked.{name}.v{vector.count}{letter}.p0")
    return builder.call(function, arguments)


def _element_address(builder, pointer, index, vector):
    return builder.gep(pointer, [index], source_etype=vector.element)


def _alignment(vector):
    return ir.Constant(I32, {"float": 4, "double": 8}.get(str(vector.element)) or vector.element.width // 8)


@intrinsic(prefer_literal=True)
def lanes(typing, value, count):
    """`count` (a literal) lanes that all hold the number `value`."""
    if not isinstance(count, types.IntegerLiteral) or not isinstance(value, types.Number):
        return None
    value = types.unliteral(value)

    def generate(context, builder, signature, arguments):
        return _splat(builder, arguments[0], count.literal_value)
    return Lanes(value, count.literal_value)(value, count), generate


@intrinsic(prefer_literal=True)
def load_lanes(typing, pointer, start, stride, extent, fill):
    """Lane l = element start + l*stride (a literal) of `pointer` if that is in 0..extent-1, else lane l of `fill`."""
    if not (isinstance(pointer, ElementPointer) and isinstance(stride, types.IntegerLiteral)
            and isinstance(fill, Lanes) and fill.element == pointer.element.value):
        return None
    count = fill.count
    wide = ir.VectorType(fill.llvm.element, count * stride.literal_value if count > 1 else 1)
    spread = [lane * stride.literal_value for lane in range(count)]

    def generate(context, builder, signature, arguments):
        pointer, start, _, extent, other = arguments
        inside = _inside(builder, start, extent, wide.count)
        mixed = other
        if wide.count > count:          # the elements between the lanes are of no interest
            mixed = _shuffle(builder, other, other, [element // stride.literal_value for element in range(wide.count)])
        loaded = _masked(builder, "load", wide, wide, [
            _element_address(builder, pointer, start, wide), _alignment(wide), inside, mixed])
        return loaded if wide.count == count else _shuffle(builder, loaded, loaded, spread)
    return fill(pointer, types.intp, stride, types.intp, fill), generate


@intrinsic
def load_whole(typing, pointer, start, like):
    """Lane l = element start + l of `pointer`, all of which exist; as many lanes as `like` has."""
    if not (isinstance(pointer, ElementPointer) and isinstance(like, Lanes) and like.element == pointer.element.value):
        return None

    def generate(context, builder, signature, arguments):
        place = builder.bitcast(_element_address(builder, *arguments[:2], like.llvm), like.llvm.as_pointer())
        return builder.load(place, align=_alignment(like.llvm).constant)
    return like(pointer, types.intp, like), generate


@intrinsic(prefer_literal=True)
def load_spread(typing, pointer, start, stride, like):
    """Lane l = element start + l*stride (a literal) of `pointer`; as many lanes as `like` has.

    All elements from `start` to that behind the last lane's exist, since they are loaded together.
    """
    if not (isinstance(pointer, ElementPointer) and isinstance(stride, types.IntegerLiteral)
            and isinstance(like, Lanes) and like.element == pointer.element.value):
        return None
    count, step = like.count, stride.literal_value
    wide = ir.VectorType(like.llvm.element, count * step)

    def generate(context, builder, signature, arguments):
        place = builder.bitcast(_element_address(builder, *arguments[:2], wide), wide.as_pointer())
        loaded = builder.load(place, align=_alignment(wide).constant)
        return _shuffle(builder, loaded, loaded, [lane * step for lane in range(count)])
    return like(pointer, types.intp, stride, like), generate


@intrinsic
def store_whole(typing, pointer, start, value):
    """Element start + l of `pointer` = lane l of `value`; all of them exist."""
    if not (isinstance(pointer, ElementPointer) and isinstance(value, Lanes)
            and value.element == pointer.element.value):
        return None

    def generate(context, builder, signature, arguments):
        place = builder.bitcast(_element_address(builder, *arguments[:2], value.llvm), value.llvm.as_pointer())
        builder.store(arguments[2], place, align=_alignment(value.llvm).constant)
        return context.get_dummy_value()
    return types.void(pointer, types.intp, value), generate


@intrinsic
def store_lanes(typing, pointer, start, extent, *values):
    """Element start + l*S + k of `pointer` = lane l of the k-th of S values, where that is in 0..extent-1."""
    if not isinstance(pointer, ElementPointer) or not values or not all(
            isinstance(v, Lanes) and v == values[0] and v.element == pointer.element.value for v in values):
        return None
    count, number = values[0].count, len(values)
    wide = ir.VectorType(values[0].llvm.element, count * number)

    def generate(context, builder, signature, arguments):
        pointer, start, extent, *parts = arguments
        whole = _interleave(builder, parts, count)
        inside = _inside(builder, start, extent, wide.count)
        _masked(builder, "store", ir.VoidType(), wide, [
            whole, _element_address(builder, pointer, start, wide), _alignment(wide), inside])
        return context.get_dummy_value()
    return types.void(pointer, types.intp, types.intp, *values), generate


def _interleave(builder, parts: list, count: int):
    """One vector: lane 0 of each part, lane 1 of each part ..."""
    whole = parts[0]
    for part in parts[1:]:              # one after the other, `part` widened to the length of `whole`
        length = whole.type.count
        widened = _shuffle(builder, part, part, [min(k, count - 1) for k in range(length)])
        whole = _shuffle(builder, whole, widened, [*range(length), *range(length, length + count)])
    order = [part * count + lane for lane in range(count) for part in range(len(parts))]
    return whole if len(parts) == 1 else _shuffle(builder, whole, whole, order)


def _combination(name: str, summary: str, operation, result=lambda a: a):
    """A function of two lanes of one type."""
    def combine(typing, a, b):
        if not isinstance(a, Lanes) or a != b:
            return None

        def generate(context, builder, signature, arguments):
            return operation(builder, a, *arguments)
        return result(a)(a, b), generate

    combine.__name__, combine.__doc__ = name, summary
    return intrinsic(combine)


def _maximum(builder, type_: Lanes, a, b):
    if type_.is_float:
        letter = "f32" if type_.element == types.float32 else "f64"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.type, [a.type] * 2),
                                                  f"llvm.maximum.v{type_.count}{letter}")
        return builder.call(function, [a, b], fastmath=("nsz",))
    compare = builder.icmp_signed if type_.element.signed else builder.icmp_unsigned
    return builder.select(compare(">", a, b), a, b)


def _add(builder, type_: Lanes, a, b):
    return builder.fadd(a, b, flags=("contract",)) if type_.is_float else builder.add(a, b)


def _multiply(builder, type_: Lanes, a, b):
    return builder.fmul(a, b, flags=("contract",)) if type_.is_float else builder.mul(a, b)


def _equal(builder, type_: Lanes, a, b):
    return builder.fcmp_ordered("==", a, b) if type_.is_float else builder.icmp_unsigned("==", a, b)


def _is_maximum(builder, type_: Lanes, value, maximum):
    return builder.or_(builder.fcmp_ordered("==", value, maximum), builder.fcmp_unordered("uno", value, value))


lanes_maximum = _combination("lanes_maximum", "The larger of each two; NaN if either is NaN.", _maximum)
lanes_add = _combination("lanes_add", "a + b.", _add)
lanes_multiply = _combination("lanes_multiply", "a * b.", _multiply)
lanes_equal = _combination("lanes_equal", "Whether a == b.", _equal, lambda a: Lanes(types.boolean, a.count))
lanes_are_maximum = _combination(
    "lanes_are_maximum", "Whether `value`, one of the numbers of which `maximum` is the largest, equals it or is NaN.",
    _is_maximum, lambda a: Lanes(types.boolean, a.count))


@intrinsic
def lanes_select(typing, condition, a, b):
    """Lanes of `a` where `condition` holds, else of `b`."""
    if not (isinstance(condition, Lanes) and isinstance(a, Lanes) and a == b and condition.count == a.count):
        return None

    def generate(context, builder, signature, arguments):
        return builder.select(*arguments)
    return a(condition, a, b), generate


def namespace() -> dict:
    """The names that this module gives to kernels."""
    made = (lanes, load_lanes, store_lanes, load_whole, load_spread, store_whole, lanes_maximum, lanes_add,
            lanes_multiply, lanes_equal, lanes_are_maximum, lanes_select)
    return {function.__name__: function for function in made}
