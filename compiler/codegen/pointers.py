"""Typed pointers of the kernel language: memory is read and written by `load(p, i)` and `store(p, i, v)`.

An address is a 64-bit word of the kernel's row; ``ptr_f32(args[0])`` makes a pointer of it.  Loads and stores are plain
``getelementptr`` + ``load``/``store``: no bounds check and no wrap-around of negative indices, both of which would keep
loops from being vectorised.

float16 and bfloat16 are 16-bit words in memory and float32 everywhere else; bool is a byte, 0 or 1, in memory.
"""
from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import register_model

from graphcore.compiler.codegen.definition import intrinsic

I1, I8, I16, I32, I64 = (ir.IntType(width) for width in (1, 8, 16, 32, 64))
F16, F32, F64 = ir.HalfType(), ir.FloatType(), ir.DoubleType()
POINTER = I8.as_pointer()

#: Names of the functions that convert 16-bit floats.  They are weak definitions: the toolchain replaces those that the
#: target has no instruction for (see toolchain/half.py).
WIDEN_F16, ROUND_F16 = "gc.f16.widen", "gc.f16.round"


@dataclass(frozen=True)
class Element:
    """What a pointer points to: `memory` is its LLVM type there, `value` the Numba type of a loaded value."""

    code: str
    memory: ir.Type
    value: types.Type

    @property
    def bytes(self) -> int:
        return {F32: 4, F64: 8}.get(self.memory) or self.memory.width // 8


ELEMENTS = {element.code: element for element in (
    Element("f16", I16, types.float32),
    Element("bf16", I16, types.float32),
    Element("f32", F32, types.float32),
    Element("f64", F64, types.float64),
    Element("i8", I8, types.int8),
    Element("i16", I16, types.int16),
    Element("i32", I32, types.int32),
    Element("i64", I64, types.int64),
    Element("u8", I8, types.uint8),
    Element("u16", I16, types.uint16),
    Element("u32", I32, types.uint32),
    Element("u64", I64, types.uint64),
    Element("bool", I8, types.boolean),
)}


class ElementPointer(types.Type):
    """The type of a pointer to elements; `scope` is the set of memory it belongs to (see `restrict`), None for any."""

    def __init__(self, element: Element, scope: int | None = None):
        self.element = element
        self.scope = scope
        super().__init__(f"ptr_{element.code}" if scope is None else f"ptr_{element.code}@{scope}")


@register_model(ElementPointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager, type_):
        super().__init__(manager, type_, type_.element.memory.as_pointer())


def _pointer_maker(element: Element):
    result = ElementPointer(element)

    def make(typing, address):
        if not isinstance(address, (types.Integer, types.IntegerLiteral)):
            return None

        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], element.memory.as_pointer())
        return result(types.intp), generate

    make.__name__ = f"ptr_{element.code}"
    make.__doc__ = f"A pointer to {element.code} elements at the address `address`."
    return intrinsic(make)


@intrinsic
def load(typing, pointer, index):
    """Element `index` of `pointer`; float32 for the 16-bit floats, a boolean for bool."""
    if not isinstance(pointer, ElementPointer):
        return None
    element = pointer.element

    def generate(context, builder, signature, arguments):
        word = builder.load(_element_address(builder, element, *arguments), align=element.bytes)
        _mark_scope(builder, word, pointer.scope)
        return _from_memory(builder, element, word)
    return element.value(pointer, types.intp), generate


@intrinsic
def store(typing, pointer, index, value):
    """Write `value`, converted to the pointer's element type (16-bit floats round to nearest even)."""
    if not isinstance(pointer, ElementPointer) or not isinstance(value, (types.Number, types.Boolean)):
        return None
    element = pointer.element

    def generate(context, builder, signature, arguments):
        converted = convert(context, builder, arguments[2], signature.args[2], element.value)
        done = builder.store(_to_memory(builder, element, converted),
                             _element_address(builder, element, *arguments[:2]), align=element.bytes)
        _mark_scope(builder, done, pointer.scope)
        return context.get_dummy_value()
    return types.void(pointer, types.intp, types.unliteral(value)), generate


@intrinsic
def advance(typing, pointer, count):
    """The pointer `count` elements further on (or back)."""
    if not isinstance(pointer, ElementPointer):
        return None

    def generate(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])
    return pointer(pointer, types.intp), generate


@intrinsic
def address_of(typing, pointer):
    """The address in a pointer, as an integer."""
    if not isinstance(pointer, ElementPointer):
        return None

    def generate(context, builder, signature, arguments):
        return builder.ptrtoint(arguments[0], I64)
    return types.intp(pointer), generate


SCOPES = 16


@intrinsic(prefer_literal=True)
def restrict(typing, pointer, scope):
    """Promise that memory reached through `pointer` is never reached through a pointer of another scope.

    `scope` is a literal 0..15.  The promise covers the whole kernel call, so give one scope to each array (or group of
    arrays).  An output that may lie on an input's memory may still have its own scope if, for each element, all loads
    come before the store.  Saves the run-time overlap checks before vectorised loops.
    """
    if not isinstance(pointer, ElementPointer) or not isinstance(scope, types.IntegerLiteral):
        return None
    if not 0 <= scope.literal_value < SCOPES:
        raise ValueError(f"restrict: scope {scope.literal_value} is not in 0..{SCOPES - 1}")

    def generate(context, builder, signature, arguments):
        return arguments[0]
    return ElementPointer(pointer.element, scope.literal_value)(pointer, scope), generate


@intrinsic
def prefetch(typing, pointer, index):
    """Ask for the cache line of element `index`; any address is allowed."""
    if not isinstance(pointer, ElementPointer):
        return None

    def generate(context, builder, signature, arguments):
        fetch = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [POINTER, I32, I32, I32]), "llvm.prefetch.p0")
        address = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), POINTER)
        read, keep_in_all_caches, data = (ir.Constant(I32, value) for value in (0, 3, 1))
        builder.call(fetch, [address, read, keep_in_all_caches, data])
        return context.get_dummy_value()
    return types.void(pointer, types.intp), generate


def _local_array(element: Element):
    result = ElementPointer(element)

    def make(typing, count):
        if not isinstance(count, types.IntegerLiteral):
            return None

        def generate(context, builder, signature, arguments):
            with builder.goto_entry_block():
                array = builder.alloca(ir.ArrayType(element.memory, count.literal_value))
                array.align = 64
            return builder.bitcast(array, element.memory.as_pointer())
        return result(count), generate

    make.__name__ = f"alloca_{element.code}"
    make.__doc__ = f"An uninitialised array of `count` (a literal) {element.code} on the stack, 64-byte aligned."
    return intrinsic(prefer_literal=True)(make)


def _rounding(element: Element):
    def round_to(typing, x):
        x = types.unliteral(x)
        if x != types.float32:
            return None

        def generate(context, builder, signature, arguments):
            return _from_memory(builder, element, _to_memory(builder, element, arguments[0]))
        return x(x), generate

    round_to.__name__ = f"round_{element.code}"
    round_to.__doc__ = f"A float32 rounded to the nearest {element.code}, as a float32."
    return intrinsic(round_to)


def convert(context, builder, value, source: types.Type, target: types.Type):
    """Convert between numbers and booleans; a number is true unless it is zero."""
    if source == target:
        return value
    if target == types.boolean:
        if isinstance(source, types.Float):
            return builder.fcmp_unordered("!=", value, ir.Constant(value.type, 0.0))
        return builder.icmp_unsigned("!=", value, ir.Constant(value.type, 0))
    return context.cast(builder, value, source, target)


def _element_address(builder, element: Element, pointer, index):
    return builder.gep(pointer, [index], inbounds=True)


def _mark_scope(builder, access, scope: int | None) -> None:
    """Tell LLVM that this access touches memory of its own scope and of no other."""
    if scope is None:
        return
    own, others = _scopes(builder.module, scope)
    access.set_metadata("alias.scope", own)
    access.set_metadata("noalias", others)


def _scopes(module, scope: int) -> tuple:
    """The lists of a scope and of all others, as metadata of the module."""
    known = module.__dict__.setdefault("gc_scopes", {})
    if scope not in known:
        domain = module.add_metadata(["gc.memory"])
        scopes = [module.add_metadata([f"gc.memory.{number}", domain]) for number in range(SCOPES)]
        known[scope] = module.add_metadata([scopes[scope]]), module.add_metadata(scopes[:scope] + scopes[scope + 1:])
    return known[scope]


def _from_memory(builder, element: Element, word):
    if element.code == "f16":
        return builder.call(_weak_function(builder.module, WIDEN_F16, F32, I16, _widen_f16), [word])
    if element.code == "bf16":
        bits = builder.shl(builder.zext(word, I32), ir.Constant(I32, 16))
        return builder.bitcast(bits, F32)
    if element.code == "bool":
        return builder.icmp_unsigned("!=", word, ir.Constant(I8, 0))
    return word


def _to_memory(builder, element: Element, value):
    if element.code == "f16":
        return builder.call(_weak_function(builder.module, ROUND_F16, I16, F32, _round_f16), [value])
    if element.code == "bf16":
        return _round_bf16(builder, value)
    if element.code == "bool":
        return builder.zext(value, I8)
    return value


def _round_bf16(builder, value):
    """Round to nearest, ties to even, by adding just under half of the last kept bit; NaN becomes the quiet NaN."""
    bits = builder.bitcast(value, I32)
    last_kept = builder.and_(builder.lshr(bits, ir.Constant(I32, 16)), ir.Constant(I32, 1))
    rounded = builder.add(bits, builder.add(last_kept, ir.Constant(I32, 0x7FFF)))
    word = builder.trunc(builder.lshr(rounded, ir.Constant(I32, 16)), I16)
    return builder.select(builder.fcmp_unordered("uno", value, value), ir.Constant(I16, 0x7FC0), word)


def _widen_f16(builder, word):
    return builder.fpext(builder.bitcast(word, F16), F32)


def _round_f16(builder, value):
    return builder.bitcast(builder.fptrunc(value, F16), I16)


def _weak_function(module, name: str, result, argument, body):
    """The function `name` of `module`, with a body that a stronger definition replaces at link time."""
    function = cgutils.get_or_insert_function(module, ir.FunctionType(result, [argument]), name)
    if function.is_declaration:
        function.linkage = "linkonce_odr"
        function.attributes.add("inlinehint")
        function.attributes.add("nounwind")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        builder.ret(body(builder, function.args[0]))
    return function


def namespace() -> dict:
    """The names that this module gives to kernels."""
    names = {f"ptr_{code}": _pointer_maker(element) for code, element in ELEMENTS.items()}
    names |= {f"alloca_{code}": _local_array(ELEMENTS[code]) for code in ELEMENTS if code not in ("f16", "bf16")}
    names |= {f"round_{code}": _rounding(ELEMENTS[code]) for code in ("f16", "bf16")}
    names |= {made.__name__: made for made in (load, store, advance, address_of, restrict, prefetch)}
    return names
