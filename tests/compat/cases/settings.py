"""Settings, seeds, dtypes, parallel settings, communication: one process is rank 0 of 1."""
from tests.compat.table import case, documented

case("[context.GRAPH_MODE, context.PYNATIVE_MODE, ms.GRAPH_MODE, ms.PYNATIVE_MODE]")
case("ms.set_context(mode=ms.GRAPH_MODE); [ms.get_context('mode'), context.get_context('mode')]")
case("context.set_context(mode=context.PYNATIVE_MODE, device_target='CPU'); context.get_context('device_target')")
case("ms.set_context(mode='nonsense')", fails=True)
case("ms.set_context(nonsense=1)", fails=True)
case("ms.get_context('nonsense')", fails=True)
case("ms.set_context(device_target='TPU')", fails=True)
case("ms.set_context(save_graphs=False, enable_graph_kernel=False, max_call_depth=500, device_id=0); "
     "[ms.get_context('max_call_depth'), ms.get_context('device_id')]")
case("context.set_context(mode=0, device_id=0); context.get_context('device_id')")
case("ms.set_context(pynative_synchronize=False, deterministic='ON'); ms.get_context('deterministic')")
case("ms.set_device('CPU'); ms.get_context('device_target')")
case("ms.set_device('TPU')", fails=True)
case("ms.set_seed(7); ms.get_seed()")
case("ms.set_seed(-1)", fails=True)
case("ms.set_seed('a')", fails=True)
case("ms.set_seed(3); a = ops.randn(4).asnumpy(); ms.set_seed(3); bool((a == ops.randn(4).asnumpy()).all())")
case("[str(t) for t in (ms.bool_, ms.int8, ms.int16, ms.int32, ms.int64, ms.uint8, ms.uint16, ms.uint32, ms.uint64, "
     "ms.float16, ms.float32, ms.float64, ms.bfloat16)]")
case("[str(t) for t in (ms.byte, ms.short, ms.intc, ms.intp, ms.ubyte, ms.ushort, ms.uintc, ms.uintp, ms.half, ms.single, "
     "ms.double)]")
case("[ms.dtype_to_nptype(t) is n for t, n in ((ms.bool_, np.bool_), (ms.int32, np.int32), (ms.float16, np.float16))]")
case("[ms.dtype_to_pytype(t).__name__ for t in (ms.bool_, ms.int32, ms.float16, ms.float64)]")
case("[str(ms.pytype_to_dtype(t)) for t in (bool, int, float, np.int8, np.float16)]")
case("[dtype.dtype_to_nptype(dtype.float32).__name__, str(dtype.pytype_to_dtype(int)), str(dtype.bool_)]")
case("[ms.float32 == dtype.float32, ms.float32 != ms.float16]")

for mode in "STAND_ALONE DATA_PARALLEL HYBRID_PARALLEL SEMI_AUTO_PARALLEL AUTO_PARALLEL".split():
    case(f"[ms.ParallelMode.{mode}, context.ParallelMode.{mode}]")
case("list(context.ParallelMode.MODE_LIST)")
case("ms.reset_auto_parallel_context(); [ms.get_auto_parallel_context(n) for n in ('parallel_mode', 'device_num', "
     "'gradients_mean', 'global_rank', 'parameter_broadcast', 'gradient_fp32_sync')]")
case("context.set_auto_parallel_context(gradients_mean=True, parameter_broadcast=True); "
     "found = [context.get_auto_parallel_context(n) for n in ('gradients_mean', 'parameter_broadcast')]; "
     "context.reset_auto_parallel_context(); found + [context.get_auto_parallel_context('gradients_mean')]")
case("ms.set_auto_parallel_context(parallel_mode='nonsense')", fails=True)
case("ms.set_auto_parallel_context(nonsense=1)", fails=True)
case("ms.set_auto_parallel_context(parallel_mode=ms.ParallelMode.DATA_PARALLEL, gradients_mean=True, device_num=1); "
     "found = ms.get_auto_parallel_context('parallel_mode'); ms.reset_auto_parallel_context(); found")
case("from mindspore.parallel._utils import _get_device_num, _get_gradients_mean, _get_parallel_mode; "
     "[_get_device_num(), _get_gradients_mean(), _get_parallel_mode()]")
case("from mindspore.parallel._auto_parallel_context import auto_parallel_context; "
     "auto_parallel_context().get_parallel_mode()")

# MindSpore needs a launcher for these, so what one process gives is documented: rank 0 of 1.
documented("ms.communication.init(); [ms.communication.get_rank(), ms.communication.get_group_size(), "
           "ms.communication.get_local_rank(), ms.communication.get_local_rank_size()]", "[0, 1, 0, 1]")
documented("from mindspore.communication.management import init, get_rank, get_group_size, release; init(); "
           "found = [get_rank(), get_group_size()]; release(); found", "[0, 1]")
documented("from mindspore.communication import init, create_group, destroy_group, get_group_rank_from_world_rank, "
           "get_world_rank_from_group_rank, get_process_group_ranks, get_group_size; init(); create_group('g', [0]); "
           "found = [get_group_size('g'), get_group_rank_from_world_rank(0, 'g'), get_world_rank_from_group_rank('g', 0), "
           "get_process_group_ranks('g')]; destroy_group('g'); found", "[1, 0, 0, [0]]")
case("[ms.communication.HCCL_WORLD_COMM_GROUP, ms.communication.NCCL_WORLD_COMM_GROUP, "
     "ms.communication.MCCL_WORLD_COMM_GROUP]")
case("from mindspore.communication.management import HCCL_WORLD_COMM_GROUP, NCCL_WORLD_COMM_GROUP, MCCL_WORLD_COMM_GROUP; "
     "[HCCL_WORLD_COMM_GROUP, NCCL_WORLD_COMM_GROUP, MCCL_WORLD_COMM_GROUP]")
case("[ops.ReduceOp.SUM, ops.ReduceOp.MAX, ops.ReduceOp.MIN, ops.ReduceOp.PROD]")
case("ms.log.warning('a %s', 1); ms.log.info('b'); ms.log.error('c'); ms.log.debug('d')")
case("from mindspore import log as logger; logger.warning('%d of %d', 1, 2)")
