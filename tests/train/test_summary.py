"""Summary files: framing and check sums, images that decode, histograms that count, limits, errors."""
import io
import struct
from pathlib import Path

import numpy as np
import pytest

import graphcore as gc
from graphcore import nn
from graphcore.dataset import NumpySlicesDataset
from graphcore.errors import FormatError
from graphcore.files.framed import framed, records
from graphcore.files.protobuf import fields
from graphcore.train import Model, SummaryCollector, SummaryRecord


def summaries(folder) -> list[tuple]:
    """(step, {name: fields of the value}) of each event but the first."""
    (path,) = Path(folder).iterdir()
    found = []
    for data in list(records(path))[1:]:
        event = dict(fields(data))
        values = [dict(fields(value)) for _, value in fields(event[5])]
        found.append((event[2], {v.pop(1).decode(): v for v in values}))
    return found


def test_an_image_is_a_png_of_its_pixels(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pixels = np.linspace(0, 1, 2 * 3 * 5 * 4, dtype=np.float32).reshape(2, 3, 5, 4)
    with SummaryRecord(str(tmp_path)) as record:
        record.add_value("image", "i", pixels)
        record.add_value("image", "grey", np.full((1, 1, 2, 2), 200, np.uint8))
        record.record(7)
    ((step, values),) = summaries(tmp_path)
    assert step == 7
    content = dict(fields(values["i"][4]))
    assert (content[1], content[2], content[3]) == (5, 4, 3)
    decoded = np.asarray(image.open(io.BytesIO(content[4])))
    np.testing.assert_array_equal(decoded, np.rint(pixels[0] * 255).astype(np.uint8).transpose(1, 2, 0))
    assert (np.asarray(image.open(io.BytesIO(dict(fields(values["grey"][4]))[4]))) == 200).all()


def test_a_histogram_counts_everything(tmp_path):
    numbers = np.concatenate([np.random.default_rng(1).standard_normal(300), [np.nan, np.inf, -np.inf, np.inf]])
    with SummaryRecord(str(tmp_path)) as record:
        record.add_value("histogram", "h", numbers)
        record.record(1)
    parts = list(fields(summaries(tmp_path)[0][1]["h"][9]))
    bars = [dict(fields(value)) for number, value in parts if number == 1]
    rest = {number: value for number, value in parts if number != 1}
    assert sum(bar[3] for bar in bars) == 300 and len(bars) == 31
    assert (rest[2], rest[3], rest[4], rest[8]) == (1, 2, 1, 304)
    assert struct.unpack("<d", rest[5])[0] == numbers[:300].max()


def test_the_collector_writes_losses_and_histograms(tmp_path):
    data = NumpySlicesDataset({"x": np.ones((10, 3), np.float32), "y": np.ones((10, 2), np.float32)}).batch(2)
    net = nn.Dense(3, 2)
    model = Model(net, nn.MSELoss(), nn.SGD(net.trainable_params(), 0.1))
    with SummaryCollector(str(tmp_path), collect_freq=2, collect_specified_data={"histogram_regular": "^weight"}) as c:
        model.train(1, data, callbacks=[c], dataset_sink_mode=False)
    found = summaries(tmp_path)
    assert [step for step, _ in found] == [1, 2, 4, 5]
    losses = [struct.unpack("<f", values["loss/auto"][3])[0] for _, values in found]
    assert losses == sorted(losses, reverse=True)
    assert all(set(values) == {"loss/auto", "weight/auto"} for _, values in found)


def test_what_is_wrong_is_said(tmp_path):
    with SummaryRecord(str(tmp_path / "a"), max_file_size=10) as record:
        for kind, value in (("scalar", np.ones(2)), ("image", np.ones((2, 2))), ("graph", 1)):
            with pytest.raises(ValueError):
                record.add_value(kind, "name", value)
        with pytest.raises(TypeError, match="step"):
            record.record("1")
        record.add_value("scalar", "a", gc.Tensor(1.0))
        assert not record.record(1)
    assert not summaries(tmp_path / "a")
    with pytest.raises(RuntimeError, match="closed"):
        record.record(2)
    (tmp_path / "cut").write_bytes(framed(b"abc")[:-1])
    (tmp_path / "bad").write_bytes(framed(b"abc").replace(b"b", b"x"))
    (tmp_path / "other").write_bytes(b"nothing of the kind")
    for name, text in (("cut", "ends within"), ("bad", "damaged"), ("other", "no file of records")):
        with pytest.raises(FormatError, match=text):
            list(records(tmp_path / name))
