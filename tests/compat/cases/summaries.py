"""Summary files: the events in them, without their times."""
from tests.compat.table import case, refused

READ = ("import os, struct\ndef varint(d, a):\n    v = s = 0\n    while True:\n        b = d[a]; a += 1; v |= (b & 127) << s; s += 7\n        if b < 128:\n            return v, a\n"
        "def events(folder):\n    found = []\n    d = open(os.path.join(folder, os.listdir(folder)[0]), 'rb').read(); a = 0\n    while a < len(d):\n"
        "        n = struct.unpack_from('<Q', d, a)[0]; e = d[a + 12:a + 12 + n]; a += n + 16\n        found.append(e[9:].hex())\n    return found\n")
OPEN = READ + "from mindspore.train.summary import SummaryRecord\nwith SummaryRecord('s') as r:\n"
case(OPEN + "    r.add_value('scalar', 'loss', Tensor(0.5))\n    done = r.record(1)\n    r.add_value('scalar', 'loss', Tensor(0.25))\n    r.record(2)\n[done, events('s')]")
case(OPEN + "    r.add_value('tensor', 'w', f)\n    r.record(300)\nevents('s')")
case(OPEN + "    r.add_value('histogram', 'w', Tensor([1.0, 2.0, 4.0]))\n    r.add_value('histogram', 'v', wave(30))\n    r.record(3)\n[len(e) for e in events('s')]")
case(OPEN + "    r.add_value('image', 'i', Tensor(np.ones((1, 3, 4, 4), np.float32)))\n    r.record(3)\nlen(events('s'))")
DATA = ("data = dataset.NumpySlicesDataset({'x': wave(8, 3).asnumpy(), 'y': wave(8, 2, step=0.3).asnumpy()}, shuffle=False).batch(2)\n"
        "net = filled(nn.Dense(3, 2))\nmodel = train.Model(net, nn.MSELoss(), nn.Momentum(net.trainable_params(), 0.1, 0.9))\n")
case(READ + DATA + "c = train.SummaryCollector('s', collect_freq=2, keep_default_action=False, collect_specified_data={'collect_metric': True})\n"
     "model.train(1, data, callbacks=[c], dataset_sink_mode=False)\nsorted({(e[2:4], round(struct.unpack('<f', bytes.fromhex(e)[-4:])[0], 4)) for e in events('s') if '6c6f73732f6175746f' in e})")
case(READ + DATA + "c = ms.SummaryCollector('s', collect_freq=1, keep_default_action=False, collect_specified_data={'collect_metric': True})\n"
     "model.train(2, data, callbacks=[c], dataset_sink_mode=False)\nlen(sorted({(e[2:4], round(struct.unpack('<f', bytes.fromhex(e)[-4:])[0], 4)) for e in events('s') if '6c6f73732f6175746f' in e}))")
refused("train.SummaryLandscape('s')")
