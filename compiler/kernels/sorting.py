"""Kernels that order elements along an axis: sorting, the k largest, argmax.

The array is [outer, D, inner] with the axis in the middle; an item is one line of D elements.  Elements are compared by
their *keys*, 64-bit integers in the same order: so NaN has a place (above infinity), -0.0 equals 0.0, and a descending
order is that of the inverted keys.
"""
from __future__ import annotations

from graphcore.compiler.kernels.work import blocks, grain, kernel_text, pointer, raw_code, words
from graphcore.compiler.launch import Address, Scratch
from graphcore.ir.dims import product

ACCEPTS_EPILOGUE = frozenset()
RUN = 8                         # elements that insertion sorts before merging begins
FEW = 32                        # up to so many first elements are kept in a list, for more the whole line is sorted
LONG = 192                      # from this length on lines are sorted digit by digit instead of by merging
COLUMNS = 64
LARGEST_KEY = 0x7FFFFFFFFFFFFFFF


def _digits(dtype) -> int:
    """How many bytes of a key tell it from others."""
    return 8 if dtype.itemsize == 8 else 4 if dtype.is_float else dtype.itemsize


def _key(dtype, value: str, inverted: bool, nan_is_largest_key: bool = False) -> list:
    """The lines that set `key` from the element `value`; inverting turns the order round, except (if asked) for NaN."""
    invert = ["key = key ^ -1"] if inverted else []
    if dtype.code == "u64":
        return [f"key = i64({value}) ^ (-{LARGEST_KEY} - 1)", *invert]
    if not dtype.is_float:
        return [f"key = i64({value})", *invert]
    bits, magnitude = ("bitcast_f64_i64", LARGEST_KEY) if dtype.code == "f64" else ("bitcast_f32_i32", 0x7FFFFFFF)
    nan = [f"key = select(v != v, {magnitude}, key)"]
    return [f"v = {value}", f"key = i64({bits}(v))", f"key = select(key < 0, -(key & {magnitude}), key)",
            *(invert + nan if nan_is_largest_key else nan + invert)]


def _lines(shape, axis) -> tuple:
    """outer, D, inner."""
    return product(shape[:axis]), shape[axis], product(shape[axis + 1:])


# -- sorting and the first k -----------------------------------------------------------------------------------------

_LINE = ["outer = item // inner", "column = item - outer * inner", "line = outer * D * inner + column"]
#: Sort by merging, from runs that insertion sorts.
_MERGE = [
    "for run in range((D + RUN - 1) // RUN):", [
        "low = run * RUN",
        "for t in range(low + 1, minimum(low + RUN, D)):", [
            "key = load(keys, t)", "number = load(numbers, t)", "u = t",
            "while u > low and load(keys, u - 1) > key:", [
                "store(keys, u, load(keys, u - 1))", "store(numbers, u, load(numbers, u - 1))", "u -= 1"],
            "store(keys, u, key)", "store(numbers, u, number)"]],
    "width = RUN",
    "while width < D:", [
        "for pair in range((D + 2 * width - 1) // (2 * width)):", [
            "a = pair * 2 * width", "first = a", "middle = minimum(a + width, D)", "b = middle",
            "last = minimum(a + 2 * width, D)",
            "for t in range(first, last):", [
                "left = (a < middle) & ((b >= last) | (load(keys, a) <= load(keys, b)))",
                "s = select(left, a, b)",
                "store(more_keys, t, load(keys, s))", "store(more_numbers, t, load(numbers, s))",
                "a += i64(left)", "b += 1 - i64(left)"]],
        "spare = keys", "keys = more_keys", "more_keys = spare",
        "spare_numbers = numbers", "numbers = more_numbers", "more_numbers = spare_numbers",
        "width = width * 2"]]


def _by_digits(dtype) -> list:
    """Sort by one byte of the keys after the other, the least significant first; the sign bit counts the other way."""
    digits = _digits(dtype)
    signed = 0 if dtype.kind in "ub" and digits < 8 else 128
    return [f"for digit in range({digits}):", [
        "shift = digit * 8", f"flip = select(digit == {digits - 1}, {signed}, 0)",
        "for d in range(256):", ["store(places, d, 0)"],
        "for t in range(D):", [
            "d = ((load(keys, t) >> shift) & 255) ^ flip", "store(places, d, load(places, d) + 1)"],
        "before = 0", "most = 0",
        "for d in range(256):", [
            "here = load(places, d)", "most = maximum(most, here)", "store(places, d, before)", "before += here"],
        "if most < D:", [
            "for t in range(D):", [
                "key = load(keys, t)", "d = ((key >> shift) & 255) ^ flip", "place = load(places, d)",
                "store(places, d, place + 1)", "store(more_keys, place, key)",
                "store(more_numbers, place, load(numbers, t))"],
            "spare = keys", "keys = more_keys", "more_keys = spare",
            "spare_numbers = numbers", "numbers = more_numbers", "more_numbers = spare_numbers"]]]


#: Insert into the sorted list of the K smallest keys, behind its equals.
_KEEP = ["if count < K or key < load(keys, K - 1):", [
    "u = minimum(count, K - 1)",
    "while u > 0 and load(keys, u - 1) > key:", [
        "store(keys, u, load(keys, u - 1))", "store(numbers, u, load(numbers, u - 1))", "u -= 1"],
    "store(keys, u, key)", "store(numbers, u, t)", "count = minimum(count + 1, K)"]]


def _lower_order(build, node, inputs, output, axis: int, count, descending: bool, values: bool):
    """Write the `count` first elements of each line in order, or their indices."""
    x = build.contiguous(inputs[0])
    if count == 0:
        return
    outer, extent, inner = _lines(x.shape, axis)
    few = isinstance(count, int) and count <= FEW and count != extent
    key = _key(x.dtype, "load(x, line + t * inner)", inverted=descending)
    row = (Address(x), Address(x), Address(output), extent, inner, count)
    if few:
        name = "first"
        memory = [f"keys = alloca_i64({FEW})", f"numbers = alloca_i64({FEW})"]
        order = ["count = 0", "for t in range(D):", [*key, *_KEEP]]
    else:
        name = "sort"
        memory = [f"RUN = {RUN}", "base = args[6] + worker * args[7]", "places = alloca_i64(256)"]
        order = ["keys = ptr_i64(base)", "more_keys = ptr_i64(base + 8 * D)", "numbers = ptr_i32(base + 16 * D)",
                 "more_numbers = ptr_i32(base + 20 * D)",
                 "for t in range(D):", [*key, "store(keys, t, key)", "store(numbers, t, t)"],
                 f"if D < {LONG}:", _MERGE, "else:", _by_digits(x.dtype)]
        scratch = blocks(24 * extent + 64, 64) * 64       # merging reads a little beyond the end
        row += (Scratch(scratch), scratch)
    result = "load(elements, line + i64(load(numbers, t)) * inner)" if values else "load(numbers, t)"
    kernel = kernel_text(f"{name}_{'values' if values else 'indices'}", [
        pointer("x", x.dtype.code, 0), f"elements = restrict(ptr_{raw_code(x.dtype)}(args[1]), 0)",
        pointer("y", raw_code(output.dtype) if values else output.dtype.code, 2),
        *words(3, "D", "inner", "K"), *memory,
        "for item in range(begin, end):", [
            *_LINE, *order, "result = outer * K * inner + column",
            "for t in range(K):", [f"store(y, result + t * inner, {result})"]]])
    build.launch(kernel, row, outer * inner, grain(16 * extent), (x.buffer,), (output.buffer,),
                 bytes=x.size * x.dtype.itemsize + output.size * output.dtype.itemsize)


def lower_sort_values(build, node, inputs, output, epilogue):
    """x → x in order along the axis."""
    axis, descending = node.attrs["axis"], node.attrs["descending"]
    _lower_order(build, node, inputs, output, axis, output.shape[axis], descending, values=True)


def lower_sort_indices(build, node, inputs, output, epilogue):
    """x → the indices that put it in order."""
    axis, descending = node.attrs["axis"], node.attrs["descending"]
    _lower_order(build, node, inputs, output, axis, output.shape[axis], descending, values=False)


def lower_topk_values(build, node, inputs, output, epilogue):
    """x → its k largest or smallest elements."""
    _lower_order(build, node, inputs, output, node.attrs["axis"], node.attrs["k"], node.attrs["largest"], values=True)


def lower_topk_indices(build, node, inputs, output, epilogue):
    """x → the indices of its k largest or smallest elements."""
    _lower_order(build, node, inputs, output, node.attrs["axis"], node.attrs["k"], node.attrs["largest"], values=False)


# -- argmax and argmin -----------------------------------------------------------------------------------------------

def _lower_extreme(build, node, inputs, output, inverted: bool):
    x = build.contiguous(inputs[0])
    outer, extent, inner = _lines(x.shape, node.attrs["axis"])
    key = _key(x.dtype, "load(x, place + c)", inverted, nan_is_largest_key=True)
    if inner == 1:              # two passes, which vectorise: the largest key, then its first place
        find = ["c = 0", f"best = -{LARGEST_KEY} - 1", "for t in range(D):", [
            "place = line + t", *key, "best = maximum(best, key)"],
            "at = D", "for t in range(D):", [
                "place = line + t", *key, "at = minimum(at, select(key == best, t, D))"],
            "store(y, item, at)"]
    else:
        find = [f"best = alloca_i64({COLUMNS})", f"at = alloca_i64({COLUMNS})",
                "for c in range(n):", ["place = line", *key, "store(best, c, key)", "store(at, c, 0)"],
                "for t in range(1, D):", [
                    "place = line + t * inner",
                    "for c in range(n):", [
                        *key, "known = load(best, c)",
                        "store(best, c, maximum(known, key))", "store(at, c, select(key > known, t, load(at, c)))"]],
                "result = advance(y, outer * inner + c0)",
                "for c in range(n):", ["store(result, c, load(at, c))"]]
    kernel = kernel_text(node.op, [
        pointer("x", x.dtype.code, 0), pointer("y", output.dtype.code, 1), *words(2, "D", "inner", "per_row"),
        "for item in range(begin, end):", [
            "outer = item // per_row", f"c0 = (item - outer * per_row) * {COLUMNS}",
            f"n = minimum(inner - c0, {COLUMNS})", "line = outer * D * inner + c0", *find]])
    per_row = blocks(inner, COLUMNS)
    width = min(inner, COLUMNS) if isinstance(inner, int) else COLUMNS
    build.launch(kernel, (Address(x), Address(output), extent, inner, per_row), outer * per_row,
                 grain(2 * extent * width), (x.buffer,), (output.buffer,),
                 bytes=x.size * x.dtype.itemsize + output.size * output.dtype.itemsize)


def lower_argmax(build, node, inputs, output, epilogue):
    """x → the index of the largest element along the axis."""
    _lower_extreme(build, node, inputs, output, inverted=False)


def lower_argmin(build, node, inputs, output, epilogue):
    """x → the index of the smallest element along the axis."""
    _lower_extreme(build, node, inputs, output, inverted=True)


LOWERINGS = {
    "sort_values": lower_sort_values,
    "sort_indices": lower_sort_indices,
    "topk_values": lower_topk_values,
    "topk_indices": lower_topk_indices,
    "argmax": lower_argmax,
    "argmin": lower_argmin,
}
