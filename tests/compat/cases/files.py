"""Datasets in files: TFRecord, text, CSV, padding; schemas."""
from tests.compat.table import case

WRITE = ("p = tfrecord('a.tfrecord', [{'id': [i], 'vec': [0.5 * i, 1.5], 'name': [b'n%d' % i], 'ids': [i, -7, 2 ** 40]} for i in range(4)]); ")
case(WRITE + "data = dataset.TFRecordDataset(p, shuffle=False); [data.get_dataset_size(), sorted(data.get_col_names())]")
case(WRITE + "rows(dataset.TFRecordDataset(p, columns_list=['id', 'vec', 'ids'], shuffle=False))")
case(WRITE + "[r[0].tolist() for r in rows(dataset.TFRecordDataset([p], columns_list=['name'], shuffle=False))]")
case(WRITE + "s = dataset.Schema(); s.add_column('id', ms.int64, [1]); s.add_column('vec', ms.float32, [2]); rows(dataset.TFRecordDataset(p, s, shuffle=False))")
case(WRITE + "s = dataset.Schema(); s.add_column('id', ms.int32); s.add_column('ids', ms.int64, [3, 1]); rows(dataset.TFRecordDataset(p, s, shuffle=False))")
case(WRITE + "sorted(int(r[0][0]) for r in rows(dataset.TFRecordDataset(p, columns_list=['id'])))")
case(WRITE + "rows(dataset.TFRecordDataset(p, columns_list=['id'], shuffle=False, num_samples=2))")
case(WRITE + "rows(dataset.TFRecordDataset(p, columns_list=['id'], shuffle=False, num_shards=2, shard_id=1, shard_equal_rows=True))")
case(WRITE + "rows(dataset.TFRecordDataset(p, columns_list=['id', 'vec'], shuffle=dataset.Shuffle.FILES).batch(2))")
case("dataset.TFRecordDataset('nothing.tfrecord')", fails=True)
case("s = dataset.Schema(); s.add_column('a', ms.int64, [2]); s.add_column('b', ms.uint8); import json; json.loads(s.to_json())")
case("import json; open('s.json', 'w').write(json.dumps({'columns': {'a': {'type': 'int64', 'rank': 1, 'shape': [2]}}})); s = dataset.Schema('s.json'); json.loads(s.to_json())['columns']")
case("s = dataset.Schema(); s.parse_columns([{'name': 'a', 'type': 'int8', 'shape': [3]}]); import json; json.loads(s.to_json())['columns']")
case("dataset.Schema().add_column('a', 'nothing')", fails=True)
case("[dataset.Shuffle.GLOBAL.name, dataset.Shuffle.FILES.name, dataset.Shuffle.INFILE.name]")

TEXT = "open('a.txt', 'w').write('one line\\nanother one\\n\\nthe last'); "
case(TEXT + "data = dataset.TextFileDataset('a.txt', shuffle=False); [[str(r[0]) for r in rows(data)], data.get_dataset_size(), data.get_col_names()]")
case(TEXT + "[str(r[0]) for r in rows(dataset.TextFileDataset(['a.txt'], shuffle=False, num_samples=2))]")
case(TEXT + "sorted(str(r[0]) for r in rows(dataset.TextFileDataset('a.txt')))")
case("dataset.TextFileDataset('nothing.txt')", fails=True)
CSV = "open('a.csv', 'w').write('1,0.5,x\\n2,1.5,y z\\n3,2.5,\"q,r\"\\n'); "
case(CSV + "rows(dataset.CSVDataset('a.csv', column_defaults=[0, 0.0, ''], column_names=['a', 'b', 'c'], shuffle=False))")
case(CSV + "data = dataset.CSVDataset('a.csv', column_names=['a', 'b', 'c'], shuffle=False); [[str(v) for r in rows(data) for v in r], data.get_dataset_size()]")
case("open('b.csv', 'w').write('a;b\\n1;2\\n'); data = dataset.CSVDataset('b.csv', ';', [0, 0], shuffle=False); [rows(data), data.get_col_names()]")
case("data = dataset.PaddedDataset([{'a': np.zeros(1, np.int32)}, {'a': np.ones(1, np.int32)}]); [rows(data), data.get_dataset_size()]")
case("data = dataset.NumpySlicesDataset({'a': np.arange(3).reshape(3, 1)}, shuffle=False) + dataset.PaddedDataset([{'a': np.full(1, -1)}]); rows(data)")
case("from mindspore.train.serialization import _load_dismatch_prefix_params; net = nn.Dense(3, 2); left = ['weight', 'bias']; "
     "_load_dismatch_prefix_params(net, {'net.weight': ms.Parameter(wave(2, 3), 'net.weight')}, left, False); [left, net.weight]")
