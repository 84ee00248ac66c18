"""Kernels of pooling: an item is one plane of one image.

Windows are taken several at a time, as lanes along the row of the result.  A tap of all of them is one strided load;
what lies in the padding is not read but replaced by a number that does not matter, so borders need no own code.
Gradients are gathered: each element of the plane looks up the windows that cover it, so nothing is written twice, no
zeros come first, and the sums have one order.  16-bit floats are converted to float32 before and back afterwards.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.kernels.work import blocks, compute_code, convert, grain, kernel_text, pointer, words
from graphcore.compiler.launch import Address, Scratch, View
from graphcore.dtype import float32
from graphcore.ir.dims import product

ACCEPTS_EPILOGUE = frozenset()
WIDEST_STRIDE = 4               # along the row, for more than one lane


@dataclass(frozen=True)
class _Windows:
    """The windows of a pooling operator on planes [.., H, W], of which there are [.., OH, OW]."""

    image: tuple
    pooled: tuple
    kernel: tuple
    stride: tuple
    pad: tuple
    dilation: tuple = (1, 1)
    count_include_pad: bool = True
    divisor_override: int | None = None

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]

    @property
    def label(self) -> str:
        return "{}x{}_s{}x{}".format(*self.kernel, *self.stride)

    @property
    def words(self) -> tuple:
        """The words that `lines` reads."""
        return *self.image[2:], *self.pooled[2:], self.pad[0], self.pad[2]

    def lines(self, number: int) -> list:
        """The lines that set sizes, from the words from `number` on, and the geometry, which stands in the text."""
        geometry = zip("KH KW SH SW DH DW".split(), (*self.kernel, *self.stride, *self.dilation))
        return [*words(number, "H", "W", "OH", "OW", "TOP", "LEFT"), *(f"{name} = {value}" for name, value in geometry)]

    def lanes(self, build, dtype) -> int:
        """How many windows to take at a time."""
        masked = build.cpu.has("avx2") or build.cpu.has("avx512f")     # loads and stores; without, lanes do not pay
        if masked and dtype.is_float and self.stride[1] <= WIDEST_STRIDE:
            return build.cpu.vector_bytes // dtype.itemsize
        return 1

    @property
    def share(self) -> float | None:
        """The share of an element in its window's mean; None where that depends on the window."""
        if self.divisor_override or self.count_include_pad or not any(self.pad):
            return 1.0 / (self.divisor_override or self.taps)
        return None


#: The rows i0 <= i < i1 of the windows of row oh that lie in the plane, whose first row is `upper`.
_TAP_ROWS = ["upper = oh * SH - TOP",
             "i0 = maximum(0, (DH - 1 - upper) // DH)", "i1 = minimum(KH, (H - upper + DH - 1) // DH)"]


def _over_pooled(count: int, row: list, block: list) -> list:
    """Loops over rows oh of windows and over blocks of columns c, `count` at a time."""
    return ["for oh in range(OH):", [
        *_TAP_ROWS, *row, f"for number in range((OW + {count - 1}) // {count}):", [f"c = number * {count}", *block]]]


def _over_taps(line: list, tap: list) -> list:
    """Loops over the taps inside: `line` for row i, which begins at `offset`; `tap` for column j, at index `place`."""
    return ["for i in range(i0, i1):", ["offset = (upper + i * DH) * W", *line, "for j in range(KW):", [
        "place = c * SW - LEFT + j * DW", *tap]]]


def _over_taps_backwards(line: list, tap: list) -> list:
    """The same from the last tap to the first, so that what the first hit sets stays."""
    return ["for up in range(i1 - i0):", ["i = i1 - 1 - up", "offset = (upper + i * DH) * W", *line,
            "for back in range(KW):", ["j = KW - 1 - back", "place = c * SW - LEFT + j * DW", *tap]]]


def _over_image(windows: _Windows, count: int, row: list, tap: list, finish: str) -> list:
    """Gather a plane: loops over its rows h and blocks of columns, and for each over the windows that cover it.

    Columns come in groups of SW; group c holds the columns w = c*SW + k - LEFT, whose totals are total0, total1 ...
    row: the lines for a row oh of windows that covers h with its row i; tap: adds to total{k} from column c - back of
    the windows, for which w is column j; finish: what is written for total{k}.
    """
    _, kw = windows.kernel
    _, sw = windows.stride
    _, dw = windows.dilation
    covering: list = []
    for k in range(sw):
        taps = [j for j in range(kw) if (j * dw - k) % sw == 0]
        if taps:                # an arithmetic progression of columns j, and with it of places c - back
            step = taps[1] - taps[0] if len(taps) > 1 else 1
            covering += [f"for n in range({len(taps)}):", [
                f"j = {taps[0]} + n * {step}", f"place = c - ({(taps[0] * dw - k) // sw} + n * {step * dw // sw})",
                *(line.format(k=k) for line in tap)]]
    return ["for h in range(H):", [
        "groups = (W - 1 + LEFT) // SW + 1 - LEFT // SW",
        f"for number in range((groups + {count - 1}) // {count}):", [
            f"c = LEFT // SW + number * {count}", *(f"total{k} = zero" for k in range(sw)),
            "for i in range(KH):", [
                "reach = h + TOP - i * DH", "oh = reach // SH",
                "if (oh * SH == reach) & (oh >= 0) & (oh < OH):", [*row, *covering]],
            f"store_lanes(advance(plane_image, h * W), c * SW - LEFT, W, "
            f"{', '.join(finish.format(k=k) for k in range(sw))})"]]]


def _launch(build, name: str, arrays: dict, body: tuple, windows: _Windows, output: View, scratch=None):
    """Launch a kernel on `arrays` (name → view); `body`: the lines before the loop over planes, and those in it.

    The body sees plane_<name> of each array, and as `scratch` the address of so many bytes of the worker's own.
    """
    area = blocks(scratch, 64) * 64 if scratch is not None else None
    count = len(arrays)
    planes = [f"plane_{label} = advance({label}, plane * ({'H * W' if view.shape == windows.image else 'OH * OW'}))"
              for label, view in arrays.items()]
    kernel = kernel_text(f"{name}_{windows.label}", [
        *(pointer(label, view.dtype.code, number) for number, (label, view) in enumerate(arrays.items())),
        *windows.lines(count),
        *([f"scratch = args[{count + 6}] + worker * args[{count + 7}]"] if scratch is not None else []),
        *body[0], "for plane in range(begin, end):", [*planes, *body[1]]])
    row = (*map(Address, arrays.values()), *windows.words, *((Scratch(area), area) if scratch is not None else ()))
    reads = tuple(view.buffer for view in arrays.values() if view is not output)
    moved = sum((view.size * view.dtype.itemsize for view in arrays.values()), 0)
    elements = product(windows.image[2:]) + product(windows.pooled[2:]) * windows.taps
    build.launch(kernel, row, product(windows.image[:2]), grain(elements), reads, (output.buffer,),
                 flops=product(windows.pooled) * windows.taps, bytes=moved)


def _widened(build, views, output: View) -> tuple:
    """Contiguous inputs and an output to compute on: float32 copies in place of 16-bit floats."""
    views = [build.contiguous(view) for view in views]
    if not (output.dtype.is_float and output.dtype.itemsize == 2):
        return views, output
    wide = [View.whole(build.temp("wide", float32, view.size), view.shape) for view in (*views, output)]
    for view, copy in zip(views, wide):
        convert(build, view, copy)
    return wide[:-1], wide[-1]


def _narrow(build, result: View, output: View) -> None:
    if result is not output:
        convert(build, result, output)


# -- maximum ---------------------------------------------------------------------------------------------------------

def _lowest(dtype) -> str:
    if dtype.is_float:
        return f"{compute_code(dtype)}(-1e999)"
    return f"{dtype.code}({-(1 << 8 * dtype.itemsize - 1) + 1} - 1)" if dtype.kind == "i" else f"{dtype.code}(0)"


def lower_max_pool2d(build, node, inputs, output, epilogue):
    """x [N, C, H, W] → the maxima of its windows."""
    (x,), y = _widened(build, inputs, output)
    windows = _Windows(x.shape, y.shape, **node.attrs)
    count = windows.lanes(build, x.dtype)
    body = _over_pooled(count, [], [
        "best = lowest",
        *_over_taps(["line = advance(plane_x, offset)"],
                    ["best = lanes_maximum(best, load_lanes(line, place, SW, W, lowest))"]),
        "store_lanes(advance(plane_y, oh * OW), c, OW, best)"])
    head = [f"lowest = lanes({_lowest(x.dtype)}, {count})"]
    _launch(build, "max_pool2d", {"x": x, "y": y}, (head, body), windows, y)
    _narrow(build, y, output)


#: What the search for the first maximum of windows needs: their maxima, and numbers that are not.
_MAXIMA = ["best = load_lanes(advance(plane_y, oh * OW), c, 1, OW, zero)",
           "other = lanes_select(lanes_equal(best, zero), one, zero)"]
_HIT = "hit = lanes_are_maximum(load_lanes(line, place, SW, W, other), best)"


def lower_max_pool2d_grad(build, node, inputs, output, epilogue):
    """(x, y, g) → g at the place of each window's first maximum; the numbers of these taps are found first."""
    (x, y, g), image = _widened(build, inputs, output)
    windows = _Windows(x.shape, y.shape, **node.attrs)
    count, code = windows.lanes(build, x.dtype), compute_code(x.dtype)
    find = _over_pooled(count, [], [
        *_MAXIMA, "tap = none",
        *_over_taps_backwards(["line = advance(plane_x, offset)"],
                              [_HIT, f"tap = lanes_select(hit, lanes(i32(i * KW + j), {count}), tap)"]),
        "store_lanes(advance(taps, oh * OW), c, OW, tap)"])
    gather = _over_image(windows, count, ["g_row = advance(plane_g, oh * OW)", "tap_row = advance(taps, oh * OW)"], [
        f"here = lanes_equal(load_lanes(tap_row, place, 1, OW, none), lanes(i32(i * KW + j), {count}))",
        "part = lanes_select(here, load_lanes(g_row, place, 1, OW, zero), zero)",
        "total{k} = lanes_add(total{k}, part)"], "total{k}")
    head = [f"zero = lanes({code}(0), {count})", f"one = lanes({code}(1), {count})",
            f"none = lanes(i32(-1), {count})", "taps = ptr_i32(scratch)"]
    arrays = {"x": x, "y": y, "g": g, "image": image}
    _launch(build, "max_pool2d_grad", arrays, (head, find + gather), windows, image, 4 * product(y.shape[2:]))
    _narrow(build, image, output)


def lower_max_pool2d_grad_grad(build, node, inputs, output, epilogue):
    """(x, y, gg) → the elements of gg at the first maxima."""
    (x, y, gg), pooled = _widened(build, inputs, output)
    windows = _Windows(x.shape, y.shape, **node.attrs)
    count, code = windows.lanes(build, x.dtype), compute_code(x.dtype)
    body = _over_pooled(count, [], [
        *_MAXIMA, "found = zero",
        *_over_taps_backwards(["line = advance(plane_x, offset)", "gg_line = advance(plane_gg, offset)"],
                              [_HIT, "found = lanes_select(hit, load_lanes(gg_line, place, SW, W, zero), found)"]),
        "store_lanes(advance(plane_pooled, oh * OW), c, OW, found)"])
    head = [f"zero = lanes({code}(0), {count})", f"one = lanes({code}(1), {count})"]
    _launch(build, "max_pool2d_grad_grad", {"x": x, "y": y, "gg": gg, "pooled": pooled}, (head, body), windows, pooled)
    _narrow(build, pooled, output)


# -- mean ------------------------------------------------------------------------------------------------------------

def _column_shares(code: str) -> list:
    """Fill the row `shares` with the reciprocals of how many columns of each window lie in the plane."""
    return [f"shares = ptr_{code}(scratch)", "for c in range(OW):", [
        "inside = minimum(W, c * SW - LEFT + KW) - maximum(0, c * SW - LEFT)",
        f"store(shares, c, {code}(1) / {code}(inside))"]]


def _row_share(code: str, count: int) -> list:
    """Set row_share to the reciprocal of how many rows of the windows of row oh lie in the plane."""
    return ["inside = minimum(H, oh * SH - TOP + KH) - maximum(0, oh * SH - TOP)",
            f"row_share = lanes({code}(1) / {code}(inside), {count})"]


def lower_avg_pool2d(build, node, inputs, output, epilogue):
    """x [N, C, H, W] → the means of its windows."""
    (x,), y = _widened(build, inputs, output)
    windows = _Windows(x.shape, y.shape, **node.attrs)
    count, code, share = windows.lanes(build, x.dtype), compute_code(x.dtype), windows.share
    head, row, scale = [f"zero = lanes({code}(0), {count})"], [], []
    if share is not None:
        head.append(f"share = lanes({code}({share!r}), {count})")
    else:
        head += _column_shares(code)
        row = _row_share(code, count)
        scale = ["share = lanes_multiply(row_share, load_lanes(shares, c, 1, OW, zero))"]
    body = _over_pooled(count, row, [
        "total = zero",
        *_over_taps(["line = advance(plane_x, offset)"],
                    ["total = lanes_add(total, load_lanes(line, place, SW, W, zero))"]),
        *scale, "store_lanes(advance(plane_y, oh * OW), c, OW, lanes_multiply(total, share))"])
    scratch = x.dtype.itemsize * y.shape[3] if share is None else None
    _launch(build, "avg_pool2d", {"x": x, "y": y}, (head, body), windows, y, scratch)
    _narrow(build, y, output)


def lower_avg_pool2d_grad(build, node, inputs, output, epilogue):
    """g → each element's share of the windows that cover it."""
    (g,), image = _widened(build, inputs, output)
    attrs = {key: value for key, value in node.attrs.items() if key != "shape"}
    windows = _Windows(image.shape, g.shape, **attrs)
    count, code, share = windows.lanes(build, g.dtype), compute_code(g.dtype), windows.share
    head = [f"zero = lanes({code}(0), {count})"]
    row, part, finish = ["g_row = advance(plane_g, oh * OW)"], "load_lanes(g_row, place, 1, OW, zero)", "total{k}"
    if share is not None:
        head.append(f"share = lanes({code}({share!r}), {count})")
        finish = "lanes_multiply(total{k}, share)"
    else:
        head += _column_shares(code)
        row += _row_share(code, count)
        part = f"lanes_multiply({part}, lanes_multiply(row_share, load_lanes(shares, place, 1, OW, zero)))"
    body = _over_image(windows, count, row, [f"total{{k}} = lanes_add(total{{k}}, {part})"], finish)
    scratch = g.dtype.itemsize * g.shape[3] if share is None else None
    _launch(build, "avg_pool2d_grad", {"g": g, "image": image}, (head, body), windows, image, scratch)
    _narrow(build, image, output)


LOWERINGS = {
    "max_pool2d": lower_max_pool2d,
    "max_pool2d_grad": lower_max_pool2d_grad,
    "max_pool2d_grad_grad": lower_max_pool2d_grad_grad,
    "avg_pool2d": lower_avg_pool2d,
    "avg_pool2d_grad": lower_avg_pool2d_grad,
}
