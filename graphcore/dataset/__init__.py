"""Datasets: sources, pipelines and iterators, with the interface of ``mindspore.dataset``.

Rows are NumPy arrays until an iterator makes Tensors of them.  Nothing runs in other threads or processes unless
``num_parallel_workers`` asks for it.
"""
from graphcore.namespace import namespace


def _otherwise(name: str):
    if name == "context":       # scripts take it from here
        from graphcore import context
        return context
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__getattr__, __dir__, __all__ = namespace("graphcore.dataset", {
    "batching": "BatchDataset=Batch BatchInfo",
    "cache": "DatasetCache",
    "config": "get_seed set_seed",
    "core": "Dataset zip=zip_datasets",
    "errors": "ColumnError DatasetError",
    "families": "AudioBaseDataset MappableDataset SourceDataset TextBaseDataset VisionBaseDataset",
    "folders": "ImageFolderDataset",
    "mindrecord": "MindDataset",
    "pictures": "CelebADataset CityscapesDataset CocoDataset FakeImageDataset VOCDataset",
    "row_files": "CSVDataset PaddedDataset Shuffle TextFileDataset TFRecordDataset",
    "rowwise": """
        ConcatDataset=Concat FilterDataset=Filter MapDataset=Map ProjectDataset=Project RenameDataset=Rename
        RepeatDataset=Repeat ShuffleDataset=Shuffle SkipDataset=Skip TakeDataset=Take ZipDataset=Zip""",
    "samplers": """
        DistributedSampler IterSampler PKSampler RandomSampler Sampler SequentialSampler SubsetRandomSampler
        SubsetSampler WeightedRandomSampler""",
    "schema": "Schema",
    "sources": "GeneratorDataset MappableSource NumpySlicesDataset",
    "speech": """
        CMUArcticDataset GTZANDataset LJSpeechDataset LibriTTSDataset SpeechCommandsDataset TedliumDataset
        YesNoDataset""",
    "standard": "Cifar10Dataset Cifar100Dataset FashionMnistDataset MnistDataset",
    "text_corpora": """
        AGNewsDataset AmazonReviewDataset CoNLL2000Dataset DBpediaDataset IMDBDataset IWSLT2016Dataset
        IWSLT2017Dataset PennTreebankDataset SQuADDataset SogouNewsDataset UDPOSDataset WikiTextDataset
        YahooAnswersDataset YelpReviewDataset""",
}, modules="audio config text transforms vision", otherwise=_otherwise)
__all__ += ["audio", "config", "text", "transforms", "vision"]
