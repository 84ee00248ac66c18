"""Cells, wrappers, Model, callbacks, mixed precision, checkpoints, metrics."""
from tests.compat.table import case, documented

# Cells
CELL = ("class Net(nn.Cell):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Dense(3, 2)\n"
        "        self.scale = ms.Parameter(Tensor([2.0], ms.float32), name='scale')\n        self.act = nn.ReLU()\n"
        "    def construct(self, x):\n        return self.act(self.fc(x)) * self.scale\nnet = filled(Net())\n")
for text in ("net(f)", "parameters(net)", "[n for n, c in net.cells_and_names()]", "[n for n, p in net.parameters_and_names()]",
             "[type(c).__name__ for c in net.cells()]", "[type(c).__name__ for n, c in net.name_cells().items()]",
             "sorted(net.parameters_dict())", "[p.name for p in net.trainable_params()]",
             "net.fc.weight.requires_grad = False; [[p.name for p in net.untrainable_params()], len(net.trainable_params())]",
             "net.set_grad(); net.set_train(); [net.training, net.fc.training, net.requires_grad, net.cls_name]",
             "net.update_parameters_name('a.'); [p.name for p in net.get_parameters()]",
             "net.insert_child_to_cell('other', nn.Tanh()); [n for n, c in net.cells_and_names()]",
             "net.insert_param_to_cell('extra', ms.Parameter(Tensor([1.0]), name='extra')); parameters(net)",
             "net.to_float(ms.float16); net(f)", "net.add_flags(a=1, b=True); [net.get_flags()['a'], net.get_flags()['b']]",
             "net.apply(lambda c: c.set_train()); [net.training, net.act.training]",
             "net.register_buffer('seen', Tensor([1.0])); [n for n, _ in net.named_buffers()]",
             "net.register_buffer('seen', Tensor([1.0])); [len(list(net.buffers())), net.get_buffer('seen')]",
             "type(net.get_sub_cell('fc')).__name__", "sorted(net.state_dict())", "net.param_prefix",
             "net.check_names(); net.phase", "len(list(net.get_parameters(expand=False)))",
             "seen = []\nh = net.fc.register_forward_hook(lambda c, i, o: seen.append(o.shape))\nnet(f)\nh.remove()\nnet(f)\nseen",
             "seen = []\nh = net.fc.register_forward_pre_hook(lambda c, i: seen.append(i[0].shape))\nnet(f)\nseen",
             "seen = []\nh = net.fc.register_backward_hook(lambda c, i, o: seen.append(o[0].shape))\n"
             "ms.grad(lambda x: net(x).sum())(f)\nseen",
             "net.recompute(); ms.grad(lambda x: net(x).sum())(f)", "net.load_state_dict(net.state_dict()); net(f)",
             "net.set_jit_config(ms.JitConfig(jit_level='O1')); net(f)",
             "net.init_parameters_data(); net(f)", "net.set_inputs(Tensor(shape=[None, 3], dtype=ms.float32)); net(f)"):
    case(CELL + text)
case("class Net(nn.Cell):\n    pass\nNet()(f)", fails=True)
case("[ms.ParameterTuple(weights())[0].name, len(ms.ParameterTuple(weights()).clone('old'))]")
case("p = Parameter(Tensor([1.0, 2.0]), name='w', requires_grad=False); [p.name, p.requires_grad, p.shape, p.value()]")
case("p = Parameter(Tensor([1.0, 2.0]), name='w'); p.set_data(Tensor([3.0, 4.0])); [p, p.clone().name]")
case("p = Parameter(Tensor([1.0, 2.0]), name='w'); q = p.clone('zeros'); [q, p.layerwise_parallel, p.parallel_optimizer]")

# Functional training
case("net = filled(nn.Dense(3, 2)); ms.value_and_grad(lambda x: net(x).sum(), None, net.trainable_params())(f)")
case("net = filled(nn.Dense(3, 2)); ms.value_and_grad(lambda x: (net(x).sum(), x), 0, net.trainable_params(), has_aux=True)(f)")
case("net = filled(nn.Dense(3, 2)); ms.grad(lambda x: net(x).sum(), 0, net.trainable_params(), return_ids=False)(f)")
case("def more(x):\n    return x * 2 + 1\nms.jit(more)(f)")
case("@ms.jit\ndef double(x):\n    if x.sum() > 3:\n        return x * 2\n    return x\ndouble(f)")
case("@ms.jit_class\nclass Two:\n    def __init__(self):\n        self.n = 2\n    def twice(self, x):\n        return x * self.n\n"
     "two = Two()\n@ms.jit\ndef double(x):\n    return two.twice(x)\ndouble(f)")
documented("@ms.ms_function\ndef double(x):\n    return x * 2\ndouble(f)", "f * 2")
documented("@ms.ms_class\nclass Two:\n    n = 2\n@ms.ms_function\ndef double(x):\n    return x * Two().n\ndouble(f)", "f * 2")
case("class Net(nn.Cell):\n    @ms.lazy_inline\n    def __init__(self):\n        super().__init__()\n        self.a = nn.ReLU()\n"
     "    def construct(self, x):\n        return self.a(x)\nNet()(f)")
case("ms.mutable([1, 2]) == [1, 2]")
case("@ms.jit\ndef add(pair):\n    return pair[0] + pair[1]\nadd(ms.mutable((f, f)))")
case("with ms._no_grad():\n    y = f * 2\ny")
case("def square(x):\n    return x ** 2\nms.jacfwd(square)(Tensor([1.0, 2.0]))")
case("def square(x):\n    return x ** 2\nms.jacrev(square)(Tensor([1.0, 2.0]))")
case("def dot(x, y):\n    return (x * y).sum()\nms.vmap(dot, (0, None))(f, Tensor([1.0, 2.0, 3.0]))")

# Wrappers
NET = "net = filled(nn.Dense(3, 2)); loss = nn.MSELoss(); "
case(NET + "nn.WithLossCell(net, loss)(f, wave(2, 2))")
case(NET + "nn.WithEvalCell(net, loss)(f, wave(2, 2))")
case(NET + "nn.WithLossCell(net, loss).backbone_network is net")
case(NET + "cell = nn.TrainOneStepCell(nn.WithLossCell(net, loss), nn.Momentum(net.trainable_params(), 0.1, 0.9)); "
     "cell.set_train(); [cell(f, wave(2, 2)), cell(f, wave(2, 2)), values(net)]")
case(NET + "cell = nn.TrainOneStepCell(nn.WithLossCell(net, loss), nn.SGD(net.trainable_params(), 0.1), sens=2.0); "
     "[cell(f, wave(2, 2)), values(net)]")
# MindSpore's need float status operators that its CPU lacks.
PLAIN = "cell = nn.TrainOneStepCell(nn.WithLossCell(net, loss), nn.SGD(net.trainable_params(), 0.1)); "
SCALED = "cell = nn.TrainOneStepWithLossScaleCell(nn.WithLossCell(net, loss), nn.SGD(net.trainable_params(), 0.1), {}); "
documented(NET + SCALED.format("Tensor(4.0, ms.float32)") + "[cell(f, wave(2, 2)), values(net)]",
           NET + PLAIN + "[(cell(f, wave(2, 2)), Tensor(False), Tensor(4.0, ms.float32)), values(net)]")
documented(NET + "m = nn.DynamicLossScaleUpdateCell(1024, 2, 2); " + SCALED.format("m")
           + "[cell(f, wave(2, 2))[1:], cell(f, wave(2, 2))[1:], cell(f * np.inf, wave(2, 2))[1:], m.get_loss_scale()]",
           "a = Tensor(1024.0, ms.float32); [(Tensor(False), a), (Tensor(False), a), (Tensor(True), a * 2), 1024]")
documented(NET + "m = nn.FixedLossScaleUpdateCell(8.0); " + SCALED.format("m") + "[m.get_loss_scale(), cell(f, wave(2, 2))]",
           NET + PLAIN + "[8.0, (cell(f, wave(2, 2)), Tensor(False), Tensor(8.0, ms.float32))]")
case(NET + "nn.ForwardValueAndGrad(nn.WithLossCell(net, loss), ms.ParameterTuple(net.trainable_params()), get_by_list=True)"
     "(f, wave(2, 2))")
case(NET + "nn.WithGradCell(net, loss)(f, wave(2, 2))")
case("p = Parameter(Tensor([1.0, 2.0]), name='w'); nn.ParameterUpdate(p)(Tensor([3.0, 4.0])); p")
documented(NET + "r = nn.DistributedGradReducer(net.trainable_params()); r((wave(2, 3), wave(2)))", "wave(2, 3), wave(2)")

# Model and callbacks
DATA = ("data = dataset.NumpySlicesDataset({'x': wave(8, 3).asnumpy(), 'y': wave(8, 2, step=0.3).asnumpy()}, shuffle=False)"
        ".batch(2); net = filled(nn.Dense(3, 2)); ")
MODEL = DATA + "model = train.Model(net, nn.MSELoss(), nn.Momentum(net.trainable_params(), 0.1, 0.9), metrics={'mae'}); "
case(MODEL + "model.train(2, data, dataset_sink_mode=False); values(net)")
case(MODEL + "model.train(1, data, dataset_sink_mode=True); values(net)")
case(MODEL + "model.eval(data, dataset_sink_mode=False)")
case(MODEL + "model.predict(f)")
case(MODEL + "[type(model.train_network).__name__, type(model.predict_network).__name__, type(model.eval_network).__name__]")
case(MODEL + "model.fit(2, data, data, dataset_sink_mode=False); values(net)")
case(MODEL + "seen = []\nclass Mine(train.Callback):\n    def on_train_step_end(self, run_context):\n"
     "        p = run_context.original_args()\n        seen.append((p.cur_epoch_num, p.cur_step_num, p.batch_num, p.epoch_num))\n"
     "        if p.cur_step_num == 6:\n            run_context.request_stop()\n"
     "model.train(2, data, callbacks=[Mine()], dataset_sink_mode=False)\nseen")
case(MODEL + "seen = []\nclass Mine(ms.Callback):\n    def __getattribute__(self, name):\n"
     "        if name in ('begin', 'end', 'epoch_begin', 'epoch_end', 'step_begin', 'step_end'):\n"
     "            return lambda r: seen.append(name)\n        return super().__getattribute__(name)\n"
     "model.train(1, data, callbacks=Mine(), dataset_sink_mode=False)\nlen(seen) > 0")
case(MODEL + "seen = []\nc = train.LambdaCallback(on_train_epoch_end=lambda r: seen.append(r.original_args().cur_epoch_num))\n"
     "model.train(3, data, callbacks=[c], dataset_sink_mode=False)\nseen")
case(MODEL + "c = train.LearningRateScheduler(lambda lr, step: lr * 0.5)\n"
     "model.train(1, data, callbacks=[c], dataset_sink_mode=False)\nvalues(net)")
case(MODEL + "h = train.History(); model.train(2, data, callbacks=[h], dataset_sink_mode=False); sorted(h.epoch)")
case(MODEL + "h = ms.History(); model.train(2, data, callbacks=[h], dataset_sink_mode=False); h.epoch['epoch']")
case(MODEL + "model.fit(4, data, data, callbacks=[train.EarlyStopping('mae', patience=1, min_delta=10)], dataset_sink_mode=False); "
     "values(net)")
case(MODEL + "model.fit(3, data, data, callbacks=[train.ReduceLROnPlateau('mae', patience=0, min_delta=10, factor=0.5)], "
     "dataset_sink_mode=False); values(net)")
case(MODEL + "import os; c = train.ModelCheckpoint('net', '.', train.CheckpointConfig(save_checkpoint_steps=2, "
     "keep_checkpoint_max=3)); model.train(2, data, callbacks=[c], dataset_sink_mode=False); "
     "sorted(n for n in os.listdir('.') if n.endswith('.ckpt'))")
case(MODEL + "import os; c = ms.ModelCheckpoint('net', 'here', ms.CheckpointConfig(4, append_info=['epoch_num'])); "
     "model.train(2, data, callbacks=[c], dataset_sink_mode=False); "
     "[sorted(n for n in os.listdir('here') if n.endswith('.ckpt')), os.path.basename(c.latest_ckpt_file_name)]")
case("c = train.CheckpointConfig(save_checkpoint_steps=3, keep_checkpoint_max=7); "
     "[c.save_checkpoint_steps, c.keep_checkpoint_max, c.integrated_save, c.async_save, c.append_dict]")
case("train.CheckpointConfig(save_checkpoint_steps=-1)", fails=True)
case(MODEL + "model.train(1, data, callbacks=[train.LossMonitor(2), train.TimeMonitor(2)], dataset_sink_mode=False); values(net)")
case(MODEL + "model.train(1, data, callbacks=[ms.LossMonitor(), ms.TimeMonitor()], dataset_sink_mode=False); values(net)")
case(MODEL + "model.train(0, data)", fails=True)
case("train.Model(3)", fails=True)
case(DATA + "model = train.Model(net, nn.MSELoss(), nn.SGD(net.trainable_params(), 0.1), loss_scale_manager="
     "train.FixedLossScaleManager(16.0, False)); model.train(1, data, dataset_sink_mode=False); values(net)")
case(DATA + "net = nn.Dense(3, 2, weight_init='ones', bias_init='zeros'); model = ms.Model(net, nn.MSELoss(), nn.SGD(net.trainable_params(), 0.1), "
     "amp_level='O0'); model.train(1, data, dataset_sink_mode=False); values(net)")
case(DATA + "cell = amp.build_train_network(net, nn.SGD(net.trainable_params(), 0.1), nn.MSELoss(), level='O0'); "
     "[cell(f, wave(2, 2)), values(net)]")
case("c = train.RunContext({'a': 1}); c.request_stop(); [c.get_stop_requested(), c.original_args()]")

# Mixed precision
for level in ("O0", "O1", "O2", "O3", "auto"):
    case(f"net = amp.auto_mixed_precision(filled(nn.SequentialCell(nn.Dense(3, 4), nn.BatchNorm1d(4), nn.ReLU())), '{level}'); "
         "[net(f), parameters(net)]", scale=100)     # the results are float32, but float16 rounded them
case("sorted(c.__name__ for c in amp.get_black_list())")
case("len(amp.get_white_list()) > 5")
case("net = amp.custom_mixed_precision(filled(nn.SequentialCell(nn.Dense(3, 4), nn.ReLU())), white_list=[nn.Dense]); net(f)",
     scale=100)
case("amp.auto_mixed_precision(nn.Dense(3, 4), 'O7')", fails=True)
case("[amp.all_finite((f, Tensor([1.0]))), amp.all_finite((f, Tensor([np.inf], ms.float32)))]")
case("s = amp.StaticLossScaler(8.0); [s.scale(Tensor(2.0)), s.unscale((Tensor(16.0),)), s.adjust(Tensor(True))]")
case("s = amp.DynamicLossScaler(8.0, 2, 2); found = [s.scale(Tensor(2.0)), s.unscale(Tensor(16.0))]; s.adjust(Tensor(False)); "
     "found.append(s.scale_value.value()); s.adjust(Tensor(True)); s.adjust(Tensor(True)); found + [s.scale_value.value()]")
case("issubclass(amp.StaticLossScaler, amp.LossScaler)")
case("m = amp.DynamicLossScaleManager(1024, 2, 2); m.update_loss_scale(True); found = [m.get_loss_scale()]; "
     "m.update_loss_scale(False); m.update_loss_scale(False); found + [m.get_loss_scale(), m.get_drop_overflow_update()]")
case("m = ms.FixedLossScaleManager(4.0); [m.get_loss_scale(), m.get_drop_overflow_update()]")
case("[issubclass(c, ms.LossScaleManager) for c in (ms.FixedLossScaleManager, ms.DynamicLossScaleManager)]")

# Checkpoints
SAVED = "net = filled(nn.Dense(3, 2)); ms.save_checkpoint(net, 'a.ckpt'); "
case(SAVED + "sorted((n, p.shape, str(p.dtype)) for n, p in ms.load_checkpoint('a.ckpt').items())")
case(SAVED + "other = nn.Dense(3, 2); found = ms.load_param_into_net(other, ms.load_checkpoint('a.ckpt')); [values(other), found]")
case(SAVED + "other = nn.Dense(3, 2); train.load_checkpoint('a.ckpt', other); values(other)")
case(SAVED + "other = nn.Dense(3, 4); train.load_param_into_net(other, train.load_checkpoint('a.ckpt'))", fails=True)
case(SAVED + "other = nn.SequentialCell(nn.Dense(3, 2)); "
     "ms.load_param_into_net(other, ms.load_checkpoint('a.ckpt'))")
case("ms.load_checkpoint('nothing.ckpt')", fails=True)
case("train.save_checkpoint([{'name': 'a', 'data': Tensor([1.0])}], 'b.ckpt', append_dict={'epoch': 3, 'lr': 0.5}); "
     "found = train.load_checkpoint('b.ckpt'); sorted((n, v.value()) for n, v in found.items())")
case("net = filled(nn.Dense(3, 2)); ms.save_checkpoint(net, 'c', choice_func=lambda n: 'bias' in n); "
     "sorted(ms.load_checkpoint('c.ckpt'))")
case(SAVED + "sorted(ms.load_checkpoint('a.ckpt', filter_prefix='bi'))")
case("net = filled(nn.Dense(3, 2)); ms.save_checkpoint(net, 'd.safetensors', format='safetensors'); "
     "sorted(ms.load_checkpoint('d.safetensors', format='safetensors'))")

# Metrics
TWO = "wave(3, 4), wave(3, 4, step=0.3)"
SCORES = "positive(5, 3), ints(5, below=3)"
for call, data in (("Accuracy('classification')", SCORES), ("Accuracy('multilabel')", "ints(4, 3, below=2), ints(4, 3, below=2)"),
                   ("Precision('classification')", SCORES), ("Recall('classification')", SCORES), ("F1()", SCORES),
                   ("Fbeta(2.0)", SCORES), ("MAE()", TWO), ("MSE()", TWO), ("Loss()", "Tensor(2.5)"),
                   ("Top1CategoricalAccuracy()", SCORES), ("Top5CategoricalAccuracy()", "positive(5, 8), ints(5, below=8)"),
                   ("TopKCategoricalAccuracy(2)", SCORES), ("Perplexity()", "positive(4, 3), ints(4, below=3)"),
                   ("BleuScore()", "[['a', 'b', 'c', 'd', 'e']], [[['a', 'b', 'c', 'd', 'f']]]"),
                   ("Dice()", "positive(3, 4), ints(3, 4, below=2)"), ("CosineSimilarity()", "positive(3, 4)"),
                   ("CosineSimilarity('dot', 'mean', False)", "positive(3, 4)"),
                   ("ConfusionMatrix(3)", "ints(6, below=3), ints(6, below=3)"),
                   ("ConfusionMatrixMetric()", "Tensor([[[0], [1]], [[1], [0]]]), Tensor([[[0], [1]], [[0], [1]]])"),
                   ("ROC(pos_label=1)", "positive(5), ints(5, below=2)")):
    case(f"m = train.{call}; m.clear(); m.update({data}); m.eval()")
    case(f"m = nn.{call}; m.update({data}); m.update({data}); m.eval()")
LABELS = "ints(6, 7, below=3), ints(6, 7, below=2)"
for call, data in (("HausdorffDistance()", f"{LABELS}, 1"), ("HausdorffDistance('chessboard', 80.0)", f"{LABELS}, 1"),
                   ("HausdorffDistance('taxicab', None, True, False)", f"{LABELS}, 0"), ("HausdorffDistance()", f"{LABELS}, 2"),
                   ("HausdorffDistance()", "ints(3, 4, 5, below=3), ints(3, 4, 5, below=2), 1"),
                   ("MeanSurfaceDistance()", f"{LABELS}, 1"), ("MeanSurfaceDistance(True, 'taxicab')", f"{LABELS}, 1"),
                   ("MeanSurfaceDistance(True)", f"{LABELS}, 2"), ("RootMeanSquareDistance()", f"{LABELS}, 0"),
                   ("RootMeanSquareDistance(True, 'chessboard')", f"{LABELS}, 1"),
                   ("OcclusionSensitivity()", "filled(nn.Dense(4, 2)), positive(1, 4), Tensor(1)"),
                   ("OcclusionSensitivity(0.5, 1, 3, [0, 0, 1, 2, 0, -1])",
                    "filled(nn.SequentialCell(nn.Flatten(), nn.Dense(12, 2))), positive(1, 1, 3, 4), Tensor(0)")):
    case(f"m = train.{call}; m.clear(); m.update({data}); m.eval()")
case("m = train.HausdorffDistance(); m.update(ints(3, 4, below=2), ints(3, 4, below=2), 7)", fails=True)
case("train.HausdorffDistance().eval()", fails=True)
case("train.Accuracy().eval()", fails=True)
case("train.Accuracy('nothing')", fails=True)
case("m = train.Accuracy(); m.set_indexes([1, 0]); m.update(ints(5, below=3), positive(5, 3)); m.eval()")
case("class Mine(nn.Metric):\n    def clear(self):\n        self.n = 0\n    @nn.rearrange_inputs\n    def update(self, *x):\n"
     "        self.n += x[0].asnumpy().sum()\n    def eval(self):\n        return float(self.n)\n"
     "m = Mine().set_indexes([1, 0])\nm.clear()\nm.update(Tensor([1.0]), Tensor([5.0]))\nm.eval()")
case("train.auc(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.7, 1.0]))")
case("sorted(set(train.names()) & {'accuracy', 'acc', 'mae', 'mse', 'loss', 'F1', 'topk', 'dice', 'roc'})")
case("type(train.get_metric_fn('accuracy', 'multilabel')).__name__")
case("type(nn.get_metric_fn('mse')).__name__")
case("from mindspore.train.amp import _config_level; [[d['keep_batchnorm_fp32'], d['cast_model_type'], d['loss_scale_manager'] is None] for d in _config_level.values()]")
documented("from mindspore.nn.wrap.loss_scale import _grad_overflow; ops.HyperMap()(ops.partial(_grad_overflow), (Tensor([1.0, np.inf]), wave(2, 2)))", "(Tensor([1.0]), Tensor([0.0]))")
case("from mindspore.train.amp import _add_loss_network, _do_keep_batchnorm_fp32; net = nn.SequentialCell(filled(nn.Dense(3, 2)), nn.BatchNorm1d(2)).to_float(ms.float16); "
     "_do_keep_batchnorm_fp32(net); [net(wave(4, 3)), _add_loss_network(net, nn.MSELoss(), ms.float16)(wave(4, 3), wave(4, 2))]", scale=20)
case("from mindspore.train.summary.summary_record import _get_summary_tensor_data; callable(_get_summary_tensor_data)")
documented("class Doubling(ms.Model):\n    def _build_train_network(self):\n        self.seen = [self._amp_level, self._keep_bn_fp32, self._loss_scale_manager_set]\n        return super()._build_train_network()\n"
           "net = filled(nn.Dense(3, 2)); model = Doubling(net, nn.MSELoss(), nn.SGD(net.trainable_params())); [model.seen, type(model.train_network).__name__]",
           "[['O0', None, False], 'TrainOneStepCell']")
