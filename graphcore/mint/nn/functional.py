"""``mindspore.mint.nn.functional``."""
from __future__ import annotations

import inspect

from graphcore.mint import functions
from graphcore.mint.functions import conv2d, log_softmax, softmax, with_dim  # noqa: F401
from graphcore.ops import functional as F
from graphcore.ops.tensor_methods import overwrite

_AS_THEY_ARE = """adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
    celu conv1d conv3d cosine_embedding_loss cross_entropy embedding fold gelu grid_sample group_norm hardshrink
    hardsigmoid hardswish interpolate l1_loss layer_norm mish mse_loss pixel_shuffle prelu relu selu sigmoid
    smooth_l1_loss soft_margin_loss softplus softshrink tanh unfold upsample""".split()
globals().update({name: with_dim(getattr(F, name)) for name in _AS_THEY_ARE})


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """`ops.batch_norm`; running statistics, weight and bias may be None."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """`ops.binary_cross_entropy` of probabilities."""
    return F.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None):
    """`ops.binary_cross_entropy_with_logits`."""
    return F.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """`ops.nll_loss` of logarithms of probabilities."""
    return F.nll_loss(input, target, weight, ignore_index, reduction)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """`ops.max_pool2d`."""
    return F.max_pool2d(input, kernel_size, stride, padding, dilation, return_indices, ceil_mode)


def pad(input, pad, mode="constant", value=None):
    """`ops.pad`: `pad` counts from the last axis on, before and after each."""
    return F.pad(input, pad, mode, value)


def dropout(input, p=0.5, training=True, inplace=False):
    """Elements become zero with probability p while training; the others are scaled up."""
    return _given_back(input, F.dropout(input, p, training), inplace)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """As `dropout`, whole channels at a time."""
    return _given_back(input, F.dropout2d(input, p, training), inplace)


def elu(input, alpha=1.0, inplace=False):
    """`ops.elu`."""
    return _given_back(input, F.elu(input, alpha), inplace)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """`ops.hardtanh`."""
    return _given_back(input, F.hardtanh(input, min_val, max_val), inplace)


def leaky_relu(input, negative_slope=0.01):
    """x above 0, negative_slope * x below."""
    return F.leaky_relu(input, negative_slope)


def logsigmoid(input):
    """The logarithm of the sigmoid."""
    return F.logsigmoid(input)


def glu(input, dim=-1):
    """The first half along `dim` times the sigmoid of the second."""
    return F.glu(input, dim)


def relu6(input, inplace=False):
    """`ops.relu6`."""
    return _given_back(input, F.relu6(input), inplace)


def silu(input, inplace=False):
    """`ops.silu`."""
    return _given_back(input, F.silu(input), inplace)


def threshold(input, threshold, value, inplace=False):
    """x above `threshold`, else `value`."""
    return _given_back(input, F.threshold(input, threshold, value), inplace)


def _given_back(input, result, inplace):
    return overwrite(input, result) if inplace else result


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transposed convolution of images (n, c, h, w) with weights (c, c_out / groups, kh, kw)."""
    return F.conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation)


def _avg_pool(name):
    function = getattr(F, name)

    def pool(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, *divisor):
        stride = kernel_size if stride is None else stride
        return function(input, kernel_size, stride, padding, ceil_mode, count_include_pad, *divisor)
    pool.__name__ = pool.__qualname__ = name
    pool.__doc__ = f"`ops.{name}`; the windows lie beside each other, unless `stride` is given."
    return pool


avg_pool1d = _avg_pool("avg_pool1d")


def avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    """`ops.avg_pool2d`; the windows lie beside each other, unless `stride` is given."""
    return _avg_pool("avg_pool2d")(input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                                   divisor_override or 0)


def avg_pool3d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    """`ops.avg_pool3d`; the windows lie beside each other, unless `stride` is given."""
    return _avg_pool("avg_pool3d")(input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                                   divisor_override or 0)


def linear(input, weight, bias=None):
    """input times the transpose of weight, plus bias."""
    return F.dense(input, weight, bias)


def flatten(input, start_dim=0, end_dim=-1):
    """The axes from start_dim to end_dim as one."""
    return functions.flatten(input, start_dim, end_dim)


def kl_div(input, target, reduction="mean", log_target=False):
    """`ops.kl_div` of logarithms `input` from `target`, which log_target says are logarithms, too."""
    return F.kl_div(input, F.exp(target) if log_target else target, reduction)


def one_hot(tensor, num_classes=-1):
    """A row of zeros with a one for each integer; as many as the largest needs, unless `num_classes` is given."""
    depth = int(F.amax(tensor)) + 1 if num_classes == -1 else num_classes
    return F.cast(F.one_hot(tensor, depth), tensor.dtype)


def normalize(input, p=2.0, dim=1, eps=1e-12):
    """Divided by the p-norm along `dim`, which counts as `eps` at least."""
    return F.div(input, F.clamp(F.vector_norm(input, p, dim, True), eps))


def _in_place(name):
    function = globals()[name]

    def written(input, *args, **kwargs):
        return overwrite(input, function(input, *args, **kwargs))
    written.__name__ = written.__qualname__ = f"{name}_"
    written.__doc__ = f"`{name}`, written into the Tensor; returns it."
    return written


relu_, sigmoid_, elu_, hardtanh_, threshold_ = map(_in_place, ("relu", "sigmoid", "elu", "hardtanh", "threshold"))

__all__ = sorted({*_AS_THEY_ARE, "conv2d", "linear", "log_softmax", "softmax", *(n for n, v in list(globals().items())
                                            if inspect.isfunction(v) and v.__module__ == __name__ and n[0] != "_")})
