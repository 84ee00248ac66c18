"""Functions, methods and layers that no script asked for and no other topic speaks for."""
from tests.compat.table import case, documented

# MindSpore's kernels in place are for other devices
for call in ("exp_()", "floor_()", "log_()", "sigmoid_()", "sign_()", "tanh_()", "add_(f + 1)", "sub_(f)", "mul_(f)", "div_(f + 1)", "clamp_(0.2, 0.5)", "remainder_(0.3)",
             "masked_fill_(Tensor([[True, False, True]]), 1.5)"):
    documented(f"positive(2, 3).{call}", f"positive(2, 3).{call.replace('_(', '(', 1) if 'masked' not in call else call.replace('fill_(', 'fill(')}")
documented("positive(2, 3).zero_()", "ops.zeros((2, 3))")
documented("positive(2, 3).fill_(2.0)", "ops.ones((2, 3)) * 2")
documented("positive(2, 3).copy_(f)", "f")
for call in ("relu_", "sigmoid_", "elu_", "hardtanh_"):
    documented(f"t = wave(2, 3); mint.nn.functional.{call}(t); t", f"ops.{call[:-1]}(wave(2, 3))")
documented("[f.fmin(wave(2, 3)), ops.fmin(f, wave(2, 3))]", "[ops.minimum(f, wave(2, 3))] * 2")
documented("f.new_full((2, 2), 3.0)", "ops.ones((2, 2)) * 3")
documented("f.repeat(2, 1)", "ops.tile(f, (2, 1))")
documented("[x.bitwise_not(), mint.bitwise_not(x), ops.invert(x)]", "[-x - 1] * 3")
documented("[ops.fills(f, 2.0), ops.Fills()(f, 2.0)]", "[ops.ones((2, 3)) * 2] * 2")
documented("[ops.is_(f, f), ops.is_not(f, None)]", "[True, True]")
documented("ops.rms_norm(f, wave(3))[0]", "f / ((f * f).mean(-1, keep_dims=True) + 1e-6).sqrt() * wave(3)")
documented("ops.swiglu(wave(2, 4))", "ops.silu(wave(2, 4)[:, :2]) * wave(2, 4)[:, 2:]")
documented("[nn.Roll(1, 0)(f), ops.Roll(1, 0)(f)]", "[f[::-1]] * 2")
documented("ops.SoftMarginLoss()(f, wave(2, 3))", "ops.log(1 + ops.exp(-f * wave(2, 3))).mean()")
documented("ops.AccumulateNV2()([f, f])", "f * 2")
documented("mint.nn.functional.kl_div(f, positive(2, 3))", "ops.kl_div(f, positive(2, 3))")
for call in ("addcmul(f, f, value=0.5)", "bfloat16()", "choose([f, f + 1])"):
    case(f"f.{call}" if "choose" not in call else "Tensor([0, 1], ms.int32).choose([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])])")
case("wave(2, 2, 4).dsplit(2)")
case("Tensor(2.5).item()")
for name in "bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 bessel_k0 bessel_k0e bessel_k1 bessel_k1e bessel_y0 bessel_y1".split():
    case(f"ops.{name}(f + 0.5)")
for call in ("addcmul(f, f, wave(2, 3), 0.5)", "atleast_1d(Tensor(2.0))", "atleast_2d(wave(3))", "dsplit(wave(2, 2, 4), 2)", "expand(wave(2, 1), Tensor([2, 3]))",
             "fast_gelu(f)", "invert(ints(3, dtype=ms.int16))", "logspace(0.0, 2.0, 3)", "lp_pool2d(positive(1, 2, 4, 4), 2.0, 2)",
             "adaptive_max_pool1d(wave(1, 2, 6), 3)", "polygamma(Tensor(1), f + 1)", "tensor_scatter_sub(f, Tensor([[0, 0]]), Tensor([1.0]))", "tuple_getitem((1, 2), 1)", "deepcopy(f)", "bounding_box_encode(Tensor([[2.0, 2, 4, 5]]), Tensor([[1.0, 2, 5, 5]]), (0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0))",
             "bounding_box_decode(Tensor([[2.0, 2, 4, 5]]), Tensor([[0.1, 0.2, 0.3, 0.1]]), (9, 9), (0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0), 0.016)",
             "check_valid(Tensor([[2.0, 2, 4, 5]]), Tensor([6.0, 6, 1]))", "float_power_ext(f, 2.0)"):
    case(f"ops.{call}")
for call in ("Dense()(f, wave(2, 3), wave(2))",
             "ResizeNearestNeighborV2()(wave(1, 2, 3, 3), Tensor([4, 5], ms.int32))", "Coalesce()(Tensor([[0, 0, 1], [1, 1, 0]], ms.int64), Tensor([1.0, 2.0, 3.0]), Tensor([2, 2], ms.int64))"):
    case(f"ops.{call}")
STATE = "p = Parameter(Tensor([1.0, 2.0]), name='p'); a = Parameter(Tensor([0.5, 0.5]), name='a'); "
case(STATE + "ops.ApplyAdagrad()(p, a, 0.1, Tensor([0.5, -0.5])); [p, a]")
case(STATE + "ops.ApplyGradientDescent()(p, 0.1, Tensor([0.5, -0.5])); p")
case("kind(ops.RandomShuffle(1)(f))")
case("kind(ops.dropout2d(wave(1, 2, 3, 3)))")
case("kind(ops.dropout3d(wave(1, 2, 3, 3, 2)))")
case("kind(ops.random_categorical(f, 4))")
case("[ms.is_tensor(f), ms.is_tensor(3)]")
PARAMETER = "p = Parameter(Tensor([1.0]), name='p', requires_grad=False); "
case(PARAMETER + "[p.name, p.requires_grad, p.layerwise_parallel, p.parallel_optimizer, p.is_init, p.cache_enable, p.sliced, p.comm_fusion, p.key]")
case(PARAMETER + "p.set_data(Tensor([2.0])); p.data")
case("net = nn.Dense(3, 2, weight_init='ones'); seen = []; h = net.register_forward_hook(lambda cell, i, o: seen.append(o.shape)); net(f); h.remove(); net(f); seen")
case("net = nn.Dense(3, 2, weight_init='ones'); seen = []; net.register_forward_pre_hook(lambda cell, i: seen.append(i[0].shape)); net(f); seen")
