"""safetensors files: MindSpore's, our own, and damaged ones."""
from pathlib import Path

import numpy as np
import pytest

safetensors = pytest.importorskip("safetensors")

from graphcore import dtype as dt  # noqa: E402
from graphcore.errors import FormatError  # noqa: E402
from graphcore.files.ckpt import read_ckpt  # noqa: E402
from graphcore.files.safetensors_file import (  # noqa: E402
    MissingPackageError,
    parse_safetensors,
    read_safetensors,
    write_safetensors,
)

DATA = Path(__file__).parent / "data"


def same(left, right):
    return left == right if isinstance(left, str) else (
        left.dtype is right.dtype and left.shape == right.shape and left.array.tobytes() == right.array.tobytes())


def test_reads_what_mindspore_wrote():
    found, expected = read_safetensors(DATA / "dtypes.safetensors"), read_ckpt(DATA / "dtypes.ckpt")
    assert sorted(found) == list(found) and "brain" in found
    assert all(same(found[name], expected[name]) for name in found)


def test_round_trip_with_strings(tmp_path):
    entries = read_ckpt(DATA / "dtypes.ckpt")
    write_safetensors(tmp_path / "a.safetensors", entries)
    found = read_safetensors(tmp_path / "a.safetensors")
    assert found.keys() == entries.keys()
    assert all(same(found[name], entries[name]) for name in entries)
    with safetensors.safe_open(tmp_path / "a.safetensors", "numpy") as file:
        assert file.metadata()["format"] == "ms"
        assert (file.get_tensor("fc.weight") == entries["fc.weight"].array).all()


def test_unwanted_entries_are_left_out():
    assert list(read_safetensors(DATA / "dtypes.safetensors", lambda name: name == "half")) == ["half"]


def test_cut_files_are_refused():
    data = (DATA / "plain.safetensors").read_bytes()
    for length in range(len(data)):
        with pytest.raises(FormatError):
            parse_safetensors(data[:length])
    with pytest.raises(FormatError):
        parse_safetensors(data + b"\0")


def test_random_damage_gives_format_errors_only():
    data, generator = (DATA / "dtypes.safetensors").read_bytes(), np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(data)
        for _ in range(generator.integers(1, 4)):
            damaged[generator.integers(len(damaged))] = generator.integers(256)
        try:
            parse_safetensors(bytes(damaged))
        except FormatError:
            pass


def test_booleans_are_zero_or_one():
    data = bytearray((DATA / "dtypes.safetensors").read_bytes())
    found = parse_safetensors(bytes(data))[0]["flags"]
    assert found.dtype is dt.bool_ and found.array.view(np.uint8).tolist() == [1, 0, 1]


def test_without_the_package_the_way_out_is_said(monkeypatch, tmp_path):
    import builtins
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "safetensors":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackageError, match="pip install safetensors"):
        write_safetensors(tmp_path / "a.safetensors", {})
    assert isinstance(MissingPackageError("x"), ImportError)
