"""``mindspore.mint.nn.functional``."""
from __future__ import annotations

import inspect

from graphcore.mint import functions
from graphcore.mint.functions import with_dim
from graphcore.ops import functional as F
from graphcore.ops.tensor_methods import overwrite

_AS_THEY_ARE = """adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
    batch_norm binary_cross_entropy binary_cross_entropy_with_logits celu conv1d conv2d
    conv3d cosine_embedding_loss cross_entropy dropout dropout2d elu embedding fold gelu glu grid_sample group_norm
    hardshrink hardsigmoid hardswish hardtanh interpolate l1_loss layer_norm leaky_relu log_softmax logsigmoid
    max_pool2d mish mse_loss nll_loss pad pixel_shuffle prelu relu relu6 selu sigmoid silu smooth_l1_loss
    soft_margin_loss softmax softplus softshrink tanh threshold unfold upsample""".split()
globals().update({name: with_dim(getattr(F, name)) for name in _AS_THEY_ARE})


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
    function = getattr(F, name)

    def written(input, *args, **kwargs):
        return overwrite(input, function(input, *args, **kwargs))
    written.__name__ = written.__qualname__ = f"{name}_"
    written.__doc__ = f"`{name}`, written into the Tensor; returns it."
    return written


relu_, sigmoid_, elu_, hardtanh_, threshold_ = map(_in_place, ("relu", "sigmoid", "elu", "hardtanh", "threshold"))

__all__ = sorted({*_AS_THEY_ARE, "linear", *(n for n, v in list(globals().items())
                                            if inspect.isfunction(v) and v.__module__ == __name__ and n[0] != "_")})
