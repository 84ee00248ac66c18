"""Primitives and the functions behind them, as scripts call them; the names of MindSpore 1.x too."""
from tests.compat.table import case, documented

W, V = "wave(2, 3)", "wave(2, 3, step=0.3)"
POSITIVE = "positive(2, 3)"
# Of one Tensor
for name in "Sigmoid Tanh ReLU Softmax LogSoftmax Sin Cos Exp Square Sign Floor Abs Neg Round Erf Erfc Expm1 Atan Sinh Cosh Tan Ceil Trunc Rint Softplus".split():
    case(f"ops.{name}()({W})")
for name in "sigmoid tanh relu softmax exp sin cos square sign floor abs neg round erf erfc expm1 atan sinh cosh tan ceil trunc".split():
    case(f"ops.{name}({W})")
for name in "Sqrt Log Rsqrt Reciprocal Log1p Inv".split():
    case(f"P.{name}()({POSITIVE})")
for name in "sqrt log rsqrt reciprocal log1p log2 log10 asin acos atanh".split():
    case(f"ops.{name}({POSITIVE})")
for name in "ACos Asin Asinh Atanh Erfinv Logit".split():
    case(f"ops.{name}()({POSITIVE})", scale=5)
case(f"ops.Acosh()(1 + {POSITIVE})", scale=5)
for name in "ReLU6 SeLU Mish HSigmoid HSwish Softsign FastGeLU Elu CeLU SoftShrink HShrink Sinc".split():
    case(f"ops.{name}()(wave(2, 3, scale=4))", scale=10)
for name in "ZerosLike OnesLike Identity Shape DType IsFinite IsInf IsNan Size Rank StopGradient".split():
    case(f"P.{name}()(f)")
for name in "zeros_like ones_like identity shape dtype isfinite isinf isnan stop_gradient".split():
    case(f"F.{name}(f)")
case("F.tanhshrink(wave(2, 3))")
case("F.ceil(wave(2, 3, scale=3))")
case("F.log1p(positive(2, 3))")
case("ops.deg2rad(f)")
case("ops.is_floating_point(f)")
case("[ops.is_tensor(f), ops.is_tensor(3)]")

# Of two Tensors
for name in "Add Sub Mul Div RealDiv Minimum Maximum Equal NotEqual Greater GreaterEqual Less LessEqual Atan2 FloorDiv FloorMod Mod SquaredDifference".split():
    case(f"P.{name}()({W}, {V})")
for name in "add sub mul div minimum maximum equal not_equal greater greater_equal less less_equal atan2 floor_div ge lt le gt ne eq subtract multiply fmod floor_mod".split():
    case(f"ops.{name}({W}, {V})")
for name in "Hypot Xlogy Heaviside".split():
    case(f"ops.{name}()({POSITIVE}, {POSITIVE})")
case("P.Pow()(positive(2, 3), 2.0)")
case("ops.pow(positive(2, 3), f)")
for name in "LogicalAnd LogicalOr LogicalXor".split():
    case(f"P.{name}()(b, Tensor([True, True, False]))")
for name in "logical_and logical_or logical_xor".split():
    case(f"F.{name}(b, Tensor([True, True, False]))")
case("P.LogicalNot()(b)")
case("ops.logical_not(b)")
for name in "BitwiseAnd BitwiseOr BitwiseXor".split():
    case(f"ops.{name}()(x, Tensor([3, 5, 6], ms.int32))")
for name in "bitwise_and bitwise_or bitwise_xor".split():
    case(f"ops.{name}(x, Tensor([3, 5, 6], ms.int32))")
case("ops.LeftShift()(x, Tensor([1, 2, 1], ms.int32))")
case("ops.RightShift()(x, Tensor([1, 0, 1], ms.int32))")
case(f"P.Fmax()({W}, {V})")
documented(f"P.Fmin()({W}, {V})", f"ops.minimum({W}, {V})")          # not on MindSpore's CPU
documented(f"P.SiLU()({W})", f"ops.silu({W})")
case(f"ops.Addcmul()({W}, {V}, f, Tensor([0.5], ms.float32))")
case(f"ops.Addcdiv()({W}, {V}, {POSITIVE}, Tensor([0.5], ms.float32))")
case(f"ops.Lerp()({W}, {V}, Tensor(0.3, ms.float32))")
case(f"ops.AddN()(({W}, {V}, f))")
case(f"F.addn(({W}, {V}, f))")
documented(f"P.TensorAdd()({W}, {V})", f"{W} + {V}")
documented(f"F.tensor_add({W}, {V})", f"{W} + {V}")

# Shapes
case("P.Cast()(f, ms.int32)")
case("ops.cast(f, ms.float16)")
case("F.cast(x, ms.float32)")
case("P.Reshape()(f, (3, 2))")
case("F.reshape(f, (-1,))")
case("P.Transpose()(f, (1, 0))")
case("ops.transpose(wave(2, 3, 4), (2, 0, 1))")
case("ops.permute(wave(2, 3, 4), (2, 0, 1))")
case("P.ExpandDims()(f, 1)")
case("F.expand_dims(f, -1)")
case("P.Squeeze()(wave(1, 3, 1))")
case("P.Squeeze(0)(wave(1, 3, 1))")
case("P.Tile()(f, (2, 1))")
case("ops.tile(f, (1, 2))")
case("P.Concat()((f, f))")
case("P.Concat(1)((f, wave(2, 2)))")
case("ops.concat((f, f), 1)")
case("ops.cat((f, f), axis=0)")
case("P.Stack(1)((f, f))")
case("P.Unstack()(f)")
case("ops.unstack(f, 1)")
case("P.Split(1, 3)(f)")
case("ops.split(f, (1, 2), 1)")
case("P.Slice()(f, (0, 1), (2, 2))")
case("P.StridedSlice()(f, (0, 0), (2, 3), (1, 2))")
case("P.BroadcastTo((2, 3))(Tensor([1.0, 2.0, 3.0]))")
case("ops.broadcast_to(Tensor([[1.0], [2.0]]), (2, 3))")
case("P.Flatten()(wave(2, 3, 4))")
case("P.ReverseV2([1])(f)")
documented("ops.roll(f, 1, 1)", "Tensor(np.roll(f.asnumpy(), 1, 1))")
case("P.Pad(((0, 1), (1, 0)))(f)")
case("ops.PadV3()(f, Tensor([1, 0, 0, 1], ms.int32), Tensor(0.5, ms.float32))")
case("P.Fill()(ms.float32, (2, 3), 2)")
case("ops.Zeros()((2, 3), ms.float32)")
case("ops.Ones()((2, 3), ms.int32)")
case("P.Eye()(2, 3, ms.float32)")
case("ops.TensorShape()(f)")
case("P.DiagPart()(wave(3, 3))")
case("ops.Diag()(Tensor([1.0, 2.0]))")
case("ops.Trace()(wave(3, 3))")
case("F.tuple_to_array((1, 2, 3))")
case("F.scalar_to_tensor(3)")
case("ops.flip(f, (1,))")
case("ops.argwhere(f > 2)")
case("ops.NonZero()(f)")
case("ops.tril_indices(3, 3)")

# Reductions
for name in "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd".split():
    case(f"P.{name}()({W})")
    case(f"P.{name}(True)({W}, 1)")
for name in "reduce_sum reduce_mean reduce_max reduce_min".split():
    case(f"ops.{name}({W}, 1)")
case("ops.ReduceAny()(b)")
case("ops.ReduceAll(True)(b)")
case(f"ops.amin({W}, 1)")
case("P.CumSum()(f, 1)")
case(f"ops.norm({W}, dim=1)")

# Choosing
case("P.Gather()(f, Tensor([2, 0], ms.int32), 1)")
case("P.GatherNd()(f, Tensor([[0, 1], [1, 2]], ms.int32))")
case("P.GatherD()(f, 1, Tensor([[0, 2], [1, 1]], ms.int32))")
case("F.gather_d(f, 1, Tensor([[0, 2], [1, 1]], ms.int32))")
case("ops.index_select(f, 1, Tensor([2, 0], ms.int32))")
case(f"P.Select()(f > 2, {W}, {V})")
case(f"F.select(f > 2, {W}, {V})")
case("P.OneHot()(Tensor([0, 2], ms.int32), 3, Tensor(1.0, ms.float32), Tensor(0.0, ms.float32))")
case("P.OneHot(0)(Tensor([0, 2], ms.int32), 3, Tensor(1.0), Tensor(0.0))")
case("ops.MaskedFill()(f, f > 2, Tensor(9.0, ms.float32))")
case("ops.MaskedSelect()(f, f > 2)")
case("ops.masked_select(f, f > 2)")
case("ops.TensorScatterUpdate()(f, Tensor([[0, 1], [1, 2]], ms.int32), Tensor([7.0, 8.0]))")
case("P.TensorScatterAdd()(f, Tensor([[0, 1], [0, 1]], ms.int32), Tensor([7.0, 8.0]))")
case("ops.ScatterNd()(Tensor([[0], [2]], ms.int32), Tensor([7.0, 8.0]), (4,))")
PARAMETER = "p = Parameter(Tensor(np.arange(6, dtype=np.float32).reshape(2, 3)), name='p'); "
case(PARAMETER + "P.ScatterAdd()(p, Tensor([1], ms.int32), Tensor([[1.0, 1.0, 1.0]])); p")
case(PARAMETER + "ops.ScatterUpdate()(p, Tensor([1], ms.int32), Tensor([[1.0, 1.0, 1.0]])); p")
case(PARAMETER + "ops.ScatterNdAdd()(p, Tensor([[0], [1]], ms.int32), wave(2, 3)); p")
case(PARAMETER + "P.ScatterNdUpdate()(p, Tensor([[0], [1]], ms.int32), wave(2, 3)); p")
case(PARAMETER + "ops.IndexAdd(0)(p, Tensor([0, 1], ms.int32), wave(2, 3)); p")
case(PARAMETER + "P.Assign()(p, wave(2, 3)); p")
case(PARAMETER + "ops.assign(p, wave(2, 3)); p")
case(PARAMETER + "P.AssignAdd()(p, wave(2, 3)); p")
case(PARAMETER + "F.assign_add(p, wave(2, 3)); p")
case(PARAMETER + "ops.AssignSub()(p, wave(2, 3)); p")
case(PARAMETER + "ops.assign_sub(p, wave(2, 3)); p")

# Products and layers
case("P.MatMul()(f, wave(3, 2))")
case("P.MatMul(transpose_b=True)(f, wave(2, 3))")
case("ops.matmul(f, wave(3, 2))")
case("ops.mm(f, wave(3, 2))")
case("P.BatchMatMul()(wave(2, 3, 4), wave(2, 4, 5))")
case("ops.bmm(wave(2, 3, 4), wave(2, 4, 5))")
case("ops.baddbmm(wave(2, 3, 5), wave(2, 3, 4), wave(2, 4, 5), 0.5, 2.0)")
documented("ops.Einsum('ij,jk->ik')((f, wave(3, 2)))", "ops.matmul(f, wave(3, 2))")
documented("ops.einsum('ij,kj->ik', f, wave(2, 3))", "ops.matmul(f, wave(2, 3).T)")
case("P.BiasAdd()(f, Tensor([1.0, 2.0, 3.0]))")
case("ops.BiasAdd()(wave(1, 2, 3, 3), Tensor([1.0, 2.0]))")
case("ops.Cdist()(wave(2, 3), wave(4, 3))", scale=10)
case("P.Conv2D(3, 2)(wave(1, 2, 5, 5), wave(3, 2, 2, 2))")
case("ops.Conv2D(3, 3, pad_mode='same', stride=2)(wave(1, 2, 5, 5), wave(3, 2, 3, 3))")
case("ops.Conv3D(2, 2)(wave(1, 2, 3, 4, 4), wave(2, 2, 2, 2, 2))")
case("P.MaxPool(2, 2)(wave(1, 2, 4, 4))")
case("P.AvgPool(2, 2, 'same')(wave(1, 2, 5, 5))")
case("ops.AdaptiveAvgPool2D((2, 3))(wave(1, 2, 4, 6))")
case("P.ResizeNearestNeighbor((4, 6))(wave(1, 2, 2, 3))")
case("ops.ResizeBilinearV2()(wave(1, 2, 2, 3), (4, 6))")
documented("P.ResizeBilinear((4, 6))(wave(1, 2, 2, 3))", "ops.ResizeBilinearV2()(wave(1, 2, 2, 3), (4, 6))")
documented("ops.ResizeBilinear((4, 6), align_corners=True)(wave(1, 2, 2, 3))", "ops.ResizeBilinearV2(align_corners=True)(wave(1, 2, 2, 3), (4, 6))")
case("P.LayerNorm()(f, Tensor([1.0, 2.0, 3.0]), Tensor([0.5, 0.5, 0.5]))[0]", scale=5)
documented("ops.layer_norm(f, (3,), Tensor([1.0, 2.0, 3.0]), Tensor([0.5, 0.5, 0.5]))", "P.LayerNorm(-1, -1, 1e-5)(f, Tensor([1.0, 2.0, 3.0]), Tensor([0.5, 0.5, 0.5]))[0]", scale=5)
case("P.BatchNorm()(wave(2, 3, 2, 2), Tensor([1.0, 2.0, 3.0]), Tensor([0.5, 0.5, 0.5]), Tensor([0.1, 0.2, 0.3]), Tensor([1.0, 1.5, 2.0]))[0]", scale=5)
documented("P.RmsNorm()(f, Tensor([1.0, 2.0, 3.0]))[0]", "f / ops.sqrt((f * f).mean(-1, True) + 1e-6) * Tensor([1.0, 2.0, 3.0])")
case("P.L2Normalize(1)(wave(2, 3))")
case("P.SoftmaxCrossEntropyWithLogits()(wave(2, 3), positive(2, 3))")
case("P.SigmoidCrossEntropyWithLogits()(wave(2, 3), positive(2, 3))")
case("P.BinaryCrossEntropy()(positive(2, 3), positive(2, 3, step=0.3))", scale=5)
case("P.SmoothL1Loss()(wave(2, 3), wave(2, 3, step=0.3))")
case("P.TopK()(wave(2, 5), 2)")
case("P.Sort(1)(wave(2, 5))")
case("P.Argmax()(wave(2, 5))")
case("P.ArgMaxWithValue(1)(wave(2, 5))")

# Random: dtypes and shapes; means
for call in ("ops.StandardNormal()((2, 3))", "ops.UniformReal(1)((2, 3))", "ops.UniformInt()((2, 3), Tensor(0, ms.int32), Tensor(5, ms.int32))", "ops.randn_like(f)",
             "ops.rand_like(f)", "ops.randint_like(x, 0, 5)", "ops.shuffle(f)", "ops.Multinomial()(positive(3), 2)", "ops.randperm(4)"):
    case(f"kind({call})")
case("about(ops.StandardNormal()((100, 50)), 0, 1)")
case("about(ops.UniformReal()((100, 50)), 0.5, 0.2887)")
case("sorted(ops.shuffle(Tensor([3, 1, 2], ms.int32)).asnumpy().tolist())")

# Order, printing, Python
case("F.depend(f, x)")
case("P.Depend()(f, x)")
case("ops.Depend()(f, x)")
case("F.partial(ops.add, f)(x)")
case("ops.Partial()(ops.add, f)(x)")
case("F.shape(f)[0]")
case("P.Print()('a', f); f")
case("ops.print_('a', f); f")
documented("P.ScalarSummary()('a', Tensor(1.0)); ops.TensorSummary()('a', f); ops.ImageSummary()('a', wave(1, 3, 2, 2)); ops.HistogramSummary()('a', f); f", "f")
case("@ops.constexpr\ndef twice(n):\n    return 2 * n\nclass Net(nn.Cell):\n    def construct(self, x):\n        return x * twice(x.shape[0])\nNet()(f)")
case("class Mine(ops.Primitive):\n    @ops.prim_attr_register\n    def __init__(self, a, b=2):\n        pass\np = Mine(1)\n[p.name, p.attrs['a'], p.attrs['b']]")
case("p = ops.Primitive('mine'); p.add_prim_attr('k', 3); [p.name, p.attrs['k']]")
case("from mindspore.ops._primitive_cache import _get_cache_prim; _get_cache_prim(P.Concat)(1)((f, f))")

# Gradients
case("ops.GradOperation()(lambda x: (x ** 2).sum())(f)")
case("C.GradOperation(get_all=True)(lambda x, y: (x * y).sum())(f, wave(2, 3))")
case("net = filled(nn.Dense(3, 2)); C.GradOperation(get_by_list=True)(net, ms.ParameterTuple(net.trainable_params()))(f)")
case("C.GradOperation(sens_param=True)(lambda x: x ** 2)(f, wave(2, 3))")
case("ops.value_and_grad(lambda x: (x ** 2).sum())(f)")
case("ops.grad(lambda x: (x ** 2).sum())(f)")
case("ops.stop_gradient(f)")
case("class Net(nn.Cell):\n    def construct(self, x):\n        return (ops.stop_gradient(x) * x).sum()\nms.grad(Net())(f)")
case("seen = []\nhook = ops.HookBackward(lambda g: seen.append(g[0].shape))\nms.grad(lambda x: (hook(x * 2) ** 2).sum())(f)\nseen")

# Functions of functions
case("add = C.MultitypeFuncGraph('add')\n@add.register('Tensor', 'Tensor')\ndef add_tensors(x, y):\n    return x + y\n@add.register('Number', 'Number')\ndef add_numbers(x, y):\n    return x + y\n"
     "[add(f, f), add(1, 2)]")
case("scale = C.MultitypeFuncGraph('scale')\n@scale.register('Tensor', 'Tensor')\ndef times(s, g):\n    return g * s\nC.HyperMap()(F.partial(scale, Tensor(2.0)), (f, wave(2)))")
case("double = C.MultitypeFuncGraph('double')\n@double.register('Tensor')\ndef twice(x):\n    return x * 2\nops.HyperMap()(double, (f, (x, wave(2))))")
case("double = ops.MultitypeFuncGraph('double')\n@double.register('Tensor')\ndef twice(x):\n    return x * 2\nops.Map()(double, (f, x))")
case("@C.add_flags(has_effect=True)\ndef same(x):\n    return x\nsame(f)")
case("F.mixed_precision_cast(ms.float16, f)")
case("C.clip_by_value(f, Tensor(1.0), Tensor(3.0))")
case("C.clip_by_global_norm([f, wave(3)], 1.0)")
case("ops.clip_by_global_norm((f, wave(3)), 2.0)")

# One process: collectives give what they got.  MindSpore's need a launcher.
for call in ("AllReduce()", "AllReduce(ops.ReduceOp.SUM)", "AllGather()", "ReduceScatter(ops.ReduceOp.SUM)"):
    documented(f"ms.communication.init(); y = ops.{call}(f); ms.communication.release(); y", "f")
documented("ms.communication.init(); y = ops.Broadcast(0)((f,)); ms.communication.release(); y[0]", "f")
documented("P.NPUAllocFloatStatus()(); s = P.NPUAllocFloatStatus()(); P.NPUGetFloatStatus()(s); P.NPUClearFloatStatus()(s); f", "f")
documented("P.FloatStatus()(f)", "Tensor([0.0], ms.float32)")
documented("P.FloatStatus()(f / 0)", "Tensor([1.0], ms.float32)")
# Names that 2.10 dropped
documented("P.ControlDepend()(f, x); F.control_depend(f, x); f", "f")
documented("P.ScalarToArray()(3.0)", "Tensor(3.0, ms.float32)")
documented("F.scalar_to_array(3)", "Tensor(3)")
documented("P.TensorAdd()(x, 1)", "x + 1")
OPTIMIZERS = "p = Parameter(Tensor([1.0, 2.0]), name='p'); m = Parameter(Tensor([0.0, 0.0]), name='m'); v = Parameter(Tensor([0.0, 0.0]), name='v'); "
case(OPTIMIZERS + "P.Adam()(p, m, v, 0.9, 0.999, 0.1, 0.9, 0.999, 1e-8, Tensor([0.5, -0.5])); [p, m, v]")
case(OPTIMIZERS + "P.AdamWeightDecay()(p, m, v, 0.1, 0.9, 0.999, 1e-8, 0.01, Tensor([0.5, -0.5])); [p, m, v]")
case("from mindspore.ops.primitive import _primexpr; half = _primexpr(lambda shape: shape[0] // 2); half((6, 3))")
case("from mindspore.common.initializer import Tensor as again; again is Tensor")
