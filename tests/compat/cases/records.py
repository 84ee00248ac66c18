"""MindRecord files: what is written is read back, as MindSpore does."""
from tests.compat.table import case

WRITE = ("from mindspore.mindrecord import FileWriter, FileReader\nw = FileWriter('a.mindrecord', {})\n"
         "w.add_schema({{'id': {{'type': 'int32'}}, 'vec': {{'type': 'float32', 'shape': [-1]}}, 'name': {{'type': 'string'}}, "
         "'img': {{'type': 'bytes'}}, 'ids': {{'type': 'int64', 'shape': [2, 3]}}}}, 'some rows')\n"
         "w.add_index(['id'])\nw.write_raw_data([{{'id': i, 'vec': np.arange(i + 1, dtype=np.float32), 'name': f'n{{i}}', "
         "'img': bytes([1, 2, 3, i + 1]), 'ids': np.array([[1, -300, 70000], [2 ** 40, -5, i]])}} for i in range(4)])\nw.commit()\n")
ONE = WRITE.format(1)
case(ONE + "r = FileReader('a.mindrecord')\nfound = [[row[n] for n in ('id', 'name', 'vec', 'ids')] for row in r.get_next()]\nr.close()\nfound")
case(ONE + "[row['img'].hex() for row in FileReader('a.mindrecord').get_next()]")
case(ONE + "[sorted(row) for row in FileReader('a.mindrecord', columns=['id', 'name']).get_next()]")
case(ONE + "data = dataset.MindDataset('a.mindrecord', shuffle=False)\n[data.get_dataset_size(), data.get_col_names()]")
case(ONE + "rows(dataset.MindDataset('a.mindrecord', columns_list=['name', 'id', 'vec', 'ids'], shuffle=False))")
case(ONE + "[r[0].tobytes().hex() for r in rows(dataset.MindDataset('a.mindrecord', ['img'], shuffle=False))]")
case(ONE + "rows(dataset.MindDataset('a.mindrecord', ['id'], num_shards=2, shard_id=1, shuffle=False))")
case(ONE + "rows(dataset.MindDataset('a.mindrecord', ['id'], sampler=dataset.SubsetSampler([3, 1])))")
case(ONE + "rows(dataset.MindDataset('a.mindrecord', ['id', 'ids'], shuffle=False).batch(2))")
case(ONE + "sorted(int(r[0]) for r in rows(dataset.MindDataset('a.mindrecord', ['id'])))")
case(WRITE.format(3) + "import os\n[sorted(os.listdir('.')), sorted(int(r[0]) for r in rows(dataset.MindDataset('a.mindrecord0', ['id'], shuffle=False)))]")
case(ONE + "FileWriter('a.mindrecord', 1, overwrite=True)\nw = FileWriter.open_for_append('a.mindrecord')\n"
     "w.write_raw_data([{'id': 9, 'vec': np.ones(1, np.float32), 'name': 'last', 'img': b'z', 'ids': np.zeros((2, 3), np.int64)}])\nw.commit()\n"
     "rows(dataset.MindDataset('a.mindrecord', ['id', 'name', 'ids'], shuffle=False))")
case("ms.mindrecord.FileWriter('a', 1).add_schema({'a': {'type': 'int7'}})", fails=True)
case("ms.mindrecord.FileWriter('a', 0)", fails=True)
case("ms.mindrecord.FileWriter(3)", fails=True)
case("dataset.MindDataset('nothing.mindrecord')", fails=True)
case("w = ms.mindrecord.FileWriter('b'); w.add_schema({'a': {'type': 'int64'}, 'b': {'type': 'float32'}, 'c': {'type': 'float64'}}); "
     "w.write_raw_data([{'a': 2 ** 40, 'b': 0.5, 'c': 0.1}]); w.commit(); rows(dataset.MindDataset('b', shuffle=False))")
