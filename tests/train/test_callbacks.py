"""Callbacks: what they print and do.  Printed lines are MindSpore 2.10's."""
import csv
import io
import json
import os
import re
import sys
import threading

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor
from graphcore.train import (
    Callback,
    CheckpointConfig,
    EarlyStopping,
    History,
    InvalidLossError,
    LambdaCallback,
    LearningRateScheduler,
    LossMonitor,
    ModelCheckpoint,
    ProgressBar,
    ReduceLROnPlateau,
    RunContext,
    SummaryLandscape,
    TimeMonitor,
    load_checkpoint,
    serialization,
)
from graphcore.train.callback.base import InternalCallbackParam
from tests.train.scripted import data, model


class Optimizer:
    """Stands for an optimizer whose learning rate callbacks change."""

    def __init__(self, rate=0.1):
        self.learning_rate = Parameter(Tensor(rate, dt.float32), name="learning_rate")

    @property
    def rate(self):
        return float(str(np.float32(self.learning_rate.asnumpy())))


def run_with(optimizer, losses, callbacks, epochs):
    trained = model(*losses)
    trained._optimizer = optimizer
    trained.train(epochs, data(2), callbacks=callbacks)


# LossMonitor and TimeMonitor

def test_loss_monitor_lines(capsys):
    model(0.6485857963562012, 0.5, 0.25).train(1, data(), callbacks=LossMonitor(2))
    model(0.5).train(2, data(4), callbacks=[LossMonitor()])
    assert capsys.readouterr().out.splitlines() == [
        "epoch: 1 step: 2, loss is 0.5", "epoch: 1 step: 4, loss is 0.25", "epoch: 1 step: 1, loss is 0.5",
        "epoch: 1 step: 2, loss is 0.5", "epoch: 2 step: 1, loss is 0.5", "epoch: 2 step: 2, loss is 0.5"]
    model(0.6485857963562012).train(1, data(2), callbacks=LossMonitor())
    assert capsys.readouterr().out == "epoch: 1 step: 1, loss is 0.6485857963562012\n"


def test_loss_monitor_can_be_silent(capsys):
    model().train(1, data(), callbacks=LossMonitor(0))
    assert capsys.readouterr().out == ""


def test_loss_monitor_prints_the_first_of_several_outputs(capsys):
    model((Tensor(2.5), Tensor(True))).train(1, data(2), callbacks=LossMonitor())
    assert capsys.readouterr().out == "epoch: 1 step: 1, loss is 2.5\n"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_invalid_loss_ends_the_training(bad):
    with pytest.raises(ValueError, match="In epoch: 1 step: 2, loss is NAN or INF, training process cannot continue, "
                                         "terminating training.") as caught:
        model(1.0, bad).train(2, data(), callbacks=LossMonitor(0))
    assert isinstance(caught.value, InvalidLossError) and isinstance(caught.value, FloatingPointError)


def test_a_monitor_serves_several_trainings(capsys):
    monitor = LossMonitor(4)
    for _ in range(2):
        model(1.0).train(1, data(), callbacks=monitor)
    assert capsys.readouterr().out == "epoch: 1 step: 4, loss is 1.0\n" * 2


def test_metrics_are_printed_in_fit(capsys):
    model(1.0, metrics={"acc", }).fit(1, data(4), data(4), callbacks=[LossMonitor(0)])
    assert capsys.readouterr().out == "Eval result: epoch 1, metrics: {'acc': 1.0}\n"


def test_time_monitor_line(capsys):
    model().train(2, data(), callbacks=TimeMonitor())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for line in lines:
        found = re.fullmatch(r"Train epoch time: (\d+\.\d{3}) ms, per step time: (\d+\.\d{3}) ms", line)
        assert float(found[1]) == pytest.approx(4 * float(found[2]), abs=0.01)
    model().train(1, data(), callbacks=TimeMonitor(data_time=True))
    assert re.search(r" ms \(data time: \d+\.\d{3} ms\)$", capsys.readouterr().out.strip())


# History and LambdaCallback

def test_history():
    history = History()
    returned = model(4.0, 3.0, 2.0, 1.0, metrics={"acc", "loss"}).fit(2, data(4), data(4), callbacks=history)
    assert history.epoch == returned.epoch == {"epoch": [1, 2]}
    assert history.history == {"net_output": [3.0, 1.0], "acc": [1.0, 1.0], "loss": [1.0, 1.0]}
    assert returned.history == history.history


def test_history_keeps_a_row_for_each_epoch():
    found = model(4.0, 3.0, 2.0, 1.0, metrics={"acc"}).fit(2, data(4), data(4), valid_frequency=2)
    assert [(row["epoch"], row["loss"], row.get("acc")) for row in found.rows] == [(1, 3.0, None), (2, 1.0, 1.0)]
    assert all(row["seconds"] > 0 for row in found.rows)
    assert found.history == {"net_output": [3.0, 1.0], "acc": [1.0]}        # as MindSpore keeps them
    lines = repr(found).splitlines()
    assert lines[0].split() == ["epoch", "loss", "seconds", "acc"] and len(lines) == 3
    assert found._repr_html_().count("<tr>") == 3
    assert repr(History()) == "History of no epochs"
    many = model().train(25, data(2))
    assert repr(many).splitlines()[1].split()[0] == "6" and "(5 earlier epochs are not shown)" in repr(many)


def test_history_is_written(tmp_path):
    found = model(4.0, float("nan"), metrics={"acc", "precision"}).fit(2, data(2), data(2), valid_frequency=2)
    found.to_csv(tmp_path / "h.csv")
    lines = list(csv.DictReader((tmp_path / "h.csv").open()))
    assert [line["loss"] for line in lines] == ["4.0", "nan"] and [line["acc"] for line in lines] == ["", "1.0"]
    assert json.loads(lines[1]["precision"]) == found.rows[1]["precision"]
    found.to_json(tmp_path / "h.json")
    epochs = json.loads((tmp_path / "h.json").read_text(), parse_constant=pytest.fail)["epochs"]
    assert epochs[0]["loss"] == 4.0 and epochs[1]["loss"] == "nan"
    assert sorted(os.listdir(tmp_path)) == ["h.csv", "h.json"]
    with pytest.raises(OSError):
        found.to_csv(tmp_path / "nowhere" / "h.csv")


def test_history_as_a_chart(tmp_path, monkeypatch):
    found = model(4.0, 3.0, metrics={"acc"}).fit(2, data(2), data(2))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(ImportError, match=r"pip install 'graphcore\[plot\]'"):
            found.plot()
    pytest.importorskip("matplotlib")
    figure = found.plot(tmp_path / "h.svg")
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "acc"]
    assert figure.axes[0].lines[0].get_ydata().tolist() == [4.0, 3.0]
    assert b"<svg" in (tmp_path / "h.svg").read_bytes()
    with pytest.raises(ValueError, match="no epochs"):
        History().plot()


def test_lambda_callback():
    seen = []
    callback = LambdaCallback(on_train_begin=lambda run: seen.append("begin"),
                              on_train_step_end=lambda run: seen.append(run.original_args().cur_step_num),
                              on_eval_end=lambda run: seen.append("eval"))
    trained = model(metrics={"acc"})
    trained.train(1, data(4), callbacks=callback)
    trained.eval(data(2), callbacks=callback)
    assert seen == ["begin", 1, 2, "eval"]
    with pytest.raises(TypeError, match="on_train_end"):
        LambdaCallback(on_train_end=3)


# EarlyStopping, ReduceLROnPlateau, LearningRateScheduler

def epochs_until_stop(losses, **options):
    history = History()
    model(*losses).train(len(losses), data(2), callbacks=[EarlyStopping(monitor="loss", **options), history])
    return history.epoch["epoch"][-1]


def test_early_stopping():
    assert epochs_until_stop([5, 4, 3, 3, 3, 2], patience=2) == 5
    assert epochs_until_stop([5, 4, 3, 2], patience=1) == 4
    assert epochs_until_stop([5, 4.5, 3, 2], patience=1, min_delta=1) == 2
    assert epochs_until_stop([1, 2, 3, 3], patience=1, mode="max") == 4
    assert epochs_until_stop([5, 4, 4, 2]) == 3
    assert epochs_until_stop([5, 4, 3, 2], patience=2, baseline=1) == 2
    assert epochs_until_stop([0, 0, 0, 0], patience=2) == 3


def test_early_stopping_restores_the_best_weights(capsys):
    trained = model(5, 3, 4, 4, 4)
    stop = EarlyStopping("loss", patience=2, verbose=True, restore_best_weights=True)
    trained.train(5, data(2), callbacks=stop)
    assert stop.stopped_epoch == 4
    assert trained.train_network.calls.asnumpy() == 2
    assert capsys.readouterr().out.splitlines() == ["Restoring model weights from the end of the best epoch.",
                                                    "Epoch 00004: early stopping"]


def test_a_monitor_that_is_not_there_is_reported(caplog):
    model().train(1, data(2), callbacks=EarlyStopping("acc"))
    assert "'acc'" in caplog.text and "'loss'" in caplog.text


def test_monitoring_metrics_of_fit():
    stop = EarlyStopping("acc", patience=1)
    model(metrics={"acc"}).fit(5, data(2), data(2), callbacks=stop)
    assert (stop.stopped_epoch, stop.best) == (2, 1.0)
    stop = EarlyStopping(patience=1)
    model(metrics={"acc"}).fit(5, data(2), data(2), callbacks=stop)
    assert (stop.monitor, stop.best) == ("eval_loss", 1.0)


def test_reduce_lr_on_plateau(capsys):
    optimizer = Optimizer()
    run_with(optimizer, [3, 2, 2, 2, 2], ReduceLROnPlateau("loss", patience=2, verbose=True), 5)
    assert optimizer.rate == 0.010000001                # 0.1 * 0.1 in float32
    assert capsys.readouterr().out == "Epoch 00004: ReduceLROnPlateau reducing learning rate to 0.010000001.\n"
    optimizer = Optimizer()
    run_with(optimizer, [2], ReduceLROnPlateau("loss", patience=1, factor=0.5, cooldown=2), 7)
    assert optimizer.rate == 0.0125
    optimizer = Optimizer()
    run_with(optimizer, [2], ReduceLROnPlateau("loss", patience=1, min_lr=0.03), 8)
    assert optimizer.rate == 0.03
    with pytest.raises(TypeError, match="factor must be a float, but got int"):
        ReduceLROnPlateau(factor=1)
    with pytest.raises(TypeError, match="baseline must be a number or None, but got str"):
        EarlyStopping(baseline="x")


def test_learning_rate_scheduler():
    optimizer, seen = Optimizer(), []

    def schedule(rate, step):
        seen.append((rate, step))
        return rate * 0.5

    run_with(optimizer, [1], LearningRateScheduler(schedule), 3)
    assert seen == [(0.1, 1), (0.05, 2), (0.025, 3)] and optimizer.rate == 0.0125
    with pytest.raises(TypeError, match="must return the learning rate, a number, but returned None"):
        run_with(optimizer, [1], LearningRateScheduler(lambda rate, step: None), 1)


def test_learning_rates_that_are_no_parameter():
    optimizer = Optimizer()
    optimizer.learning_rate = [0.1]
    for callback in (LearningRateScheduler(lambda rate, step: rate), ReduceLROnPlateau("loss")):
        with pytest.raises(ValueError, match="dynamic learning rate and group learning rate"):
            run_with(optimizer, [1], callback, 1)


@pytest.mark.parametrize("make", [
    lambda: EarlyStopping(mode="up"), lambda: EarlyStopping(patience=-1), lambda: EarlyStopping(3),
    lambda: ReduceLROnPlateau(factor=2.0), lambda: ReduceLROnPlateau(cooldown=-1), lambda: LossMonitor(-1),
    lambda: LossMonitor(1.5), lambda: TimeMonitor(data_time=1), lambda: LearningRateScheduler(3),
    lambda: CheckpointConfig(save_checkpoint_steps=-1), lambda: CheckpointConfig(0, 0, 0, 0),
    lambda: CheckpointConfig(format="zip"), lambda: CheckpointConfig(append_info=["epochs"]),
    lambda: CheckpointConfig(append_info={}) and CheckpointConfig(append_info=({},)),
    lambda: CheckpointConfig(saved_network=3), lambda: CheckpointConfig(enc_key=b"k"),
    lambda: ModelCheckpoint("a/b"), lambda: ModelCheckpoint(config=3), lambda: RunContext([]),
])
def test_unusable_arguments(make):
    with pytest.raises((ValueError, TypeError)):
        make()


# ModelCheckpoint

def saved(directory):
    return sorted(os.listdir(directory))


def test_model_checkpoint_files(tmp_path):
    checkpoint = ModelCheckpoint("net", str(tmp_path), CheckpointConfig(save_checkpoint_steps=4, keep_checkpoint_max=2))
    model().train(3, data(), callbacks=checkpoint)
    assert saved(tmp_path) == ["net-2_4.ckpt", "net-3_4.ckpt"]
    assert checkpoint.latest_ckpt_file_name == str(tmp_path / "net-3_4.ckpt")
    assert load_checkpoint(str(tmp_path / "net-3_4.ckpt"))["calls"].asnumpy() == 12


def test_the_last_step_is_saved_and_prefixes_are_not_reused(tmp_path):
    for _ in range(3):
        model().train(1, data(), callbacks=ModelCheckpoint("n", tmp_path, CheckpointConfig(3)))
    assert saved(tmp_path) == ["n-1_3.ckpt", "n-1_4.ckpt", "n_1-1_3.ckpt", "n_1-1_4.ckpt", "n_2-1_3.ckpt",
                               "n_2-1_4.ckpt"]


def test_keep_max_counts_only_its_own_files(tmp_path):
    for name in ("net-best.ckpt", "network-1_1.ckpt", "net.ckpt"):
        (tmp_path / name).write_bytes(b"")
    model().train(1, data(), callbacks=ModelCheckpoint("net", tmp_path, CheckpointConfig(1, keep_checkpoint_max=1)))
    assert saved(tmp_path) == ["net-best.ckpt", "net.ckpt", "net_1-1_4.ckpt", "network-1_1.ckpt"]


def test_append_info_counts_on(tmp_path):
    config = CheckpointConfig(4, append_info=["epoch_num", "step_num", {"note": "x"}])
    model().train(2, data(), callbacks=ModelCheckpoint("n", tmp_path, config))
    loaded = load_checkpoint(str(tmp_path / "n-2_4.ckpt"))
    assert (loaded["epoch_num"].asnumpy(), loaded["step_num"].asnumpy(), loaded["note"]) == (2, 8, "x")


def test_callable_names(tmp_path):
    checkpoint = ModelCheckpoint(lambda run: f"at_{run.cur_step_num}", lambda run: tmp_path / f"e{run.cur_epoch_num}",
                                 CheckpointConfig(2))
    model().train(2, data(), callbacks=checkpoint)
    assert saved(tmp_path) == ["e1", "e2"] and saved(tmp_path / "e2") == ["at_6.ckpt", "at_8.ckpt"]


def test_asynchronous_and_safetensors(tmp_path):
    config = CheckpointConfig(2, keep_checkpoint_max=1, async_save=True, format="safetensors")
    model().train(2, data(), callbacks=ModelCheckpoint("n", tmp_path, config))
    assert saved(tmp_path) == ["n-2_4.safetensors"]
    assert load_checkpoint(str(tmp_path / "n-2_4.safetensors"))["calls"].asnumpy() == 8


def test_asynchronous_saves_do_not_hold_the_training_up(tmp_path, monkeypatch):
    written, write, steps = threading.Event(), serialization._write, []

    def slow_write(path, *more):
        assert written.wait(30)
        write(path, *more)

    def tell(run):
        steps.append(run.original_args().cur_step_num)
        if steps[-1] == 3:          # two steps after the save began
            assert saved(tmp_path) == []
            written.set()

    monkeypatch.setattr(serialization, "_write", slow_write)
    config = CheckpointConfig(save_checkpoint_steps=4, keep_checkpoint_max=1, async_save=True)
    checkpoint = ModelCheckpoint("n", tmp_path, config)
    checkpoint._last_triggered_step = -3            # the first save is after step 1
    model().train(2, data(), callbacks=[checkpoint, LambdaCallback(on_train_step_end=tell)])
    assert steps == list(range(1, 9)) and saved(tmp_path) == ["n-2_4.ckpt"]


def test_no_rhythm_no_files(tmp_path):
    model().train(1, data(), callbacks=ModelCheckpoint("n", tmp_path, CheckpointConfig(0, keep_checkpoint_max=3)))
    assert saved(tmp_path) == []


def test_exception_save(tmp_path):
    def fail(run):
        if run.original_args().cur_step_num == 6:
            raise RuntimeError("stop here")

    config = CheckpointConfig(100, exception_save=True, append_info=["step_num"])
    with pytest.raises(RuntimeError, match="stop here"):
        model().train(2, data(), callbacks=[ModelCheckpoint("n", tmp_path, config),
                                            LambdaCallback(on_train_step_end=fail)])
    assert saved(tmp_path) == ["n-2_2_breakpoint.ckpt"]
    assert load_checkpoint(str(tmp_path / "n-2_2_breakpoint.ckpt"))["step_num"].asnumpy() == 6


def test_config_properties():
    config = CheckpointConfig(save_checkpoint_seconds=100, keep_checkpoint_per_n_minutes=5)
    assert config.get_checkpoint_policy() == {
        "save_checkpoint_steps": 1, "save_checkpoint_seconds": None, "keep_checkpoint_max": 5,
        "keep_checkpoint_per_n_minutes": None, "saved_network": None}


# ProgressBar and what is refused

def test_progress_off_a_terminal_is_one_line_an_epoch():
    out = io.StringIO()
    model(0.5, metrics={"acc"}).fit(2, data(), data(2), callbacks=ProgressBar(out))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"epoch 1: 4 steps in \d+\.\d\d s, loss 0.5, acc 1", lines[0])


def test_progress_on_a_terminal(monkeypatch):
    pytest.importorskip("rich")
    pty = pytest.importorskip("pty")
    monkeypatch.setenv("TERM", "xterm")
    terminal, written = pty.openpty()
    with os.fdopen(written, "w") as out:
        model(0.5, metrics={"acc"}).fit(3, data(), data(2), callbacks=[ProgressBar(out), LossMonitor(4)])
        shown = ""
        while not shown.endswith("\x1b[?25h"):                          # the cursor comes back
            shown += os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert "4/4" not in shown and "0/4" in shown                        # one bar, of the epoch that runs
    assert len(re.findall(r"epoch \d: 4 steps in \d+\.\d\d s, loss 0.5, acc 1\r\n", shown)) == 3


def test_progress_on_a_terminal_without_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    model(0.5).train(2, data(), callbacks=ProgressBar(out))
    assert re.fullmatch(r"(epoch \d: 4 steps in \d+\.\d\d s, loss 0.5\n){2}", out.getvalue())


def test_summary_landscape_is_refused():
    with pytest.raises(NotImplementedError, match="SummaryCollector"):
        SummaryLandscape("dir")


def test_facts_of_a_run_name_what_there_is():
    with pytest.raises(AttributeError, match="cur_step_num"):
        InternalCallbackParam(cur_step_num=1).cur_steps  # noqa: B018


def test_callbacks_are_context_managers():
    log = []

    class Resource(Callback):
        def __enter__(self):
            log.append("open")
            return self

        def __exit__(self, *error):
            log.append("closed")

        def on_train_step_end(self, run_context):
            raise KeyError

    with pytest.raises(KeyError):
        model().train(1, data(), callbacks=Resource())
    assert log == ["open", "closed"]


def test_what_is_no_callback_is_refused():
    for wrong in (3, [LossMonitor(), "x"]):
        with pytest.raises(TypeError, match="Callback"):
            model().train(1, data(), callbacks=wrong)
