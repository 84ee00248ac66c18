"""save_checkpoint, load_checkpoint, load_param_into_net.  Printed forms are MindSpore 2.10's."""
import io
import os
from pathlib import Path

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore import nn
from graphcore.errors import FormatError, NameClashError
from graphcore.files.atomic import atomic_write
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor
from graphcore.train import CheckpointMismatchError, load_checkpoint, load_param_into_net, save_checkpoint
from graphcore.train.serialization import wait_for_saves

DATA = Path(__file__).parents[1] / "files" / "data"


class Layer(nn.Cell):
    def __init__(self, rows, columns, dtype=np.float32):
        super().__init__()
        self.weight = Parameter(Tensor(np.arange(rows * columns).reshape(rows, columns).astype(dtype)))
        self.bias = Parameter(Tensor(np.ones(rows, dtype)))


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = Layer(4, 3), Layer(2, 4)
        self.count = Parameter(Tensor(np.array(5)), requires_grad=False)


def values(net):
    return {p.name: (p.dtype, p.shape, p.asnumpy().copy().tobytes()) for p in net.get_parameters()}


def fill(net, number):
    for parameter in net.get_parameters():
        parameter.set_data(Tensor(np.full(parameter.shape, number), parameter.dtype))
    return net


@pytest.fixture
def file(tmp_path):
    save_checkpoint(Net(), str(tmp_path / "net"))
    return str(tmp_path / "net.ckpt")


# saving

def test_suffix_is_appended_once(tmp_path):
    save_checkpoint(Net(), str(tmp_path / "a"))
    save_checkpoint(Net(), tmp_path / "b.ckpt")
    save_checkpoint(Net(), str(tmp_path / "c"), format="safetensors")
    save_checkpoint(Net(), str(tmp_path / "d.safetensors"))
    assert sorted(os.listdir(tmp_path)) == ["a.ckpt", "b.ckpt", "c.safetensors", "d.safetensors"]
    assert (tmp_path / "c.safetensors").read_bytes() == (tmp_path / "d.safetensors").read_bytes()


def test_what_can_be_saved(tmp_path):
    path = str(tmp_path / "x.ckpt")
    save_checkpoint([{"name": "p", "data": Tensor([1.0])}], path)
    assert str(load_checkpoint(path)) == "{'p': Parameter (name=p, shape=(1,), dtype=Float32, requires_grad=True)}"
    save_checkpoint({"q": Parameter(Tensor([2.0]), name="zz"), "s": "text", "a": np.int8([3])}, path)
    loaded = load_checkpoint(path)
    assert str(loaded["q"]) == "Parameter (name=q, shape=(1,), dtype=Float32, requires_grad=True)"
    assert loaded["s"] == "text" and loaded["a"].dtype is dt.int8
    save_checkpoint(Net().trainable_params(), path)
    assert list(load_checkpoint(path)) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]


def test_append_dict(tmp_path):
    path = str(tmp_path / "x.ckpt")
    extra = {"epoch": 3, "lr": 0.5, "name": "s", "flag": True, "t": Tensor([1.0])}
    save_checkpoint(Net(), path, append_dict=extra)
    loaded = {k: v for k, v in load_checkpoint(path).items() if k in extra}
    assert str(loaded) == (
        "{'epoch': Parameter (name=epoch, shape=(), dtype=Int64, requires_grad=True), "
        "'lr': Parameter (name=lr, shape=(), dtype=Float32, requires_grad=True), 'name': 's', "
        "'flag': Parameter (name=flag, shape=(), dtype=Bool, requires_grad=True), "
        "'t': Parameter (name=t, shape=(1,), dtype=Float32, requires_grad=True)}")


def test_choice_func_and_prefixes(tmp_path, file):
    save_checkpoint(Net(), str(tmp_path / "c"), choice_func=lambda name: name.startswith("fc1"))
    assert list(load_checkpoint(str(tmp_path / "c.ckpt"))) == ["fc1.weight", "fc1.bias"]
    assert list(load_checkpoint(file, choice_func=lambda name: "bias" in name)) == ["fc1.bias", "fc2.bias"]
    assert list(load_checkpoint(file, specify_prefix="fc1")) == ["fc1.weight", "fc1.bias"]
    assert list(load_checkpoint(file, filter_prefix=["fc1", "count"])) == ["fc2.weight", "fc2.bias"]
    with pytest.raises(ValueError, match="empty after filter"):
        load_checkpoint(file, specify_prefix="zz")


def test_async_save_keeps_the_values_of_its_time(tmp_path):
    net, path = Net(), str(tmp_path / "a.ckpt")
    for mode in (True, "thread", "process"):
        before = values(net)
        save_checkpoint(net, path, async_save=mode)
        fill(net, 9)
        wait_for_saves()
        load_checkpoint(path, net)
        assert values(net) == before


def test_errors_of_async_saves_are_raised_later(tmp_path):
    save_checkpoint(Net(), str(tmp_path / "none" / "a.ckpt"), async_save=True)
    with pytest.raises(FileNotFoundError):
        wait_for_saves()
    wait_for_saves()


@pytest.mark.parametrize("arguments, error, words", [
    ((3, "x"), TypeError, "must be nn.Cell, list or dict, but got <class 'int'>"),
    ((Net(), 3), TypeError, "ckpt_file_name"),
    ((Net(), "."), IsADirectoryError, "is a directory"),
    ((Net(), "no/such/dir/f.ckpt"), FileNotFoundError, "no/such/dir"),
    (([{"nm": 1}], "f"), TypeError, "'name'"),
    (([{"name": "a", "data": 1}], "f"), TypeError, "'a'"),
    (({1: Tensor([1.0])}, "f"), TypeError, "key"),
])
def test_unusable_arguments(arguments, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        save_checkpoint(*arguments)
    assert os.listdir(tmp_path) == []


def test_refused_options(tmp_path, file):
    for call in (lambda: save_checkpoint(Net(), file, enc_key=b"k"), lambda: load_checkpoint(file, dec_key=b"k"),
                 lambda: save_checkpoint(Net(), file, format="zip"),
                 lambda: save_checkpoint(Net(), file, async_save="x"),
                 lambda: load_checkpoint(file, remove_redundancy=True)):
        with pytest.raises(ValueError):
            call()


def test_names_that_clash_are_not_lost(tmp_path):
    clash = [{"name": "w", "data": Tensor([1.0])}, {"name": "w", "data": Tensor([2.0])}]
    with pytest.raises(NameClashError, match="'w'"):
        save_checkpoint(clash, str(tmp_path / "x"))


# loading

def test_round_trip_of_a_net(file):
    net = fill(Net(), 7)
    expected = values(Net())
    assert load_param_into_net(net, load_checkpoint(file)) == ([], [])
    assert values(net) == expected


def test_dtypes_survive(tmp_path):
    for suffix in ("ckpt", "safetensors"):
        loaded = load_checkpoint(str(DATA / f"dtypes.{suffix}"))
        save_checkpoint(loaded, str(tmp_path / f"again.{suffix}"))
        again = load_checkpoint(str(tmp_path / f"again.{suffix}"))
        for name, parameter in loaded.items():
            if not isinstance(parameter, str):
                assert again[name].dtype is parameter.dtype and again[name].shape == parameter.shape
                assert again[name].asnumpy().tobytes() == parameter.asnumpy().tobytes()
        assert loaded["brain"].dtype is dt.bfloat16


def test_bytes_io():
    loaded = load_checkpoint(io.BytesIO((DATA / "plain.safetensors").read_bytes()), format="safetensors")
    assert loaded["step"].asnumpy() == 7
    with pytest.raises(TypeError):
        load_checkpoint(io.BytesIO(b""))


def test_missing_and_unused_names(file, caplog):
    loaded = {k: v for k, v in load_checkpoint(file).items() if not k.startswith("fc2")}
    loaded["fc2.wieght"] = Parameter(Tensor([1.0]), name="fc2.wieght")
    assert load_param_into_net(Net(), loaded) == (["fc2.weight", "fc2.bias"], ["fc2.wieght"])
    assert "fc2.weight (the checkpoint has fc2.wieght)" in caplog.text


def test_a_common_prefix_is_taken_off(file):
    expected, net = values(Net()), fill(Net(), 7)
    renamed = {"backbone." + k: v for k, v in load_checkpoint(file).items()}
    assert load_param_into_net(net, renamed, strict_load=True)[0] == list(expected)
    assert load_param_into_net(net, renamed) == ([], [])
    assert values(net) == expected


def test_an_ambiguous_prefix_is_not_guessed(file):
    lone = Layer(2, 4)
    assert load_param_into_net(lone, load_checkpoint(file))[0] == ["weight", "bias"]


@pytest.mark.parametrize("name, array, words", [
    ("fc2.bias", np.ones(3, np.float32), r"fc2.bias .*same shape.*\(2,\).*\(3,\)"),
    ("fc2.bias", np.ones(2, np.int32), "fc2.bias .*same type.*Float32.*Int32"),
    ("count", np.float32(1), "count .*Int64.*Float32"),
])
def test_what_does_not_fit_changes_nothing(file, name, array, words):
    net = fill(Net(), 7)
    before, loaded = values(net), load_checkpoint(file)
    loaded[name] = Parameter(Tensor(array), name=name)
    with pytest.raises(CheckpointMismatchError, match=words) as caught:
        load_param_into_net(net, loaded)
    assert isinstance(caught.value, RuntimeError)
    assert values(net) == before


def test_float_and_int_conversion(file):
    net, loaded = fill(Net(), 7), load_checkpoint(file)
    loaded["fc1.bias"] = Parameter(Tensor(np.full(4, 2.5), dt.float64), name="fc1.bias")
    loaded["count"] = Parameter(Tensor(3, dt.int8), name="count")
    with pytest.raises(CheckpointMismatchError):
        load_param_into_net(net, loaded, strict_load=True)
    assert load_param_into_net(net, loaded) == ([], [])
    assert net.fc1.bias.dtype is dt.float32 and net.fc1.bias.asnumpy().tolist() == [2.5] * 4
    assert net.count.asnumpy() == 3


def test_trailing_axes_of_size_one(file):
    net, loaded = fill(Net(), 7), load_checkpoint(file)
    loaded["fc1.bias"] = Parameter(Tensor(np.full((4, 1, 1), 2, np.float32)), name="fc1.bias")
    load_param_into_net(net, loaded)
    assert net.fc1.bias.asnumpy().tolist() == [2.0] * 4


@pytest.mark.parametrize("wrong", [3, {"a": 1}, {"fc1.weight": Tensor([1.0])}, {1: Parameter(Tensor([1.0]))}])
def test_wrong_dicts(wrong):
    with pytest.raises(TypeError, match="parameter_dict"):
        load_param_into_net(Net(), wrong)
    with pytest.raises(TypeError, match="Cell"):
        load_param_into_net(wrong, {})


def test_missing_files(file):
    with pytest.raises(ValueError, match="does not exist.*Did you mean net.ckpt"):
        load_checkpoint(file.replace("net", "nett"))
    with pytest.raises(ValueError, match="must same with 'format'"):
        load_checkpoint(file + ".txt")


def test_a_damaged_file_leaves_the_net_alone(file, tmp_path):
    data, net = Path(file).read_bytes(), fill(Net(), 7)
    before = values(net)
    cut = tmp_path / "cut.ckpt"
    for length in range(0, len(data), 5):
        with atomic_write(cut) as target:
            target.write(data[:length])
        with pytest.raises(FormatError):
            load_checkpoint(str(cut), net)
    assert values(net) == before


def test_check_sums(file):
    save_checkpoint(Net(), file, crc_check=True)
    load_checkpoint(file, crc_check=True)
    data = bytearray(Path(file).read_bytes())
    data[data.index(b"fc1.bias")] ^= 1
    Path(file).write_bytes(data)
    with pytest.raises(FormatError, match="check sum"):
        load_checkpoint(file)


def test_overlong_names_are_format_errors(tmp_path):
    from graphcore.files.ckpt import write_ckpt
    from graphcore.files.stored import StoredTensor
    write_ckpt(tmp_path / "x.ckpt", {"n" * 2000: StoredTensor(dt.int8, np.zeros(1, np.int8))})
    with pytest.raises(FormatError, match="name"):
        load_checkpoint(str(tmp_path / "x.ckpt"))
