"""Model: the order of callbacks, the facts they get, evaluation, errors.  As MindSpore 2.10 does, where it is right."""
import numpy as np
import pytest

from graphcore import dataset as ds
from graphcore.tensor import Tensor
from graphcore.train import Callback, Model, TimeMonitor
from tests.train.scripted import Predicts, Scripted, data, model


class Recorder(Callback):
    """Notes every call."""

    def __init__(self, stop_at=None):
        self.log, self.stop_at = [], stop_at


def noting(name):
    def method(self, run_context):
        run = run_context.original_args()
        self.log.append((name, run.cur_step_num) if name.endswith("step_end") else name)
        if name == "on_train_step_end" and run.cur_step_num == self.stop_at:
            run_context.request_stop()
    return method


for mode in ("train", "eval"):
    for place in ("begin", "epoch_begin", "step_begin", "step_end", "epoch_end", "end"):
        setattr(Recorder, f"on_{mode}_{place}", noting(f"on_{mode}_{place}"))

def test_order_of_callbacks_and_stop():
    recorder = Recorder(stop_at=2)
    model().train(2, data(), callbacks=recorder)
    assert recorder.log == ["on_train_begin", "on_train_epoch_begin", "on_train_step_begin", ("on_train_step_end", 1),
                            "on_train_step_begin", ("on_train_step_end", 2), "on_train_epoch_end", "on_train_end"]


def test_order_of_callbacks_in_fit():
    recorder = Recorder()
    model(metrics={"acc"}).fit(1, data(2), data(2), callbacks=recorder)
    assert recorder.log == ["on_train_begin", "on_train_epoch_begin", "on_train_step_begin", ("on_train_step_end", 1),
                            "on_eval_begin", "on_eval_epoch_begin", "on_eval_step_begin", ("on_eval_step_end", 1),
                            "on_eval_epoch_end", "on_eval_end", "on_train_epoch_end", "on_train_end"]


def test_facts_of_a_training():
    class Keys(Callback):
        def on_train_step_end(self, run_context):
            self.run = run_context.original_args()
            self.keys = sorted(self.run)

    keys = Keys()
    trained = model()
    dataset = data()
    trained.train(3, dataset, callbacks=[keys])
    assert keys.keys == [
        "batch_num", "cur_epoch_num", "cur_step_num", "dataset_sink_mode", "device_number", "epoch_num", "initial_step",
        "last_save_ckpt_step", "latest_ckpt_file", "list_callback", "loss_fn", "loss_scale_mananger", "mode",
        "net_outputs", "network", "optimizer", "parallel_mode", "train_dataset", "train_dataset_element",
        "train_network"]
    run = keys.run
    assert (run.batch_num, run.cur_epoch_num, run.cur_step_num, run.epoch_num) == (4, 3, 12, 3)
    assert (run.mode, run.train_dataset, run.list_callback) == ("train", dataset, [keys])
    assert [type(x) for x in run.train_dataset_element] == [Tensor, Tensor]


def test_facts_of_the_training_come_back_after_an_evaluation():
    seen = []

    class Facts(Callback):
        def on_train_epoch_end(self, run_context):
            run = run_context.original_args()
            seen.append((run.mode, run.batch_num, run.cur_step_num, run.metrics, run.eval_results))

        def on_train_begin(self, run_context):
            seen.append("metrics" in run_context.original_args())

    model(metrics={"acc"}).fit(2, data(), data(6), callbacks=Facts())
    results = ({"acc": 1.0}, {"acc": 1.0, "eval_loss": 1.0})
    assert seen == [False, ("train", 4, 4, *results), ("train", 4, 8, *results)]


def test_valid_frequency():
    for frequency, times in ((2, 2), ([1, 5], 2), (1, 5), (7, 0)):
        recorder = Recorder()
        model(metrics={"acc"}).fit(5, data(2), data(2), frequency, callbacks=recorder)
        assert recorder.log.count("on_eval_begin") == times


def test_sink_size_makes_the_epochs():
    recorder = Recorder()
    model().train(2, data(), callbacks=recorder, dataset_sink_mode=True, sink_size=3)
    assert recorder.log.count("on_train_epoch_begin") == 2
    assert [entry[1] for entry in recorder.log if isinstance(entry, tuple)] == [1, 2, 3, 4, 5, 6]


def test_initial_epoch():
    epochs = []

    class Epochs(Callback):
        def on_train_epoch_end(self, run_context):
            epochs.append((run_context.original_args().cur_epoch_num, run_context.original_args().epoch_num))

    model().train(4, data(2), callbacks=Epochs(), initial_epoch=2)
    assert epochs == [(3, 2), (4, 2)]


def test_modes_of_the_networks():
    trained = model(metrics={"acc"})
    trained.fit(2, data(2), data(2))
    assert trained.train_network.modes == [True, True]
    assert not trained.eval_network.training
    trained.predict(Tensor([1.0]))
    assert trained.train_network.modes == [True, True, False]


def test_the_eval_loss_is_the_mean_of_all_batches():
    values = np.arange(8, dtype=np.float32).reshape(8, 1)
    valid = ds.NumpySlicesDataset({"x": values, "y": np.ones(8, np.int32)}, shuffle=False).batch(2)
    seen = []

    class Results(Callback):
        def on_train_epoch_end(self, run_context):
            seen.append(run_context.original_args().eval_results["eval_loss"])

    model(metrics={"acc"}).fit(1, data(2), valid, callbacks=Results())
    assert seen == [values.mean()]


def test_eval():
    result = model(metrics={"acc", "loss", "top_1_accuracy"}).eval(data())
    assert result == {"acc": 1.0, "loss": 1.0, "top_1_accuracy": 1.0}
    assert all(type(value) is float for value in result.values())
    with pytest.raises(ValueError, match="'metrics' can not be None or empty"):
        model().eval(data())


def test_evaluation_without_indexes_hands_all_outputs_to_the_metrics():
    from graphcore.train import Accuracy
    metric = Accuracy().set_indexes([1, 2])
    assert Model(Scripted(), metrics={"a": metric}, eval_network=Predicts()).eval(data()) == {"a": 1.0}


def test_time_monitor_also_times_evaluations_in_fit(capsys):
    model(metrics={"acc"}).fit(1, data(2), data(2), callbacks=[TimeMonitor()])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["Eval", "Train"]
    evaluation, training = (float(line.split()[3]) for line in lines)
    assert training >= evaluation


def test_train_returns_a_history():
    history = model(4.0, 3.0, 2.0, 1.0).train(2, data(4))
    assert history.history == {"net_output": [3.0, 1.0]} and history.epoch == {"epoch": [1, 2]}


@pytest.mark.parametrize("call, error, words", [
    (lambda: Model(3), TypeError, "The type of 'network' should be 'Cell', but got type 'int'"),
    (lambda: Model(Scripted(), unknown=1), ValueError, "'unknown'"),
    (lambda: Model(Scripted(), amp_level="O2"), ValueError, "'optimizer' is None"),
    (lambda: Model(Scripted(), metrics={"nope"}), KeyError, "unsupported metric nope"),
    (lambda: Model(Scripted(), metrics={"acc"}), ValueError, "eval_network"),
    (lambda: Model(Scripted(), metrics={"acc"}, eval_network=Predicts(), eval_indexes=[1]), ValueError, "three"),
    (lambda: model().train(1, [1, 2]), TypeError, "GeneratorDataset"),
    (lambda: model().train(0, data()), ValueError, "epoch"),
    (lambda: model().train(1, data(), initial_epoch=1), ValueError, "must bigger than"),
    (lambda: model().train(1, data(), sink_size=0), ValueError, "sink_size"),
    (lambda: model().train(1, data(), dataset_sink_mode=1), TypeError, "dataset_sink_mode"),
    (lambda: model().train(1, data().skip(9)), ValueError, "no valid data"),
    (lambda: model().fit(1, data(), data()), ValueError, "'metrics'"),
    (lambda: model().fit(1, data(), valid_frequency="x"), TypeError, "valid_frequency"),
    (lambda: model().predict(Tensor(np.zeros((0, 2), np.float32))), ValueError, "empty"),
    (lambda: model().predict(object()), TypeError, "object"),
    (lambda: model().infer_predict_layout(), NotImplementedError, "leave the call out"),
    (lambda: model().infer_train_layout(), NotImplementedError, "leave the call out"),
])
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_old_hooks_are_refused_in_fit():
    class Old(Callback):
        def step_end(self, run_context):
            pass

    model().train(1, data(2), callbacks=Old())
    with pytest.raises(ValueError, match="Old callback.*step_end.*on_train"):
        model(metrics={"acc"}).fit(1, data(2), data(2), callbacks=Old())


def test_loss_fn_wants_two_columns():
    trained = model()
    trained._loss_fn = lambda output, label: output
    with pytest.raises(ValueError, match="should return two elements, but got 1"):
        trained.train(1, data().project("x"))
