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

# Back from maxima, norms of windows, windows at random places; margins between classes
case("ops.max_unpool1d(Tensor([[2.0, 4, 6, 8]]), Tensor([[1, 3, 5, 7]]), 2, 2, 0)")
case("y, n = ops.max_pool2d(wave(1, 2, 5, 6), 2, 2, return_indices=True); ops.max_unpool2d(y, n, 2, 2)")
case("y, n = ops.max_pool2d(wave(1, 2, 5, 6), 2, 2, return_indices=True); ops.max_unpool2d(y, n, 2, 2, 0, (1, 2, 5, 6))")
case("y, n = ops.max_pool2d(wave(1, 2, 5, 6), 2, 2, return_indices=True); ops.max_unpool2d(y, n, 2, 2, 0, (5, 6))")
case("y, n = ops.max_pool2d(wave(1, 2, 5, 6), 2, 2, return_indices=True); ops.max_unpool2d(y, n, 2, 2, 0, (9, 6))", fails=True)
case("y, n = ops.max_pool2d(wave(1, 2, 5, 6), 2, 2, return_indices=True); nn.MaxUnpool2d(2, 2)(y, n, (5, 6))")
case("y, n = ops.max_pool3d(wave(1, 2, 4, 5, 6), 2, 2, return_indices=True); ops.max_unpool3d(y, n, 2, 2, 0, (4, 5, 6))")
case("y, n = ops.max_pool2d(wave(1, 2, 4, 6), 2, 2, return_indices=True); ops.MaxUnpool2D(2, 2)(y, n)")
case("y, n = ops.max_pool2d(wave(1, 2, 4, 6), 2, 2, return_indices=True); grads(lambda y: ops.max_unpool2d(y, n, 2, 2), y)")
case("ops.lp_pool1d(wave(1, 2, 7), 2, 3)")
case("ops.lp_pool1d(wave(2, 7), 1, 3, 1)")
case("ops.lp_pool1d(positive(1, 2, 7), 3.0, 3, 2, True)")
case("ops.lp_pool2d(positive(1, 2, 5, 6), 2, 3, 2, True)")
case("nn.LPPool1d(2, 3, 1)(wave(1, 2, 7))")
case("nn.LPPool2d(2, 2, 1)(wave(1, 2, 4, 5))")
case("grads(nn.LPPool2d(2, 2, 1), positive(1, 2, 4, 5))")
case("ops.MaxPoolWithArgmaxV2(2, 2, 1)(wave(1, 2, 5, 6))")
case("ops.MaxPoolWithArgmaxV2((3, 2), (2, 1), ceil_mode=True, argmax_type=ms.int32)(wave(1, 2, 5, 6))")
case("ops.MaxPool3DWithArgmax(2, 2, 1)(wave(1, 2, 4, 5, 6))")
case("ops.MaxPool3DWithArgmax((3, 2, 2), (2, 1, 1), 0, argmax_type=ms.int32)(wave(1, 2, 4, 5, 6))")
case("ops.fractional_max_pool2d(wave(1, 2, 7, 9), 2, (3, 4), return_indices=True, _random_samples=positive(1, 2, 2))")
case("ops.fractional_max_pool2d(wave(2, 2, 7, 9), (2, 3), output_ratio=0.5, return_indices=True, _random_samples=positive(2, 2, 2))")
case("kind(ops.fractional_max_pool2d(wave(2, 2, 7, 9), (2, 3), output_ratio=(0.5, 0.4)))")
case("ops.fractional_max_pool3d(wave(1, 2, 5, 7, 9), 2, (2, 3, 4), return_indices=True, _random_samples=positive(1, 2, 3))")
case("nn.FractionalMaxPool2d(2, (3, 4), None, True, positive(1, 2, 2))(wave(1, 2, 7, 9))")
case("nn.FractionalMaxPool3d(2, (2, 3, 4), None, True, positive(1, 2, 3))(wave(1, 2, 5, 7, 9))")
case("ops.FractionalMaxPoolWithFixedKsize(2, (3, 4))(wave(1, 2, 7, 9), positive(1, 2, 2))")
case("ops.FractionalMaxPool3DWithFixedKsize(2, (2, 3, 4))(wave(1, 2, 5, 7, 9), positive(1, 2, 3))")
case("ops.multi_margin_loss(wave(3, 4), Tensor([1, 0, 3]))")
case("grads(nn.MultiMarginLoss(2, reduction='sum'), wave(3, 4), Tensor([1, 0, 3]))")
case("grads(nn.MultiMarginLoss(weight=positive(4)), wave(3, 4), Tensor([1, 0, 3]))")
case("ops.MultiMarginLoss(2, 0.5)(wave(3, 4), Tensor([1, 0, 3]), positive(4))")
case("nn.TripletMarginWithDistanceLoss()(wave(3, 4), wave(3, 4, step=1), wave(3, 4, step=2))")
case("grads(nn.TripletMarginWithDistanceLoss(swap=True, reduction='none', margin=2.0), wave(3, 4), wave(3, 4, step=1), wave(3, 4, step=2))")
case("def far(a, b):\n    return (a - b).abs().sum(1)\nnn.TripletMarginWithDistanceLoss(far)(wave(3, 4), wave(3, 4, step=1), wave(3, 4, step=2))")
documented("grads(lambda x: ops.fractional_max_pool2d(x, 2, (3, 4), _random_samples=positive(1, 2, 2)), wave(1, 2, 7, 9))[1]",
           "_, n = ops.fractional_max_pool2d(wave(1, 2, 7, 9), 2, (3, 4), return_indices=True, _random_samples=positive(1, 2, 2)); a = np.zeros((2, 63), np.float32)\n"
           "for c in range(2):\n    np.add.at(a[c], n.asnumpy()[0, c].ravel(), wave(1, 2, 3, 4, step=0.21).asnumpy()[0, c].ravel())\nTensor(a.reshape(1, 2, 7, 9))")
LABELS = "x = wave(3, 4); t = Tensor([[1, 0, -1, 2], [3, -1, 0, 0], [2, 0, 1, 3]], ms.int32); "
MARGINS = LABELS + "held = [[1, 0], [3], [2, 0, 1, 3]]; v = Tensor([sum(max(0, 1 - float(x[n, j]) + float(x[n, i])) for j in row for i in range(4) if i not in row) / 4 for n, row in enumerate(held)], ms.float32); "
documented(LABELS + "ops.multilabel_margin_loss(x, t, 'none')", MARGINS + "v")
documented(LABELS + "nn.MultilabelMarginLoss()(x, t)", MARGINS + "v.mean()")
documented(LABELS + "ops.MultilabelMarginLoss(reduction='sum')(x, t)", MARGINS + "(v.sum(), Tensor([[1, 1, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1]], ms.int32))")
documented("y, n = ops.max_pool1d(wave(1, 2, 6), 2, 2, return_indices=True); nn.MaxUnpool1d(2, 2)(y, n)", "y, n = ops.max_pool2d(wave(1, 2, 1, 6), (1, 2), (1, 2), return_indices=True); ops.max_unpool1d(y[:, :, 0], n[:, :, 0], 2, 2)")
documented("y, n = ops.max_pool3d(wave(1, 2, 4, 4, 6), 2, 2, return_indices=True); nn.MaxUnpool3d(2, 2)(y, n)", "y, n = ops.max_pool3d(wave(1, 2, 4, 4, 6), 2, 2, return_indices=True); ops.MaxUnpool3D(2, 2)(y, n)")

# Windows of random sizes; boxes that are kept of those that overlap
case("ops.NonMaxSuppressionWithOverlaps()(positive(4, 4), positive(4, step=2), Tensor(4, ms.int32), Tensor(0.5), Tensor(0.2))")
case("ops.NonMaxSuppressionWithOverlaps()(positive(6, 6, step=2), positive(6, step=3), Tensor(3, ms.int32), Tensor(0.7), Tensor(0.1))")
case("ops.CombinedNonMaxSuppression()(Tensor(np.array([[[[200, 100, 150, 100]], [[220, 120, 150, 100]], [[190, 110, 150, 100]], [[210, 112, 150, 100]]]]).astype('float32')), Tensor(np.array([[[0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1], [0.05, 0.9, 0.05]]]).astype('float32')), Tensor(4, ms.int32), Tensor(1, ms.int32), Tensor(0, ms.float32), Tensor(0, ms.float32))")
case("ops.CombinedNonMaxSuppression()(positive(2, 5, 1, 4), positive(2, 5, 3, step=2), Tensor(3, ms.int32), Tensor(5, ms.int32), Tensor(0.3), Tensor(0.2))")
case("ops.CombinedNonMaxSuppression(True, False)(positive(2, 5, 3, 4, step=3), positive(2, 5, 3, step=2), Tensor(2, ms.int32), Tensor(20, ms.int32), Tensor(0.2), Tensor(0.1))")
case("ops.CombinedNonMaxSuppression(False, False)(positive(1, 5, 1, 4, step=3), positive(1, 5, 2, step=2), Tensor(2, ms.int32), Tensor(8, ms.int32), Tensor(0.2), Tensor(0.1))")
case("ops.FractionalMaxPool([1.0, 1.5, 1.5, 1.0])(Tensor(np.arange(1, 17).reshape(1, 4, 4, 1)))")
case("kind(ops.FractionalMaxPool([1.0, 1.4, 1.7, 1.0])(wave(2, 7, 9, 3)))")
case("ops.FractionalMaxPool([1.0, 2.0, 3.0, 1.0], overlapping=True)(wave(1, 4, 9, 2))")
case("ops.FractionalAvgPool([1.0, 2.0, 3.0, 1.0])(wave(1, 4, 9, 2))")
case("ops.FractionalMaxPool([1.0, 2.0, 3.0, 2.0])(wave(1, 4, 9, 2))", fails=True)
case("class Net(nn.Cell):\n    def __init__(self):\n        super().__init__()\n        self.r = ops.ResizeBicubic()\n    def construct(self, x, n):\n        return self.r(x, n)\nms.set_context(mode=ms.GRAPH_MODE); Net()(wave(1, 1, 2, 2), Tensor([1, 4], ms.int32))")
documented("y, n = ops.max_pool3d(wave(1, 2, 4, 4, 6), 2, 2, return_indices=True); ops.MaxUnpool3D(2, 2)(y, n)", "y, n = ops.max_pool3d(wave(1, 2, 4, 4, 6), 2, 2, return_indices=True); ops.max_unpool3d(y, n, 2, 2)")
