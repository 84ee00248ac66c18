"""Kernels that read and write where indices say.

Reading splits over the elements of the result.  Adding must give the same sum on any number of threads, so it splits
where additions cannot meet: over the axes before the indexed one and over blocks of columns after it; within an item
the additions run in the order of the indices.  Sums of 16-bit floats are kept in float32 until the end.
"""
from __future__ import annotations

from graphcore.compiler.kernels.work import blocks, clear, convert, grain, kernel_text, pointer, raw_code, words
from graphcore.compiler.launch import Address, View, contiguous_strides
from graphcore.dtype import float32
from graphcore.ir.dims import product

ACCEPTS_EPILOGUE = frozenset()
COLUMNS = 64                    # of a block that one item adds or writes
ELEMENTS = 1024                 # of a block that one item reads

#: Fill or copy a slice of `inner` elements at the pointer `row`.
_READ = ["if valid:", ["for c in range(inner):", ["store(row, c, load(source, c))"]],
         "else:", ["for c in range(inner):", ["store(row, c, 0)"]]]
_BLOCK = [f"c0 = block * {COLUMNS}", f"n = minimum(inner - c0, {COLUMNS})"]


def _index(place: str, extent: str, variable: str = "k") -> list:
    """The lines that read an index and set `valid`; negative ones count from the end."""
    return [f"{variable} = i64(load(indices, {place}))", f"{variable} = select({variable} < 0, {variable} + {extent}, "
            f"{variable})", f"valid = ({variable} >= 0) & ({variable} < {extent})"]


def _launch(build, kernel, row, items, elements, reads, output, flops=0):
    """`output` among `reads` is changed in place."""
    touched = sum((v.size * v.dtype.itemsize for v in reads), output.size * output.dtype.itemsize)
    build.launch(kernel, row, items, grain(elements), tuple(v.buffer for v in reads), (output.buffer,),
                 flops=flops, bytes=touched)


def _sum_into(build, output: View) -> View:
    """Zeros to add into: the output itself, or float32 for 16-bit floats (to be converted at the end)."""
    total = output
    if output.dtype.itemsize == 2 and output.dtype.is_float:
        total = View.whole(build.temp("total", float32, output.size), output.shape)
    clear(build, total)
    return total


# -- slices along one axis -------------------------------------------------------------------------------------------

def lower_gather(build, node, inputs, output, epilogue):
    """(x, indices) → x[..., indices, ...]; an item is one slice of the result."""
    x, indices = (build.contiguous(v) for v in inputs)
    axis, raw = node.attrs["axis"], raw_code(x.dtype)
    inner, count = product(x.shape[axis + 1:]), product(indices.shape)
    read = ["if valid:", ["store(y, item, load(x, outer * D + k))"], "else:", ["store(y, item, 0)"]]
    if inner != 1:
        read = ["row = advance(y, item * inner)", "source = advance(x, (outer * D + k) * inner)", *_READ]
    kernel = kernel_text("gather", [
        pointer("x", raw, 0), pointer("indices", indices.dtype.code, 1), pointer("y", raw, 2),
        *words(3, "D", "M", "inner"),
        "for item in range(begin, end):", [
            "outer = item // M", *_index("item - outer * M", "D"), *read]])
    items = product(x.shape[:axis]) * count
    row = (Address(x), Address(indices), Address(output), x.shape[axis], count, inner)
    _launch(build, kernel, row, items, inner + 4, [x, indices], output)


def lower_scatter_add(build, node, inputs, output, epilogue):
    """(indices, g) → zeros with slices of g added; an item is a block of columns."""
    indices, g = (build.contiguous(v) for v in inputs)
    axis, shape = node.attrs["axis"], output.shape
    inner, count = product(shape[axis + 1:]), product(indices.shape)
    total = _sum_into(build, output)
    kernel = kernel_text("scatter_add", [
        pointer("indices", indices.dtype.code, 0), pointer("g", g.dtype.code, 1),
        pointer("total", total.dtype.code, 2), *words(3, "D", "M", "inner", "per_row"),
        "for item in range(begin, end):", [
            "outer = item // per_row", "block = item - outer * per_row", *_BLOCK,
            "first = advance(g, outer * M * inner + c0)", "base = advance(total, outer * D * inner + c0)",
            "for m in range(M):", [
                *_index("m", "D"),
                "if valid:", [
                    "row = advance(base, k * inner)", "source = advance(first, m * inner)",
                    "for c in range(n):", ["store(row, c, load(row, c) + load(source, c))"]]]]])
    per_row = blocks(inner, COLUMNS)
    row = (Address(indices), Address(g), Address(total), shape[axis], count, inner, per_row)
    width = min(inner, COLUMNS) if isinstance(inner, int) else COLUMNS
    _launch(build, kernel, row, product(shape[:axis]) * per_row, count * (width + 4), [indices, g, total],
            total, g.size)
    if total is not output:
        convert(build, total, output)


# -- elements along one axis -----------------------------------------------------------------------------------------

def _coordinates(axes, skip, number: str) -> list:
    """The lines that take `number`, which counts row-major over `axes`, apart into i0, i1 ... with sizes n0, n1 ..."""
    lines = [f"rest = {number}"]
    for a in reversed([a for a in axes if a != skip]):
        lines += [f"i{a} = rest % n{a}", f"rest = rest // n{a}"]
    return lines


def _dot(axes, skip, stride: str) -> str:
    return " + ".join(f"i{a} * {stride}{a}" for a in axes if a != skip) or "0"


def lower_gather_elements(build, node, inputs, output, epilogue):
    """(x, index) → elements of x; an item is a block of a row of the index.  x may be any window."""
    x, index = inputs[0], build.contiguous(inputs[1])
    axis, rank, raw = node.attrs["axis"], len(index.shape), raw_code(x.dtype)
    last, leading = rank - 1, range(rank - 1)
    along = f"k * s{axis}" if axis == last else f"k * s{axis} + (c0 + c) * s{last}"
    kernel = kernel_text("gather_elements", [
        pointer("x", raw, 0), pointer("indices", index.dtype.code, 1), pointer("y", raw, 2),
        *words(3, "D", "per_row", *(f"n{a}" for a in range(rank)), *(f"s{a}" for a in range(rank))),
        "for item in range(begin, end):", [
            "line = item // per_row", f"c0 = (item - line * per_row) * {ELEMENTS}",
            f"n = minimum(n{last} - c0, {ELEMENTS})",
            *_coordinates(leading, None, "line"),
            f"source = advance(x, {_dot(leading, axis, 's')})", f"start = line * n{last} + c0",
            "for c in range(n):", [
                *_index("start + c", "D"),
                "if valid:", [f"store(y, start + c, load(source, {along}))"],
                "else:", ["store(y, start + c, 0)"]]]])
    per_row = blocks(index.shape[last], ELEMENTS)
    row = (Address(x), Address(index), Address(output), x.shape[axis], per_row, *index.shape, *x.strides)
    _launch(build, kernel, row, product(index.shape[:last]) * per_row, 4 * ELEMENTS, [x, index], output)


def lower_scatter_elements_add(build, node, inputs, output, epilogue):
    """(index, g) → zeros with elements of g added; an item is a row, or a block of columns if the axis is not last."""
    index, g = (build.contiguous(v) for v in inputs)
    axis, rank = node.attrs["axis"], len(output.shape)
    last, leading = rank - 1, range(rank - 1)
    total = _sum_into(build, output)
    if axis == last:
        per_row, extent = 1, index.shape[last]
        walk = ["for c in range(n):", [*_index("start + c", "D"), "if valid:", [
            "store(base, k, load(base, k) + load(g, start + c))"]]]
    else:
        per_row, extent = blocks(index.shape[last], COLUMNS), COLUMNS
        walk = [f"for m in range(n{axis}):", [
            f"line = start + m * t{axis}",
            "for c in range(n):", [*_index("line + c", "D"), "if valid:", [
                f"place = k * s{axis} + c", "store(base, place, load(base, place) + load(g, line + c))"]]]]
    kernel = kernel_text("scatter_elements_add", [
        pointer("indices", index.dtype.code, 0), pointer("g", g.dtype.code, 1),
        pointer("total", total.dtype.code, 2),
        *words(3, "D", "per_row", "width", *(f"n{a}" for a in range(rank)), *(f"t{a}" for a in range(rank)),
               *(f"s{a}" for a in range(rank))),
        "for item in range(begin, end):", [
            "line = item // per_row", "c0 = (item - line * per_row) * width", f"n = minimum(n{last} - c0, width)",
            *_coordinates(leading, axis, "line"),
            f"start = {_dot(leading, axis, 't')} + c0", f"base = advance(total, {_dot(leading, axis, 's')})",
            *([] if axis == last else ["base = advance(base, c0)"]), *walk]])
    items = product(n for a, n in enumerate(index.shape[:last]) if a != axis) * per_row
    row = (Address(index), Address(g), Address(total), output.shape[axis], per_row, extent, *index.shape,
           *contiguous_strides(index.shape), *contiguous_strides(output.shape))
    elements = 4 * extent * (1 if axis == last else index.shape[axis])
    _launch(build, kernel, row, items, elements, [index, g, total], total, g.size)
    if total is not output:
        convert(build, total, output)


# -- points ----------------------------------------------------------------------------------------------------------

def _point(rank: int, number: str) -> list:
    """The lines that set `place`, the number of the slice that row `number` of the indices names, and `valid`."""
    lines = [f"indices = advance(all_indices, ({number}) * {rank})", "place = 0", "inside = True"]
    for axis in range(rank):
        lines += [*_index(str(axis), f"n{axis}"), "inside = inside & valid", f"place = place * n{axis} + k"]
    return lines + ["valid = inside"]


def _indexed(indices, number: int) -> str:
    return pointer("all_indices", indices.dtype.code, number)


def lower_gather_nd(build, node, inputs, output, epilogue):
    """(x, indices) → slices of x; an item is one of them."""
    x, indices = (build.contiguous(v) for v in inputs)
    rank, raw = indices.shape[-1], raw_code(x.dtype)
    inner = product(x.shape[rank:])
    kernel = kernel_text("gather_nd", [
        pointer("x", raw, 0), _indexed(indices, 1), pointer("y", raw, 2),
        *words(3, "inner", *(f"n{a}" for a in range(rank))),
        "for item in range(begin, end):", [
            *_point(rank, "item"), "row = advance(y, item * inner)", "source = advance(x, place * inner)", *_READ]])
    row = (Address(x), Address(indices), Address(output), inner, *x.shape[:rank])
    _launch(build, kernel, row, product(indices.shape[:-1]), inner + 4 * rank, [x, indices], output)


def _write_points(build, name: str, indices, values, target, combine: str, codes: tuple):
    """Write or add the slices of `values` at the points of `target`; an item is a block of columns."""
    rank, shape = indices.shape[-1], target.shape
    inner, count = product(shape[rank:]), product(indices.shape[:-1])
    kernel = kernel_text(name, [
        _indexed(indices, 0), pointer("values", codes[0], 1), pointer("target", codes[1], 2),
        *words(3, "inner", "M", *(f"n{a}" for a in range(rank))),
        "for block in range(begin, end):", [
            *_BLOCK,
            "for m in range(M):", [
                *_point(rank, "m"),
                "if valid:", [
                    "row = advance(target, place * inner + c0)", "source = advance(values, m * inner + c0)",
                    "for c in range(n):", [f"store(row, c, {combine})"]]]]])
    row = (Address(indices), Address(values), Address(target), inner, count, *shape[:rank])
    width = min(inner, COLUMNS) if isinstance(inner, int) else COLUMNS
    _launch(build, kernel, row, blocks(inner, COLUMNS), count * (width + 4 * rank), [indices, values, target], target,
            values.size)


def lower_scatter_nd_add(build, node, inputs, output, epilogue):
    """(indices, g) → zeros with slices of g added at the points."""
    indices, g = (build.contiguous(v) for v in inputs)
    total = _sum_into(build, output)
    _write_points(build, "scatter_nd_add", indices, g, total, "load(row, c) + load(source, c)",
                  (g.dtype.code, total.dtype.code))
    if total is not output:
        convert(build, total, output)


def lower_scatter_nd_update(build, node, inputs, output, epilogue):
    """(x, indices, v) → x with the slices at the points replaced, in the order of the points."""
    x, indices, v = (build.contiguous(view) for view in inputs)
    raw = raw_code(x.dtype)
    convert(build, x, output)
    _write_points(build, "scatter_nd_update", indices, v, output, "load(source, c)", (raw, raw))


LOWERINGS = {
    "gather": lower_gather,
    "scatter_add": lower_scatter_add,
    "gather_elements": lower_gather_elements,
    "scatter_elements_add": lower_scatter_elements_add,
    "gather_nd": lower_gather_nd,
    "scatter_nd_add": lower_scatter_nd_add,
    "scatter_nd_update": lower_scatter_nd_update,
}
