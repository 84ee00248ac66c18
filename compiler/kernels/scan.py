"""Kernels of running sums and products.

The array is [outer, D, inner] with the scan along D.  An item is a block of columns of one outer index: the running
values of the block stay in a local array, and the loop over its columns vectorises.  16-bit floats run in float32,
integers in 64 bits, cut to their width when stored.
"""
from __future__ import annotations

from graphcore.compiler.kernels.work import blocks, compute_code, grain, kernel_text, pointer, words
from graphcore.compiler.launch import Address
from graphcore.ir.dims import product

ACCEPTS_EPILOGUE = frozenset()
COLUMNS = 64


def _take_in(read: str, write: str, combine: str, value: str, exclusive: bool) -> list:
    """The lines that take `value` into the running value and write that out, before or after."""
    take, out = write.format(combine.format(read, value)), f"store(target, c, {read})"
    return [out, take] if exclusive else [take, out]


def _lower(build, node, inputs, output, combine: str, start: int):
    x = build.contiguous(inputs[0])
    axis, exclusive, reverse = (node.attrs[key] for key in ("axis", "exclusive", "reverse"))
    outer, extent, inner = product(x.shape[:axis]), x.shape[axis], product(x.shape[axis + 1:])
    code = compute_code(x.dtype) if x.dtype.is_float else "i64"
    value = f"{code}(load(source, c))"
    if inner == 1:
        begin = ["c = 0", f"running = {code}({start})"]
        step = _take_in("running", "running = {}", combine, value, exclusive)
    else:
        begin = [f"running = alloca_{code}({COLUMNS})", "for c in range(n):", [f"store(running, c, {code}({start}))"]]
        step = ["for c in range(n):",
                _take_in("load(running, c)", "store(running, c, {})", combine, value, exclusive)]
    kernel = kernel_text(node.op, [
        pointer("x", x.dtype.code, 0), pointer("y", output.dtype.code, 1), *words(2, "D", "inner", "per_row"),
        "for item in range(begin, end):", [
            "outer = item // per_row", f"c0 = (item - outer * per_row) * {COLUMNS}",
            f"n = minimum(inner - c0, {COLUMNS})", "start = outer * D * inner + c0", *begin,
            "for t in range(D):", [
                f"place = start + {'(D - 1 - t)' if reverse else 't'} * inner",
                "source = advance(x, place)", "target = advance(y, place)", *step]]])
    per_row = blocks(inner, COLUMNS)
    width = min(inner, COLUMNS) if isinstance(inner, int) else COLUMNS
    build.launch(kernel, (Address(x), Address(output), extent, inner, per_row), outer * per_row,
                 grain(extent * width), (x.buffer,), (output.buffer,), flops=x.size,
                 bytes=2 * x.size * x.dtype.itemsize)


def lower_cumsum(build, node, inputs, output, epilogue):
    """x → its running sums."""
    _lower(build, node, inputs, output, "{} + {}", 0)


def lower_cumprod(build, node, inputs, output, epilogue):
    """x → its running products."""
    _lower(build, node, inputs, output, "{} * {}", 1)


LOWERINGS = {"cumsum": lower_cumsum, "cumprod": lower_cumprod}
