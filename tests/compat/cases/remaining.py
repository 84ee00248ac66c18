"""Names that few scripts use and no other topic speaks for: Parameters, Cells, operators that other devices have."""
from tests.compat.table import case, documented, own, refused

# Parameters
P = "p = Parameter(wave(2, 3), name='p'); "
for name in ("name", "requires_grad", "layerwise_parallel", "parallel_optimizer", "sliced", "is_init", "data", "key", "cache_enable", "comm_fusion",
             "parallel_optimizer_comm_recompute", "inited_param", "param_info.name"):
    case(f"{P}p.{name}")
case(P + "list(p.cache_shape)")
for text in ("set_data(wave(2, 3, step=1))", "data", "value()"):
    case(f"{P}p.{text}; p.value()")
case(P + "p.set_data(wave(3, 3), slice_shape=True); p.shape")
case(P + "p.requires_grad = False; p.layerwise_parallel = True; p.parallel_optimizer = False; p.comm_fusion = 2; p.cache_enable = True; p.key = 3; p.is_init = True; "
     "p.parallel_optimizer_comm_recompute = True; of(p, 'requires_grad', 'layerwise_parallel', 'parallel_optimizer', 'comm_fusion', 'cache_enable', 'key', 'is_init', 'parallel_optimizer_comm_recompute')")
case(P + "p.cache_shape = (2, 3); list(p.cache_shape)")
case(P + "p.name = 'q'; [p.name, p.param_info.name]")
case(P + "p.add_pipeline_stage(0)")
case(P + "p.add_pipeline_stage(-1)", fails=True)

# Cells
case("net = nn.Dense(2, 3); net.add_flags_recursive(a=1); [net.get_flags(), net.a]")
case("net = nn.SequentialCell(nn.Dense(2, 3)); net.add_flags_recursive(fp16=True); [c.get_flags() for _, c in net.cells_and_names()]")
for change in ("", "set_train()", "set_train(False)", "set_grad()", "add_flags(a=1, b=2)"):
    case(f"net = nn.Dense(2, 3); {'net.' + change if change else 'pass'}; net.get_flags()")
case("nn.Dense(2, 3).bprop_debug")
case("net = nn.Dense(2, 3); net.bprop_debug = True; net.bprop_debug")
case("nn.Dense(2, 3).check_names_and_refresh_name()")
case("net = nn.SequentialCell(nn.Dense(2, 3), nn.Dense(3, 1)); net[0].weight.name = 'a'; net[1].weight.name = 'a'; net.check_names_and_refresh_name(); parameters(net)")
case("net = filled(nn.Dense(3, 2)); net.compile(f); net(f)")
case("net = filled(nn.Dense(3, 2)); net.compile_and_run(f)")
case("net = filled(nn.Dense(3, 2)); net.construct(f)")
case("net = nn.Cell(); net.construct(f)", fails=True)
case("net = nn.Dense(2, 3); [net.extend_repr(), nn.Cell().extend_repr()]")
case("nn.Dense(2, 3).get_inputs()")
case("net = nn.Dense(3, 2); net.set_inputs(Tensor(shape=[None, 3], dtype=ms.float32)); [(str(t.dtype), t.ndim) for t in net.get_inputs()]")
case("net = nn.Dense(2, 3); net.offload()")
case("list(nn.Dense(2, 3).parameters_broadcast_dict()), list(nn.Dense(2, 3).parameters_broadcast_dict(False))")
case("net = nn.Dense(2, 3); [net.set_broadcast_flag(False) is net, net.set_boost('less_bn') is net, net.set_comm_fusion(3) is net, net.set_data_parallel(), net.update_cell_prefix()]")
case("net = nn.Dense(2, 3); net.set_broadcast_flag(); list(net.parameters_broadcast_dict())")
case("net = nn.Dense(2, 3); net.set_comm_fusion(3); [p.comm_fusion for p in net.get_parameters()]")
case("nn.Dense(2, 3).set_comm_fusion(-3)", fails=True)
case("nn.Dense(2, 3).set_boost('nonsense')", fails=True)
case("net = nn.Dense(2, 3); net.pipeline_stage = 1; net.pipeline_stage")
case("net = nn.SequentialCell(nn.Dense(2, 3)); net.update_cell_prefix(); [c.param_prefix for _, c in net.cells_and_names()]")
for name, arguments in (("register_backward_hook", "cell, gi, go"), ("register_backward_pre_hook", "cell, go")):
    case(f"seen = []\nnet = filled(nn.Dense(3, 2))\nhook = net.{name}(lambda {arguments}: seen.append(len(go)))\nms.grad(net)(f)\nhook.remove()\nms.grad(net)(f)\nseen")
case("net = filled(nn.Dense(3, 2))\nnet.register_backward_hook(lambda cell, gi, go: (gi[0] * 2,))\nms.grad(net)(f)")
case("net = filled(nn.Dense(3, 2))\nnet.register_backward_pre_hook(lambda cell, go: (go[0] * 2,))\nms.grad(net)(f)")
case("seen = []\ndef hook(g):\n    seen.append(tuple(g.shape))\n    return g * 2\ndef loss(x):\n    y = x * 3\n    y.register_hook(hook)\n    return (y ** 2).sum()\n[ms.grad(loss)(f), seen]")
own("wave(2, 3).register_hook(lambda g: g) is not None", "True")

# Tensors: what 2.10 has for other devices only
case("wave(2, 3).floor_divide_(wave(2, 3, step=1))")
documented("y = Tensor(wave(2, 3)); y.floor_divide_(wave(2, 3, step=1)); y", "wave(2, 3) // wave(2, 3, step=1)")
documented("wave(3, 4).index_add_(1, Tensor([0, 2]), wave(3, 2), alpha=2)", "ops.index_add(Parameter(wave(3, 4)), Tensor([0, 2], ms.int32), 2 * wave(3, 2), 1)")
documented("wave(3, 4).index_fill_(1, Tensor([0, 2]), 5.0)", "ops.index_fill(wave(3, 4), 1, Tensor([0, 2], ms.int32), 5.0)")
PLACES = "n = Tensor([[0, 2], [1, 3], [0, 1]]); "
documented(PLACES + "y = wave(3, 4); y.scatter_(1, n, wave(3, 2)); y", PLACES + "ops.tensor_scatter_elements(wave(3, 4), n, wave(3, 2), 1)")
documented(PLACES + "wave(3, 4).scatter_(1, n, 2.0)", PLACES + "ops.tensor_scatter_elements(wave(3, 4), n, 2.0 * ops.ones((3, 2), ms.float32), 1)")
documented(PLACES + "wave(3, 4).scatter_add(1, n, wave(3, 2))", PLACES + "ops.tensor_scatter_elements(wave(3, 4), n, wave(3, 2), 1, 'add')")
FACTORS = "a, tau = ops.geqrf(wave(3, 2)); q = ops.qr(wave(3, 2), 'complete')[0]; "
documented(FACTORS + "ops.ormqr(a, tau, wave(3, 3))", FACTORS + "q @ wave(3, 3)")
documented(FACTORS + "a.ormqr(tau, wave(3, 2), True, True)", FACTORS + "q.T @ wave(3, 2)")
documented("wave(2, 2).triangular_solve(Tensor([[2.0, 1], [0, 3]]))", "(ops.inverse(Tensor([[2.0, 1], [0, 3]])) @ wave(2, 2), Tensor([[2.0, 1], [0, 3]]))")
documented("wave(2, 2).triangular_solve(Tensor([[2.0, 0], [1, 3]]), upper=False)[0]", "ops.inverse(Tensor([[2.0, 0], [1, 3]])) @ wave(2, 2)")

# Operators
case("ops.Assert(3)(Tensor(True), (f,)); f")
documented("ops.BatchToSpaceNDV2()(wave(4, 2, 2, 1), Tensor([2, 2], ms.int32), Tensor([[0, 1], [1, 0]], ms.int32))", "ops.batch_to_space_nd(wave(4, 2, 2, 1), [2, 2], [[0, 1], [1, 0]])")
case("ops.ForiLoop()(0, 4, lambda i, v: v + i, f)")
case("ops.WhileLoop()(lambda v: v.sum() < 100, lambda v: v * 2 + 1, f)")
case("ops.Scan()(lambda c, v: (c + v, c * v), Tensor(1.0), [wave(4)[i] for i in range(4)])")
case("ops.Scan()(lambda c, v: (c + v, c * v), Tensor(1.0), [Tensor(1.0), Tensor(2.0)], 2, True)")
case("ops.Scan()(lambda c, v: (c + v, c * v), Tensor(1.0), None, 3)", fails=True)
case("def clip(g):\n    return ops.clamp(g, -1, 1)\ncut = ops.InsertGradientOf(clip)\ndef loss(x):\n    return (cut(x) ** 2).sum()\n[cut(f), ms.grad(loss)(f)]")
documented("ops.SplitV((2, -1), 1, 2)(wave(3, 5))", "(wave(3, 5)[:, :2], wave(3, 5)[:, 2:])")
case("ops.SplitV((2, 2), 1, 2)(wave(3, 5))", fails=True)
for name in ("bartlett", "blackman"):
    case(f"ops.{name}_window(Tensor(5, ms.int32))")
    case(f"ops.{name}_window(Tensor(5, ms.int32), periodic=False, dtype=ms.float64)")
documented("ops.conv_transpose2d(wave(1, 2, 4, 4), wave(2, 3, 3, 3), wave(3), 2, 1, 1)",
           "ops.Conv2DTranspose(3, 3, 'pad', (1, 1, 1, 1), stride=2)(wave(1, 2, 4, 4), wave(2, 3, 3, 3), (1, 3, 8, 8)) + wave(3).reshape(1, 3, 1, 1)")
documented("mint.nn.functional.conv_transpose2d(wave(1, 2, 4, 4), wave(2, 3, 3, 3), wave(3), 2, 1, 1)", "ops.Conv2DTranspose(3, 3, 'pad', (1, 1, 1, 1), stride=2)(wave(1, 2, 4, 4), wave(2, 3, 3, 3), (1, 3, 8, 8)) + wave(3).reshape(1, 3, 1, 1)")
documented("ops.coo2csr(Tensor([0, 0, 2], ms.int32), 4)", "Tensor([0, 2, 2, 3, 3], ms.int32)")
documented("ops.csr2coo(Tensor([0, 2, 2, 3], ms.int32), 3)", "Tensor([0, 0, 2], ms.int32)")
documented("ops.csr_gather(Tensor([0, 2, 2, 3], ms.int32), Tensor([0, 2, 1], ms.int32), wave(3, 4), (3, 4))", "Tensor([wave(3, 4)[0, 0], wave(3, 4)[0, 2], wave(3, 4)[2, 1]])")
documented("kind(ops.gamma((2, 3), Tensor([1.0]), Tensor([2.0])))", "kind(ops.zeros((2, 3, 1)))")
documented("about(ops.gamma((3000,), Tensor([4.0]), Tensor([2.0])), 2.0, 1.0)", "(np.bool_(True), np.bool_(True))")
case("ops.get_grad(((0, f), (1, x)), 0)")
case("ops.get_grad((1, f), 1)")
COO = "Tensor([[0, 1], [1, 2]], ms.int32), Tensor([1.0, 2.0]), (3, 4)"
for name in ("coo", "sparse"):
    documented(f"ops.make_{name}_tensor({COO}).to_dense()", f"ms.COOTensor({COO}).to_dense()")
CSR = "Tensor([0, 1, 2], ms.int32), Tensor([0, 1], ms.int32), Tensor([1.0, 2.0]), (2, 4)"
documented(f"ops.make_csr_tensor({CSR}).to_dense()", f"ms.CSRTensor({CSR}).to_dense()")
documented("t = ops.make_row_tensor(Tensor([0, 1], ms.int32), wave(2, 3), (4, 3)); [t.values, t.indices, tuple(t.dense_shape)]", "[wave(2, 3), Tensor([0, 1], ms.int32), (4, 3)]")
case("ops.matrix_diag_part(wave(3, 4), Tensor(0, ms.int32), Tensor(0.0))")
case("ops.matrix_diag_part(wave(2, 3, 4), Tensor([-1, 1], ms.int32), Tensor(9.0), align='LEFT_RIGHT')")
documented("ops.matrix_exp(wave(2, 3, 3))", "a = wave(2, 3, 3); total = term = ops.broadcast_to(ops.eye(3, 3, ms.float32), (2, 3, 3))\nfor n in range(1, 16):\n    term = term @ a / n; total = total + term\ntotal")
case("ops.scalar_cast(3.7, ms.int64)")
TRIPLE = "a, p, n = wave(3, 4), wave(3, 4, step=1), wave(3, 4, step=0.3); "
documented(TRIPLE + "ops.triplet_margin_loss(a, p, n)", TRIPLE + "ops.relu(ops.norm(a - p + 1e-6, dim=1) - ops.norm(a - n + 1e-6, dim=1) + 1).mean()")
documented(TRIPLE + "ops.triplet_margin_loss(a, p, n, margin=0.5, p=1, swap=True, reduction='none')",
           TRIPLE + "d = lambda a, b: (a - b + 1e-6).abs().sum(1); ops.relu(d(a, p) - ops.minimum(d(a, n), d(p, n)) + 0.5)")
case("mnp.float_power(x, x)")
case("mnp.float_power(h, h)")
case("mnp.ravel_multi_index((x, x), (7, 6))")
case("mnp.ravel_multi_index((Tensor([3, 6, 6]), Tensor([4, 5, 1])), (7, 6), order='F')")
case("mnp.ravel_multi_index(Tensor([[3, 6, 6], [4, 5, 1]]), (4, 6), mode='clip')")
case("mnp.ravel_multi_index(Tensor([[3, 6, 6], [4, 5, 1]]), (4, 4), mode='wrap')")
documented("grads(mint.nn.Conv1d(2, 3, 2), wave(1, 2, 5))", "grads(nn.Conv1d(2, 3, 2, pad_mode='valid', has_bias=True), wave(1, 2, 5))")
documented("mint.nn.Fold((4, 5), 2)(wave(1, 12, 12))", "ops.fold(wave(1, 12, 12), Tensor([4, 5], ms.int32), 2)")
documented("y = wave(2, 3); mint.nn.functional.threshold_(y, 0.1, 20); y", "ops.threshold(wave(2, 3), 0.1, 20)")

# The rest
case("ms.log.get_level() in '01234'")
case("sorted(ms.log.get_log_config())[-1]")
case("str(ms.number), repr(ms.number), str(ms.tensor_type), repr(ms.tensor_type), str(ms.TensorType(ms.float32))")
case("@ms.no_inline\ndef double(x):\n    return x * 2\ndouble(f)")
case("ms.recompute(filled(nn.Dense(3, 2)), f)")
case("type(ms.Stream()).__name__, type(ms.runtime.Stream()).__name__")
case("from mindspore.profiler import ExportType; [(e.name, e.value) for e in ExportType]")
refused("ms.SummaryLandscape('./s')")
refused("train.ConvertModelUtils().convert_to_thor_model(3)")
refused("train.ConvertNetUtils().convert_to_thor_net(nn.ReLU())")
for name in """build_searched_strategy load_distributed_checkpoint load_segmented_checkpoints merge_pipeline_strategys merge_sliced_parameter
        rank_list_for_transform restore_group_info_list transform_checkpoint_by_rank transform_checkpoints unified_safetensors""".split():
    refused(f"import mindspore.parallel; ms.parallel.{name}()")
own("ms.communication.init(); ms.communication.get_comm_name(ms.communication.GlobalComm.WORLD_COMM_GROUP)", "ms.communication.GlobalComm.WORLD_COMM_GROUP")

# Names of mint and others
case("mint.bmm(wave(2, 3, 4), wave(2, 4, 2))")
case("mint.nn.functional.silu(f)")
case("mint.nn.functional.binary_cross_entropy(positive(2, 3), positive(2, 3, step=1))")
case("from mindspore.common.initializer import _INITIALIZER_ALIAS; [initializer._INITIALIZER_ALIAS.get(n).__name__ for n in ('zeros', 'he_normal')]")
case("rows(dataset.NumpySlicesDataset([1, 2, 3, 4], shuffle=False).map(transforms.Mask(transforms.Relational.NE, 2)))")
case("[transforms.Relational.NE.name, transforms.Relational.EQ.value, transforms.Relational.LT.value]")
case("[ms.profiler.AicoreMetrics.ArithmeticUtilization.value, ms.profiler.AicoreMetrics.Memory.value, ms.profiler.AicoreMetrics.MemoryL0.value, ms.profiler.AicoreMetrics.MemoryUB.value, ms.profiler.AicoreMetrics.ResourceConflictRatio.value, ms.profiler.AicoreMetrics.L2Cache.value]")
case("nn.probability.distribution.Distribution(1, ms.float32, 'd', {'a': Tensor(1.0)}).name", fails=True)
case("import mindspore.nn.probability.distribution as d; issubclass(d.Normal, d.Distribution)")
documented("mint.nn.functional.batch_norm(wave(3, 2), wave(2), positive(2), wave(2, step=1), wave(2, step=2))", "ops.batch_norm(wave(3, 2), wave(2), positive(2), wave(2, step=1), wave(2, step=2))")
refused("text.SentencePieceTokenizer('model', text.SPieceTokenizerOutType.STRING)")
refused("text.JiebaTokenizer('hmm', 'mp')")
case("ops.mv(wave(2, 3), wave(3))")
case("mint.cdist(wave(2, 3), wave(4, 3, step=1))")
case("kind(mint.randint(0, 5, (2, 3)))")
documented("mint.nn.functional.dropout(wave(3, 4), 0.5, False)", "wave(3, 4)")
case("mint.nn.functional.nll_loss(wave(3, 4), Tensor([1, 0, 3]))")
case("mint.nn.SyncBatchNorm(3)")
case("[context.STRICT, context.COMPATIBLE, context.LAX]")
documented("kind(mint.bernoulli(positive(3, 4)))", "['Float32', (3, 4)]")
documented("np.sort(mint.randperm(5).asnumpy()).tolist()", "[0, 1, 2, 3, 4]")
documented("sorted(set(np.unique(mint.nn.functional.dropout(ops.ones((20, 20)), 0.5).asnumpy()).tolist()))", "[0.0, 2.0]")
documented("mint.nn.functional.dropout2d(wave(2, 3, 4, 4), 0.5, False)", "wave(2, 3, 4, 4)")
documented("mint.nn.functional.elu(wave(3, 4))", "ops.elu(wave(3, 4))")
documented("mint.nn.functional.hardtanh(wave(3, 4, scale=3.0))", "ops.clamp(wave(3, 4, scale=3.0), -1.0, 1.0)")
documented("mint.nn.functional.logsigmoid(wave(3, 4))", "ops.log(ops.sigmoid(wave(3, 4)))")
documented("mint.nn.functional.threshold(wave(3, 4), 0.1, 20)", "ops.threshold(wave(3, 4), 0.1, 20)")
