"""Kernels of pooling: an item is one plane of one image.

Where all columns of a small window lie inside the plane, the loops over its taps have constant bounds: LLVM unrolls
them, and the loop along the row vectorises.  Rows outside the plane are no obstacle: the maximum replaces them by the
nearest row, which repeats elements of the window and so changes neither its maximum nor which of its elements comes
first; the mean takes zeros instead.  Other columns, and large or dilated windows, take loops over the taps inside.
"""
from __future__ import annotations

from graphcore.compiler.kernels.work import compute_code, grain, kernel_text, pointer
from graphcore.compiler.launch import Address, Scratch
from graphcore.ir.dims import product

ACCEPTS_EPILOGUE = frozenset()
SMALL = 16                      # taps


class _Window:
    """The attributes of a pooling operator on planes h x w → oh x ow, and the text that they give."""

    def __init__(self, image: tuple, pooled: tuple, kernel, stride, pad, dilation=(1, 1), **divisor):
        self.image, self.pooled, self.pad, self.divisor = image, pooled, pad, divisor
        self.kernel, self.stride, self.dilation = tuple(kernel), tuple(stride), tuple(dilation)
        self.taps = kernel[0] * kernel[1]
        self.padded = any(pad)
        self.small = self.taps <= SMALL and self.dilation == (1, 1)
        self.tiles = self.kernel == self.stride and not self.padded and self.small  # an element is in one window only
        self.label = "{}x{}_s{}x{}".format(*self.kernel, *self.stride) if self.small else "any"

    def words(self) -> tuple:
        """The words that `sizes` reads."""
        (h, w), (oh, ow), (top, _, left, _) = self.image[2:], self.pooled[2:], self.pad
        (_, kw), (_, sw) = self.kernel, self.stride
        first = (left + sw - 1) // sw               # the columns of windows that lie inside the plane
        behind = (w + left - kw) // sw + 1
        return h, w, oh, ow, top, left, first, behind, *self.kernel, *self.stride, *self.dilation

    def sizes(self, number: int) -> list:
        """The lines that read the words from `number` on; the geometry of small windows stands as literals."""
        names = "H W OH OW T L first behind KH KW SH SW DH DW".split()
        lines = [f"{name} = args[{n}]" for n, name in enumerate(names, number)]
        if self.small:
            geometry = (*self.kernel, *self.stride, *self.dilation)
            lines[8:] = [f"{name} = {value}" for name, value in zip(names[8:], geometry)]
            return [*lines, "first = minimum(first, OW)", "inner = maximum(minimum(behind, OW) - first, 0)"]
        return [*lines, "first = 0", "inner = 0"]

    @property
    def row(self) -> list:
        """Row i of a window, clamped to the plane: its offset r, and the pointer to its place for w = 0."""
        inside = "minimum(maximum(top + i, 0), H - 1)" if self.padded else "(top + i)"
        return [f"r = {inside} * W", "line = advance(xp, r + first * SW - L)"]

    def along_row(self, inner: list, border: list) -> list:
        """Loops over the columns c of the result: `inner` for windows inside the plane, w being c counted from the
        first of them, `border` for the others."""
        if self.small and not self.padded:
            return ["for w in range(OW):", ["c = w", *inner]]
        others = [*_TAP_ROWS, "for w in range(OW - inner):", ["c = select(w < first, w, w + inner)", *border]]
        return ["for w in range(inner):", ["c = w + first", *inner], *others] if self.small else others


def _padded_bytes(count):
    return (count + 63) // 64 * 64


def _launch(build, kernel, words, window, reads, output):
    planes = product(window.image[:2])
    elements = product(window.image[2:]) + product(window.pooled[2:]) * window.taps
    touched = sum((v.size * v.dtype.itemsize for v in reads), output.size * output.dtype.itemsize)
    build.launch(kernel, words, planes, grain(elements), tuple(v.buffer for v in reads), (output.buffer,),
                 flops=product(window.pooled) * window.taps, bytes=touched)


#: The taps inside the plane of the window at row oh (column c): i0 <= i < i1, j0 <= j < j1.
_TAP_ROWS = ["i0 = maximum(0, (DH - 1 - top) // DH)",
             "i1 = minimum(KH, (H - top + DH - 1) // DH)"]
_TAP_COLUMNS = ["left = c * SW - L",
                "j0 = maximum(0, (DW - 1 - left) // DW)", "j1 = minimum(KW, (W - left + DW - 1) // DW)"]


# -- maximum ---------------------------------------------------------------------------------------------------------

def _lowest(dtype) -> str:
    if dtype.is_float:
        return f"{compute_code(dtype)}(-1e999)"
    return f"{dtype.code}({-(1 << 8 * dtype.itemsize - 1) + 1} - 1)" if dtype.kind == "i" else f"{dtype.code}(0)"


def lower_max_pool2d(build, node, inputs, output, epilogue):
    """x [N, C, H, W] → the maxima of its windows."""
    x = build.contiguous(inputs[0])
    window = _Window(x.shape, output.shape, **node.attrs)
    start, end = [f"m = {_lowest(x.dtype)}"], ["store(row, c, m)"]
    inner = [*start, "for i in range(KH):", [
        *window.row, "for j in range(KW):", ["m = maximum(m, load(line, w * SW + j))"]], *end]
    border = [*_TAP_COLUMNS, *start, "for i in range(i0, i1):", [
        "line = advance(xp, (top + i * DH) * W + left)",
        "for j in range(j0, j1):", ["m = maximum(m, load(line, j * DW))"]], *end]
    kernel = kernel_text(f"max_pool2d_{window.label}", [
        pointer("x", x.dtype.code, 0), pointer("y", output.dtype.code, 1), *window.sizes(2),
        "for plane in range(begin, end):", [
            "xp = advance(x, plane * H * W)",
            "for oh in range(OH):", [
                "top = oh * SH - T", "row = advance(y, (plane * OH + oh) * OW)",
                *window.along_row(inner, border)]]])
    _launch(build, kernel, (Address(x), Address(output), *window.words()), window, [x], output)


#: A tap that is the maximum m: it equals it, or is NaN, which it can be only if m is.
_HIT = "(v == m) | (v != v)"


def _first_hit(window, place: str) -> list:
    """The lines that set p to `place` of the first maximum of an inner window, going backwards over the taps."""
    return ["m = load(yrow, c)", "p = i32(-1)", "for up in range(KH):", [
        "i = KH - 1 - up", *window.row, "for back in range(KW):", [
            "j = KW - 1 - back", "v = load(line, w * SW + j)", f"p = select({_HIT}, i32({place}), p)"]]]


def _places(window) -> list:
    """Fill the row `at` with the offset in the plane of each window's first maximum; -1 if a window is all padding."""
    inner = [*_first_hit(window, "r + j"), "store(at, c, p + i32(c * SW - L))"]
    border = [*_TAP_COLUMNS, "m = load(yrow, c)", "p = i32(-1)", "for i in range(i0, i1):", [
        "start = (top + i * DH) * W + left",
        "for j in range(j0, j1):", [
            "v = load(xp, start + j * DW)", f"p = select((p < 0) & ({_HIT}), i32(start + j * DW), p)"]],
        "store(at, c, p)"]
    return window.along_row(inner, border)


_PLANE = ["xp = advance(x, plane * H * W)", "ip = advance(image, plane * H * W)"]
_ROW = ["top = oh * SH - T",
        "yrow = advance(y, (plane * OH + oh) * OW)", "row = advance(pooled, (plane * OH + oh) * OW)"]


def _tiles(head: list, share: list, value: str) -> list:
    """Windows side by side: each element of the plane is written once, without zeros beforehand.

    head: the lines before a row of windows; share: before a window (column c); value: what its tap (i, j) gets."""
    return ["for oh in range(OH):", [
        *head, "for c in range(OW):", [
            *share, "for i in range(KH):", [
                "for j in range(KW):", [f"store(ip, (oh * SH + i) * W + c * SW + j, {value})"]]],
        "for i in range(KH):", ["for c in range(OW * SW, W):", ["store(ip, (oh * SH + i) * W + c, 0)"]]],
        "for c in range(OH * SH * W, H * W):", ["store(ip, c, 0)"]]


def _accumulating(dtype, row: list) -> list:
    """Rows of windows that add into the plane `sum`: the result itself, or float32 scratch for 16-bit floats."""
    lines = ["for k in range(H * W):", ["store(sum, k, 0)"], "for oh in range(OH):", row]
    if dtype.itemsize == 2:
        return lines + ["for k in range(H * W):", ["store(ip, k, load(sum, k))"]]
    return ["sum = ip", *lines]


def _scratch_words(dtype, row_bytes, plane) -> tuple:
    """Scratch of each worker, a row and (for 16-bit floats) a plane of float32; each followed by its size."""
    row_bytes = _padded_bytes(row_bytes)
    plane_bytes = _padded_bytes(4 * plane if dtype.itemsize == 2 else 0)
    return Scratch(row_bytes), row_bytes, Scratch(plane_bytes), plane_bytes


def _scratch_lines(dtype, first: int, row: str, code: str) -> list:
    lines = [f"{row} = restrict(ptr_{code}(args[{first}] + worker * args[{first + 1}]), 14)"]
    if dtype.itemsize == 2:
        lines.append(f"sum = restrict(ptr_f32(args[{first + 2}] + worker * args[{first + 3}]), 15)")
    return lines


def _lower_by_place(build, inputs, output, attrs, gradient: bool):
    """max_pool2d_grad (scatter) and max_pool2d_grad_grad (gather): `image` has the planes, `pooled` their windows."""
    x, y, given = (build.contiguous(v) for v in inputs)
    window = _Window(x.shape, y.shape, **attrs)
    image, pooled = (output, given) if gradient else (given, output)
    name = f"max_pool2d_grad{'' if gradient else '_grad'}_{window.label}"
    if gradient and window.tiles:
        name, zero = name + "_tiles", f"{compute_code(x.dtype)}(0)"
        plane = _tiles(_ROW, ["w = c", *_first_hit(window, "i * KW + j"), "g = load(row, c)"],
                       f"select(p == i * KW + j, g, {zero})")
    elif gradient:
        add = ["p = load(at, c)", "if p >= 0:", ["store(sum, p, load(sum, p) + load(row, c))"]]
        plane = _accumulating(x.dtype, [*_ROW, *_places(window), "for c in range(OW):", add])
    else:
        move = ["p = load(at, c)", "if p >= 0:", ["store(row, c, load(ip, p))"], "else:", ["store(row, c, 0)"]]
        plane = ["for oh in range(OH):", [*_ROW, *_places(window), "for c in range(OW):", move]]
    arrays = (("x", x), ("y", y), ("image", image), ("pooled", pooled))
    kernel = kernel_text(name, [
        *(pointer(label, view.dtype.code, number) for number, (label, view) in enumerate(arrays)),
        *_scratch_lines(x.dtype, 4, "at", "i32"), *window.sizes(8),
        "for plane in range(begin, end):", [*_PLANE, *plane]])
    words = (*(Address(view) for _, view in arrays),
             *_scratch_words(x.dtype, 4 * window.pooled[3], product(x.shape[2:])), *window.words())
    _launch(build, kernel, words, window, [x, y, given], output)


def lower_max_pool2d_grad(build, node, inputs, output, epilogue):
    """(x, y, g) → the gradient of max_pool2d."""
    _lower_by_place(build, inputs, output, node.attrs, gradient=True)


def lower_max_pool2d_grad_grad(build, node, inputs, output, epilogue):
    """(x, y, gg) → the elements of gg at the maxima."""
    _lower_by_place(build, inputs, output, node.attrs, gradient=False)


# -- mean ------------------------------------------------------------------------------------------------------------

def _factor(window, code: str) -> tuple[list, list]:
    """The lines, for each row and for each column of windows, that set `share`, the weight of a window's elements."""
    include, override = window.divisor["count_include_pad"], window.divisor["divisor_override"]
    if override or include or not window.padded:
        return [f"share = {code}({1.0 / (override or window.taps)!r})"], []
    return (["rows = minimum(H, top + KH) - maximum(0, top)"],
            ["columns = minimum(W, c * SW - L + KW) - maximum(0, c * SW - L)",
             f"share = {code}(1) / {code}(rows * columns)"])


def lower_avg_pool2d(build, node, inputs, output, epilogue):
    """x [N, C, H, W] → the means of its windows."""
    x = build.contiguous(inputs[0])
    window = _Window(x.shape, output.shape, **node.attrs)
    code = compute_code(x.dtype)
    by_row, by_column = _factor(window, code)
    start, end = [f"total = {code}(0)"], [*by_column, "store(row, c, total * share)"]
    tap = "load(line, w * SW + j)"
    if window.padded:
        tap = f"select((top + i >= 0) & (top + i < H), {tap}, {code}(0))"
    inner = [*start, "for i in range(KH):", [
        *window.row, "for j in range(KW):", [f"total = total + {tap}"]], *end]
    border = [*_TAP_COLUMNS, *start, "for i in range(i0, i1):", [
        "line = advance(xp, (top + i) * W + left)",
        "for j in range(j0, j1):", ["total = accumulate(total, load(line, j))"]], *end]
    kernel = kernel_text(f"avg_pool2d_{window.label}", [
        pointer("x", x.dtype.code, 0), pointer("y", output.dtype.code, 1), *window.sizes(2),
        "for plane in range(begin, end):", [
            "xp = advance(x, plane * H * W)",
            "for oh in range(OH):", [
                "top = oh * SH - T", "row = advance(y, (plane * OH + oh) * OW)", *by_row,
                *window.along_row(inner, border)]]])
    _launch(build, kernel, (Address(x), Address(output), *window.words()), window, [x], output)


def lower_avg_pool2d_grad(build, node, inputs, output, epilogue):
    """g → the gradient of avg_pool2d."""
    g = build.contiguous(inputs[0])
    attrs = {key: value for key, value in node.attrs.items() if key != "shape"}
    window = _Window(output.shape, g.shape, **attrs)
    code = compute_code(g.dtype)
    by_row, by_column = _factor(window, code)
    head = ["top = oh * SH - T", "row = advance(g, (plane * OH + oh) * OW)", *by_row]
    if window.tiles:
        plane = _tiles(head, ["v = load(row, c) * share"], "v")
    else:
        plane = _accumulating(g.dtype, [
            *head, "for c in range(OW):", [*by_column, "store(shares, c, load(row, c) * share)"],
            "for i in range(maximum(0, -top), minimum(KH, H - top)):", [
                "line = advance(sum, (top + i) * W)",
                "for j in range(KW):", [
                    "c0 = maximum(0, (L - j + SW - 1) // SW)", "c1 = minimum(OW, (W - 1 + L - j) // SW + 1)",
                    "at = advance(line, c0 * SW - L + j)", "part = advance(shares, c0)",
                    "for c in range(c1 - c0):", ["store(at, c * SW, load(at, c * SW) + load(part, c))"]]]])
    kernel = kernel_text(f"avg_pool2d_grad_{window.label}{'_tiles' if window.tiles else ''}", [
        pointer("g", g.dtype.code, 0), pointer("image", output.dtype.code, 1),
        *_scratch_lines(g.dtype, 2, "shares", code), *window.sizes(6),
        "for plane in range(begin, end):", ["ip = advance(image, plane * H * W)", *plane]])
    scratch = _scratch_words(g.dtype, (8 if code == "f64" else 4) * window.pooled[3], product(output.shape[2:]))
    _launch(build, kernel, (Address(g), Address(output), *scratch, *window.words()), window, [g], output)


LOWERINGS = {
    "max_pool2d": lower_max_pool2d,
    "max_pool2d_grad": lower_max_pool2d_grad,
    "max_pool2d_grad_grad": lower_max_pool2d_grad_grad,
    "avg_pool2d": lower_avg_pool2d,
    "avg_pool2d_grad": lower_avg_pool2d_grad,
}
