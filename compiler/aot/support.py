"""What every library has: filling tables, finding out the CPU's level, reading the file of weights.

    void gc_fill(i64 *table, i64 *words, i64 count, i32 *fixups, i64 fixup_count, i64 *bases, i64 *values)
    i64  gc_level(void)                                     0: none, 2, 3, 4: x86-64-v2 ...
    i32  gc_map(char *path, i64 bytes, i64 header_bytes, i64 digest, ptr *mapped)
    void gc_acquire(i64 threads), gc_release(i64 threads)   count the models that use the pool of threads
    void gc_after_fork(void)                                to be called before the pool is used
"""
from __future__ import annotations

from llvmlite import ir

from graphcore.compiler.aot.emitter import I8, I32, I64, POINTER, Emitter, function
from graphcore.compiler.aot.handle import NO_FILE, OK, WRONG_FILE
from graphcore.compiler.runtime.pool_ir import MOST_THREADS

VOID = ir.VoidType()

#: FNV-1a, 64 bits: tells one header of a weights' file from another.  It guards against mistakes, not against malice:
#: what could do harm is the file's size, which is compared as well.
START, PRIME = 0xcbf29ce484222325, 0x100000001b3

_READ_ONLY_CLOSED_BY_EXEC, _PRIVATE, _PROTECTION_READ, _SEEK_END = 0x80000, 2, 1, 2     # of Linux

#: Instruction sets of each level beyond the one before: (leaf of cpuid, register, bit).
_FEATURES = {
    2: ((1, "c", (0, 9, 13, 19, 20, 23)), (0x80000001, "c", (0,))),
    3: ((1, "c", (12, 22, 27, 28, 29)), (7, "b", (3, 5, 8)), (0x80000001, "c", (5,))),
    4: ((7, "b", (16, 17, 28, 30, 31)),),
}
_SAVED_BY_SYSTEM = {3: 0x06, 4: 0xe6}       # bits of XCR0: registers that the operating system keeps


def fnv(data: bytes) -> int:
    """The digest that `gc_map` compares."""
    value = START
    for byte in data:
        value = (value ^ byte) * PRIME & (1 << 64) - 1
    return value


def support_module(maps_weights: bool, has_pool: bool, finds_level: bool) -> str:
    """LLVM IR of the functions that a library needs."""
    module = ir.Module("support")
    _fill(module)
    if finds_level:
        _level(module)
    if maps_weights:
        _map(module)
    if has_pool:
        _after_fork(module)
        _acquire(module)
        _release(module)
    return str(module)


def _fill(module: ir.Module) -> None:
    code = Emitter(function(module, "gc_fill", VOID, (POINTER, POINTER, I64, POINTER, I64, POINTER, POINTER)))
    table, words, count, fixups, fixup_count, bases, values = code.function.args
    builder = code.builder
    with code.counted(count) as i:
        code.store(code.load(words, i), table, i)
    with code.counted(fixup_count) as i:
        fixup = code.at(fixups, code.multiply(i, 12))
        position, base, value = (builder.zext(builder.load(code.at(fixup, at), typ=I32), I64) for at in (0, 4, 8))
        added = code.add(code.load(bases, base), code.load(values, value))
        code.store(code.add(code.load(table, position), added), table, position)
    builder.ret_void()


def _level(module: ir.Module) -> None:
    code = Emitter(function(module, "gc_level", I64, ()))
    builder = code.builder
    leaves = {}
    most = {0: _cpuid(code, 0)["a"], 0x80000000: _cpuid(code, 0x80000000)["a"]}
    for leaf in (1, 7, 0x80000001):
        there = builder.icmp_unsigned("<=", ir.Constant(I32, leaf), most[leaf & 0x80000000])
        found = _cpuid(code, leaf)
        leaves[leaf] = {name: builder.select(there, value, ir.Constant(I32, 0)) for name, value in found.items()}
    level = code.value(0)
    has_all = ir.Constant(ir.IntType(1), 1)
    for number, features in _FEATURES.items():
        for leaf, register, bits in features:
            has_all = builder.and_(has_all, _has(builder, leaves[leaf][register], sum(1 << bit for bit in bits)))
        if number in _SAVED_BY_SYSTEM:
            # xgetbv is an instruction only where OSXSAVE says so, which the AVX test above has seen
            before, ask, after = builder.block, *(builder.append_basic_block(n) for n in ("ask", "asked"))
            builder.cbranch(has_all, ask, after)
            builder.position_at_end(ask)
            type_ = ir.FunctionType(ir.LiteralStructType((I32, I32)), (I32,))
            saved = builder.extract_value(builder.asm(type_, "xgetbv", "={ax},={dx},{cx}", [ir.Constant(I32, 0)],
                                                      side_effect=True), 0)
            keeps = _has(builder, saved, _SAVED_BY_SYSTEM[number])
            builder.branch(after)
            builder.position_at_end(after)
            both = builder.phi(ir.IntType(1))
            both.add_incoming(ir.Constant(ir.IntType(1), 0), before)
            both.add_incoming(keeps, ask)
            has_all = both
        level = builder.select(has_all, code.value(number), level)
    builder.ret(level)


def _has(builder, value, bits: int):
    return builder.icmp_unsigned("==", builder.and_(value, ir.Constant(I32, bits)), ir.Constant(I32, bits))


def _cpuid(code: Emitter, leaf: int) -> dict:
    type_ = ir.FunctionType(ir.LiteralStructType((I32,) * 4), (I32, I32))
    found = code.builder.asm(type_, "cpuid", "={ax},={bx},={cx},={dx},0,2",
                             [ir.Constant(I32, leaf), ir.Constant(I32, 0)], side_effect=True)
    return {name: code.builder.extract_value(found, i) for i, name in enumerate("abcd")}


def _map(module: ir.Module) -> None:
    code = Emitter(function(module, "gc_map", I32, (POINTER, I64, I64, I64, POINTER)))
    path, size, header_bytes, digest, result = code.function.args
    builder = code.builder
    file = builder.call(_variadic_open(module), [path, ir.Constant(I32, _READ_ONLY_CLOSED_BY_EXEC)])
    code.status_if(builder.icmp_signed("<", file, ir.Constant(I32, 0)), NO_FILE)
    found = code.call("lseek", I64, file, 0, ir.Constant(I32, _SEEK_END))
    is_other = builder.icmp_signed("!=", found, size)
    with builder.if_then(is_other, likely=False):
        code.call("close", I32, file)
        builder.ret(ir.Constant(I32, WRONG_FILE))
    memory = code.call("mmap", POINTER, ir.Constant(POINTER, None), size, ir.Constant(I32, _PROTECTION_READ),
                       ir.Constant(I32, _PRIVATE), file, 0)
    code.call("close", I32, file)
    code.status_if(builder.icmp_signed("==", code.as_number(memory), code.value(-1)), NO_FILE)
    digest_at = builder.alloca(I64)
    builder.store(code.value(START - (1 << 64)), digest_at)
    with code.counted(header_bytes) as i:
        byte = builder.zext(builder.load(code.at(memory, i), typ=I8), I64)
        mixed = builder.mul(builder.xor(builder.load(digest_at, typ=I64), byte), code.value(PRIME))
        builder.store(mixed, digest_at)
    is_other = builder.icmp_unsigned("!=", builder.load(digest_at, typ=I64), digest)
    with builder.if_then(is_other, likely=False):
        code.call("munmap", I32, memory, size)
        builder.ret(ir.Constant(I32, WRONG_FILE))
    code.store(memory, result)
    builder.ret(ir.Constant(I32, OK))


def _variadic_open(module: ir.Module) -> ir.Function:
    return ir.Function(module, ir.FunctionType(I32, (POINTER, I32), var_arg=True), "open")


def _after_fork(module: ir.Module) -> None:
    """In the child of a fork, let the pool forget its threads, which only the parent has.

    `gc_owner` is the process that the pool belongs to, or minus that while one of its threads sees to it.
    """
    code = Emitter(function(module, "gc_after_fork", VOID, ()))
    builder, owner_at = code.builder, _counter(module, "gc_owner")
    process = builder.sext(code.call("getpid", I32), I64)
    look, take, forget, wait, done = (builder.append_basic_block(n) for n in ("look", "take", "forget", "wait", "done"))
    builder.branch(look)
    builder.position_at_end(look)
    owner = builder.load_atomic(owner_at, "seq_cst", 8, typ=I64)
    builder.cbranch(builder.icmp_signed("==", owner, process), done, take)
    builder.position_at_end(take)
    passed = builder.extract_value(builder.cmpxchg(owner_at, owner, builder.neg(process), "seq_cst"), 1)
    is_other = builder.icmp_signed("!=", owner, builder.neg(process))
    builder.cbranch(builder.and_(passed, is_other), forget, wait)
    builder.position_at_end(forget)
    code.call("gc_pool_forget", VOID)
    builder.store_atomic(process, owner_at, "seq_cst", 8)
    builder.branch(done)
    builder.position_at_end(wait)
    code.call("sched_yield", I32)
    builder.branch(look)
    builder.position_at_end(done)
    builder.ret_void()


def _counter(module: ir.Module, name: str) -> ir.GlobalVariable:
    found = module.globals.get(name)
    if found is None:
        found = ir.GlobalVariable(module, I64, name)
        found.initializer, found.linkage = ir.Constant(I64, 0), "internal"
    return found


def _acquire(module: ir.Module) -> None:
    code = Emitter(function(module, "gc_acquire", VOID, (I64,)))
    [threads] = code.function.args
    with code.builder.if_then(code.builder.icmp_unsigned(">", threads, code.value(1))):
        code.call("gc_after_fork", VOID)
        code.builder.atomic_rmw("add", _counter(module, "gc_users"), code.value(1), "seq_cst")
        code.call("gc_set_threads", VOID, MOST_THREADS)      # of a model there are as many as its own table says
        code.call("gc_pool_start", VOID, code.add(threads, -1))
    code.builder.ret_void()


def _release(module: ir.Module) -> None:
    code = Emitter(function(module, "gc_release", VOID, (I64,)))
    [threads] = code.function.args
    builder = code.builder
    with builder.if_then(builder.icmp_unsigned(">", threads, code.value(1))):
        code.call("gc_after_fork", VOID)
        before = builder.atomic_rmw("sub", _counter(module, "gc_users"), code.value(1), "seq_cst")
        with builder.if_then(builder.icmp_unsigned("==", before, code.value(1))):
            code.call("gc_pool_stop", VOID)
    builder.ret_void()


