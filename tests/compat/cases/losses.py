"""Losses: values and gradients."""
from tests.compat.table import case, documented

X, Y = "wave(3, 4)", "wave(3, 4, step=0.3)"
for name in "L1Loss MSELoss SmoothL1Loss RMSELoss MAELoss HuberLoss".split():
    case(f"grads(nn.{name}(), {X}, {Y})")
case(f"grads(nn.L1Loss(reduction='sum'), {X}, {Y})")
case(f"grads(nn.MSELoss(reduction='none'), {X}, {Y})")
case(f"grads(nn.SmoothL1Loss(beta=0.5, reduction='mean'), {X}, {Y})")
case(f"grads(nn.HuberLoss(delta=0.5, reduction='sum'), {X}, {Y})")
case(f"grads(nn.MAELoss(reduction='none'), {X}, {Y})")
case("nn.MSELoss(reduction='other')", fails=True)
SIGNS = "Tensor(np.sign(wave(3, 4, step=0.3).asnumpy()))"
# Not on MindSpore's CPU: written out as their documentation has them.
documented(f"nn.SoftMarginLoss()(wave(3, 4), {SIGNS})", f"ops.log(1 + ops.exp(-{SIGNS} * wave(3, 4))).mean()")
documented(f"nn.SoftMarginLoss(reduction='none')(wave(3, 4), {SIGNS})", f"ops.log(1 + ops.exp(-{SIGNS} * wave(3, 4)))")
case("grads(nn.BCELoss(), positive(3, 4), positive(3, 4, step=0.3))", scale=5)
case("nn.BCELoss(weight=positive(3, 4, step=1.1), reduction='sum')(positive(3, 4), positive(3, 4, step=0.3))", scale=5)
case("grads(nn.BCEWithLogitsLoss(), wave(3, 4), positive(3, 4, step=0.3))")
case("nn.BCEWithLogitsLoss(reduction='none', pos_weight=positive(4), weight=positive(4, step=1.1))(wave(3, 4), "
     "positive(3, 4, step=0.3))")
case("grads(lambda x: nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction='mean')(x, ints(3, below=4)), wave(3, 4))")
case("nn.SoftmaxCrossEntropyWithLogits()(wave(3, 4), Tensor(np.eye(3, 4, dtype=np.float32)))")
case("nn.SoftmaxCrossEntropyWithLogits(reduction='sum')(wave(3, 4), positive(3, 4))")
case("nn.SoftmaxCrossEntropyWithLogits(sparse=True)(wave(3, 4), ints(3, below=4))")
case("grads(lambda x: nn.CrossEntropyLoss()(x, ints(3, below=4)), wave(3, 4))")
case("nn.CrossEntropyLoss(label_smoothing=0.1, ignore_index=1, reduction='sum')(wave(3, 4), ints(3, below=4))")
case("nn.CrossEntropyLoss(weight=positive(4), reduction='none')(wave(3, 4), ints(3, below=4))")
case("nn.CrossEntropyLoss()(wave(3, 4), positive(3, 4))")
case("nn.CrossEntropyLoss()(wave(2, 3, 2, 2), ints(2, 2, 2, below=3))")
case("grads(lambda x: nn.NLLLoss()(x, ints(3, below=4)), wave(3, 4))")
case("nn.NLLLoss(weight=positive(4), reduction='sum')(wave(3, 4), ints(3, below=4))")
case("grads(lambda x: nn.KLDivLoss()(x, positive(3, 4)), wave(3, 4))")     # the target has no gradient in MindSpore
case("nn.KLDivLoss(reduction='batchmean')(wave(3, 4), positive(3, 4))")
case("nn.KLDivLoss(reduction='sum')(wave(3, 4), positive(3, 4))")
case("nn.CosineEmbeddingLoss(margin=0.3)(wave(3, 4), wave(3, 4, step=0.3), Tensor([1, -1, 1], ms.int32))")
case("nn.MarginRankingLoss(margin=0.1)(wave(5), wave(5, step=0.3), Tensor([1, -1, 1, 1, -1], ms.float32))")
case("nn.HingeEmbeddingLoss(margin=0.5)(wave(5), Tensor([1, -1, 1, 1, -1], ms.float32))")
case("nn.GaussianNLLLoss()(wave(3, 4), wave(3, 4, step=0.3), positive(3, 4))")
case("nn.GaussianNLLLoss(full=True, reduction='sum')(wave(3, 4), wave(3, 4, step=0.3), positive(3, 4))")
case("nn.PoissonNLLLoss()(wave(3, 4), positive(3, 4))")
case("nn.PoissonNLLLoss(log_input=False, full=True, reduction='sum')(positive(3, 4), positive(3, 4, step=0.3))")
case("nn.MultiLabelSoftMarginLoss()(wave(3, 4), Tensor(ints(3, 4, below=2).asnumpy().astype(np.float32)))")
documented("nn.TripletMarginLoss()(wave(3, 4), wave(3, 4, step=0.3), wave(3, 4, step=1.1), Tensor(1.0, ms.float32))",
           "near, far = ((wave(3, 4) - wave(3, 4, step=s) + 1e-6).norm(dim=1) for s in (0.3, 1.1)); "
           "ops.relu(near - far + 1).mean()")
documented("nn.TripletMarginLoss(p=1, swap=True, reduction='sum')(wave(3, 4), wave(3, 4, step=0.3), wave(3, 4, step=1.1), "
           "Tensor(0.5, ms.float32))",
           "a, p, n = (wave(3, 4, step=s) for s in (0.7, 0.3, 1.1)); distance = lambda x, y: ops.abs(x - y + 1e-6).sum(1); "
           "ops.relu(distance(a, p) - ops.minimum(distance(a, n), distance(p, n)) + 0.5).sum()")
case("nn.DiceLoss(smooth=1e-3)(positive(3, 4), positive(3, 4, step=0.3))")
case(
     "nn.MultiClassDiceLoss()(positive(3, 4), positive(3, 4, step=0.3))")
case("nn.FocalLoss(gamma=2.0, reduction='mean')(wave(2, 3, 4), ints(2, 4, below=3).reshape(2, 1, 4))")
case("nn.FocalLoss(weight=positive(3), gamma=1.0, reduction='none')(wave(2, 3, 4), ints(2, 4, below=3).reshape(2, 1, 4))")
case("class Mine(nn.LossBase):\n    def construct(self, x, y):\n        return self.get_loss((x - y) ** 2, 2.0)\n"
     "[Mine(r)(wave(3, 4), wave(3, 4, step=0.3)) for r in ('mean', 'sum', 'none')]")
