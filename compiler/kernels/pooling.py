"""Kernels of pooling: an item is one plane of one image.

Small windows have their taps unrolled, in loops along the row that vectorise.  For the maximum, rows and columns
outside the plane are replaced by its nearest ones: that repeats elements of the window, which changes neither its
maximum nor which of its elements comes first.  Large and dilated windows take plain loops over the taps inside.
"""
from __future__ import annotations

from itertools import product as pairs

from graphcore.compiler.kernels.work import compute_code, grain, kernel_text, pointer
from graphcore.compiler.launch import Address, Scratch
from graphcore.ir.dims import product

ACCEPTS_EPILOGUE = frozenset()
SMALL = 16                      # taps


class _Window:
    """The attributes of a pooling operator on planes h x w → oh x ow, and the text that they give."""

    def __init__(self, image: tuple, pooled: tuple, kernel, stride, pad, dilation=(1, 1), **divisor):
        self.image, self.pooled, self.pad, self.divisor = image, pooled, pad, divisor
        (self.kh, self.kw), (self.sh, self.sw), (self.dh, self.dw) = kernel, stride, dilation
        self.padded = any(pad)
        self.unrolled = self.kh * self.kw <= SMALL and dilation == (1, 1)
        self.tiles = kernel == stride and not self.padded and self.unrolled     # each element in one window at most
        self.taps = list(pairs(range(self.kh), range(self.kw)))
        self.label = f"{self.kh}x{self.kw}_s{self.sh}x{self.sw}" if self.unrolled else "any"

    def words(self) -> tuple:
        """The words of `SIZES`, which follow the addresses."""
        (h, w), (oh, ow), (top, _, left, _) = self.image[2:], self.pooled[2:], self.pad
        inner_first = (left + self.sw - 1) // self.sw
        inner_last = (w + left - self.kw) // self.sw + 1
        return (h, w, oh, ow, top, left, inner_first, inner_last,
                self.kh, self.kw, self.sh, self.sw, self.dh, self.dw)

    def sizes(self, first: int) -> list:
        """The lines that read the words from number `first` on."""
        names = "H W OH OW T L inner_first inner_last KH KW SH SW DH DW".split()
        lines = [f"{name} = args[{number}]" for number, name in enumerate(names, first)]
        if self.unrolled:
            literal = (self.kh, self.kw, self.sh, self.sw, self.dh, self.dw)
            lines[8:] = [f"{name} = {value}" for name, value in zip(names[8:], literal)]
        return lines + ["inner_first = minimum(inner_first, OW)",
                        "inner = maximum(minimum(inner_last, OW) - inner_first, 0)"]

    def segments(self, inner: list, border: list) -> list:
        """Loops over a row of the result: `inner` where all columns are inside (column c, counted from the first such
        as w), `border` (column c of the result) elsewhere."""
        if not self.padded:
            return ["for c in range(OW):", ["w = c", *inner]]
        return ["for w in range(inner):", ["c = w + inner_first", *inner],
                "for w in range(OW - inner):", ["c = select(w < inner_first, w, w + inner)", *border]]


def _padded_bytes(count):
    return (count + 63) // 64 * 64


def _launch(build, kernel, words, window, reads, output):
    planes = product(window.image[:2])
    elements = product(window.image[2:]) + product(window.pooled[2:]) * (window.kh * window.kw)
    touched = sum((v.size * v.dtype.itemsize for v in reads), output.size * output.dtype.itemsize)
    build.launch(kernel, words, planes, grain(elements), tuple(v.buffer for v in reads), (output.buffer,),
                 flops=product(window.pooled) * (window.kh * window.kw), bytes=touched)


# -- maximum ---------------------------------------------------------------------------------------------------------

def _lowest(dtype) -> str:
    if dtype.is_float:
        return f"{compute_code(dtype)}(-1e999)"
    return f"{dtype.code}({-(1 << 8 * dtype.itemsize - 1) + 1} - 1)" if dtype.kind == "i" else f"{dtype.code}(0)"


def _rows(window, base: str) -> list:
    """r0, r1 ...: offsets in the plane of the window's rows, clamped to it; column c of the result begins at c*SW."""
    clamp = "minimum(maximum(top + {i}, 0), H - 1)" if window.padded else "(top + {i})"
    return ["top = oh * SH - T", *(f"r{i} = {clamp.format(i=i)} * W" for i in range(window.kh)),
            *(f"{base}{i} = advance({base}, r{i} + inner_first * SW - L)" for i in range(window.kh))]


def _columns(window) -> list:
    return [f"c{j} = minimum(maximum(c * SW - L + {j}, 0), W - 1)" for j in range(window.kw)]


def _max_taps(window, inside: bool) -> list:
    loads = [f"load(xp{i}, w * SW + {j})" if inside else f"load(xp, r{i} + c{j})" for i, j in window.taps]
    return [f"m = {loads[0]}", *(f"m = maximum(m, {tap})" for tap in loads[1:]), "store(row, c, m)"]


#: The taps of the window at row oh and column c of the result that lie inside: i0 <= i < i1 and j0 <= j < j1.
_TAP_ROWS = ["top = oh * SH - T",
             "i0 = maximum(0, (DH - 1 - top) // DH)", "i1 = minimum(KH, (H - top + DH - 1) // DH)"]
_TAP_COLUMNS = ["left = c * SW - L",
                "j0 = maximum(0, (DW - 1 - left) // DW)", "j1 = minimum(KW, (W - left + DW - 1) // DW)"]


def lower_max_pool2d(build, node, inputs, output, epilogue):
    """x [N, C, H, W] → the maxima of its windows."""
    x = build.contiguous(inputs[0])
    window = _Window(x.shape, output.shape, **node.attrs)
    if window.unrolled:
        border = [*_columns(window), *_max_taps(window, inside=False)]
        row = [*_rows(window, "xp"), *window.segments(_max_taps(window, inside=True), border)]
    else:
        row = [*_TAP_ROWS, "for c in range(OW):", [
            *_TAP_COLUMNS, f"m = {_lowest(x.dtype)}",
            "for i in range(i0, i1):", [
                "line = advance(xp, (top + i * DH) * W + left)",
                "for j in range(j0, j1):", ["m = maximum(m, load(line, j * DW))"]],
            "store(row, c, m)"]]
    kernel = kernel_text(f"max_pool2d_{window.label}", [
        pointer("x", x.dtype.code, 0), pointer("y", output.dtype.code, 1), *window.sizes(2),
        "for plane in range(begin, end):", [
            "xp = advance(x, plane * H * W)",
            "for oh in range(OH):", ["row = advance(y, (plane * OH + oh) * OW)", *row]]])
    _launch(build, kernel, (Address(x), Address(output), *window.words()), window, [x], output)


def _first_hit(window, inside: bool, choice) -> list:
    """p = choice(i, j) of the first tap that equals m, the maximum (a tap is NaN only if m is)."""
    lines = [f"p = {choice(*window.taps[-1])}"]
    for i, j in reversed(window.taps[:-1]):
        tap = f"load(xp{i}, w * SW + {j})" if inside else f"load(xp, r{i} + c{j})"
        lines += [f"v = {tap}", f"p = select((v == m) | (v != v), {choice(i, j)}, p)"]
    return ["m = load(yrow, c)", *lines]


def _places(window) -> list:
    """Fill the row `at` with the offset in the plane of each window's first maximum (-1 if a window is all padding)."""
    if window.unrolled:
        inner = [*_first_hit(window, True, lambda i, j: f"i32(r{i} + {j})"), "store(at, c, p + i32(c * SW - L))"]
        border = [*_columns(window), *_first_hit(window, False, lambda i, j: f"i32(r{i} + c{j})"), "store(at, c, p)"]
        return [*_rows(window, "xp"), *window.segments(inner, border)]
    return [*_TAP_ROWS, "for c in range(OW):", [
        *_TAP_COLUMNS, "m = load(yrow, c)", "p = i32(-1)",
        "for i in range(i0, i1):", [
            "start = (top + i * DH) * W + left",
            "for j in range(j0, j1):", [
                "v = load(xp, start + j * DW)",
                "p = select((p < 0) & ((v == m) | (v != v)), i32(start + j * DW), p)"]],
        "store(at, c, p)"]]


_PLANE = ["xp = advance(x, plane * H * W)", "ip = advance(image, plane * H * W)"]
_ROW = ["yrow = advance(y, (plane * OH + oh) * OW)", "row = advance(pooled, (plane * OH + oh) * OW)"]


def _tile_gradient(window, code: str) -> list:
    """Windows side by side: every element of the plane is written once, no zeros beforehand."""
    number = {tap: k for k, tap in enumerate(window.taps)}
    writes = [f"store(ip, r{i} + c * SW + {j}, select(p == {number[i, j]}, g, {code}(0)))" for i, j in window.taps]
    row = ["top = oh * SH", *(f"r{i} = (top + {i}) * W" for i in range(window.kh)),
           *(f"xp{i} = advance(xp, r{i})" for i in range(window.kh)),
           "for c in range(OW):", ["w = c", *_first_hit(window, True, lambda i, j: f"i32({number[i, j]})"),
                                   "g = load(row, c)", *writes],
           *_zero_right_of_tiles(window)]
    return ["for oh in range(OH):", [*_ROW, *row], *_zero_below_tiles()]


def _zero_right_of_tiles(window) -> list:
    return ["for c in range(OW * SW, W):", [f"store(ip, r{i} + c, 0)" for i in range(window.kh)]]


def _zero_below_tiles() -> list:
    return ["for c in range(OH * SH * W, H * W):", ["store(ip, c, 0)"]]


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
        name, plane = name + "_tiles", _tile_gradient(window, compute_code(x.dtype))
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
        return [f"share = {code}({1.0 / (override or window.kh * window.kw)!r})"], []
    return (["rows = minimum(H, oh * SH - T + KH) - maximum(0, oh * SH - T)"],
            ["columns = minimum(W, c * SW - L + KW) - maximum(0, c * SW - L)",
             f"share = {code}(1) / {code}(rows * columns)"])


def lower_avg_pool2d(build, node, inputs, output, epilogue):
    """x [N, C, H, W] → the means of its windows."""
    x = build.contiguous(inputs[0])
    window = _Window(x.shape, output.shape, **node.attrs)
    code = compute_code(x.dtype)
    by_row, by_column = _factor(window, code)
    if window.unrolled:
        inside = [f"in{i} = (top + {i} >= 0) & (top + {i} < H)" for i in range(window.kh)] if window.padded else []
        taps = [f"load(xp{i}, w * SW + {j})" for i, j in window.taps]
        if window.padded:
            taps = [f"select(in{i}, {tap}, {code}(0))" for (i, j), tap in zip(window.taps, taps)]
        border = [f"select(in{i} & (c * SW - L + {j} == c{j}), load(xp, r{i} + c{j}), {code}(0))"
                  for i, j in window.taps]
        row = [*_rows(window, "xp"), *inside, *by_row, *window.segments(
            [*by_column, f"store(row, c, ({' + '.join(taps)}) * share)"],
            [*_columns(window), *by_column, f"store(row, c, ({' + '.join(border)}) * share)"])]
    else:
        row = [*_TAP_ROWS, *by_row, "for c in range(OW):", [
            *_TAP_COLUMNS, *by_column, f"total = {code}(0)",
            "for i in range(i0, i1):", [
                "line = advance(xp, (top + i) * W + left)",
                "for j in range(j0, j1):", ["total = accumulate(total, load(line, j))"]],
            "store(row, c, total * share)"]]
    kernel = kernel_text(f"avg_pool2d_{window.label}", [
        pointer("x", x.dtype.code, 0), pointer("y", output.dtype.code, 1), *window.sizes(2),
        "for plane in range(begin, end):", [
            "xp = advance(x, plane * H * W)",
            "for oh in range(OH):", ["row = advance(y, (plane * OH + oh) * OW)", *row]]])
    _launch(build, kernel, (Address(x), Address(output), *window.words()), window, [x], output)


def lower_avg_pool2d_grad(build, node, inputs, output, epilogue):
    """g → the gradient of avg_pool2d."""
    g = build.contiguous(inputs[0])
    attrs = {key: value for key, value in node.attrs.items() if key != "shape"}
    window = _Window(output.shape, g.shape, **attrs)
    code = compute_code(g.dtype)
    by_row, by_column = _factor(window, code)
    head = ["row = advance(g, (plane * OH + oh) * OW)", *by_row]
    if window.tiles:
        writes = [f"store(ip, r{i} + c * SW + {j}, v)" for i, j in window.taps]
        plane = ["for oh in range(OH):", [
            *head, *(f"r{i} = (oh * SH + {i}) * W" for i in range(window.kh)),
            "for c in range(OW):", ["v = load(row, c) * share", *writes], *_zero_right_of_tiles(window)],
            *_zero_below_tiles()]
    else:
        plane = _accumulating(g.dtype, [
            *head, "for c in range(OW):", [*by_column, "store(shares, c, load(row, c) * share)"],
            "for i in range(maximum(0, T - oh * SH), minimum(KH, H + T - oh * SH)):", [
                "line = advance(sum, (oh * SH - T + i) * W)",
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
