"""Primitives of detectors."""
from tests.compat.table import case

BOXES = "Tensor([[10, 20, 50, 60, 0.5], [12, 22, 50, 62, 0.9], [100, 100, 140, 130, 0.7], [14, 20, 30, 60, 0.6], [101, 99, 141, 128, 0.65]], ms.float32)"
for threshold in (0.1, 0.3, 0.5, 0.9):
    case(f"P.NMSWithMask({threshold})({BOXES})")
case(f"ops.NMSWithMask()({BOXES})")
case("P.NMSWithMask(0.5)(ops.concat((wave(20, 2, scale=5), 8 + wave(20, 2, step=0.3, scale=5), positive(20, 1)), 1))")
MASK = "Tensor([[True, False, True], [False, True, True]])"
case(f"kind(P.RandomChoiceWithMask(count=3)({MASK}))")
case(f"index, mask = P.RandomChoiceWithMask(count=6)({MASK}); [sorted(index.asnumpy()[mask.asnumpy()].tolist()), mask]")
case(f"index, mask = ops.RandomChoiceWithMask(count=3)({MASK}); a = {MASK}.asnumpy(); [mask, all(a[tuple(i)] for i in index.asnumpy()), len(set(map(tuple, index.asnumpy())))]")
ROIS = "Tensor([[0, 1.0, 2.0, 6.0, 9.0], [1, 0.0, 0.0, 3.0, 3.0], [0, -4.0, -3.0, 20.0, 5.0]], ms.float32)"
for arguments in ("2, 3, 1.0", "3, 2, 0.5, 2", "2, 2, 0.5, 3, 0", "1, 1, 0.25, 1, 1"):
    case(f"P.ROIAlign({arguments})(wave(2, 3, 6, 7), {ROIS})", scale=3)
case(f"ops.ROIAlign(2, 2, 1.0, 2)(wave(2, 1, 6, 7), {ROIS})", scale=3)
case(f"ms.grad(lambda x: (P.ROIAlign(2, 2, 1.0, 2)(x, {ROIS}) * wave(3, 1, 2, 2)).sum())(wave(2, 1, 6, 7))", scale=3)
BOXES = "boxes = Tensor([[0.1, 0.2, 0.9, 0.7], [0.5, 0.5, 1.2, -0.1]]); images = Tensor([1, 0], ms.int32); "
for options in ("", "'nearest', 0.5", "'bilinear_v2'", "extrapolation_value=2.0"):
    case(BOXES + f"ops.CropAndResize({options})(wave(2, 5, 6, 3), boxes, images, (4, 3))")
case(BOXES + "P.CropAndResize()(wave(2, 5, 6, 3), boxes, images, (1, 1))")
case(BOXES + "ms.grad(lambda x: (ops.CropAndResize()(x, boxes, images, (4, 3)) * wave(2, 4, 3, 3)).sum())(wave(2, 5, 6, 3))")
case(BOXES + "ops.CropAndResize('cubic')(wave(2, 5, 6, 3), boxes, images, (4, 3))", fails=True)
