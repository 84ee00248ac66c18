"""The functions that a library shows: NAME_create, NAME_run, NAME_destroy, NAME_error, NAME_interface.

`header.py` writes what a C program needs to know of them.  NAME_interface is for loaders: it gives a number that stands
for the interface, so that what a manifest says of arrays cannot be at odds with what the code does.
"""
from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from graphcore.compiler.aot.emitter import I1, I8, I32, I64, POINTER, WORD, Emitter, function
from graphcore.compiler.aot.handle import BAD_SIZE, ERRORS, HEAD, INVALID, NO_CPU, OK, HandleLayout
from graphcore.compiler.runtime.pool_ir import MOST_THREADS

VOID = ir.VoidType()


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights beside the library: its bytes, and the header in front of them with its digest."""

    bytes: int
    header_bytes: int
    digest: int


@dataclass(frozen=True)
class Model:
    """What the functions of a library depend on.

    name: of the functions; levels: (number, name) of each CPU level, 0 for the only one; symbols: of the sizes;
    arrays: how many inputs and outputs there are; file: None where the library holds the weights itself; interface: the
    number that stands for all that a caller has to know.
    """

    name: str
    levels: tuple
    symbols: tuple
    arrays: int
    file: WeightsFile | None
    has_pool: bool
    interface: int

    # Places in the options, in bytes: largest sizes, threads, level, path of the weights.
    @property
    def threads_at(self) -> int:
        return WORD * len(self.symbols)

    @property
    def level_at(self) -> int:
        return self.threads_at + 4

    @property
    def weights_at(self) -> int:
        return self.threads_at + WORD

    @property
    def needs_options(self) -> bool:
        return bool(self.symbols or self.file)


def model_module(model: Model) -> str:
    """LLVM IR of the functions."""
    module = ir.Module(model.name)
    _create(module, model)
    _run(module, model)
    _destroy(module, model)
    _error(module, model)
    _interface(module, model)
    return str(module)


def _create(module: ir.Module, model: Model) -> None:
    code = Emitter(function(module, f"{model.name}_create", I32, (POINTER, POINTER), visible=True))
    result, options = code.function.args
    builder = code.builder
    code.status_if(code.is_null(result), INVALID)
    code.store(ir.Constant(POINTER, None), result)
    if model.needs_options:
        code.status_if(code.is_null(options), INVALID)
    else:
        nothing = ir.GlobalVariable(module, ir.ArrayType(I8, model.weights_at + WORD), "no_options")
        nothing.global_constant, nothing.linkage = True, "internal"
        nothing.initializer = ir.Constant(nothing.value_type, None)
        options = builder.select(code.is_null(options), code.address(nothing), options)
    threads = _option(code, options, model.threads_at)
    threads = builder.select(builder.icmp_signed("<", threads, code.value(1)), code.value(1), threads)
    most = MOST_THREADS if model.has_pool else 1
    threads = builder.select(builder.icmp_signed(">", threads, code.value(most)), code.value(most), threads)
    level = _chosen_level(code, options, model)
    weights, mapped = _weights(code, options, model)
    if model.has_pool:
        code.call("gc_acquire", VOID, threads)
    status_at = builder.alloca(I32)
    for name in _each_level(code, level, model):
        file_bytes = model.file.bytes if model.file else 0
        status = code.call(f"create_{name}", I32, result, threads, options, weights, mapped, file_bytes)
        builder.store(status, status_at)
    status = builder.load(status_at, typ=I32)
    with builder.if_then(builder.icmp_signed("!=", status, ir.Constant(I32, OK)), likely=False):
        if model.has_pool:
            code.call("gc_release", VOID, threads)
        if model.file:
            code.call("munmap", I32, mapped, model.file.bytes)
    builder.ret(status)


def _option(code: Emitter, options: ir.Value, at: int) -> ir.Value:
    return code.builder.sext(code.builder.load(code.at(options, at), typ=I32), I64)


def _chosen_level(code: Emitter, options: ir.Value, model: Model) -> ir.Value | None:
    """The number of the level that is asked for, or that this CPU has; None if there is only one for all CPUs."""
    if model.levels[0][0] == 0:
        return None
    builder = code.builder
    has, wanted = code.call("gc_level", I64), _option(code, options, model.level_at)
    is_open = builder.icmp_signed("==", wanted, code.value(0))
    level = builder.select(is_open, has, wanted)
    known = ir.Constant(I1, 0)
    for number, _ in model.levels:
        known = builder.or_(known, builder.icmp_signed("==", wanted, code.value(number)))
    lacks = builder.icmp_signed("<", has, code.value(model.levels[0][0]))
    unknown = builder.or_(builder.not_(known), builder.icmp_signed(">", wanted, has))
    code.status_if(builder.or_(lacks, builder.and_(builder.not_(is_open), unknown)), NO_CPU)
    return level


def _weights(code: Emitter, options: ir.Value, model: Model) -> tuple:
    """(address of the weights, of the file in memory or null)."""
    nothing = ir.Constant(POINTER, None)
    if not model.file:
        return code.address(ir.GlobalVariable(code.module, I8, "gc_weights")), nothing
    path = code.load(code.at(options, model.weights_at), type_=POINTER)
    code.status_if(code.is_null(path), INVALID)
    mapped_at = code.builder.alloca(POINTER)
    status = code.call("gc_map", I32, path, model.file.bytes, model.file.header_bytes,
                       ir.Constant(I64, model.file.digest), mapped_at)
    with code.builder.if_then(code.builder.icmp_signed("!=", status, ir.Constant(I32, OK)), likely=False):
        code.builder.ret(status)
    mapped = code.load(mapped_at, type_=POINTER)
    return code.at(mapped, model.file.header_bytes), mapped


def _each_level(code: Emitter, level: ir.Value | None, model: Model):
    """The name of each level, one after another, while the code is appended to that runs on this level.

    The level taken is the highest of those that are not above `level`.
    """
    builder = code.builder
    if level is None:
        yield model.levels[0][1]
        return
    end = builder.append_basic_block("created")
    for number, name in reversed(model.levels[1:]):
        here, other = builder.append_basic_block(name), builder.append_basic_block("lower")
        builder.cbranch(builder.icmp_signed(">=", level, code.value(number)), here, other)
        builder.position_at_end(here)
        yield name
        builder.branch(end)
        builder.position_at_end(other)
    yield model.levels[0][1]
    builder.branch(end)
    builder.position_at_end(end)


def _run(module: ir.Module, model: Model) -> None:
    sizes = len(model.symbols)
    entry = function(module, f"{model.name}_run", I32, (POINTER, *(I64,) * sizes, *(POINTER,) * model.arrays),
                     visible=True)
    code = Emitter(entry)
    builder = code.builder
    memory, *arguments = entry.args
    present, arrays = arguments[:sizes], arguments[sizes:]
    missing = ir.Constant(I1, 0)
    for address in (memory, *arrays):
        missing = builder.or_(missing, code.is_null(address))
    code.status_if(missing, INVALID)
    layout = HandleLayout(sizes, 0)
    if sizes:
        changed = ir.Constant(I1, 0)
        for i, size in enumerate(present):
            code.status_if(builder.icmp_signed("<", size, code.value(1)), BAD_SIZE)
            changed = builder.or_(changed, builder.icmp_signed("!=", size, code.load(memory, layout.present + i)))
        with builder.if_then(changed):
            for i, size in enumerate(present):
                code.store(size, memory, layout.present + i)
            resize = code.load(memory, HEAD.index("resize"))
            status = builder.call(builder.inttoptr(resize, ir.FunctionType(I32, (POINTER,)).as_pointer()), [memory])
            with builder.if_then(builder.icmp_signed("!=", status, ir.Constant(I32, OK)), likely=False):
                code.store(0, memory, layout.present)           # no size at all: the next run tries again
                builder.ret(status)
    for i, address in enumerate(arrays):
        code.store(address, memory, layout.arrays + i)
    if model.has_pool:
        threads = code.load(memory, HEAD.index("threads"))
        with builder.if_then(builder.icmp_signed(">", threads, code.value(1))):
            code.call("gc_after_fork", VOID)
    code.call("gc_run", VOID, code.load(memory, HEAD.index("table"), POINTER),
              code.load(memory, HEAD.index("places"), POINTER))
    builder.ret(ir.Constant(I32, OK))


def _destroy(module: ir.Module, model: Model) -> None:
    code = Emitter(function(module, f"{model.name}_destroy", VOID, (POINTER,), visible=True))
    [memory] = code.function.args
    builder = code.builder
    with builder.if_then(builder.not_(code.is_null(memory))):
        if model.has_pool:
            code.call("gc_release", VOID, code.load(memory, HEAD.index("threads")))
        if model.file:
            code.call("munmap", I32, code.load(memory, HEAD.index("mapped"), POINTER),
                      code.load(memory, HEAD.index("mapped_bytes")))
        code.call("free", VOID, memory)
    builder.ret_void()


def _error(module: ir.Module, model: Model) -> None:
    code = Emitter(function(module, f"{model.name}_error", POINTER, (I32,), visible=True))
    [status] = code.function.args
    found = code.address(_text(module, "no status of this library"))
    for number, text in ERRORS.items():
        is_it = code.builder.icmp_signed("==", status, ir.Constant(I32, number))
        found = code.builder.select(is_it, code.address(_text(module, text)), found)
    code.builder.ret(found)


def _interface(module: ir.Module, model: Model) -> None:
    code = Emitter(function(module, f"{model.name}_interface", I64, (), visible=True))
    code.builder.ret(ir.Constant(I64, model.interface))


def _text(module: ir.Module, text: str) -> ir.GlobalVariable:
    data = bytearray(text.encode() + b"\0")
    found = ir.GlobalVariable(module, ir.ArrayType(I8, len(data)), f"text.{len(module.globals)}")
    found.global_constant, found.linkage = True, "internal"
    found.initializer = ir.Constant(found.value_type, data)
    return found
