"""Pooling over three axes, and to a given size with the places of the maxima."""
from tests.compat.table import case, documented

X = "wave(1, 2, 5, 4, 6)"
for call in ("max_pool3d({}, 2, 1, 1)", "max_pool3d({}, 2, 1, 1, return_indices=True)", "max_pool3d({}, 2, 2, 0, 1, True, True)",
             "max_pool3d({}, (3, 2, 2), (2, 2, 1), (1, 0, 1), (1, 2, 1), False, True)", "max_pool3d({}, (3, 2, 2), (2, 2, 1), (1, 0, 1), (1, 2, 1), True)",
             "MaxPool3D(2, 2, 'same')({})", "MaxPool3D(2, 2, 'pad', 1)({})", "MaxPool3D(3, 2, 'pad', (1, 0, 1, 1, 0, 1), True)({})",
             "avg_pool3d({}, 3, 2, 1, True, False)", "avg_pool3d({}, (3, 2, 2), (2, 1, 2), 1, True, True)", "avg_pool3d({}, (3, 2, 2), (2, 1, 2), 1, True, True, 7)",
             "avg_pool3d({}, 3, 2, (1, 0, 1, 1, 0, 1))", "AvgPool3D(2, 2, 'same')({})", "AvgPool3D(3, 2, 'same', count_include_pad=False)({})"):
    case(f"ops.{call.format(X)}")
case(f"ops.MaxPool3D(2, 2, 'nonsense')({X})", fails=True)
case(f"ops.max_pool3d({X}, 2, 1, 2)", fails=True)
for layer in ("MaxPool3d(2, 2, 'pad', 1)", "MaxPool3d(2, 2, 'same')", "AvgPool3d(2, 2, 'same')", "AvgPool3d(3, 2, 'pad', 1, count_include_pad=False)",
              "AvgPool3d(3, 2, 'pad', 1, ceil_mode=True)", "AvgPool3d(3, 2, 'pad', 1, ceil_mode=True, divisor_override=5)"):
    case(f"grads(nn.{layer}, {X})")
case(f"nn.MaxPool3d(2, 2, 'pad', 1, 1, True, True)({X})")
case("nn.MaxPool3d(2, 1, 'pad', 1)(wave(2, 5, 4, 6))")
case("str(nn.MaxPool3d(2, 1, 'pad', 1)), str(nn.AdaptiveMaxPool3d(2))")
case("ops.AdaptiveMaxPool2D((2, 2))(wave(1, 2, 4, 4))")
case("ops.AdaptiveMaxPool2D((2, 3))(wave(1, 2, 5, 4))")
case("ops.adaptive_max_pool2d(wave(1, 2, 5, 4), (2, 3), True)")
case("grads(lambda x: ops.adaptive_max_pool2d(x, (2, 3)), wave(1, 2, 5, 4))")
case("nn.AdaptiveMaxPool2d((2, 3), True)(wave(1, 2, 5, 4))")
case("mint.nn.AdaptiveMaxPool2d((2, 3), True)(wave(1, 2, 5, 4))")
case("ops.adaptive_max_pool3d(wave(1, 2, 5, 4, 3), (2, 3, 1), True)")
case("nn.AdaptiveMaxPool3d((2, 3, 1), True)(wave(1, 2, 5, 4, 3))")
case("ops.AdaptiveMaxPool3D()(wave(1, 3, 3, 4), Tensor([1, 1, 2], ms.int32))")
case("ops.AdaptiveAvgPool3D((2, 2, 1))(wave(1, 2, 3, 3, 4))")
documented("mint.nn.AdaptiveMaxPool1d(3, True)(wave(1, 2, 7))", "y, n = ops.adaptive_max_pool2d(wave(1, 2, 1, 7), (1, 3), True); (y[:, :, 0], n[:, :, 0])")
documented("mint.nn.functional.avg_pool1d(wave(1, 2, 6), 2)", "ops.avg_pool1d(wave(1, 2, 6), 2, 2)")
documented("mint.nn.functional.avg_pool3d(wave(1, 2, 4, 4, 4), 2)", "ops.avg_pool3d(wave(1, 2, 4, 4, 4), 2, 2)")
