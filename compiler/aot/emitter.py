"""LLVM IR of the functions of a library: a builder whose arithmetic folds what is known already."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Union

from llvmlite import ir

from graphcore.ir.dims import Size

I1, I8, I32, I64, F64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.DoubleType()
POINTER = ir.PointerType()
WORD = 8

#: A number that is known when the library is made, or one that its code computes.
Number = Union[int, ir.Value]


def function(module: ir.Module, name: str, result: ir.Type, arguments: tuple, visible: bool = False) -> ir.Function:
    """A function of the module; seen from outside the library only if `visible`."""
    found = module.globals.get(name)
    if found is None:
        found = ir.Function(module, ir.FunctionType(result, arguments), name)
        found.attributes.add("nounwind")
        if not visible:
            found.attributes.add("noinline")
    return found


class Emitter:
    """Appends instructions to a new function.  Words are of 64 bits; addresses are pointers to bytes."""

    def __init__(self, function_: ir.Function):
        self.function, self.module = function_, function_.module
        self.builder = ir.IRBuilder(function_.append_basic_block("entry"))

    # -- numbers ---------------------------------------------------------------------------------------
    def value(self, number: Number) -> ir.Value:
        """The number as a value of 64 bits."""
        return ir.Constant(I64, number) if isinstance(number, int) else number

    def add(self, a: Number, b: Number) -> Number:
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0 or b == 0:
            return b if a == 0 else a
        return self.builder.add(self.value(a), self.value(b))

    def multiply(self, a: Number, b: Number) -> Number:
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a == 1 or b == 1:
            return b if a == 1 else a
        return self.builder.mul(self.value(a), self.value(b))

    def larger(self, a: Number, b: Number) -> Number:
        """The larger of two signed numbers."""
        if isinstance(a, int) and isinstance(b, int):
            return max(a, b)
        a, b = self.value(a), self.value(b)
        return self.builder.select(self.builder.icmp_signed(">", a, b), a, b)

    def align(self, number: Number, to: int) -> Number:
        """The next multiple of `to`, a power of two."""
        if isinstance(number, int):
            return -(-number // to) * to
        return self.builder.and_(self.add(number, to - 1), self.value(-to))

    def divide(self, number: Number, by: int) -> Number:
        """The quotient, rounded down; `by` is positive."""
        if isinstance(number, int):
            return number // by
        builder = self.builder
        quotient = builder.sdiv(number, self.value(by))
        rest = builder.srem(number, self.value(by))
        return builder.add(quotient, builder.sext(builder.icmp_signed("<", rest, self.value(0)), I64))

    def size(self, size: Size, known) -> Number:
        """The value of a size, `known` being that of each symbol."""
        if isinstance(size, int):
            return size
        total: Number = 0
        for atoms, factor in size.terms:
            for atom in atoms:
                part = known[atom] if isinstance(atom, str) else self.divide(self.size(atom[1], known), atom[2])
                factor = self.multiply(factor, part)
            total = self.add(total, factor)
        return total

    def most(self, size: Size, known) -> Number:
        """The largest value of a size where each symbol may be any number from 1 to that in `known`."""
        return self._extreme(size, known, True)

    def _extreme(self, size: Size, known, is_most: bool) -> Number:
        if isinstance(size, int):
            return size
        total: Number = 0
        for atoms, factor in size.terms:
            of_atoms = is_most == (factor > 0)
            for atom in atoms:
                if isinstance(atom, str):
                    part = known[atom] if of_atoms else 1
                else:
                    part = self.larger(self.divide(self._extreme(atom[1], known, of_atoms), atom[2]), 0)
                factor = self.multiply(factor, part)
            total = self.add(total, factor)
        return total

    def bound(self, size: Size, known) -> ir.Value:
        """A floating-point number not much below the greatest number that computing `size` meets."""
        if isinstance(size, int):
            return ir.Constant(F64, float(abs(size)))
        builder, total = self.builder, ir.Constant(F64, 0.0)
        for atoms, factor in size.terms:
            product = ir.Constant(F64, float(abs(factor)))
            for atom in atoms:
                part = builder.sitofp(known[atom], F64) if isinstance(atom, str) else self.bound(atom[1], known)
                product = builder.fmul(product, part)
            total = builder.fadd(total, product)
        return total

    # -- memory ----------------------------------------------------------------------------------------
    def address(self, value: ir.GlobalValue) -> ir.Value:
        """The address of a function or of data, as a value without its type (a bitcast would keep it)."""
        return self.builder.inttoptr(self.as_number(value), POINTER)

    def at(self, address: ir.Value, offset: Number) -> ir.Value:
        """The address that lies `offset` bytes further."""
        return self.builder.gep(address, [self.value(offset)], source_etype=I8) if offset != 0 else address

    def load(self, address: ir.Value, word: Number = 0, type_: ir.Type = I64) -> ir.Value:
        """Word number `word` at an address (of `type_`, still counted in words of 64 bits)."""
        return self.builder.load(self.at(address, self.multiply(word, WORD)), typ=type_)

    def store(self, value: Union[Number, ir.Value], address: ir.Value, word: Number = 0) -> None:
        """Store a number or an address as word number `word` at an address."""
        value = self.value(value) if isinstance(value, int) else value
        self.builder.store(value, self.at(address, self.multiply(word, WORD)))

    def as_number(self, address: ir.Value) -> ir.Value:
        return self.builder.ptrtoint(address, I64)

    # -- control ---------------------------------------------------------------------------------------
    def call(self, name: str, result: ir.Type, *arguments: Number) -> ir.Value:
        """Call a function of this or another module, with numbers of 64 bits and addresses."""
        values = [self.value(a) if isinstance(a, int) else a for a in arguments]
        return self.builder.call(function(self.module, name, result, tuple(v.type for v in values)), values)

    def status_if(self, condition: ir.Value, status: int) -> None:
        """Return `status` if the condition holds."""
        with self.builder.if_then(condition, likely=False):
            self.builder.ret(ir.Constant(I32, status))

    def is_null(self, address: ir.Value) -> ir.Value:
        return self.builder.icmp_unsigned("==", self.as_number(address), self.value(0))

    @contextmanager
    def counted(self, count: Number):
        """A loop over 0 ... count-1, which yields the index; `count` may be 0."""
        builder = self.builder
        before = builder.block
        test, body, after = (builder.append_basic_block(n) for n in ("test", "body", "after"))
        builder.branch(test)
        builder.position_at_end(test)
        index = builder.phi(I64)
        index.add_incoming(self.value(0), before)
        builder.cbranch(builder.icmp_unsigned("<", index, self.value(count)), body, after)
        builder.position_at_end(body)
        yield index
        index.add_incoming(builder.add(index, self.value(1)), builder.block)
        builder.branch(test)
        builder.position_at_end(after)
