"""What the vector code of tiles and moves is made of: addresses, private functions and loops in LLVM IR."""
from __future__ import annotations

from llvmlite import ir

from graphcore.compiler.codegen.pointers import F32, F64, I64, ElementPointer

SUFFIX = {F32: "f32", F64: "f64"}
BYTES = {F32: 4, F64: 8}


def floating(pointer) -> bool:
    """Whether a Numba type is a pointer to float32 or float64."""
    return isinstance(pointer, ElementPointer) and pointer.element.memory in BYTES


def constant(value: int):
    """An i64."""
    return ir.Constant(I64, value)


def address(builder, pointer, index):
    """The address of an element."""
    return builder.gep(pointer, [index], inbounds=True)


def vector_address(builder, pointer, index, vector):
    """The address of an element as that of a vector."""
    return builder.bitcast(address(builder, pointer, index), vector.as_pointer())


def private_function(module, name: str, argument_types):
    """A new function of this module alone, that is called and not inlined."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), argument_types), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    return function


def counted_loop(builder, count, first: list, step) -> list:
    """Run ``step(i, values) -> values`` for i < count from the values `first`; gives the last values."""
    entry = builder.block
    loop, end = builder.append_basic_block("loop"), builder.append_basic_block("end")
    builder.cbranch(builder.icmp_signed(">", count, constant(0)), loop, end)
    builder.position_at_end(loop)
    i = builder.phi(I64)
    values = [builder.phi(value.type) for value in first]
    after = step(i, values)
    next_i = builder.add(i, constant(1))
    for phi, start, later in zip([i, *values], [constant(0), *first], [next_i, *after]):
        phi.add_incoming(start, entry)
        phi.add_incoming(later, loop)
    builder.cbranch(builder.icmp_signed("<", next_i, count), loop, end)
    builder.position_at_end(end)
    results = [builder.phi(value.type) for value in first]
    for result, start, later in zip(results, first, after):
        result.add_incoming(start, entry)
        result.add_incoming(later, loop)
    return results
