"""Datasets: sources, stages, samplers, iterators, settings."""
from tests.compat.table import case, documented

NUMBERS = "data = dataset.NumpySlicesDataset({'a': np.arange(7), 'b': wave(7, 2).asnumpy()}, shuffle=False); "
ONE = "data = dataset.NumpySlicesDataset(list(range(7)), ['a'], shuffle=False); more = dataset.NumpySlicesDataset([8, 9], ['a'], shuffle=False); "
case(NUMBERS + "[rows(data), data.get_dataset_size(), data.get_col_names(), data.output_shapes(), "
     "[str(t) for t in data.output_types()]]")
case("data = dataset.NumpySlicesDataset((np.arange(3), np.ones((3, 2))), shuffle=False); [rows(data), data.get_col_names()]")
case("rows(dataset.NumpySlicesDataset([[1, 2], [3, 4]], column_names=['x'], shuffle=False))")
case("rows(dataset.NumpySlicesDataset(np.arange(8), shuffle=False, num_shards=2, shard_id=1))")
case("rows(dataset.NumpySlicesDataset(np.arange(8), shuffle=False, num_samples=3))")
SOURCES = {
    "generator": "def source():\n    for i in range(5):\n        yield (np.array([i, 2 * i]), np.float32(i))\n",
    "items": "class Items:\n    def __getitem__(self, i):\n        return np.array([i]), np.array(i / 2)\n"
             "    def __len__(self):\n        return 5\nsource = Items()\n",
    "iterator": "class Steps:\n    def __init__(self):\n        self.n = 0\n    def __iter__(self):\n        self.n = 0\n        return self\n"
                "    def __next__(self):\n        self.n += 1\n        if self.n > 4:\n            raise StopIteration\n"
                "        return np.array([self.n]), np.array(1.5)\nsource = Steps()\n",
    "list": "source = [(np.array([i]), np.array([1.0])) for i in range(4)]\n",
}
for text in SOURCES.values():
    case(text + "data = dataset.GeneratorDataset(source, ['a', 'b'], shuffle=False); [rows(data), data.get_col_names()]")
case(SOURCES["items"] + "data = dataset.GeneratorDataset(source, ['a', 'b'], sampler=[4, 0, 2]); rows(data)")
case(SOURCES["items"] + "data = dataset.GeneratorDataset(source, ['a', 'b'], shuffle=False, num_shards=2, shard_id=1); "
     "[rows(data), data.get_dataset_size()]")
case(SOURCES["items"] + "data = dataset.GeneratorDataset(source, ['a', 'b'], column_types=[ms.int64, ms.float64], shuffle=False); rows(data)")
case(SOURCES["items"] + "data = dataset.GeneratorDataset(source, ['a', 'b'], column_types=[ms.int32, ms.float32], shuffle=False); rows(data)", fails=True)
case(SOURCES["items"] + "data = dataset.GeneratorDataset(source, ['a', 'b'], num_parallel_workers=2, python_multiprocessing=False, shuffle=False); rows(data)")
case(SOURCES["items"] + "data = dataset.GeneratorDataset(source, ['a', 'b'], shuffle=True); sorted(int(r[0][0]) for r in rows(data))")
case("dataset.GeneratorDataset(3, ['a'])", fails=True)
case("dataset.GeneratorDataset([(1,)], 3)", fails=True)

# Stages
for stage in ("batch(3)", "batch(3, drop_remainder=True)", "repeat(2)", "skip(5)", "take(2)", "take(-1)",
              "batch(2).repeat(2)", "repeat(2).batch(3)", "skip(1).take(3).batch(2)", "rename(['a'], ['z'])", "project(['b'])",
              "project(['b', 'a'])", "filter(lambda a: a % 2 == 0, input_columns=['a'])",
              "map(lambda a: a * 2, input_columns=['a'])", "map(operations=[lambda a: a + 1, lambda a: a * a], input_columns='a')",
              "map(lambda a, b: (a, b, b * 2), input_columns=['a', 'b'], output_columns=['a', 'b', 'c'])",
              "map(lambda a: (a, a), input_columns=['a'], output_columns=['a', 'c']).project(['c', 'a'])",
              "batch(3, per_batch_map=lambda a, b, info: ([x + info.get_batch_num() for x in a], b))",
              "batch(3, input_columns=['a'], per_batch_map=lambda a, info: ([x * 2 for x in a],))",
              "map(lambda a: a, input_columns=['a']).batch(2).map(lambda b: b + 1, input_columns=['b'])"):
    case(NUMBERS + f"data = data.{stage}; [rows(data), data.get_dataset_size(), data.get_col_names()]"
         if "filter" not in stage else NUMBERS + f"data = data.{stage}; rows(data)")
case(NUMBERS + "data = data.shuffle(4); sorted(int(r[0]) for r in rows(data))")
case(NUMBERS + "data.batch(3).get_batch_size()")
case(NUMBERS + "data.repeat(3).get_repeat_count()")
case(NUMBERS + "[rows(d) for d in data.split([0.5, 0.5], randomize=False)]")
case(NUMBERS + "[d.get_dataset_size() for d in data.split([4, 3])]")
case(ONE + "rows(data.concat(more))")
case(ONE + "rows(data + more)")
case(ONE + "rows(dataset.zip((data, more.rename(['a'], ['b']))))")
case(ONE + "rows(data.zip(more.rename(['a'], ['b'])))")
case(ONE + "rows(data.flat_map(lambda a: dataset.NumpySlicesDataset([int(a), int(a)], ['a'], shuffle=False)).take(4))")
case(ONE + "rows(data.apply(lambda d: d.take(2)))")
case("def source():\n    for i in range(4):\n        yield (np.arange(i + 1),)\n"
     "rows(dataset.GeneratorDataset(source, ['a'], shuffle=False).padded_batch(2, pad_info={'a': ([5], -1)}))")
case("def source():\n    for i in range(8):\n        yield (np.arange(i + 1),)\n"
     "rows(dataset.GeneratorDataset(source, ['a'], shuffle=False).bucket_batch_by_length(['a'], [3, 6], [2, 2, 1], "
     "lambda a: a.shape[0], pad_to_bucket_boundary=False, pad_info={'a': ([None], 0)}))")
case(NUMBERS + "[sorted(r) for r in data.create_dict_iterator(num_epochs=1)][:2]")
case(NUMBERS + "[r['a'] for r in data.create_dict_iterator(num_epochs=1)]")
case(NUMBERS + "[r['b'] for r in data.create_dict_iterator(num_epochs=1, output_numpy=True)]")
case(NUMBERS + "next(data.create_tuple_iterator(num_epochs=1))")
case(NUMBERS + "list(data.create_tuple_iterator(['b'], num_epochs=1, output_numpy=True))[0]")
case(NUMBERS + "len([1 for _ in data])")
case(NUMBERS + "it = data.create_dict_iterator(num_epochs=2); [len(list(it)), len(list(it))]")
case(NUMBERS + "data.reset(); data.get_dataset_size()")
case(NUMBERS + "data.map(lambda a: a, input_columns=['nothing']); rows(data.map(lambda a: a, input_columns=['nothing']))", fails=True)
case(NUMBERS + "data.batch(0)", fails=True)
case(NUMBERS + "data.take(-2)", fails=True)
case(NUMBERS + "data.repeat(0)", fails=True)
case(NUMBERS + "data.rename(['a'], ['b', 'c'])", fails=True)

# Samplers
for call in ("SequentialSampler()", "SequentialSampler(2, 3)", "SubsetSampler([5, 0, 3])", "DistributedSampler(2, 1, shuffle=False)",
             "DistributedSampler(3, 2, shuffle=False, num_samples=2)"):
    case(f"rows(dataset.NumpySlicesDataset(np.arange(7), ['a'], sampler=dataset.{call}))")
for call in ("RandomSampler()", "RandomSampler(num_samples=4)", "RandomSampler(replacement=True, num_samples=9)", "SubsetRandomSampler([1, 3, 5])", "WeightedRandomSampler([1.0] * 7, 5)", "DistributedSampler(2, 0)"):
    case(f"len(rows(dataset.NumpySlicesDataset(np.arange(7), ['a'], sampler=dataset.{call})))")
case("sorted(int(r[0]) for r in rows(dataset.NumpySlicesDataset(np.arange(7), ['a'], sampler=dataset.RandomSampler())))")
case("class Mine(dataset.Sampler):\n    def __iter__(self):\n        yield from (3, 1)\n"
     "rows(dataset.NumpySlicesDataset(np.arange(7), ['a'], sampler=Mine()))")
case("s = dataset.SequentialSampler(); s.add_child(dataset.SubsetSampler([4, 2])); rows(dataset.NumpySlicesDataset(np.arange(7), ['a'], sampler=s))")

SEEDED = "dataset.config.set_seed(5); it = dataset.NumpySlicesDataset(np.arange(11), ['a'], sampler=dataset.{}).create_tuple_iterator(num_epochs=3, output_numpy=True); [[int(r[0]) for r in it] for _ in range(3)]"
for call in ("DistributedSampler(2, 0)", "DistributedSampler(2, 1)", "DistributedSampler(3, 2)", "RandomSampler(True, 8)", "RandomSampler()", "RandomSampler(num_samples=4)",
             "SubsetRandomSampler([1, 3, 5, 7])", "WeightedRandomSampler([1, 2, 0.5, 3, 1, 1, 1, 1, 1, 2, 4], 8)", "WeightedRandomSampler([1, 2, 0.0, 3, 1, 1, 1, 1, 1, 2, 4], 5, False)",
             "WeightedRandomSampler([1.0] * 11)"):
    case(SEEDED.format(call))
case("dataset.config.set_seed(5); data = dataset.NumpySlicesDataset(np.arange(12), ['a'], num_shards=3, shard_id=1); [[int(r[0]) for r in rows(data)] for _ in range(2)]")
case("dataset.config.set_seed(9); data = dataset.NumpySlicesDataset(np.arange(11), ['a'], sampler=dataset.DistributedSampler(2, 1, num_samples=3)); rows(data)")
PICTURES_OF_CLASSES = ("from PIL import Image; import os; [os.makedirs(f'd/{c}') for c in 'abc']; "
                       "[Image.fromarray(np.full((2, 2, 3), i, np.uint8)).save(f'd/{c}/{i}.png') for c in 'abc' for i in range(4 if c != 'b' else 3)]; dataset.config.set_seed(5); ")
for call in ("PKSampler(2)", "PKSampler(3, shuffle=True)", "PKSampler(5, num_samples=7)"):
    case(PICTURES_OF_CLASSES + f"data = dataset.ImageFolderDataset('d', sampler=dataset.{call}, decode=True); it = data.create_tuple_iterator(num_epochs=3, output_numpy=True); "
         "[data.get_dataset_size(), [[int(r[1]) * 10 + int(r[0][0, 0, 0]) for r in it] for _ in range(3)]]")
case("dataset.PKSampler(2, 3)", fails=True)
case("dataset.PKSampler(2, shuffle='a')", fails=True)

# Settings
for name, value in (("seed", 5), ("num_parallel_workers", 2), ("prefetch_size", 4), ("monitor_sampling_interval", 100),
                    ("auto_num_workers", True), ("callback_timeout", 30), ("auto_offload", True), ("enable_shared_mem", False),
                    ("enable_autotune", False), ("numa_enable", False), ("autotune_interval", 20), ("enable_watchdog", True),
                    ("multiprocessing_timeout_interval", 100), ("fast_recovery", True), ("debug_mode", False)):
    case(f"old = dataset.config.get_{name}(); dataset.config.set_{name}({value!r}); found = dataset.config.get_{name}(); "
         f"dataset.config.set_{name}(old); found")
case("dataset.config.set_seed(-1)", fails=True)
case("dataset.config.set_prefetch_size(0)", fails=True)
case("dataset.config.set_seed(3); shuffled = lambda: [int(r[0]) for r in rows(dataset.NumpySlicesDataset(np.arange(50), ['a'], shuffle=True))]; "
     "a = shuffled(); dataset.config.set_seed(3); a == shuffled()")
documented("dataset.set_seed(3); dataset.get_seed()", "3")

# Folders and standard formats
FOLDER = ("from PIL import Image; import os; os.makedirs('d/cat'); os.makedirs('d/dog'); "
          "[Image.fromarray(image(4 + i, 5)).save(f'd/{c}/{i}.png') for c in ('cat', 'dog') for i in range(2)]; ")
case(FOLDER + "[[r[0], r[1]] for r in rows(dataset.ImageFolderDataset('d', shuffle=False, decode=True))]")
case(FOLDER + "[r[1] for r in rows(dataset.ImageFolderDataset('d', shuffle=False, class_indexing={'dog': 5, 'cat': 1}, extensions=['.png']))]")
case(FOLDER + "data = dataset.ImageFolderDataset('d', shuffle=False); [data.num_classes(), data.get_class_indexing(), data.get_dataset_size(), data.get_col_names()]")
case("dataset.ImageFolderDataset('nothing')", fails=True)
MNIST = ("import struct, os; os.makedirs('m'); p = np.arange(3 * 28 * 28, dtype=np.uint8).tobytes(); "
         "open('m/train-images-idx3-ubyte', 'wb').write(struct.pack('>4i', 2051, 3, 28, 28) + p); "
         "open('m/train-labels-idx1-ubyte', 'wb').write(struct.pack('>2i', 2049, 3) + bytes([7, 1, 4])); ")
for name in ("MnistDataset", "FashionMnistDataset"):
    case(MNIST + f"rows(dataset.{name}('m', 'train', shuffle=False))")
    case(MNIST + f"data = dataset.{name}('m', usage='train', num_samples=2, shuffle=False); [data.get_dataset_size(), data.get_col_names()]")
# MindSpore wants all 10,000 pictures of a file
CIFAR = ("import os; os.makedirs('c'); r = lambda n, k: b''.join(bytes([i] * k) + image(32, 32).transpose(2, 0, 1).tobytes() for i in range(n)); ")
PICTURES = "a = image(32, 32); "
documented(CIFAR + "[open(f'c/data_batch_{i}.bin', 'wb').write(r(2, 1)) for i in range(1, 6)]; data = dataset.Cifar10Dataset('c', 'train', shuffle=False); "
           "[rows(data, 2), data.get_dataset_size(), data.get_col_names()]",
           PICTURES + "[[[a, np.array(0, np.uint32)], [a, np.array(1, np.uint32)]], 10, ['image', 'label']]")
documented(CIFAR + "open('c/test_batch.bin', 'wb').write(r(3, 1)); rows(dataset.Cifar10Dataset('c', 'test', shuffle=False, num_samples=1))",
           PICTURES + "[[a, np.array(0, np.uint32)]]")
documented(CIFAR + "open('c/train.bin', 'wb').write(r(3, 2)); data = dataset.Cifar100Dataset('c', 'train', shuffle=False, sampler=None); [rows(data, 1), data.get_col_names()]",
           PICTURES + "[[[a, np.array(0, np.uint32), np.array(0, np.uint32)]], ['image', 'coarse_label', 'fine_label']]")
for made in ("NumpySlicesDataset([1, 2])", "FakeImageDataset(2, (2, 2, 3))", "NumpySlicesDataset([1, 2]).batch(2)"):
    case(f"[isinstance(dataset.{made}, c) for c in (dataset.SourceDataset, dataset.VisionBaseDataset, dataset.TextBaseDataset, dataset.AudioBaseDataset)]")
