"""Vocabularies, tokenizers and other transforms of text."""
from tests.compat.table import case, documented, refused

VOCAB = "v = text.Vocab.from_list(['un', '##aff', '##able', '[UNK]', 'w', 'hi', '!'], special_tokens=['<pad>'], special_first=True); "
case(VOCAB + "[sorted(v.vocab().items()), v.tokens_to_ids(['w', 'zz']), v.tokens_to_ids('hi'), v.ids_to_tokens([1, 0]), v.ids_to_tokens(77)]")
case("sorted(text.Vocab.from_list(['a', 'b'], ['<s>'], False).vocab().items())")
case("sorted(text.Vocab.from_dict({'a': 3, 'b': 6}).vocab().items())")
case("open('v.txt', 'w').write('a,1\\nb,2\\nc,3\\n'); [sorted(text.Vocab.from_file('v.txt', ',', 2, ['<u>'], True).vocab().items()), sorted(text.Vocab.from_file('v.txt').vocab().items())]")
WORDS = "data = dataset.NumpySlicesDataset(['a', 'b', 'b', 'c', 'c', 'c', 'd d'], ['t'], shuffle=False); "
for options in ("['t'], freq_range=(1, 2), special_tokens=['<p>']", "'t'", "top_k=2", "freq_range=(2, None), special_tokens=['<p>'], special_first=False"):
    case(WORDS + f"sorted(text.Vocab.from_dataset(data, {options}).vocab().items())")
for wrong in ("from_list(['a', 'a'])", "from_list([1])", "from_dict({'a': -1})", "from_list(['a'], ['a'])", "from_file('nothing')"):
    case(f"text.Vocab.{wrong}", fails=True)
case("text.Vocab.from_dict({'a': 3}).ids_to_tokens(-1)", fails=True)
case(VOCAB + "[text.Lookup(v, 'w')(np.array(['hi', 'z'])), text.Lookup(v, data_type=ms.int64)('un'), text.Lookup(v)(np.array([['un', 'w']]))]")
case(VOCAB + "text.Lookup(v)(np.array(['z']))", fails=True)
case(VOCAB + "text.Lookup(v, 'zzz')(np.array('a'))", fails=True)
case(VOCAB + "rows(dataset.NumpySlicesDataset(['un hi', 'w  ! zz'], ['t'], shuffle=False).map([text.WhitespaceTokenizer(), text.Lookup(v, '[UNK]')], ['t']))")
for call in ("WhitespaceTokenizer(True)('Welcome  to\\tBeiJing 北京 x ')", "WhitespaceTokenizer()('  ')", "UnicodeScriptTokenizer(True)('Welcome to 北京, 12ab! ')",
             "UnicodeScriptTokenizer(with_offsets=True)('ab, あア!? 12!')", "UnicodeCharTokenizer(True)('a 北!')", "UnicodeCharTokenizer()('')",
             "RegexTokenizer(r'\\s+', '', True)('Welcome To  BeiJing!')", "RegexTokenizer(r'[\\p{Han}]|\\s', r'\\p{Han}')('Welcome To 北京')",
             "RegexTokenizer(r'\\p{P}', r'.')('a,b;c')",
             "CaseFold()('Straße ÀB')", "NormalizeUTF8()('ﬁ')", "NormalizeUTF8(text.NormalizeForm.NONE)('ﬁ')", "NormalizeUTF8(text.NormalizeForm.NFD)('é')",
             "Ngram([2, 3], ('_', 1), ('*', 2), '-')(np.array(['a', 'b', 'c']))", "Ngram(3)(np.array(['a']))", "SlidingWindow(2, 0)(np.array([1, 2, 3, 4]))",
             "ToNumber(ms.int8)(np.array(['1', '-5']))", "ToNumber(ms.float16)('1.5')", "Truncate(2)(np.array(['a', 'b', 'c']))", "Truncate(5)(np.array([1, 2]))",
             "TruncateSequencePair(4)(np.array([1, 2, 3]), np.array([4, 5, 6, 7]))", "TruncateSequencePair(4)(np.array([1, 2, 3, 4]), np.array([4]))",
             "AddToken('CLS')(np.array(['a']))", "AddToken('E', False)(np.array([['a'], ['b']]))", "to_bytes(np.array(['ab', 'c'])).dtype.str", "to_str(np.array([b'ab']))",
             "RegexReplace(r'[a-c]+', 'X', False)('abc dab')", "RegexReplace(r'(\\w)(\\d)', r'$2$1')('a1 b2')", "PythonTokenizer(lambda s: s.split())(np.array('a b c'))",
             "BasicTokenizer(with_offsets=True)('Welcome to 北京, [MASK] isn\\'t!')", "BasicTokenizer(True)('Wélcome to  BeiJing, ok')",
             "BasicTokenizer(keep_whitespace=True, preserve_unused_token=False)('a [SEP]\\tb')",
             "FilterWikipediaXML()('Welcome     to    China')", "FilterWikipediaXML()('Hello <b>x</b>, 3 worlds!')"):
    case(f"text.{call}")
for wrong in ("ToNumber(ms.int8)(np.array(['300']))", "ToNumber(ms.int8)('a')", "WhitespaceTokenizer('a')", "Ngram(0)", "SlidingWindow(0)", "Truncate(-1)", "AddToken(3)",
              "NormalizeUTF8('a')", "PythonTokenizer(3)", "RegexReplace(3, 'a')"):
    case(f"text.{wrong}", fails=True)
case(VOCAB + "[text.WordpieceTokenizer(v, with_offsets=True)(np.array(['unaffable', 'w'])), text.WordpieceTokenizer(v)(np.array(['wx', 'hi'])), text.WordpieceTokenizer(v, unknown_token='')('wx')]")
case(VOCAB + "[text.BertTokenizer(v)('Unaffable unaffable hi!'), text.BertTokenizer(v, lower_case=True)('HI unaffable')]")
case(VOCAB + "text.BertTokenizer(v, with_offsets=True)('unaffable hi!')")
VECTORS = "open('glove.6B.t.txt', 'w').write('ok 1 2 3\\nhi 4 5 6\\n'); open('t.vec', 'w').write('2 3\\nok 1 2 3\\nhi 4 5 6\\n'); "
for kind, path in (("Vectors", "glove.6B.t.txt"), ("GloVe", "glove.6B.t.txt"), ("FastText", "t.vec")):
    case(VECTORS + f"v = text.{kind}.from_file('{path}'); [text.ToVectors(v, [0, 0, 9])('ok'), text.ToVectors(v)(np.array(['hi', 'zz'])), text.ToVectors(v, lower_case_backup=True)('OK')]")
case(VECTORS + "v = text.Vectors.from_file('glove.6B.t.txt', 1); text.ToVectors(v)('hi')")
case(VECTORS + "text.GloVe.from_file('t.vec')", fails=True)
case("open('c.txt', 'w').write('2gram-#BEGIN#a 1 2\\n2gram-ab 3 4\\n3gram-#BEGIN#ab 6 9\\n'); v = text.CharNGram.from_file('c.txt'); text.ToVectors(v)(np.array(['ab', 'z']))")
case("[m.name for m in (*text.NormalizeForm, *text.SPieceTokenizerOutType, *text.JiebaMode, *text.SentencePieceModel, *text.SPieceTokenizerLoadType)]")
case("[text.SPieceTokenizerOutType.STRING.value, text.SPieceTokenizerOutType.INT.value, text.SentencePieceModel.WORD.value]")
documented("from mindspore.dataset.text import transforms, utils; [transforms.WhitespaceTokenizer()('a b'), utils.Vocab.from_list(['a']).vocab(), transforms.UnicodeCharTokenizer()('ab'), transforms.ToNumber(ms.int32)('3')]",
           "[np.array(['a', 'b']), {'a': 0}, np.array(['a', 'b']), np.array(3, np.int32)]")
refused("text.JiebaTokenizer('a', 'b')")
refused("text.SentencePieceTokenizer('a', text.SPieceTokenizerOutType.STRING)")
refused("text.SentencePieceVocab.from_dataset(3, ['a'], 5, 0.9, text.SentencePieceModel.WORD, {})")
refused("text.SentencePieceVocab.from_file(['a'], 5, 0.9, text.SentencePieceModel.WORD, {})")
