"""Collections of texts, recordings and annotated pictures, from small files in their layout."""
from tests.compat.table import case, documented, refused

TABLE = ("import os; os.makedirs('t'); open('t/train.csv', 'w').write('\"1\",\"a, b\",\"c \"\"d\"\"\"\\n\"2\",\"e\",\"f\"\\n'); "
         "open('t/test.csv', 'w').write('\"3\",\"g\",\"h\"\\n'); ")
for name in ("AGNewsDataset", "AmazonReviewDataset", "DBpediaDataset", "SogouNewsDataset"):
    case(TABLE + f"data = dataset.{name}('t', 'train', shuffle=False); [rows(data), data.get_col_names(), data.get_dataset_size()]")
case(TABLE + "[len(rows(dataset.AGNewsDataset('t', 'all', shuffle=False))), rows(dataset.AGNewsDataset('t', 'test')), len(rows(dataset.AGNewsDataset('t', num_samples=2)))]")
case(TABLE + "dataset.AGNewsDataset('t', 'nonsense')", fails=True)
case("dataset.AGNewsDataset('nothing')", fails=True)
case("import os; os.makedirs('t'); open('t/train.csv', 'w').write('\"1\",\"q\",\"c\",\"d\"\\n'); data = dataset.YahooAnswersDataset('t', 'train', shuffle=False); [rows(data), data.get_col_names()]")
case("import os; os.makedirs('t'); open('t/train.csv', 'w').write('\"1\",\"good\"\\n\"2\",\"bad\"\\n'); data = dataset.YelpReviewDataset('t', 'train', shuffle=False); [rows(data), data.get_col_names()]")
RUNNING = "import os; os.makedirs('t'); [open(f't/{p}', 'w').write(f' \\n = {p} = \\n \\n some words .\\n') for p in ('wiki.train.tokens', 'wiki.test.tokens', 'wiki.valid.tokens', 'ptb.train.txt', 'ptb.test.txt', 'ptb.valid.txt')]; "
case(RUNNING + "data = dataset.WikiTextDataset('t', 'test', shuffle=False); [rows(data), data.get_col_names(), data.get_dataset_size()]")
case(RUNNING + "data = dataset.PennTreebankDataset('t', 'valid', shuffle=False); [rows(data), data.get_col_names()]")
TAGGED = "import os; os.makedirs('t'); [open(f't/{p}', 'w').write(s.join('abc') + '\\n' + s.join('def') + '\\n\\n' + s.join('ghi') + '\\n\\n') for p, s in (('train.txt', ' '), ('test.txt', ' '), ('en-ud-tag.v2.train.txt', '\\t'), ('en-ud-tag.v2.dev.txt', '\\t'))]; "
case(TAGGED + "data = dataset.UDPOSDataset('t', 'train', shuffle=False); [rows(data), data.get_col_names()]")
case(TAGGED + "rows(dataset.UDPOSDataset('t', 'valid', shuffle=False))")
case(TAGGED + "data = dataset.CoNLL2000Dataset('t', 'test', shuffle=False); [rows(data), data.get_col_names()]")
IWSLT = ("import os; d = 't/texts/de/en/de-en'; os.makedirs(d); e = 't/texts/DeEnItNlRo/DeEnItNlRo/DeEnItNlRo-DeEnItNlRo'; os.makedirs(e); "
         "[open(f'{p}/train.tags.de-en.{l}', 'w').write(f'<url>x</url>\\n{l} one\\n{l} two\\n') for p in (d, e) for l in ('de', 'en')]; "
         "[open(f'{p}/{n}.de-en.{l}.xml', 'w').write(f'<?xml version=\"1.0\" encoding=\"UTF-8\"?>\\n<mteval>\\n<refset>\\n<doc docid=\"1\" genre=\"lectures\">\\n<seg id=\"1\"> {l} three </seg>\\n<seg id=\"2\"> {l} four </seg>\\n</doc>\\n</refset>\\n</mteval>\\n') "
         "for p, n in ((d, 'IWSLT16.TED.tst2013'), (e, 'IWSLT17.TED.dev2010')) for l in ('de', 'en')]; ")
case(IWSLT + "data = dataset.IWSLT2016Dataset('t', 'train', ('de', 'en'), shuffle=False); [rows(data), data.get_col_names()]")
case(IWSLT + "rows(dataset.IWSLT2016Dataset('t', 'valid', ('de', 'en'), shuffle=False))")
case(IWSLT + "rows(dataset.IWSLT2017Dataset('t', 'train', ('de', 'en'), shuffle=False))")
case(IWSLT + "rows(dataset.IWSLT2017Dataset('t', 'valid', ('de', 'en'), shuffle=False))")
case("import os, json; os.makedirs('t'); open('t/train-v1.1.json', 'w').write(json.dumps({'version': '1.1', 'data': [{'title': 't', 'paragraphs': [{'context': 'a b c', 'qas': ["
     "{'id': '1', 'question': 'q?', 'answers': [{'text': 'b', 'answer_start': 2}, {'text': 'c', 'answer_start': 4}]}, {'id': '2', 'question': 'r?', 'answers': [{'text': 'a', 'answer_start': 0}]}]}]}]})); "
     "data = dataset.SQuADDataset('t', 'train', shuffle=False); [rows(data), data.get_col_names()]")
IMDB = "import os; [(os.makedirs(f't/{p}/{o}'), open(f't/{p}/{o}/0_1.txt', 'w').write(f'{p} {o}'), open(f't/{p}/{o}/1_1.txt', 'w').write(o)) for p in ('train', 'test') for o in ('pos', 'neg')]; "
case(IMDB + "data = dataset.IMDBDataset('t', 'train', shuffle=False); [rows(data), data.get_col_names()]")
case(IMDB + "rows(dataset.IMDBDataset('t', 'all', shuffle=False))")

WAV = ("import os, wave\ndef wav(path, n=6, channels=1, rate=8000):\n    os.makedirs(os.path.dirname(path), exist_ok=True)\n    with wave.open(path, 'wb') as f:\n        f.setnchannels(channels)\n        f.setsampwidth(2)\n        f.setframerate(rate)\n"
       "        f.writeframes((np.arange(n * channels) * 1000 - 2000).astype('<i2').tobytes())\n")
case(WAV + "wav('t/1_0_0_1_0_1_1_0.wav'); data = dataset.YesNoDataset('t', shuffle=False); [rows(data), data.get_col_names()]")
case(WAV + "wav('t/cat/b4_nohash_0.wav'); wav('t/dog/b5_nohash_1.wav', 4); wav('t/dog/b6_nohash_2.wav', 3); open('t/testing_list.txt', 'w').write('dog/b5_nohash_1.wav\\n'); open('t/validation_list.txt', 'w').write('dog/b6_nohash_2.wav\\n'); "
     "data = dataset.SpeechCommandsDataset('t', 'test', shuffle=False); [rows(data), data.get_col_names(), rows(dataset.SpeechCommandsDataset('t', 'train', shuffle=False)), dataset.SpeechCommandsDataset('t').get_dataset_size()]")
case(WAV + "wav('t/blues/blues.00000.wav', rate=22050); wav('t/disco/disco.00000.wav', 4, rate=22050); data = dataset.GTZANDataset('t', shuffle=False); [rows(data), data.get_col_names()]")
refused(WAV + "wav('t/blues/blues.00000.wav'); dataset.GTZANDataset('t', 'train')")
case(WAV + "wav('t/wavs/LJ001-0001.wav'); open('t/metadata.csv', 'w').write('LJ001-0001|Dr. 1|Doctor one\\n'); data = dataset.LJSpeechDataset('t', shuffle=False); [rows(data), data.get_col_names()]")
case(WAV + "wav('t/dev-clean/116/288045/116_288045_000003_000000.wav', rate=24000); open('t/dev-clean/116/288045/116_288045.trans.tsv', 'w').write('116_288045_000003_000000\\tPART 1\\tPART one\\n'); "
     "data = dataset.LibriTTSDataset('t', 'dev-clean', shuffle=False); [rows(data), data.get_col_names()]")
case(WAV + "wav('t/cmu_us_aew_arctic/wav/arctic_a0001.wav', rate=16000); os.makedirs('t/cmu_us_aew_arctic/etc'); open('t/cmu_us_aew_arctic/etc/txt.done.data', 'w').write('( arctic_a0001 \"Author of it.\" )\\n'); "
     "data = dataset.CMUArcticDataset('t', 'aew', shuffle=False); [rows(data), data.get_col_names()]")
# MindSpore gives zeros for these samples
SPH = ("import os; os.makedirs('t/dev/sph'); os.makedirs('t/dev/stm'); h = 'NIST_1A\\n   1024\\nchannel_count -i 1\\nsample_count -i 80\\nsample_rate -i 20\\nsample_n_bytes -i 2\\nsample_byte_format -s2 01\\nsample_sig_bits -i 16\\nsample_coding -s3 pcm\\nend_head\\n'; "
     "open('t/dev/sph/A_2009.sph', 'wb').write(h.encode().ljust(1024) + (np.arange(80) * 100).astype('<i2').tobytes()); open('t/dev/stm/A_2009.stm', 'w').write('A_2009 1 A 0.5 1.5 <o,f0,male> hello there\\nA_2009 1 B 2.00 3.25 <o,f0,male> bye\\n'); "
     "data = dataset.TedliumDataset('t', 'release1', 'dev', shuffle=False); ")
case(SPH + "[[r[1:] for r in rows(data)], [r[0].shape for r in rows(data)], data.get_col_names()]")
documented(SPH + "rows(data)[0][0]", "(np.arange(10, 30) * 100 / 32768).astype(np.float32)[None]")

# Pictures
VOC = ("from PIL import Image; import os; [os.makedirs(f'v/{p}') for p in ('Annotations', 'ImageSets/Main', 'ImageSets/Segmentation', 'JPEGImages', 'SegmentationClass')]; "
       "[(Image.fromarray(image(4, 6) // (i + 1)).save(f'v/JPEGImages/{i}.jpg'), Image.fromarray(image(4, 6)[..., 0] // 100).save(f'v/SegmentationClass/{i}.png')) for i in range(2)]; "
       "box = lambda name, x, d: f'<object><name>{name}</name><truncated>1</truncated><difficult>{d}</difficult><bndbox><xmin>{x}</xmin><ymin>1</ymin><xmax>5</xmax><ymax>3</ymax></bndbox></object>'; "
       "[open(f'v/Annotations/{i}.xml', 'w').write('<annotation><filename>x</filename>' + box('dog', 2, 0) + (box('cat', 1, 1) if i else '') + '</annotation>') for i in range(2)]; "
       "[open(f'v/ImageSets/{k}/train.txt', 'w').write('0\\n1\\n') for k in ('Main', 'Segmentation')]; ")
case(VOC + "data = dataset.VOCDataset('v', 'Detection', 'train', shuffle=False); [[r[1:] for r in rows(data)], data.get_col_names(), data.get_class_indexing()]")
case(VOC + "data = dataset.VOCDataset('v', 'Detection', 'train', {'cat': 7}, shuffle=False, decode=True); [[(r[0].shape, r[1:]) for r in rows(data)], data.get_dataset_size()]")
case(VOC + "data = dataset.VOCDataset('v', shuffle=False, decode=True); [[(r[0].shape, r[1]) for r in rows(data)], data.get_col_names()]")
case(VOC + "dataset.VOCDataset('v', 'nonsense')", fails=True)
case(VOC + "dataset.VOCDataset('v', 'Segmentation', class_indexing={'cat': 7})", fails=True)
COCO = ("from PIL import Image; import os, json; os.makedirs('c'); [Image.fromarray(image(4, 6)).save(f'c/{i}.png') for i in range(2)]; "
        "images = [{'id': i + 5, 'file_name': f'{i}.png', 'height': 4, 'width': 6} for i in range(2)]; categories = [{'id': 1, 'name': 'cat', 'supercategory': 'a'}, {'id': 3, 'name': 'dog', 'supercategory': 'a'}]; "
        "write = lambda *entries: open('c.json', 'w').write(json.dumps({'images': images, 'annotations': list(entries), 'categories': categories})); "
        "entry = lambda image, category, **more: {'id': 10 * image + category, 'image_id': image, 'category_id': category, 'iscrowd': 0, 'area': 6.0, 'bbox': [1.0, 1.5, 2.0, 3.0], **more}; ")
case(COCO + "write(entry(5, 1), entry(5, 3), entry(6, 3)); data = dataset.CocoDataset('c', 'c.json', shuffle=False, decode=True); [rows(data), data.get_col_names(), data.get_class_indexing()]")
case(COCO + "write(entry(5, 1, segmentation=[[1.0, 2.0, 3.0, 1.0, 2.0, 2.5]]), entry(5, 3, segmentation=[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]])); data = dataset.CocoDataset('c', 'c.json', 'Stuff', shuffle=False); [[r[1:] for r in rows(data)], data.get_col_names()]")
case(COCO + "write(entry(5, 1, keypoints=[1, 2, 2, 3, 4, 1], num_keypoints=2)); data = dataset.CocoDataset('c', 'c.json', 'Keypoint', shuffle=False); [[r[1:] for r in rows(data)], data.get_col_names()]")
case(COCO + "write({'id': 1, 'image_id': 5, 'caption': 'a cat'}, {'id': 2, 'image_id': 5, 'caption': 'a pet'}); data = dataset.CocoDataset('c', 'c.json', 'Captioning', shuffle=False); [[r[1:] for r in rows(data)], data.get_col_names()]")
CELEBA = ("from PIL import Image; import os; os.makedirs('a'); [Image.fromarray(image(4, 6)).save(f'a/{i:06}.png') for i in range(3)]; "
          "open('a/list_attr_celeba.txt', 'w').write('3\\n' + ' '.join(f'A{i}' for i in range(40)) + '\\n' + ''.join(f'{i:06}.png ' + ' '.join(['-1', '1'] * 19 + ['1', '-1']) + '\\n' for i in range(3))); "
          "open('a/list_eval_partition.txt', 'w').write('000000.png 0\\n000001.png 1\\n000002.png 2\\n'); ")
case(CELEBA + "data = dataset.CelebADataset('a', shuffle=False, decode=True); [rows(data), data.get_col_names(), data.get_dataset_size()]")
case(CELEBA + "[len(rows(dataset.CelebADataset('a', usage=u))) for u in ('train', 'valid', 'test')]")
CITY = ("from PIL import Image; import os; [os.makedirs(f'y/{k}/{u}/bonn') for k in ('leftImg8bit', 'gtFine') for u in ('train', 'val', 'test')]; "
        "[(Image.fromarray(image(4, 6)).save(f'y/leftImg8bit/{u}/bonn/bonn_0_1_leftImg8bit.png'), [Image.fromarray(image(4, 6)[..., 0]).save(f'y/gtFine/{u}/bonn/bonn_0_1_gtFine_{k}.png') for k in ('instanceIds', 'labelIds', 'color')], "
        "open(f'y/gtFine/{u}/bonn/bonn_0_1_gtFine_polygons.json', 'w').write('{\"a\": 1}')) for u in ('train', 'val', 'test')]; ")
for options in ("'train', 'fine', 'semantic', decode=True, shuffle=False", "'val', task='polygon', decode=True, shuffle=False", "'train', 'fine', 'instance', decode=True, shuffle=False"):
    case(CITY + f"data = dataset.CityscapesDataset('y', {options}); [rows(data), data.get_col_names()]")
case(CITY + "dataset.CityscapesDataset('y', 'train_extra', 'fine')", fails=True)
case("data = dataset.FakeImageDataset(20, (4, 5, 3), 3, 0, shuffle=False); [kind([ms.Tensor(v) for v in rows(data, 1)[0]]), data.get_col_names(), data.get_dataset_size(), all(int(r[1]) < 3 for r in rows(data))]")
case("dataset.FakeImageDataset(0)", fails=True)
