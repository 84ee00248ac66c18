"""Primitives and functions that few scripts use."""
from tests.compat.table import case, documented, refused

case("P.identity()(f)")
case("P.Gelu()(wave(2, 3))")
case("ops.Gelu()(wave(2, 3))")
case("ops.Eps()(f)")
case("kind(ops.Bernoulli()(f, Tensor(0.5)))")
case("set(np.unique(ops.Bernoulli(seed=3)(wave(40), Tensor(0.5)).asnumpy()).tolist()) == {0.0, 1.0}")
case("kind(P.RandomCategorical(ms.int32)(wave(3, 4), 5, 1))")
for rank, name in ((4, "Dropout2D"), (5, "Dropout3D")):
    shape = ", ".join("2345"[:4]) + (", 2" if rank == 5 else "")
    case(f"kind(ops.{name}(0.7)(wave({shape})))")
    case(f"y, kept = ops.{name}(0.5)(wave({shape}) + 2); [bool((y.asnumpy() == 2 * (wave({shape}) + 2).asnumpy() * kept.asnumpy()).all()), kept.asnumpy().reshape(6, -1).std(1).max()]")
    case(f"ops.{name}(0.5)(f)", fails=True)
MASK = "mask = P.DropoutGenMask(3, 4)((5, 40), Tensor(0.5, ms.float32)); "
documented(MASK + "[str(mask.dtype), mask.shape]", "['UInt8', (32,)]")
documented(MASK + "y = P.DropoutDoMask()(ops.ones((5, 40)), mask, Tensor(0.5, ms.float32)); [np.unique(y.asnumpy()), bool(abs(y.asnumpy().mean() - 1) < 0.3)]", "[np.array([0.0, 2.0], np.float32), True]")
documented("mask = ops.DropoutGenMask()((16,), Tensor(1.0, ms.float32)); ops.DropoutDoMask()(wave(16), mask, Tensor(1.0, ms.float32))", "wave(16)")
documented("P.DropoutDoMask()(f, Tensor([0b101001] + [0] * 15, ms.uint8), Tensor(0.5, ms.float32))", "f * Tensor([[2.0, 0, 0], [2, 0, 2]])")
case("ops.FillDiagonal(9.0)(wave(3, 4))")
case("ops.FillDiagonal(9.0, wrap=True)(wave(7, 2))")
case("ops.UnravelIndex()(Tensor([2, 5, 11], ms.int32), Tensor([3, 4], ms.int32))")
case("ops.UnravelIndex()(Tensor(7, ms.int32), Tensor([3, 4], ms.int32))")
case("ops.MaskedScatter()(f, b, wave(6))")
case("ops.Im2Col(ksizes=(2, 3), strides=1, dilations=1, pads=0)(wave(2, 3, 4, 5))")
case("ops.Im2Col(ksizes=2, strides=2, dilations=(1, 2), pads=(1, 0))(wave(2, 3, 4, 5))")
case("ops.FFTWithSize(1, False, True)(wave(2, 6))")
case("ops.FFTWithSize(2, False, True, 'ortho', onesided=False)(wave(2, 6))")
case("ops.FFTWithSize(1, False, False)(ops.Complex()(wave(2, 6), wave(2, 6, step=1)))")
case("ops.FFTWithSize(1, True, False, 'forward')(ops.Complex()(wave(2, 6), wave(2, 6, step=1)))")
case("P.FFTWithSize(1, True, True, signal_sizes=(6,))(ops.Complex()(wave(2, 4), ops.zeros((2, 4))))")
case("ops.LuUnpack()(wave(3, 3), Tensor([2, 3, 3], ms.int32))")
documented("a, tau = ops.Geqrf()(wave(3, 2)); ops.Ormqr()(a, tau, wave(3, 3))", "a, tau = ops.Geqrf()(wave(3, 2)); q = ops.qr(wave(3, 2), 'complete')[0]; q @ wave(3, 3)")
case("values = ops.eig(Tensor([[1.0, 2.0], [3.0, 4.0]]))[0]; sorted(values.asnumpy().tolist(), key=lambda z: z.real)")
case("a = Tensor([[1.0, 2.0], [-3.0, 4.0]]); w, v = ops.eig(a); bool(np.allclose(a.asnumpy() @ v.asnumpy(), v.asnumpy() * w.asnumpy(), atol=1e-5))")
case("sorted(ops.Eig(True)(Tensor([[1.0, 2.0], [3.0, 4.0]]))[0].asnumpy().tolist(), key=lambda z: z.real)")
case("ops.eig(wave(2, 3))", fails=True)
case("ops.intopk(wave(3, 5), Tensor([1, 4, 0], ms.int32), 2)")
case("ops.intopk(Tensor([[1.0, 2, 2], [3, 4, 5]]), Tensor([1, 0], ms.int32), 2)")
case("ops.InTopK(3)(wave(3, 5), Tensor([1, 4, 0], ms.int32))")
for call in ("tensor_dot(f, wave(3, 2), 1)", "matmul(f, wave(3, 2))", "repeat_elements(f, 2, 1)", "dot(wave(2, 3), wave(3, 2))", "batch_dot(wave(2, 3, 4), wave(2, 4, 2))",
             "count_nonzero(f)", "cummin(f, 1)", "sequence_mask(Tensor([1, 3], ms.int32), 4)", "mm(f, wave(3, 2))", "vecdot(f, f)", "repeat_interleave(f, 2, 1)"):
    case(f"C.{call}")
for call in ("normal((2, 3), Tensor(0.0), Tensor(1.0), 5)", "uniform((2, 3), Tensor(0.0), Tensor(1.0), 5)",
             "laplace((2, 3), Tensor([0.0]), Tensor([1.0]), 5)", "multinomial(Tensor([0.2, 0.8]), 4)"):
    case(f"kind(C.{call})")
case("def total(a, b):\n    return (a * b).sum()\nF.vmap(total)(f, f)")
case("def cube(x):\n    return x ** 3\n[F.grad(cube)(f), F.value_and_grad(cube)(f)[1], F.jvp(cube, f, f)[1]]")
case("mnp.round(mnp.array([-1.3, 0.5, 1.5, 2.5]))")
case("mnp.round(mnp.array([-1.35, 0.52, 1.57]), 1)")

# Operators of one's own
PYTHON = "op = ops.Custom(lambda a, b: np.sin(a) * b, lambda a, b: a, lambda a, b: a, func_type='pyfunc'); "
case(PYTHON + "op(f, wave(2, 3))")
case("op = ops.Custom(lambda a, b: (a + b, a - b), lambda a, b: (a, b), lambda a, b: (a, b), func_type='pyfunc'); op(f, wave(2, 3))")
case("op = ops.Custom(lambda a: a * 2, (2, 3), ms.float32, 'pyfunc', lambda x, out, dout: (3 * dout * x,)); ms.grad(lambda x: (op(x) * wave(2, 3)).sum())(f)")
case("ops.Custom(3, lambda a: a, lambda a: a, func_type='pyfunc')", fails=True)
case("ops.Custom(lambda a: a, lambda a: a, lambda a: a, func_type='nonsense')", fails=True)
for kind in ("tbe", "akg", "aicpu", "hybrid"):
    refused(f"ops.Custom(lambda a: a, lambda a: a, lambda a: a, func_type='{kind}')")
AOT = ("import os; open('a.c', 'w').write('#include <stdint.h>\\nint add(int n, void **p, int *nd, int64_t **s, const char **t, void *st, void *e) {' "
       "'float *a = p[0], *b = p[1], *c = p[2]; for (int64_t i = 0; i < s[0][0] * s[0][1]; i++) c[i] = a[i] + 2 * b[i]; return n == 3 && nd[0] == 2 ? 0 : 1; }'); "
       "os.system('cc -shared -fPIC -o a.so a.c'); ")
documented(AOT + "ops.Custom('./a.so:add', lambda a, b: a, lambda a, b: a, func_type='aot')(f, wave(2, 3))", "f + 2 * wave(2, 3)")
PY_FUNC = "[ms.float32, ms.float32], [(2, 3), (2, 3)], [ms.float32, ms.float32], [(2, 3), (2, 3)])"
case(f"P.PyFunc(lambda a, b: (a + b, a * b), {PY_FUNC}(f, wave(2, 3))")
documented(f"P.PyFunc(lambda a, b: (a + b, a * b), {PY_FUNC}((f, wave(2, 3)))", "(f + wave(2, 3), f * wave(2, 3))")
case("P.PyFunc(lambda a: a.sum(0), [ms.float32], [(2, 3)], [ms.float32], [(3,)])(f)")

# Layers of MindSpore's models for other devices, and what belongs to them
SAMPLED = "x = wave(2, 4, 6, 5, step=0.31); w = wave(3, 4, 3, 3); "
case(SAMPLED + "ops.deformable_conv2d(x, w, wave(2, 27, 4, 3, scale=1.5), (3, 3), (1, 1, 1, 1), (0, 0, 0, 0))", scale=10)
case(SAMPLED + "ops.deformable_conv2d(x, w, wave(2, 54, 3, 3, step=0.13), (3, 3), (1, 1, 2, 2), (1, 1, 1, 1), wave(3), (1, 1, 1, 1), deformable_groups=2)", scale=10)
case("ops.deformable_conv2d(wave(1, 4, 6, 5), wave(6, 2, 3, 3), wave(1, 27, 2, 1), (3, 3), (1, 1, 1, 1), (0, 0, 0, 0), None, (1, 1, 2, 2), 2)", scale=10)
documented("grads(lambda x, w, o: ops.deformable_conv2d(x, w, ops.concat([ops.zeros((1, 18, 4, 3)), o], 1), (3, 3), (1, 1, 1, 1), (0, 0, 0, 0)), wave(1, 4, 6, 5), wave(3, 4, 3, 3), ops.ones((1, 9, 4, 3)))[1][:2]",
           "grads(lambda x, w: ops.conv2d(x, w), wave(1, 4, 6, 5), wave(3, 4, 3, 3))[1]")
LSTM = "net = filled(nn.LSTM(3, 2)); weights = [p.value() for p in net.get_parameters()]; x = wave(4, 5, 3); start = wave(1, 5, 2), wave(1, 5, 2, step=1); "
documented(LSTM + "w = ops.concat([t.reshape(-1) for t in weights]).reshape(-1, 1, 1); ops.LSTM(3, 2, 1, True, False, 0.0)(x, *start, w)[:3]", LSTM + "y, (h, c) = net(x, start); (y, h, c)")
case("ops.LSTM(3, 2, 1, False, False, 0.0)(wave(4, 5, 3), wave(1, 5, 2), wave(1, 5, 2, step=1), wave(40, 1, 1))[:3]")
documented("P.LSTM(3, 2, 1, False, False, 0.0)(wave(4, 5, 3), wave(1, 5, 2), wave(1, 5, 2, step=1), wave(40, 1, 1))[0]", "ops.LSTM(3, 2, 1, False, False, 0.0)(wave(4, 5, 3), wave(1, 5, 2), wave(1, 5, 2, step=1), wave(40, 1, 1))[0]")
STATE = "p = Parameter(Tensor([1.0, 2.0]), name='p'); a = Parameter(Tensor([0.5, 0.5]), name='a'); "
documented(STATE + "ops.FusedWeightScaleApplyMomentum()(Tensor(0.1), Tensor(2.0), p, a, 0.1, Tensor([1.0, -1.0]), 0.9); [p, a]",
           STATE + "ops.ApplyMomentum()(p, a, 0.1, (Tensor([1.0, -1.0]) + 0.1 * p.value()) * 2, 0.9); [p, a]")
HEADS = "q, k, v = (wave(2, 5, 8, step=s) for s in (0.7, 0.3, 0.9)); cut = lambda t: t.reshape(2, 5, 2, 4).transpose(0, 2, 1, 3); join = lambda t: t.transpose(0, 2, 1, 3).reshape(2, 5, 8); "
ATTENTION = HEADS + "hidden = {}; join(ops.softmax(ops.where(hidden, -1e30, cut(q) @ cut(k).transpose(0, 1, 3, 2) * 0.5 + {}), -1) @ cut(v))"
documented(HEADS + "P.FlashAttentionScore(2, scale_value=0.5)(q, k, v)[3]", ATTENTION.format("Tensor(False)", "0"))
documented(HEADS + "ops.FlashAttentionScore(2, scale_value=0.5)(q, k, v, None, None, None, ops.triu(ops.ones((5, 5)), 1).astype(ms.uint8))[3]", ATTENTION.format("ops.triu(ops.ones((5, 5)), 1) > 0", "0"))
documented(HEADS + "ops.FlashAttentionScore(2, scale_value=0.5, sparse_mode=2)(q, k, v, wave(2, 2, 5, 5))[3]", ATTENTION.format("ops.triu(ops.ones((5, 5)), 1) > 0", "wave(2, 2, 5, 5)"))
documented(HEADS + "ops.FlashAttentionScore(2, scale_value=0.5, pre_tokens=1, next_tokens=0)(q, k, v)[3]", ATTENTION.format("ops.logical_or(ops.triu(ops.ones((5, 5)), 1) > 0, ops.tril(ops.ones((5, 5)), -2) > 0)", "0"))
documented(HEADS + "y = ops.FlashAttentionScore(2, scale_value=0.5, input_layout='BNSD')(cut(q), cut(k)[:, :1], cut(v)[:, :1]); [join(y[3]), y[0].shape, y[1].shape]",
           HEADS + "k, v = (ops.tile(t[..., :4], (1, 1, 2)) for t in (k, v)); [join(ops.softmax(cut(q) @ cut(k).transpose(0, 1, 3, 2) * 0.5, -1) @ cut(v)), (2, 2, 5, 8), (2, 2, 5, 8)]")
documented(HEADS + "ops.FlashAttentionScore(2, scale_value=0.5, input_layout='SBH')(*(t.transpose(1, 0, 2) for t in (q, k, v)))[3].transpose(1, 0, 2)", ATTENTION.format("Tensor(False)", "0"))
refused("ops.FlashAttentionScore(2, input_layout='TND')(wave(2, 5, 8), wave(2, 5, 8), wave(2, 5, 8))")
CACHES = "k = Parameter(ops.zeros((3, 2, 2, 2)), name='k'); v = Parameter(ops.zeros((3, 2, 2, 2)), name='v'); "
documented(CACHES + "y = ops.ReshapeAndCache()(wave(3, 2, 2), wave(3, 2, 2, step=1), k, v, Tensor([4, 0, -1], ms.int32)); [y, k.reshape(6, 2, 2)[4], k.reshape(6, 2, 2)[0], v.reshape(6, 2, 2)[4], k.sum()]",
           "[wave(3, 2, 2), wave(3, 2, 2)[0], wave(3, 2, 2)[1], wave(3, 2, 2, step=1)[0], wave(3, 2, 2)[:2].sum()]")
case("nn.SparseTensorDenseMatmul()(Tensor([[0, 1], [1, 2]], ms.int32), Tensor([1.0, 2.0]), (3, 4), wave(4, 2))")
case("nn.SparseTensorDenseMatmul(adjoint_st=True)(Tensor([[0, 1], [1, 2]], ms.int32), Tensor([1.0, 2.0]), (3, 4), wave(3, 2))")
case("nn.SparseToDense()(ms.COOTensor(Tensor([[0, 1], [1, 2]], ms.int32), Tensor([1.0, 2.0]), (3, 4)))")
refused("nn.thor(nn.Dense(2, 3), 0.1, Tensor(0.1), 0.9)")
refused("from mindspore.train.train_thor import ConvertModelUtils; ConvertModelUtils.convert_to_thor_model(3)")
refused("ms.ConvertNetUtils.convert_to_thor_net(nn.ReLU())")
refused("ms.ConvertModelUtils().convert_to_thor_model(3)")
documented(HEADS + "ops.flash_attention_score(q, k, v, 2, scalar_value=0.5, sparse_mode=2)", ATTENTION.format("ops.triu(ops.ones((5, 5)), 1) > 0", "0"))
for name in ("load_distributed_checkpoint", "build_searched_strategy", "merge_sliced_parameter"):
    refused(f"from mindspore.train.serialization import {name}; {name}([])")
