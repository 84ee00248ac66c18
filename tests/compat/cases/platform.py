"""What scripts say about devices: settings of hardware, parallel nets on one device, collective functions."""
from tests.compat.table import case, documented, refused

case("ms.device_context.ascend.op_precision.precision_mode('allow_fp32_to_fp16')")
case("from mindspore.device_context.gpu.op_precision import conv_allow_tf32, matmul_allow_tf32; [conv_allow_tf32(True), matmul_allow_tf32(False)]")
case("from mindspore.device_context.gpu.op_tuning import conv_fprop_algo; conv_fprop_algo('performance')")
case("from mindspore.device_context.ascend.op_debug import execute_timeout; execute_timeout(100)")
case("ms.device_context.ascend.op_debug.execute_timeout('a')", fails=True)
case("from mindspore.device_context.ascend.op_tuning import op_compile, aoe_tune_mode; op_compile(True)")
case("ms.device_context.cpu.op_tuning.threads_num(2)")

# Parts of a batch, whole nets
for text in ("nn.PipelineCell(nn.ReLU(), 2)", "nn.GradAccumulationCell(nn.ReLU(), 2)", "ms.parallel.nn.Pipeline(nn.ReLU(), 4)",
             "ms.parallel.nn.GradAccumulation(nn.ReLU(), 2)", "ms.parallel.nn.MicroBatchInterleaved(nn.ReLU(), 2)"):
    case(f"grads({text}, wave(4, 3))")
case("nn.MicroBatchInterleaved(nn.ReLU())(wave(4, 3))")
case("nn.PipelineCell(nn.ReLU(), 'a')", fails=True)
case("nn.GradAccumulationCell(nn.ReLU(), 0)", fails=True)
AUTO = "from mindspore.parallel.auto_parallel import AutoParallel; "
case(AUTO + "grads(AutoParallel(nn.Dense(3, 2)), wave(4, 3))")
case("net = ms.parallel.auto_parallel.AutoParallel(nn.ReLU(), parallel_mode='sharding_propagation'); net.dataset_strategy('full_batch'); net.hsdp(); "
     "net.enable_gradients_mean(); net.pipeline(stages=1); net(wave(2, 3))")
case(AUTO + "AutoParallel(nn.ReLU(), 'nonsense')", fails=True)
case(AUTO + "parameters(AutoParallel(nn.Dense(3, 2)))")
for call in ("'a', 'b'", "'None', 'b'", "('a', 'b'), 'None'", "'b', 'None', 'a'"):
    case(f"ms.Layout((2, 4), ('a', 'b'))({call}).to_dict()")
case("from mindspore.parallel import Layout; Layout((2, 2), ('a', 'b'))('a', 'a')", fails=True)
case("ms.parallel.shard.Layout((2, 2), ('a',))", fails=True)
case("ms.Layout((2, 2), ('a', 'None'))", fails=True)
case("ms.Layout([2, 2], ('a', 'b'))", fails=True)
case("ms.Layout((2, 2), ('a', 'b'), rank_list=[3, 2, 1, 0])('a', 'b').to_dict()")
documented("ms.parallel.shard(nn.ReLU(), in_strategy=((1, 1),))(f)", "f")
documented("ms.shard(nn.ReLU(), in_strategy=((1, 1),))(f)", "f")
case("ms.sync_pipeline_shared_parameters(3)", fails=True)
documented("ms.sync_pipeline_shared_parameters(nn.ReLU())", "None")
case("from mindspore.parallel._cost_model_context import set_cost_model_context, get_cost_model_context, reset_cost_model_context, _set_multi_subgraphs, _set_rp_matmul_mem_coef; "
     "set_cost_model_context(costmodel_gamma=0.1); _set_multi_subgraphs(); _set_rp_matmul_mem_coef(0.2); "
     "found = get_cost_model_context('costmodel_gamma'); reset_cost_model_context(); found")
case("from mindspore.parallel._cost_model_context import set_cost_model_context; set_cost_model_context(nonsense=1)", fails=True)
for name in ("merge_pipeline_strategys", "load_distributed_checkpoint", "transform_checkpoints", "unified_safetensors", "merge_sliced_parameter",
             "build_searched_strategy", "transform_checkpoint_by_rank", "rank_list_for_transform", "load_segmented_checkpoints", "restore_group_info_list"):
    refused(f"ms.{name}('a', 'b')")

# Collective functions of one process; MindSpore's need a launcher
COMM = "from mindspore.communication import init, release, comm_func; init(); "
for call in ("all_reduce(f)[0]", "all_gather_into_tensor(f)[0]", "reduce_scatter_tensor(f)[0]", "reduce(f, 0)", "broadcast(f, 0)", "gather_into_tensor(f, 0)", "scatter_tensor(f, 0)"):
    documented(COMM + f"y = comm_func.{call}; release(); y", "f")
for call in ("all_to_all_with_output_shape([f], [f])[0][0]", "all_to_all_single_with_output_shape(f, f)[0]", "gather_into_tensor(f)"):
    documented(COMM + f"y = comm_func.{call}; release(); y", "f")
documented(COMM + "y = ops.zeros_like(f); comm_func.all_to_all_v_c(y, f, [2]); release(); y", "f")
for call in ("send(f, 1)", "recv(f, 1)", "isend(f, 1)", "irecv(f, 1)", "batch_isend_irecv([comm_func.P2POp('isend', f, 1)])"):
    case(COMM + f"comm_func.{call}", fails=True)
for call in ("Reduce(0)(f)", "CollectiveGather(0)(f)", "CollectiveScatter()(f)", "AlltoAllV()(f, [2], [2])", "AlltoAllVC()(f, [2])", "AllGatherV()(f, [2])", "ReduceScatterV()(f, [2])"):
    documented(COMM + f"y = ops.{call}; release(); y", "f")
documented(COMM + "ops.Barrier()(); release(); f", "f")
for call in ("Send(0, 1)(f)", "Receive(0, 1, [2], ms.float32)()", "NeighborExchange([1], [1], ([2, 3],), ([2, 3],), ms.float32)((f,))"):
    case(COMM + f"ops.{call}", fails=True)
documented("from mindspore.communication.comm_func import barrier; ms.communication.init(); barrier(); ms.communication.release(); f", "f")
documented("ms.communication.init(); ms.communication.comm_func.barrier(); ms.communication.release(); f", "f")
documented(COMM + "y, handle = comm_func.all_reduce(f, async_op=True); handle.wait(); release(); y", "f")
DIST = "from mindspore.mint import distributed as dist; dist.init_process_group(); x = ops.zeros_like(f); "
for call in ("all_gather_into_tensor(x, f)", "all_gather([x], f)", "reduce_scatter_tensor(x, f)", "reduce_scatter(x, [f])", "scatter(x, [f], 0)",
             "scatter_tensor(x, f)", "gather(f, [x])", "gather_into_tensor(x, f)", "all_gather_into_tensor_uneven(x, f, [2])", "reduce_scatter_tensor_uneven(x, f, [2])",
             "all_to_all([x], [f])", "all_to_all_single(x, f)", "all_to_all_v_c(x, f, [2])",
             "all_reduce(x.copy_(f), 'avg')", "reduce(x.copy_(f), 0)", "broadcast(x.copy_(f), 0)", "barrier(); x.copy_(f)"):
    documented(DIST + f"dist.{call}; dist.destroy_process_group(); x", "f")
for call in ("all_gather_object(o, 3)", "gather_object(3, o)", "scatter_object_list(o, [3])", "o[0] = 3; dist.broadcast_object_list(o)"):
    call = call if call.startswith("o[0]") else f"dist.{call}"
    documented(DIST + f"o = [None]; {call}; dist.destroy_process_group(); o[0]", "3")
for call in ("send(f, 1)", "recv(f, 1)", "isend(f, 1)", "irecv(f, 1)", "send_object_list([1], 1)", "recv_object_list([1], 1)", "batch_isend_irecv([dist.P2POp('isend', f, 1)])"):
    case(DIST + f"dist.{call}", fails=True)
documented(DIST + "group = dist.new_group([0]); y = [dist.get_rank(group), dist.get_world_size(group), dist.get_global_rank(group, 0), dist.get_group_rank(group, 0), dist.get_process_group_ranks(group)[0], int(dist.is_initialized()), int(dist.is_available()), len(dist.get_backend())]; dist.destroy_process_group(); y",
           "[0, 1, 0, 0, 0, 1, 1, 4]")

# Kinds of types
case("[isinstance(t, dtype.Float) for t in (ms.float16, ms.bfloat16, ms.float64, ms.int8, ms.bool_, ms.complex64)]")
case("[isinstance(t, dtype.Int) for t in (ms.int8, ms.int64, ms.uint8, ms.float32, ms.bool_)]")
case("[isinstance(t, dtype.Bool) for t in (ms.bool_, ms.int8)]")
case("[isinstance(t, ms.Type) for t in (ms.bool_, ms.float32, dtype.tensor_type, 3)]")
case("[str(dtype.Float(32)), str(dtype.Int(8)), dtype.Float(16) == ms.float16]")
case("[t in dtype.number_type for t in (ms.int8, ms.uint64, ms.bfloat16, ms.complex64, ms.bool_)]")
case("[repr(dtype.tensor_type), repr(dtype.TensorType(ms.float32)), repr(ms.get_py_obj_dtype(f)), str(ms.get_py_obj_dtype(3)), dtype.TensorType(ms.float32) == ms.get_py_obj_dtype(f)]")
case("repr(ms.TensorType(ms.int8))")
case("[str(t) for t in (dtype.complex64, dtype.complex128, dtype.cfloat, ms.cdouble, dtype.long)]")
case("[ms.STRICT, ms.COMPATIBLE, ms.LAX]")
case("[nn.EmbeddingLookup.BATCH_SLICE, nn.EmbeddingLookup.FIELD_SLICE, nn.EmbeddingLookup.TABLE_ROW_SLICE, nn.EmbeddingLookup.TABLE_COLUMN_SLICE]")
case("[ms.hal.get_device_properties(0), ms.hal.get_device_capability(0), ms.hal.get_device_name(0)]")
case("a = np.arange(3, dtype=np.float32); t = ms.from_numpy(a); a[0] = 5; t")
case("ms.frombuffer(b'\\x01\\x02\\x03', dtype=ms.int8, offset=1)")
case("ops.Tensor([1.0, 2.0]) + 1")
case("class Mine(ms.Metric):\n    def clear(self):\n        self.n = 0\n    def update(self, *inputs):\n        self.n += 1\n    def eval(self):\n        return self.n\nm = Mine(); m.clear(); m.update(f); m.eval()")
case("class Square(ms._Function):\n    @staticmethod\n    def forward(ctx, x):\n        ctx.save_for_backward(x)\n        return x * x\n    @staticmethod\n    def backward(ctx, g):\n        (x,) = ctx.saved_tensors\n        return 3 * x * g\n"
     "ms.grad(lambda x: Square.apply(x).sum())(f)")
case("ms.synchronize(); ms.empty_cache(); [ms.memory_allocated(), ms.max_memory_reserved()]")
case("from mindspore.parallel.shard import Layout; [ms.parallel.shard.__class__.__name__, ms.shard.__class__.__name__, Layout.__name__]")
