"""What scripts do around training: checks, limits, profilers, devices, MindSpore's internal helpers, old names."""
from tests.compat.table import case, documented, refused

case("ms.__version__")
case("ms.version.__version__")
case("ms.set_deterministic(True); ms.get_context('deterministic')")
case("ms.manual_seed(5); ops.randn(3).shape")
documented("ms.manual_seed(5); ms.initial_seed()", "5")
case("ms.manual_seed(5); state = ms.get_rng_state(); ms.set_rng_state(state); [state, bool((ms.get_rng_state() == state).all())]")
case("ms.set_recursion_limit(2000)")
case("ms.set_recursion_limit(-1)", fails=True)
case("ms.set_ps_context(enable_ps=False); [ms.get_ps_context('enable_ps'), context.get_ps_context('enable_ps')]")
case("context.set_ps_context(enable_ps=False)")
case("ms.set_ps_context(nonsense=1)", fails=True)
refused("ms.set_ps_context(enable_ps=True)")
case("ms.run_check()")
case("from mindspore.parallel import set_algo_parameters, get_algo_parameters, reset_algo_parameters; "
     "set_algo_parameters(fully_use_devices=True, elementwise_op_strategy_follow=True); "
     "found = [get_algo_parameters(n) for n in ('fully_use_devices', 'elementwise_op_strategy_follow', 'enable_algo_approxi', 'algo_approxi_epsilon', "
     "'tensor_slice_align_enable', 'tensor_slice_align_size')]; reset_algo_parameters(); found + [get_algo_parameters('fully_use_devices')]")
case("ms.set_algo_parameters(nonsense=1)", fails=True)
case("ms.get_algo_parameters('fully_use_devices')")
case("ms.reset_algo_parameters()")
documented("from mindspore.communication._comm_helper import _is_initialized; from mindspore.communication import init, release, GlobalComm; "
           "init(); found = [_is_initialized(), GlobalComm.INITED]; release(); found + [_is_initialized()]", "[True, True, False]")
case("from mindspore.parallel._utils import _is_sharding_propagation, _get_parameter_broadcast, _get_global_rank, _get_full_batch; "
     "[_is_sharding_propagation(), _get_parameter_broadcast(), _get_global_rank(), _get_full_batch()]")

# Profiler: accepted
documented("p = ms.Profiler(output_path='./p', start_profile=True); p.stop(); p.analyse()", "None")
documented("from mindspore.profiler import Profiler; p = Profiler(start_profile=False); p.start(); p.step(); p.stop()", "None")
documented("from mindspore.profiler.profiling import Profiler; Profiler().analyse()", "None")
documented("from mindspore.profiler import ProfilerLevel, ProfilerActivity, AicoreMetrics, _ExperimentalConfig, profile, tensorboard_trace_handler\n"
           "with profile(activities=[ProfilerActivity.CPU], schedule=ms.profiler.schedule(wait=0, active=1), on_trace_ready=tensorboard_trace_handler('./p'), "
           "experimental_config=_ExperimentalConfig(profiler_level=ProfilerLevel.Level0, aic_metrics=AicoreMetrics.AiCoreNone)) as p:\n    p.step()\n1", "1")
case("s = ms.profiler.schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1); [s(i).name for i in range(12)]")
case("[p.value for p in (ms.profiler.ProfilerLevel.Level1, ms.profiler.ProfilerActivity.CPU, ms.profiler.ProfilerActivity.NPU, ms.profiler.AicoreMetrics.AiCoreNone, "
     "ms.profiler.AicoreMetrics.PipeUtilization, ms.profiler.ProfilerLevel.Level2)]")
documented("ms.profiler.mstx.range_end(ms.profiler.mstx.range_start('a')); ms.profiler.mstx.mark('b'); isinstance(ms.profiler.DynamicProfilerMonitor(), ms.Callback)", "True")

# Devices
case("ms.runtime.synchronize(); ms.runtime.empty_cache(); ms.runtime.set_memory(max_size='1GB'); ms.runtime.dispatch_threads_num(2)")
case("[ms.runtime.memory_allocated(), ms.runtime.max_memory_allocated(), ms.runtime.memory_reserved(), ms.runtime.max_memory_reserved()]")
case("ms.runtime.memory_stats()")
case("ms.runtime.reset_peak_memory_stats(); ms.runtime.reset_max_memory_allocated(); ms.runtime.reset_max_memory_reserved()")
documented("ms.runtime.launch_blocking(); ms.runtime.set_kernel_launch_group(); ms.runtime.set_cpu_affinity(False)", "None")
documented("s = ms.runtime.current_stream()\nms.runtime.set_cur_stream(s)\nwith ms.runtime.StreamCtx(s):\n    y = f * 2\n[y, s == ms.runtime.default_stream(), s.query()]", "[f * 2, True, True]")
case("[ms.hal.is_available('CPU'), ms.hal.is_available('Ascend'), ms.hal.device_count()]")
case("ms.hal.synchronize(); ms.hal.is_initialized('CPU')")

# Helpers of MindSpore's training
case("from mindspore.train.callback._callback import InternalCallbackParam\np = InternalCallbackParam()\np.epoch_num = 3\n[p.epoch_num, p['epoch_num'], p.get('other')]")
documented("from mindspore.train.callback import _InternalCallbackParam\np = _InternalCallbackParam()\np.epoch_num = 3\n[p.epoch_num, p['epoch_num'], p.get('other')]", "[3, 3, None]")
documented("from mindspore.train.callback import _CallbackManager, Callback, RunContext, _InternalCallbackParam\nseen = []\n"
           "class Mine(Callback):\n    def begin(self, run_context):\n        seen.append('begin')\n    def step_end(self, run_context):\n        seen.append('step_end')\n"
           "with _CallbackManager([Mine()]) as manager:\n    context_ = RunContext(_InternalCallbackParam())\n    manager.begin(context_)\n    manager.step_end(context_)\nseen", "['begin', 'step_end']")
case("from mindspore.train.callback._callback import Callback, _handle_loss; [issubclass(ms.LossMonitor, Callback), _handle_loss(Tensor([1.0, 3.0])), _handle_loss((Tensor(2.0), f))]")
case("from mindspore.train.serialization import _update_param; p = Parameter(Tensor([1.0, 2.0]), name='a'); _update_param(p, Parameter(Tensor([3.0, 4.0]), name='b'), False); p")
case("from mindspore.train.serialization import _update_param; _update_param(Parameter(Tensor([1.0]), name='a'), Parameter(Tensor([3.0, 4.0]), name='b'), False)", fails=True)
case("from mindspore.train._utils import _make_directory; import os; found = _make_directory('a/b'); [os.path.isdir('a/b'), found == os.path.realpath('a/b')]")
case("from mindspore.train._utils import _make_directory; _make_directory(3)", fails=True)
for mode in "STAND_ALONE DATA_PARALLEL SEMI_AUTO_PARALLEL AUTO_PARALLEL HYBRID_PARALLEL".split():
    documented(f"from mindspore.train.model import ParallelMode; ParallelMode.{mode}", f"ms.ParallelMode.{mode}")
documented("train.ParallelMode.DATA_PARALLEL + train.ParallelMode.AUTO_PARALLEL + train.ParallelMode.SEMI_AUTO_PARALLEL", "'data_parallel' + 'auto_parallel' + 'semi_auto_parallel'")
case("from mindspore.nn.utils import no_init_parameters\nwith no_init_parameters():\n    net = nn.Dense(3, 2, weight_init='ones', bias_init='zeros')\nnet.init_parameters_data()\nnet(f)")
documented("class Mine(nn._Loss):\n    def construct(self, x, y):\n        return self.get_loss(ops.abs(x - y))\nMine('sum')(f, wave(2, 3))", "ops.abs(f - wave(2, 3)).sum()")
documented("from mindspore.nn.loss.loss import _Loss; _Loss('mean').get_loss(f)", "f.mean()")
for size in ("size=(5, 7)", "scale_factor=2", "size=(2, 2), align_corners=True"):
    documented(f"nn.ResizeBilinear()(wave(1, 2, 3, 4), {size})",
               f"ops.ResizeBilinearV2({'True' if 'align' in size else 'False'}, False)(wave(1, 2, 3, 4), "
               f"{dict([('size=(5, 7)', (5, 7)), ('scale_factor=2', (6, 8))]).get(size, (2, 2))})")
documented("nn.ResizeBilinear(half_pixel_centers=True)(wave(1, 2, 3, 4), size=(5, 7))", "ops.ResizeBilinearV2(False, True)(wave(1, 2, 3, 4), (5, 7))")

# Checks of arguments
case("from mindspore._checkparam import args_type_check\n@args_type_check(a=int, b=str)\ndef g(a, b='x'):\n    return (a, b)\ng(3)")
case("from mindspore._checkparam import args_type_check\n@args_type_check(a=int)\ndef g(a):\n    return a\ng('x')", fails=True)
for call, fails in (("check_positive_int(3)", False), ("check_positive_int(0)", True), ("check_non_negative_int(0)", False), ("check_bool(True)", False), ("check_bool(1)", True),
                    ("check_value_type('a', 3, [int], 'me')", False), ("check_value_type('a', 'x', [int], 'me')", True), ("check_string('a', ['a', 'b'])", False),
                    ("check_string('c', ['a', 'b'])", True), ("check_int_range(3, 1, 5, _checkparam.INC_BOTH)", False), ("check_float_range(0.5, 0.0, 1.0, _checkparam.INC_NEITHER)", False),
                    ("check_float_range(1.0, 0.0, 1.0, _checkparam.INC_NEITHER)", True), ("check_positive_float(0.5)", False), ("check_non_negative_float(-0.5)", True),
                    ("check_isinstance('a', 3, int)", False), ("check_int(3, 2, _checkparam.GE)", False), ("check_is_int(3)", False), ("check_is_float(0.5)", False)):
    case(f"from mindspore import _checkparam; from mindspore._checkparam import {call.partition('(')[0]}; {call}", fails=fails)
case("ms.log.critical('a')")
case("ms.tensor([1, 2.5]) + ms.tensor(3, ms.float32)")
case("ms.Tensor.from_numpy(np.arange(3, dtype=np.float32))")
case("a = np.zeros(3, np.float32); t = Tensor.from_numpy(a); a[0] = 5; t")
case("from mindspore.common.initializer import _calculate_fan_in_and_fan_out, _calculate_correct_fan, _calculate_gain; "
     "[_calculate_fan_in_and_fan_out((4, 3, 2, 2)), _calculate_correct_fan((4, 3), 'fan_in'), _calculate_gain('leaky_relu', 0.2)]")
case("from mindspore.common.initializer import _assignment; a = np.zeros((2, 2), np.float32); _assignment(a, 3.0); a")
case("from mindspore.common.initializer import _register, Initializer, initializer\n@_register('my_own')\nclass MyOwn(Initializer):\n    def _initialize(self, array):\n        array[...] = 4\n"
     "initializer('my_own', [2]).init_data()")
case("from mindspore.nn.optim.optimizer import opt_init_args_register\nclass Mine(nn.Optimizer):\n    @opt_init_args_register\n    def __init__(self, params, learning_rate=0.1):\n        super().__init__(learning_rate, params)\n"
     "    def construct(self, gradients):\n        return self.parameters[0]\no = Mine(weights(), 0.5); [o.init_learning_rate, sorted(o.init_params), o.init_args]")
documented("from mindspore.nn import opt_init_args_register; opt_init_args_register.__name__", "'opt_init_args_register'")
case("class Net(nn.Cell):\n    def __init__(self):\n        nn.Cell.__init__(self)\n        self.a = nn.ReLU()\n    def construct(self, x):\n        return self.a(x)\nNet()(wave(2, 3))")
documented("from mindspore.communication.management import GlobalComm, init, release; init(); found = GlobalComm.WORLD_COMM_GROUP; release(); found", "ms.communication.MCCL_WORLD_COMM_GROUP")
documented("ms.communication.init(); found = ms.communication.GlobalComm.WORLD_COMM_GROUP; ms.communication.release(); found", "ms.communication.MCCL_WORLD_COMM_GROUP")
documented("from mindspore.ops.operations.comm_ops import ReduceOp; [ReduceOp.SUM, ReduceOp.MAX]", "['sum', 'max']")
documented("[P.comm_ops.ReduceOp.SUM, P.comm_ops.ReduceOp.MAX]", "['sum', 'max']")
documented("ops.SplitWithSize()(f, (1, 2), 1)", "ops.split(f, (1, 2), 1)")
documented("float(ops.ScalarCast()(3, ms.float32))", "3.0")
documented("F.tuple_len((1, 2, 3))", "3")
documented("ops.AddExt()(f, wave(2, 3), 2.0)", "f + 2 * wave(2, 3)")
documented("sorted(ops.Randperm(4)(Tensor([4], ms.int32)).asnumpy().tolist())", "[0, 1, 2, 3]")
documented("data = dataset.NumpySlicesDataset([1, 2], shuffle=False); isinstance(data.batch(2), dataset.Dataset)", "True")
documented("from mindspore.dataset.engine.datasets import Dataset; isinstance(dataset.NumpySlicesDataset([1, 2]), Dataset)", "True")
documented("from mindspore import log; log.logging.info('a'); 1", "1")
case("[vision.ConvertMode.COLOR_BGR2RGB.name, vision.ConvertMode.COLOR_RGB2GRAY.name, vision.ConvertMode.COLOR_GRAY2BGR.name]")
documented("cache = dataset.DatasetCache(session_id=1, size=0); rows(dataset.NumpySlicesDataset([1, 2], shuffle=False).map(lambda a: a + 1, ['column_0'], cache=cache))", "[[np.array(2)], [np.array(3)]]")
documented("from mindspore.dataset.engine.datasets import BatchDataset, RepeatDataset; data = dataset.NumpySlicesDataset([1, 2]); [isinstance(data.batch(2), BatchDataset), isinstance(data.repeat(2), RepeatDataset), isinstance(data, BatchDataset)]", "[True, True, False]")
documented("net = nn._VirtualDatasetCell(nn.ReLU()); net(wave(2, 3))", "ops.relu(wave(2, 3))")
documented("from mindspore._extends import cell_attr_register\nclass Net(nn.Cell):\n    @cell_attr_register\n    def __init__(self, a, b=2):\n        super().__init__()\n    def construct(self, x):\n        return x\nNet(1)(f)", "f")
