"""Matrix products and convolutions: the operators with kernels of their own that carry most of a net's arithmetic.

Convolutions are three operators, each linear in both inputs: the convolution itself and its two gradients.  The
gradient of each is written with the others, so gradients of any order exist.  A bias is not part of them: it is
added in the epilogue of the kernel.
"""
from __future__ import annotations

import numpy as np

from graphcore.errors import DTypeError, ShapeError
from graphcore.ir.dims import Dim, product
from graphcore.ir.types import TensorType
from graphcore.ops.record import Scheduled, broadcast_shapes, check_dtype, op
from graphcore.ops.view import reshape, sum_to


def matmul_sizes(a: TensorType, b: TensorType, transpose_a: bool, transpose_b: bool) -> tuple:
    """(rows, columns, inner size) of a product, after the check that it exists.  Raises ShapeError, DTypeError."""
    if a.dtype is not b.dtype:
        raise DTypeError(f"matmul takes two tensors of one dtype, got {a} and {b}; cast one of them")
    check_dtype("matmul", a.dtype, "number")
    if a.rank < 2 or b.rank < 2:
        raise ShapeError(f"matmul takes tensors of at least 2 axes, got {a} and {b}; reshape a vector to a matrix")
    rows, inner = reversed(a.shape[-2:]) if transpose_a else a.shape[-2:]
    inner_b, columns = reversed(b.shape[-2:]) if transpose_b else b.shape[-2:]
    if inner != inner_b:
        raise ShapeError(f"matmul of {a}{' (transposed)' * transpose_a} and {b}{' (transposed)' * transpose_b}: "
                         f"the inner sizes must agree, got {inner} and {inner_b}; transpose or reshape one of them")
    return rows, columns, inner


def _matrix(x: np.ndarray, transposed: bool) -> np.ndarray:
    return np.swapaxes(x, -1, -2) if transposed else x


@op
class matmul(Scheduled):
    """The matrix product [..., M, K] x [..., K, N] -> [..., M, N]; leading axes broadcast as in NumPy.

    transpose_a, transpose_b: swap the last two axes of that input first.  Both inputs have the same numeric dtype;
    float16 and bfloat16 are summed in float32, integers wrap.  Raises ShapeError where sizes do not agree.
    """
    arity = 2
    kernel = "matmul"

    def infer(a, b, *, transpose_a=False, transpose_b=False):
        rows, columns, _ = matmul_sizes(a, b, transpose_a, transpose_b)
        return a.with_shape(broadcast_shapes(a.shape[:-2], b.shape[:-2]) + (rows, columns))

    def multiply_adds(a, b, *, transpose_a=False, transpose_b=False):
        rows, columns, inner = matmul_sizes(a, b, transpose_a, transpose_b)
        return product(broadcast_shapes(a.shape[:-2], b.shape[:-2])) * rows * columns * inner

    def reference(a, b, *, transpose_a=False, transpose_b=False):
        return np.matmul(_matrix(a, transpose_a), _matrix(b, transpose_b))

    def vjp(g, y, a, b, *, transpose_a=False, transpose_b=False):
        if b.rank == 2 and a.rank > 2 and not transpose_a:      # one long product instead of a sum of many
            rows = product(a.shape[:-1])
            flat_a, flat_g = (reshape(x, shape=(rows, x.shape[-1])) for x in (a, g))
        else:
            flat_a, flat_g = a, g
        for_a = (matmul(b, g, transpose_a=transpose_b, transpose_b=True) if transpose_a
                 else matmul(g, b, transpose_a=False, transpose_b=not transpose_b))
        for_b = (matmul(flat_g, flat_a, transpose_a=True, transpose_b=transpose_a) if transpose_b
                 else matmul(flat_a, flat_g, transpose_a=not transpose_a, transpose_b=False))
        return sum_to(for_a, a.shape), sum_to(for_b, b.shape)

    def samples():
        x = np.random.default_rng(0).standard_normal
        return [([x((3, 4)), x((4, 5))], {}), ([x((4, 3)), x((5, 4))], {"transpose_a": True, "transpose_b": True}),
                ([x((2, 1, 3, 4)), x((3, 4, 2))], {}), ([x((2, 3, 4)), x((5, 4))], {"transpose_b": True}),
                ([x((2, 4, 3)), x((4, 1))], {"transpose_a": True}), ([x((1, 1)), x((1, 1))], {})]


@op
class matmul_parts(Scheduled):
    """`parts` matrix products of two 2-D tensors over consecutive parts of the inner axis: [parts, M, N].

    Their sum over axis 0 is `matmul`; parts of a long inner axis can be computed in parallel.  Each part but the last
    ones is ceil(K / parts) long.
    """
    arity = 2
    kernel = "matmul_parts"

    def infer(a, b, *, parts, transpose_a=False, transpose_b=False):
        rows, columns, _ = matmul_sizes(a, b, transpose_a, transpose_b)
        if a.rank != 2 or b.rank != 2:
            raise ShapeError(f"matmul_parts takes two tensors of 2 axes, got {a} and {b}")
        _check_parts("matmul_parts", parts)
        return a.with_shape((parts, rows, columns))

    def reference(a, b, *, parts, transpose_a=False, transpose_b=False):
        a, b = _matrix(a, transpose_a), _matrix(b, transpose_b)
        length = -(-a.shape[1] // parts)
        cuts = [slice(p * length, (p + 1) * length) for p in range(parts)]
        return np.stack([np.matmul(a[:, cut], b[cut]) for cut in cuts])

    def samples():
        x = np.random.default_rng(0).standard_normal
        return [([x((3, 8)), x((8, 5))], {"parts": 2}), ([x((7, 3)), x((7, 2))], {"parts": 3, "transpose_a": True})]


def _check_parts(name: str, parts) -> None:
    if isinstance(parts, Dim) or parts < 1:
        raise ShapeError(f"{name}: parts must be a positive integer, got {parts}")


# -- convolution -----------------------------------------------------------------------------------------------------


def _extent(name: str, axis: str, size, kernel, stride: int, before: int, after: int, dilation: int):
    """Size of a convolution's result along one axis."""
    span = dilation * (kernel - 1) + 1
    padded = size + before + after
    if not isinstance(padded, Dim) and not isinstance(span, Dim) and padded < span and size != 0:
        raise ShapeError(f"{name}: a kernel that spans {span} along the {axis} does not fit an input of {size} padded "
                         f"by {before} and {after}")
    return (padded - span) // stride + 1


def conv2d_shape(name: str, x: tuple, w: tuple, stride, pad, dilation, groups) -> tuple:
    """Shape of the convolution of an input of shape `x` with weights of shape `w`.

    Raises ShapeError, naming the operator `name`, if the shapes and attributes do not fit together.
    """
    if len(x) != 4 or len(w) != 4:
        raise ShapeError(f"{name}: the input has the axes (N, C, H, W) and the weight (O, I, kh, kw); "
                         f"got the shapes {tuple(x)} and {tuple(w)}")
    if len(stride) != 2 or len(dilation) != 2 or len(pad) != 4:
        raise ShapeError(f"{name}: stride and dilation have 2 entries and pad has 4 (top, bottom, left, right); "
                         f"got stride={tuple(stride)}, dilation={tuple(dilation)}, pad={tuple(pad)}")
    if min(*stride, *dilation) < 1 or min(pad) < 0 or groups < 1 or any(isinstance(k, int) and k < 1 for k in w[2:]):
        raise ShapeError(f"{name}: stride, dilation, groups and the kernel's size are at least 1, pad at least 0; got "
                         f"stride={tuple(stride)}, dilation={tuple(dilation)}, groups={groups}, kernel={tuple(w[2:])}, "
                         f"pad={tuple(pad)}")
    if w[1] * groups != x[1]:
        raise ShapeError(f"{name}: with {groups} group(s) an input of {x[1]} channels needs weights of shape "
                         f"(O, {x[1]}//{groups}, kh, kw), got {tuple(w)}")
    if (w[0] // groups) * groups != w[0]:
        raise ShapeError(f"{name}: {w[0]} output channels cannot be divided into {groups} groups")
    height = _extent(name, "height", x[2], w[2], stride[0], pad[0], pad[1], dilation[0])
    width = _extent(name, "width", x[3], w[3], stride[1], pad[2], pad[3], dilation[1])
    return (x[0], w[0], height, width)


def _check_dtypes(name: str, *types: TensorType) -> None:
    if any(t.dtype is not types[0].dtype for t in types):
        raise DTypeError(f"{name} takes tensors of one dtype, got {' and '.join(map(str, types))}; cast one of them")
    check_dtype(name, types[0].dtype, "float")


def _windows(x: np.ndarray, kernel, out, stride, pad, dilation) -> np.ndarray:
    """A view [N, C, kh, kw, OH, OW] of the padded input: what each tap of the kernel meets at each output pixel."""
    padded = np.pad(x, ((0, 0), (0, 0), pad[:2], pad[2:]))
    n, c, h, w = padded.strides
    shape = x.shape[:2] + tuple(kernel) + tuple(out)
    strides = (n, c, h * dilation[0], w * dilation[1], h * stride[0], w * stride[1])
    return np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False)


def _columns(x, w_shape, out, stride, pad, dilation, groups) -> np.ndarray:
    """The windows as matrices [N, groups, I*kh*kw, OH*OW]."""
    windows = _windows(x, w_shape[2:], out, stride, pad, dilation)
    return windows.reshape(x.shape[0], groups, int(np.prod(w_shape[1:])), int(np.prod(out)))


@op
class conv2d(Scheduled):
    """2-D convolution (as in all of deep learning: a correlation) of x (N, C, H, W) with w (O, C/groups, kh, kw).

    stride=(sh, sw), pad=(top, bottom, left, right) of zeros, dilation=(dh, dw), groups; both inputs have the same
    floating dtype.  The result is (N, O, OH, OW) with OH = (H + top + bottom - dh*(kh-1) - 1)//sh + 1, OW likewise.
    Raises ShapeError where that does not exist.
    """
    arity = 2
    kernel = "conv2d"

    def infer(x, w, *, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        _check_dtypes("conv2d", x, w)
        return x.with_shape(conv2d_shape("conv2d", x.shape, w.shape, stride, pad, dilation, groups))

    def multiply_adds(x, w, **attrs):
        return product(conv2d.infer(x, w, **attrs).shape) * product(w.shape[1:])

    def reference(x, w, *, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        n, o, *out = conv2d_shape("conv2d", x.shape, w.shape, stride, pad, dilation, groups)
        columns = _columns(x, w.shape, out, stride, pad, dilation, groups)
        return np.matmul(w.reshape(1, groups, o // groups, columns.shape[2]), columns).reshape(n, o, *out)

    def vjp(g, y, x, w, **attrs):
        return (conv2d_grad_input(g, w, shape=x.shape, **attrs), conv2d_grad_weight(x, g, shape=w.shape, **attrs))

    def samples():
        return [([x, w], attrs) for x, w, attrs in _conv_samples()]


@op
class conv2d_grad_input(Scheduled):
    """The gradient of `conv2d` for its input of `shape` (N, C, H, W), from the gradient g of its result."""
    arity = 2
    kernel = "conv2d_grad_input"

    def infer(g, w, *, shape, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        _check_dtypes("conv2d_grad_input", g, w)
        made = conv2d_shape("conv2d_grad_input", shape, w.shape, stride, pad, dilation, groups)
        if made != g.shape:
            raise ShapeError(f"conv2d_grad_input: an input of shape {tuple(shape)} convolves to {made}, "
                             f"but the gradient has the shape {g.shape}")
        return g.with_shape(shape)

    def multiply_adds(g, w, **attrs):
        return g.size * product(w.shape[1:])

    def reference(g, w, *, shape, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        n, o, *out = g.shape
        top, bottom, left, right = pad
        matrices = w.reshape(1, groups, o // groups, int(np.prod(w.shape[1:]))).swapaxes(-1, -2)
        columns = np.matmul(matrices, g.reshape(n, groups, o // groups, out[0] * out[1]))
        columns = columns.reshape(n, shape[1], *w.shape[2:], *out)
        padded = np.zeros((n, shape[1], shape[2] + top + bottom, shape[3] + left + right), columns.dtype)
        for i in range(w.shape[2]):
            for j in range(w.shape[3]):
                rows = slice(i * dilation[0], i * dilation[0] + (out[0] - 1) * stride[0] + 1, stride[0])
                cols = slice(j * dilation[1], j * dilation[1] + (out[1] - 1) * stride[1] + 1, stride[1])
                padded[:, :, rows, cols] += columns[:, :, i, j]
        return padded[:, :, top:top + shape[2], left:left + shape[3]]

    def vjp(u, y, g, w, *, shape, **attrs):
        return conv2d(u, w, **attrs), conv2d_grad_weight(u, g, shape=w.shape, **attrs)

    def samples():
        return [([_like_result(x, w, attrs), w], attrs | {"shape": x.shape}) for x, w, attrs in _conv_samples()]


@op
class conv2d_grad_weight(Scheduled):
    """The gradient of `conv2d` for its weights of `shape` (O, I, kh, kw), from the gradient g of its result."""
    arity = 2
    kernel = "conv2d_grad_weight"

    def infer(x, g, *, shape, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        return _infer_grad_weight("conv2d_grad_weight", x, g, shape, stride, pad, dilation, groups)

    def multiply_adds(x, g, *, shape, **attrs):
        return g.size * product(shape[1:])

    def reference(x, g, *, shape, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        n, o, *out = g.shape
        columns = _columns(x, shape, out, stride, pad, dilation, groups)
        rows = g.reshape(n, groups, o // groups, out[0] * out[1])
        return np.matmul(rows, columns.swapaxes(-1, -2)).sum(0, dtype=x.dtype).reshape(shape)

    def vjp(u, y, x, g, *, shape, **attrs):
        return conv2d_grad_input(g, u, shape=x.shape, **attrs), conv2d(x, u, **attrs)

    def samples():
        return [([x, _like_result(x, w, attrs)], attrs | {"shape": w.shape}) for x, w, attrs in _conv_samples()]


@op
class conv2d_grad_weight_parts(Scheduled):
    """`conv2d_grad_weight` of `parts` runs of ceil(N / parts) images each: [parts, O, I, kh, kw].

    Their sum over axis 0 is `conv2d_grad_weight`; the parts can be computed in parallel.
    """
    arity = 2
    kernel = "conv2d_grad_weight_parts"

    def infer(x, g, *, shape, parts, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
        _check_parts("conv2d_grad_weight_parts", parts)
        whole = _infer_grad_weight("conv2d_grad_weight_parts", x, g, shape, stride, pad, dilation, groups)
        return whole.with_shape((parts,) + whole.shape)

    def reference(x, g, *, shape, parts, **attrs):
        length = -(-x.shape[0] // parts)
        runs = [slice(p * length, (p + 1) * length) for p in range(parts)]
        return np.stack([type(conv2d_grad_weight).reference(x[run], g[run], shape=shape, **attrs) for run in runs])

    def samples():
        return [([x, _like_result(x, w, attrs)], attrs | {"shape": w.shape, "parts": 2})
                for x, w, attrs in _conv_samples()]


def _infer_grad_weight(name, x, g, shape, stride, pad, dilation, groups) -> TensorType:
    _check_dtypes(name, x, g)
    made = conv2d_shape(name, x.shape, shape, stride, pad, dilation, groups)
    if made != g.shape:
        raise ShapeError(f"{name}: an input of shape {x.shape} and weights of shape {tuple(shape)} convolve to {made}, "
                         f"but the gradient has the shape {g.shape}")
    return x.with_shape(shape)


def _conv_samples():
    x = np.random.default_rng(0).standard_normal
    return [(x((2, 3, 5, 6)), x((4, 3, 3, 3)), {}),
            (x((2, 4, 7, 6)), x((6, 2, 3, 2)), {"stride": (2, 1), "pad": (1, 0, 2, 1), "groups": 2}),
            (x((1, 2, 8, 7)), x((3, 2, 2, 3)), {"dilation": (3, 2), "pad": (1, 1, 1, 1), "stride": (1, 2)}),
            (x((2, 3, 4, 4)), x((6, 1, 3, 3)), {"groups": 3, "pad": (1, 1, 1, 1)}),
            (x((2, 3, 5, 5)), x((2, 3, 1, 1)), {"stride": (2, 2)})]


def _like_result(x, w, attrs):
    return np.random.default_rng(1).standard_normal(type(conv2d).reference(x, w, **attrs).shape)
