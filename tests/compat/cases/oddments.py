"""Names that few scripts use and no other topic speaks for: aliases, enumerations, helpers of MindSpore's own code."""
from tests.compat.table import case, documented, own

case("[P.ReduceOp.SUM, P.ReduceOp.MAX, P.ReduceOp.MIN, P.ReduceOp.PROD]")
case("mint.nn.Dropout(0.5).set_train(False)(f)")
case("kind(mint.nn.Dropout(0.5)(f))")
documented("ops.DynamicShape()(f)", "Tensor([2, 3])")
case("[ms.__version__.startswith('2.'), len(ms.__version__.split('.')), ms.__file__.endswith('__init__.py')]")
case("def cube(x):\n    return x ** 3\ny, pull = ms.vjp(cube, f)\n[y, pull(wave(2, 3))]")
case("def cube(x):\n    return x ** 3\nms.jvp(cube, f, wave(2, 3))")
case("from mindspore.common.initializer import _INITIALIZER_ALIAS; [_INITIALIZER_ALIAS.get(n).__name__ for n in ('zeros', 'ones', 'xavier_uniform', 'normal')]")
case("str(ms.complex128), str(ms.complex64), ms.complex128 == dtype.complex128, str(dtype.complex64)")
case("from mindspore.parallel._utils import _get_enable_parallel_optimizer, _get_pipeline_stages; [_get_enable_parallel_optimizer(), _get_pipeline_stages()]")
own("grads(nn.Linear(3, 2), f)", "grads(nn.Dense(3, 2), f)")
for name in "EQ NE LT LE GT GE INC_NEITHER INC_LEFT INC_RIGHT INC_BOTH IN NOT_IN".split():
    case(f"from mindspore import _checkparam; _checkparam.{name} == ms._checkparam.{name}")
    documented(f"ms._checkparam.Rel.{name} == ms._checkparam.{name}", "True")
for call, fails in (("check_type_name('a', ms.int32, [ms.int32, ms.int64], 'me')", False),
                    ("check_type_name('a', ms.int8, [ms.int32, ms.int64], 'me')", True),
                    ("check_subclass('a', ms.int32, [ms.int32], 'me')", False),
                    ("check_subclass('a', ms.float32, [ms.int32], 'me')", True),
                    ("check_float(0.5, 0.2, ms._checkparam.GE)", False), ("check_float(0.1, 0.2, ms._checkparam.GE)", True),
                    ("check('a', 2, 'b', 2)", False), ("check('a', 3, 'b', 2, ms._checkparam.LT)", True),
                    ("check('a', 3, 'b', (2, 3), ms._checkparam.IN)", False)):
    case(f"ms._checkparam.{call}", fails=fails)
documented("ms._checkparam.Validator.check_equal_int(3, 3, 'a', 'me')", "3")
documented("ms._checkparam.Validator.check_type_name('a', ms.int32, [ms.int32], 'me')", "ms.int32")
case("ms.log.logging.warning('a')")
documented("grads(mint.nn.Conv3d(2, 3, 2), wave(1, 2, 3, 3, 3))", "grads(nn.Conv3d(2, 3, 2, pad_mode='valid', has_bias=True), wave(1, 2, 3, 3, 3))")
case("[level.name for level in (ms.profiler.ProfilerLevel.LevelNone, *ms.profiler.ProfilerLevel.__members__.values())]")
documented("ms.profiler.profiler.analyse('./nothing')", "None")
case("ops.reverse(f, [1])")
case("mnp.fft.rfft(wave(6))")
case("import mindspore.scipy; ms.scipy.linalg.eigh(Tensor([[2.0, 1.0], [1.0, 3.0]]))[0]")
case("import mindspore.scipy; ms.scipy.linalg.inv(Tensor([[2.0, 1.0], [1.0, 3.0]]))")
documented("mint.nn.functional.avg_pool2d(wave(1, 2, 4, 4), 2)", "ops.avg_pool2d(wave(1, 2, 4, 4), 2, 2)")
documented("grads(mint.nn.CrossEntropyLoss(), wave(3, 4), ints(3, below=4))", "grads(nn.CrossEntropyLoss(), wave(3, 4), ints(3, below=4))")
case("from mindspore.common.initializer import _init_random_uniform; a = _init_random_uniform(-1.0, 1.0, (3, 2)); [a.shape, bool((abs(a) <= 1).all())]")
case("rows(dataset.ConcatDataset([dataset.NumpySlicesDataset([1, 2], shuffle=False), dataset.NumpySlicesDataset([3], shuffle=False)]))")
documented("class Roi(ops.ROIAlign):\n    def __init__(self):\n        ops.ROIAlign.__init__(self, 2, 2, 0.5, 2)\n"
     "Roi()(wave(1, 2, 6, 6), Tensor([[0, 1.0, 1.0, 8.0, 9.0]]))", "ops.ROIAlign(2, 2, 0.5, 2)(wave(1, 2, 6, 6), Tensor([[0, 1.0, 1.0, 8.0, 9.0]]))")
documented("ops.Swiglu()(wave(2, 4), -1)", "ops.silu(wave(2, 4)[:, :2]) * wave(2, 4)[:, 2:]")
documented("ops.SumExt()(f, 1, True, None)", "f.sum(1, keepdims=True)")
case("rows(dataset.NumpySlicesDataset(np.arange(7), ['a'], sampler=dataset.IterSampler([3, 1])))")
documented("p = ms.Profiler(); p.analyse()", "None")
documented("from mindspore.boost.grad_accumulation import gradient_accumulation_op, gradient_clear_op; g = Parameter(f * 1, name='g'); "
           "gradient_accumulation_op(2, g, f); found = g.asnumpy().copy(); gradient_clear_op(g); [found, g]", "[(f * 1.5).asnumpy(), f * 0]")
documented("ops.MatrixExp()(Tensor([[0.0, 1.0], [0.0, 0.0]]))", "Tensor([[1.0, 1.0], [0.0, 1.0]])")
documented("ms.communication.init(); y = ops.AlltoAll(1, 0, 0)(f); ms.communication.release(); y", "f")
documented("sorted(train.get_metrics({'acc', 'loss'}))", "['acc', 'loss']")
case("ops.adjoint(ops.Complex()(f, f + 1))", graph=False)
for order in ("'nuc'", "2", "-2"):
    case(f"ops.norm(wave(3, 4), {order})")
    case(f"ops.matrix_norm(wave(2, 3, 4), {order}, keepdims=True)")
case("ops.PadV3(paddings_contiguous=False)(f, Tensor([1, 0, 2, 1]), Tensor(1.5))")
case("repr(nn.CellDict({'a': nn.ReLU()}).keys())")
case("from mindspore.common.seed import _get_graph_seed; [_get_graph_seed(0, 'a'), _get_graph_seed(5, 'b'), _get_graph_seed(None, 'c')]")
documented("from mindspore.common.api import _pynative_executor, _cell_graph_executor, cells_compile_cache; _pynative_executor.sync(); _pynative_executor.set_grad_flag(True); "
           "net = nn.ReLU(); _cell_graph_executor.compile(net, f); cells_compile_cache.clear(); net(f)", "f")
case("from mindspore.dataset.core.config import INT32_MAX, UINT32_MAX; [INT32_MAX, UINT32_MAX]")
case("from mindspore.train.callback import _set_cur_net; from mindspore.train.callback._callback import set_cur_net; _set_cur_net(nn.ReLU())")
documented("from mindspore.train.summary.summary_record import SummaryRecord; SummaryRecord.__name__", "'SummaryRecord'")
documented("ms.set_offload_context({'offload_param': 'cpu'}); ms.get_offload_context()['offload_param']", "'cpu'")
case("t = Tensor(shape=[None, ms.Symbol(max=16, min=2)], dtype=ms.float32); [len(t.shape), ms.Symbol(max=16, min=2).to_dict(), ms.Symbol(divisor=8, remainder=1).to_dict()]")
case("net = nn.Dense(3, 2, weight_init='ones', bias_init='zeros'); net.set_inputs(Tensor(shape=[ms.Symbol(max=9), 3], dtype=ms.float32)); [net(wave(2, 3)), net(wave(4, 3))]")
case("ms.Symbol(min=0)", fails=True)
case("ms.Symbol(divisor=2, remainder=2)", fails=True)
case("ms.Symbol(max='a')", fails=True)
EXIT = ("import os, signal\nclass Ask(ms.Callback):\n    def on_train_step_end(self, run_context):\n        steps.append(1)\n        if len(steps) == 2:\n            os.kill(os.getpid(), signal.SIGTERM)\nsteps = []\n"
        "data = dataset.NumpySlicesDataset((wave(8, 3).asnumpy(), wave(8, 2).asnumpy()), shuffle=False).batch(1)\nnet = nn.Dense(3, 2)\nmodel = ms.Model(net, nn.MSELoss(), nn.SGD(net.trainable_params(), 0.1))\n")
documented(EXIT + "before = signal.getsignal(signal.SIGTERM)\nmodel.train(3, data, callbacks=[Ask(), train.OnRequestExit(save_mindir=False, file_name='n', directory='d')], dataset_sink_mode=False)\n"
           "[len(steps) < 24, {'bias', 'weight'} <= set(ms.load_checkpoint('d/rank_0/n.ckpt')), signal.getsignal(signal.SIGTERM) is before]", "[True, True, True]")
documented("import importlib; importlib.import_module('mindspore.tensor'); [str(ms.bool), ms.tensor([1.0]), ms.RunContext.__name__]", "['Bool', Tensor([1.0]), 'RunContext']")
# LARS runs on other devices alone in MindSpore
LARS = ("p = [Parameter(Tensor([[1.0, -2.0], [0.5, 3.0]]), name='fc.weight'), Parameter(Tensor([1.5, -0.5]), name='fc.bias')]; g = (Tensor([[0.1, -0.3], [0.2, 0.05]]), Tensor([0.4, -0.2])); "
        "lars = lambda w, g, decay, rate=None: (lambda r: (r if rate is None else ops.minimum(r / rate, 1.0)) * (g + decay * w))(0.02 * (w ** 2).sum().sqrt() / ((g ** 2).sum().sqrt() + decay * (w ** 2).sum().sqrt() + 1e-8)); ")
documented(LARS + "o = nn.LARS(nn.Momentum(p, 0.1, 0.9, weight_decay=0.01), 1e-8, 0.02); o(g); o(g); p",
           LARS + "o = nn.Momentum(p, 0.1, 0.9)\nfor _ in range(2):\n    o((lars(p[0].value(), g[0], 0.01), g[1]))\np")
documented(LARS + "o = nn.LARS(nn.SGD(p, 0.01, weight_decay=0.01, loss_scale=4.0), 1e-8, 0.02, True, lambda x: True); o((g[0] * 4, g[1] * 4)); [p, o.get_lr(), len(o.parameters)]",
           LARS + "o = nn.SGD(p, 0.01); o(tuple(lars(w.value(), x, 0.01, 0.01) for w, x in zip(p, g))); [p, o.get_lr(), 2]")
case("nn.LARS(nn.SGD(weights(), 0.1), coefficient=1)", fails=True)
case("from mindspore.dataset.vision import py_transforms_util; [py_transforms_util.is_pil(vision.ToPIL()(image())), py_transforms_util.is_pil(image()), py_transforms_util.augment_error_message.format('a')]")
documented("vision.py_transforms_util.augment_error_message.format('int')", "'img should be PIL image. Got int. Use Decode() for encoded data or ToPIL() for decoded data.'")
documented("[vision.py_transforms_util.is_pil(3), vision.py_transforms_util.is_pil(vision.ToPIL()(image()))]", "[False, True]")
case("from mindspore._c_expression import typing; [isinstance(ms.float32, typing.Float), isinstance(ms.int8, typing.Int), isinstance(ms.uint8, typing.UInt), isinstance(ms.int8, typing.Float), isinstance(ms.bool_, typing.Bool), isinstance(ms.int8, typing.Number)]")
documented("[isinstance(ms.float16, ms._c_expression.typing.Float), isinstance(ms.int8, ms._c_expression.typing.Number), isinstance(f, ms._c_expression.Tensor)]", "[True, True, True]")
case("from mindspore.dataset import context; context.set_context(mode=context.PYNATIVE_MODE); context.get_context('mode')")
documented("dataset.context.set_context(mode=dataset.context.GRAPH_MODE); found = dataset.context.get_context('mode'); dataset.context.set_context(mode=dataset.context.PYNATIVE_MODE); found", "ms.GRAPH_MODE")
documented("train.context.set_context(mode=train.context.GRAPH_MODE); found = train.context.get_context('mode'); train.context.set_context(mode=train.context.PYNATIVE_MODE); found", "ms.GRAPH_MODE")
SAVED = "net = nn.Dense(2, 3); ms.save_checkpoint(net, 'a.ckpt'); "
case(SAVED + "ms.ckpt_to_safetensors('./a.ckpt', './out'); import os; found = ms.load_checkpoint('out/a.safetensors', format='safetensors'); [sorted(found), bool((found['weight'].asnumpy() == net.weight.asnumpy()).all())]")
case(SAVED + "ms.load_checkpoint_async('a.ckpt').result()['weight'].shape")
documented(SAVED + "ms.ckpt_to_safetensors('a.ckpt', name_map={'weight': 'w'}); ms.safetensors_to_ckpt('a.safetensors', 'b'); sorted(ms.load_checkpoint('b/a.ckpt'))", "['bias', 'w']")
