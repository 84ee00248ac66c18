"""Exported graphs, functions bound to datasets."""
from tests.compat.table import case, documented, own, refused

NET = "net = filled(nn.SequentialCell(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dense(48, 2))); x = wave(1, 2, 4, 4); "
EXPORT = NET + "ms.export(net, x, file_name='a', file_format='GIR'); "
case(NET + "ms.export(net, x, file_name='a', file_format='NOTHING')", fails=True)
case(NET + "train.export(net, x, file_name=3, file_format='MINDIR')", fails=True)
case("ms.load('nothing.other')", fails=True)
documented(EXPORT + "nn.GraphCell(ms.load('a.gir'))(x)", NET + "net(x)")
own(EXPORT + "cell = nn.GraphCell(train.load('a.gir')); sorted((p.name, p.shape) for p in cell.get_parameters())",
    NET + "sorted((p.name, p.shape) for p in net.get_parameters())")
own(NET + "net.set_train(); train.export(net, x, file_name='d/a.gir', file_format='GIR'); "
    "[net.training, nn.GraphCell(ms.load('d/a.gir'))(x)]", NET + "y = net(x); [True, y]")
own("train.export(filled(nn.LSTM(3, 4)), wave(5, 2, 3), file_name='l', file_format='GIR'); nn.GraphCell(ms.load('l.gir'))(wave(5, 2, 3))",
    "filled(nn.LSTM(3, 4))(wave(5, 2, 3))")
own(EXPORT + "nn.GraphCell(ms.load('a.gir'), params_init={'4.bias': Tensor([9.0, 9.0], ms.float32)})(x)",
    NET + "net[4].bias.set_data(Tensor([9.0, 9.0], ms.float32)); net(x)")
refused(NET + "ms.export(net, x, file_name='a', file_format='MINDIR')")
refused(NET + "ms.export(net, x, file_name='a', file_format='AIR')")
refused("ms.load('a.mindir')")

DATA = "data = dataset.NumpySlicesDataset({'x': np.arange(4, dtype=np.float32), 'y': np.ones(4, np.float32)}, shuffle=False); "
# MindSpore's need an Ascend or GPU device; without one it refuses.
documented(DATA + "step = ms.data_sink(lambda x, y: x + y, data, sink_size=1); [step() for _ in range(5)]",
           "[Tensor(v, ms.float32) for v in (1, 2, 3, 4, 1)]")
documented(DATA + "step = train.data_sink(lambda x, y: x + y, data.batch(2), sink_size=2, jit_config=ms.JitConfig()); [step(), step()]",
           "[Tensor([3.0, 4.0], ms.float32)] * 2")
case(DATA + "ms.data_sink(lambda x, y: x, data, sink_size=0)", fails=True)
case(DATA + "helper = ms.DatasetHelper(data.batch(2), dataset_sink_mode=False); [row for row in helper]")
case(DATA + "helper = train.DatasetHelper(data.batch(2), dataset_sink_mode=False); len(list(helper))")
documented(DATA + "\nclass Add(nn.Cell):\n    def construct(self, x, y):\n        return x + y\nhelper = ms.DatasetHelper(data.batch(2))\n"
           "net = ms.connect_network_with_dataset(Add(), helper)\n[helper.sink_size(), [net(*row) for row in helper]]",
           "[2, [Tensor([1.0, 2.0]), Tensor([3.0, 4.0])]]")
case("train.DatasetHelper(dataset.NumpySlicesDataset([1, 2]), sink_size=0)", fails=True)
