"""Collections of recordings, in the files in which they are distributed."""
from __future__ import annotations

import csv
import re
import wave
from pathlib import Path

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dataset.samplers import select_sampler
from graphcore.dataset.sources import MappableSource
from graphcore.dataset.standard import open_directory
from graphcore.errors import FormatError

__all__ = ["CMUArcticDataset", "GTZANDataset", "LJSpeechDataset", "LibriTTSDataset", "SpeechCommandsDataset",
           "TedliumDataset", "YesNoDataset"]


def read_wav(path: Path) -> tuple:
    """(float32 [channels, samples] between -1 and 1, samples a second) of a WAV file of 16 bits.

    Raises FormatError for anything else.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, count = file.getparams()[:4]
            data = file.readframes(count)
    except (OSError, EOFError, wave.Error) as error:
        raise FormatError(f"{path} is no WAV file: {error}") from error
    if width != 2:
        raise FormatError(f"{path} has {8 * width} bits a sample; 16 are read")
    return np.frombuffer(data, "<i2").reshape(-1, channels).T.astype(np.float32) / 32768.0, rate


def read_sph(path: Path) -> tuple:
    """The same of a NIST SPHERE file of 16 bits without compression."""
    data = path.read_bytes()
    if not data.startswith(b"NIST_1A"):
        raise FormatError(f"{path} is no SPHERE file")
    size = int(data[8:16])
    fields = {parts[0]: parts[2] for parts in (line.split(" ", 2) for line in data[16:size].decode().split("\n"))
              if len(parts) == 3}
    if fields.get("sample_n_bytes", "2") != "2" or "shorten" in fields.get("sample_coding", ""):
        raise FormatError(f"{path}: samples of 16 bits without compression are read")
    order = ">" if fields.get("sample_byte_format") == "10" else "<"
    samples = np.frombuffer(data[size:], order + "i2").reshape(-1, int(fields.get("channel_count", 1)))
    return samples.T.astype(np.float32) / 32768.0, int(fields["sample_rate"])


class _Recordings(MappableSource):
    """Recordings and what is known of them; subclasses give a list of (path, values of the columns after sample_rate).

    Columns waveform (float32), sample_rate, and COLUMNS; shuffle, sampler, num_shards, shard_id as for all sources.
    """

    COLUMNS: tuple
    RATE = np.int32

    def _open(self, entries: list, num_samples, sampler, shuffle, num_shards, shard_id) -> None:
        if not entries:
            raise DatasetError(f"{type(self).__name__}: there are no recordings in this folder")
        self._entries = entries
        super().__init__(["waveform", "sample_rate", *self.COLUMNS],
                         select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))

    def source_length(self):
        return len(self._entries)

    def row(self, index):
        path, values = self._entries[index]
        waveform, rate = read_wav(path)
        return waveform, np.array(rate, self.RATE), *(np.array(value) for value in values)

    def _check_usage(self, usage, known) -> list:
        if usage not in (None, "all", *known):
            raise ValueError(f"{type(self).__name__}: usage must be 'all' or one of {', '.join(map(repr, known))}, got "
                             f"{usage!r}")
        return list(known) if usage in (None, "all") else [usage]


class YesNoDataset(_Recordings):
    """YesNo, files such as ``1_1_0_0_1_1_0_0.wav``: columns waveform, sample_rate, label (int32 [8])."""

    COLUMNS = ("label",)

    def __init__(self, dataset_dir, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 num_shards=None, shard_id=None, cache=None):
        self._open([(path, (np.array(path.stem.split("_"), np.int32),))
                    for path in sorted(open_directory(dataset_dir).glob("*.wav"))
                    if re.fullmatch(r"[01](_[01])*", path.stem)], num_samples, sampler, shuffle, num_shards, shard_id)


class SpeechCommandsDataset(_Recordings):
    """Speech Commands, ``cat/b433eff_nohash_0.wav``: columns waveform, sample_rate, label, speaker_id (str),
    utterance_number (int32).

    usage: the files named in ``testing_list.txt`` ("test") or ``validation_list.txt`` ("valid"), all others ("train").
    """

    COLUMNS = ("label", "speaker_id", "utterance_number")

    def __init__(self, dataset_dir, usage=None, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 num_shards=None, shard_id=None, cache=None):
        directory = open_directory(dataset_dir)
        parts = self._check_usage(usage, ("train", "test", "valid"))
        held_out = {}
        for part, name in (("test", "testing_list.txt"), ("valid", "validation_list.txt")):
            if (directory / name).is_file():
                held_out |= dict.fromkeys((directory / name).read_text().split(), part)
        entries = []
        for path in sorted(directory.glob("*/*_nohash_*.wav")):
            if held_out.get(path.relative_to(directory).as_posix(), "train") in parts:
                speaker, _, number = path.stem.partition("_nohash_")
                entries.append((path, (path.parent.name, speaker, np.int32(number))))
        self._open(entries, num_samples, sampler, shuffle, num_shards, shard_id)


class GTZANDataset(_Recordings):
    """GTZAN, ``blues/blues.00000.wav``: columns waveform, sample_rate (uint32), label (str).

    usage: "all"; the lists of files that make up "train", "valid" and "test" are not part of the collection.
    """

    COLUMNS, RATE = ("label",), np.uint32

    def __init__(self, dataset_dir, usage=None, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 num_shards=None, shard_id=None, cache=None):
        self._check_usage(usage, ("train", "valid", "test"))
        if usage not in (None, "all"):
            raise NotImplementedError(f"GTZANDataset: usage={usage!r} needs lists of files that are not part of the "
                                      "collection; read all and choose with a sampler, such as SubsetSampler")
        self._open([(path, (path.parent.name,)) for path in sorted(open_directory(dataset_dir).glob("*/*.wav"))],
                   num_samples, sampler, shuffle, num_shards, shard_id)


class LJSpeechDataset(_Recordings):
    """LJSpeech, ``metadata.csv`` and ``wavs``: columns waveform, sample_rate, transcription,
    normalized_transcription."""

    COLUMNS = ("transcription", "normalized_transcription")

    def __init__(self, dataset_dir, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 num_shards=None, shard_id=None, cache=None):
        directory = open_directory(dataset_dir)
        lines = _text(directory / "metadata.csv").splitlines()
        entries = [(directory / "wavs" / f"{name}.wav", tuple(texts))
                   for name, *texts in (line.split("|") for line in lines if line)]
        self._open(entries, num_samples, sampler, shuffle, num_shards, shard_id)


class LibriTTSDataset(_Recordings):
    """LibriTTS, ``dev-clean/116/288045/116_288045_000003_000000.wav`` and a ``.trans.tsv`` in each folder of a chapter:
    columns waveform, sample_rate (uint32), original_text, normalized_text, speaker_id, chapter_id (uint32),
    utterance_id (str).
    """

    COLUMNS = ("original_text", "normalized_text", "speaker_id", "chapter_id", "utterance_id")
    RATE = np.uint32
    PARTS = ("dev-clean", "dev-other", "test-clean", "test-other", "train-clean-100", "train-clean-360",
             "train-other-500")

    def __init__(self, dataset_dir, usage=None, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 num_shards=None, shard_id=None, cache=None):
        directory, entries = open_directory(dataset_dir), []
        for part in self._check_usage(usage, self.PARTS):
            for table in sorted(directory.glob(f"{part}/*/*/*.trans.tsv")):
                with table.open(encoding="utf-8", newline="") as file:
                    for name, *texts in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                        speaker, chapter = name.split("_")[:2]
                        entries.append((table.parent / f"{name}.wav", (*texts, np.uint32(speaker), np.uint32(chapter),
                                                                      name)))
        self._open(entries, num_samples, sampler, shuffle, num_shards, shard_id)


class CMUArcticDataset(_Recordings):
    """CMU Arctic, ``cmu_us_aew_arctic/wav`` and ``etc/txt.done.data``: columns waveform, sample_rate (uint32),
    transcript, utterance_id (str).  name: the speaker, such as "aew", the default."""

    COLUMNS, RATE = ("transcript", "utterance_id"), np.uint32

    def __init__(self, dataset_dir, name=None, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 num_shards=None, shard_id=None, cache=None):
        folder = open_directory(dataset_dir) / f"cmu_us_{name or 'aew'}_arctic"
        found = re.findall(r'\(\s*(\S+)\s+"(.*)"\s*\)', _text(folder / "etc" / "txt.done.data"))
        self._open([(folder / "wav" / f"{utterance}.wav", (transcript, utterance.removeprefix("arctic_")))
                    for utterance, transcript in found], num_samples, sampler, shuffle, num_shards, shard_id)


class TedliumDataset(_Recordings):
    """TED-LIUM, ``train/sph`` and ``train/stm`` (release 3: ``data``): columns waveform, sample_rate (int32),
    transcript, talk_id, speaker_id, identifier (str): a row for each line of the stm files.

    release: "release1", "release2" or "release3".  extensions: of the recordings, ".sph".
    """

    COLUMNS = ("transcript", "talk_id", "speaker_id", "identifier")

    def __init__(self, dataset_dir, release, usage=None, extensions=None, num_samples=None, num_parallel_workers=None,
                 shuffle=None, sampler=None, num_shards=None, shard_id=None, cache=None):
        if release not in ("release1", "release2", "release3"):
            raise ValueError(f"TedliumDataset: release must be 'release1', 'release2' or 'release3', got {release!r}")
        parts = ["data"] if release == "release3" else self._check_usage(usage, ("train", "test", "dev"))
        directory, entries = open_directory(dataset_dir), []
        for part in parts:
            for table in sorted((directory / part / "stm").glob("*.stm")):
                recording = directory / part / "sph" / f"{table.stem}{extensions or '.sph'}"
                for line in _text(table).splitlines():
                    talk, _, speaker, begin, end, identifier, transcript = line.split(" ", 6)
                    entries.append((recording, (transcript, talk, speaker, identifier), float(begin), float(end)))
        self._open(entries, num_samples, sampler, shuffle, num_shards, shard_id)

    def row(self, index):
        path, values, begin, end = self._entries[index]
        waveform, rate = read_sph(path)
        waveform = waveform[:, int(begin * rate):int(end * rate)]
        return waveform, np.array(rate, self.RATE), *(np.array(value) for value in values)


def _text(path: Path) -> str:
    if not path.is_file():
        raise DatasetError(f"{path} does not exist or is no file")
    return path.read_text(encoding="utf-8")
