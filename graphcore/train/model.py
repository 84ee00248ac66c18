"""Model: training, evaluation and prediction of a net in one call each."""
from __future__ import annotations

import copy
import logging

import numpy as np

from graphcore.communication.parameters import expect_as_many_steps, warn_of_the_same_data
from graphcore.context import ParallelMode  # noqa: F401  scripts take it from here
from graphcore.errors import GraphcoreError
from graphcore.parallel import get_auto_parallel_context, is_data_parallel
from graphcore.tensor import Tensor
from graphcore.train.callback import History, ModelCheckpoint, TimeMonitor
from graphcore.train.callback.base import CallbackManager, InternalCallbackParam, RunContext, check_count
from graphcore.train.metrics import Loss, get_metrics
from graphcore.train.rows import check_row, warn_without_optimizer

log = logging.getLogger("graphcore.train")
_OPTIONS = ("loss_scale_manager", "keep_batchnorm_fp32", "boost_config_dict", "acc_level")
_OLD_HOOKS = {"begin", "end", "epoch_begin", "epoch_end", "step_begin", "step_end"}


class UnsupportedModeError(GraphcoreError, NotImplementedError):
    """A service of MindSpore's Model that needs several devices."""


class Model:
    """A net with what is needed to train, evaluate and use it.

    network: the net, a Cell.  loss_fn: the loss, a Cell or function of (output, label); None if the net returns its
    loss.  optimizer: an `nn.Optimizer`; None if the net updates its weights itself.
    metrics: a set of names (see `graphcore.train.names()`) or a dict from name to Metric.
    eval_network: the net for evaluation (default: network and loss_fn together); eval_indexes: the places of loss,
    prediction and label in its outputs.  amp_level: mixed precision, see `graphcore.amp.auto_mixed_precision`.
    boost_level is accepted without effect.  Options: loss_scale_manager, keep_batchnorm_fp32.
    Raises TypeError and ValueError for arguments that do not fit together.
    """

    def __init__(self, network, loss_fn=None, optimizer=None, metrics=None, eval_network=None, eval_indexes=None,
                 amp_level="O0", boost_level="O0", **kwargs):
        from graphcore.nn.cell import Cell
        if not isinstance(network, Cell):
            raise TypeError(f"The type of 'network' should be 'Cell', but got type '{type(network).__name__}'.")
        for name in kwargs:
            if name not in _OPTIONS:
                raise ValueError("The argument in 'kwargs' should be 'loss_scale_manager' or 'keep_batchnorm_fp32' or "
                                 f"'boost_config_dict' or 'acc_level', but got '{name}'.")
        if optimizer is None and amp_level != "O0":
            raise ValueError("Auto mixed precision will not work because 'optimizer' is None.Please set amp_level='O0' "
                             "to disable auto mixed precision or set 'optimizer' not be None to use auto mixed "
                             "precision.")
        self._network, self._loss_fn, self._optimizer = network, loss_fn, optimizer
        self._amp_level, self._boost_level = amp_level, boost_level
        self._loss_scale_manager = kwargs.get("loss_scale_manager")
        if self._loss_scale_manager is not None and optimizer is None:
            raise ValueError("The argument 'optimizer' can not be None when set 'loss_scale_manager'.")
        self._loss_scale_manager_set = "loss_scale_manager" in kwargs
        self._keep_bn_fp32 = kwargs.get("keep_batchnorm_fp32")
        self._train_network = self._build_train_network()
        self._metric_fns = get_metrics(metrics) or {}
        self._eval_network, self._eval_indexes = eval_network, eval_indexes
        if self._metric_fns:
            self._build_eval_network()
        self._current_epoch_num = self._current_step_num = 0

    def _build_train_network(self):
        """The net with loss and optimizer; Models of public libraries have one of their own, under MindSpore's name."""
        if self._optimizer is not None:
            from graphcore.train.amp import build_train_network
            options = {"loss_scale_manager": self._loss_scale_manager} if self._loss_scale_manager_set else {}
            return build_train_network(self._network, self._optimizer, self._loss_fn, self._amp_level,
                                       keep_batchnorm_fp32=self._keep_bn_fp32, **options)
        if self._loss_fn is not None:
            from graphcore.nn.wrap import WithLossCell
            return WithLossCell(self._network, self._loss_fn)
        return self._network

    def _build_eval_network(self) -> None:
        if self._eval_network is not None:
            if self._eval_indexes is not None and not (isinstance(self._eval_indexes, list)
                                                       and len(self._eval_indexes) == 3):
                raise ValueError("The argument 'eval_indexes' must be a list or None. If 'eval_indexes' is a list, "
                                 f"length of it must be three. But got 'eval_indexes' {self._eval_indexes}")
            return
        if self._loss_fn is None:
            raise ValueError("metrics need an eval_network, or a loss_fn with which graphcore builds one: "
                             "Model(network, loss_fn, metrics=...) for nets of one input and one label, "
                             "Model(..., eval_network=...) for others; leave metrics away if nothing is evaluated")
        from graphcore.nn.wrap import WithEvalCell
        self._eval_network = WithEvalCell(self._network, self._loss_fn, self._amp_level in ("O2", "O3", "auto"))
        self._eval_indexes = [0, 1, 2]

    @property
    def train_network(self):
        """The net that is trained: with loss and optimizer, if they were given."""
        return self._train_network

    @property
    def eval_network(self):
        """The net that is evaluated, None without metrics."""
        return self._eval_network

    @property
    def predict_network(self):
        """The net that predicts: the one given."""
        return self._network

    # Training.

    def train(self, epoch, train_dataset, callbacks=None, dataset_sink_mode=False, sink_size=-1, initial_epoch=0):
        """Train for `epoch` epochs and return a `History` of the losses.

        train_dataset: rows (data, label) if there is a loss_fn, else the arguments of the net.
        callbacks: a Callback or a list.  sink_size > 0 with dataset_sink_mode: steps that make an epoch.
        initial_epoch: where to go on with an earlier training: epochs are numbered from it, and under a seed the
        rows come as they would have come without the interruption.
        Raises ValueError for counts out of range and datasets without rows.
        """
        return self._run_training("train", epoch, train_dataset, callbacks, dataset_sink_mode, sink_size, initial_epoch,
                                  None)

    def fit(self, epoch, train_dataset, valid_dataset=None, valid_frequency=1, callbacks=None, dataset_sink_mode=False,
            valid_dataset_sink_mode=False, sink_size=-1, initial_epoch=0):
        """Train as `train` does, and evaluate on `valid_dataset` after epochs; returns a `History` with the metrics.

        valid_frequency: after each how many epochs, or a list of the epochs.
        """
        if isinstance(valid_frequency, bool) or not isinstance(valid_frequency, (int, list)):
            raise TypeError("For 'Model.fit', the type of 'valid_frequency' must be a list or an integer, but got type "
                            f"{type(valid_frequency)}.")
        if valid_dataset is not None and not self._metric_fns:
            raise ValueError("For 'Model.fit', if valid_dataset is not None, the model argument 'metrics' can not be "
                             "None or empty, you should set the argument 'metrics' for model.")
        valid = None if valid_dataset is None else (valid_dataset, valid_frequency)
        return self._run_training("fit", epoch, train_dataset, callbacks, dataset_sink_mode, sink_size, initial_epoch,
                                  valid)

    def _run_training(self, method, epoch, dataset, callbacks, sink_mode, sink_size, initial_epoch, valid) -> History:
        _check_sink_mode(sink_mode)
        check_count(epoch, "epoch", 1)
        check_count(initial_epoch, "initial_epoch", 0)
        if initial_epoch >= epoch:
            raise ValueError(f"For 'Model.{method}', the parameter 'epoch' must bigger than parameter 'initial_epoch', "
                             f"but got the parameter 'epoch' is {epoch}, 'initial_epoch' is {initial_epoch}.")
        if isinstance(sink_size, bool) or not isinstance(sink_size, int) or sink_size < -1 or sink_size == 0:
            raise ValueError(f"For 'Model.{method}', The argument 'sink_size' must be -1 or positive, "
                             f"but got {sink_size}.")
        _check_dataset(dataset, "train_dataset")
        warn_without_optimizer(method, self._loss_fn, self._optimizer)
        callbacks = _callback_list(callbacks)
        _check_custom_callbacks(callbacks, method)
        steps = sink_size if sink_mode and sink_size > 0 else dataset.get_dataset_size()
        if steps == 0:
            raise ValueError("There is no valid data in dataset, please check dataset file firstly.")
        if is_data_parallel():
            expect_as_many_steps(steps)
        run = self._facts_of_training(epoch - initial_epoch, steps, dataset, callbacks)
        history = History()
        try:
            with CallbackManager([*callbacks, history]) as manager:
                self._loop(run, manager, initial_epoch, epoch, dataset, steps, sink_mode and sink_size > 0, valid)
        except BaseException:
            for callback in callbacks:
                if isinstance(callback, ModelCheckpoint):
                    callback.save_breakpoint(self._train_network, self._current_epoch_num, self._current_step_num,
                                             run.cur_step_num)
            raise
        return history

    def _facts_of_training(self, epochs, steps, dataset, callbacks) -> InternalCallbackParam:
        return InternalCallbackParam(
            cur_step_num=0, train_network=self._train_network, epoch_num=epochs, batch_num=steps, mode="train",
            loss_fn=self._loss_fn, optimizer=self._optimizer, train_dataset=dataset, list_callback=callbacks,
            parallel_mode=get_auto_parallel_context("parallel_mode"),
            device_number=get_auto_parallel_context("device_num"), train_dataset_element=None, network=self._network,
            last_save_ckpt_step=None, latest_ckpt_file=None, loss_scale_mananger=self._loss_scale_manager,
            initial_step=None, dataset_sink_mode=False)

    def _loop(self, run, manager, first, last, dataset, steps, endless, valid) -> None:
        context = RunContext(run)
        self._train_network.set_train(True)
        epochs = _Epochs(dataset, last, steps if endless else None, first)
        manager.on_train_begin(context)
        for epoch in range(first + 1, last + 1):
            run.cur_epoch_num = self._current_epoch_num = epoch
            self._current_step_num = 0
            manager.on_train_epoch_begin(context)
            for row in epochs.next():
                self._step(run, manager, context, row)
                if context.get_stop_requested():
                    break
            if valid is not None and _is_due(epoch, valid[1]):
                self._evaluate_between(run, manager, valid[0])
                self._train_network.set_train(True)
            manager.on_train_epoch_end(context)
            run.pop("metrics", None)
            run.pop("eval_results", None)
            if context.get_stop_requested():
                break
        manager.on_train_end(context)

    def _step(self, run, manager, context, row) -> None:
        row = tuple(row) if isinstance(row, (list, tuple)) else (row,)
        if run.cur_step_num == 0:
            check_row(row, self._network, self._loss_fn)
        run.cur_step_num += 1
        self._current_step_num = (run.cur_step_num - 1) % run.batch_num + 1
        run.train_dataset_element = row
        if run.cur_step_num == 1 and is_data_parallel():
            warn_of_the_same_data(row)
        manager.on_train_step_begin(context)
        self._train_network.set_train(True)
        run.net_outputs = self._train_network(*row)
        scale = self._loss_scale_manager
        if scale is not None and scale.get_drop_overflow_update():
            scale.update_loss_scale(bool(np.all(run.net_outputs[1].asnumpy())))
        manager.on_train_step_end(context)

    def _evaluate_between(self, run, manager, dataset) -> None:
        """Evaluate within a training: the facts of the training are put back, metrics and eval_results added."""
        kept = {name: run[name] for name in ("cur_step_num", "batch_num", "dataset_sink_mode", "net_outputs", "mode")}
        callbacks = [c for c in manager._callbacks if isinstance(c, TimeMonitor) or not _is_ours(c)]
        run.update(eval_network=self._eval_network, valid_dataset=dataset, batch_num=dataset.get_dataset_size(),
                   mode="eval", cur_step_num=0)
        with CallbackManager(callbacks) as evaluating:
            self._evaluate(run, evaluating, dataset, True)
        run.update(kept)

    # Evaluation and prediction.

    def eval(self, valid_dataset, callbacks=None, dataset_sink_mode=False) -> dict:
        """The metrics over a dataset: {name: number or array}."""
        _check_sink_mode(dataset_sink_mode)
        if not self._metric_fns:
            raise ValueError("For Model.eval, the model argument 'metrics' can not be None or empty, "
                             "you should set the argument 'metrics' for model.")
        _check_dataset(valid_dataset, "valid_dataset")
        callbacks = _callback_list(callbacks)
        _check_custom_callbacks(callbacks, "eval")
        run = InternalCallbackParam(
            eval_network=self._eval_network, valid_dataset=valid_dataset, batch_num=valid_dataset.get_dataset_size(),
            mode="eval", cur_step_num=0, list_callback=callbacks, network=self._network, dataset_sink_mode=False)
        with CallbackManager(callbacks) as manager:
            return self._evaluate(run, manager, valid_dataset, False)

    def _evaluate(self, run, manager, dataset, within_training) -> dict:
        context = RunContext(run)
        for metric in self._metric_fns.values():
            metric.clear()
        eval_loss = Loss()
        manager.on_eval_begin(context)
        self._eval_network.set_train(False)
        manager.on_eval_epoch_begin(context)
        for row in _Epochs(dataset, 1, None).next():
            run.cur_step_num += 1
            run.eval_dataset_element = row = tuple(row) if isinstance(row, (list, tuple)) else (row,)
            manager.on_eval_step_begin(context)
            run.net_outputs = self._eval_network(*row)
            manager.on_eval_step_end(context)
            outputs = self._update_metrics(run.net_outputs)
            if within_training and self._eval_indexes is not None:
                eval_loss.update(outputs[self._eval_indexes[0]])
            if context.get_stop_requested():
                break
        manager.on_eval_epoch_end(context)
        run.metrics = {name: _plain(metric.eval()) for name, metric in self._metric_fns.items()}
        if within_training:
            run.eval_results = copy.deepcopy(run.metrics)
            if self._eval_indexes is not None:
                run.eval_results["eval_loss"] = _plain(eval_loss.eval())
        manager.on_eval_end(context)
        return run.metrics

    def _update_metrics(self, outputs) -> tuple:
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        if not isinstance(outputs, tuple):
            raise ValueError(f"The argument 'outputs' should be tuple, but got {type(outputs)}.")
        if self._eval_indexes is None:
            for metric in self._metric_fns.values():
                metric.update(*outputs)
            return outputs
        if len(outputs) < 3:
            raise ValueError(f"The length of 'outputs' must be >= 3, but got {len(outputs)}")
        loss, prediction, label = (outputs[place] for place in self._eval_indexes)
        for metric in self._metric_fns.values():
            metric.update(*((loss,) if isinstance(metric, Loss) else (prediction, label)))
        return outputs

    def predict(self, *predict_data, backend=None, config=None):
        """The net's output for its arguments (Tensors, None, int, float or str), in evaluation mode."""
        for item in predict_data:
            if isinstance(item, Tensor) and item.size == 0:
                raise ValueError("The input data can not be empty.")
            if not (item is None or isinstance(item, (Tensor, int, float, str, tuple, list, dict))):
                raise TypeError("The types of input data must be in the Union(Tensor, None, int, float, str, tuple, "
                                f"list, dict), but got type {type(item).__name__}.")
        self._network.set_train(False)
        return self._network(*predict_data)

    def build(self, train_dataset=None, valid_dataset=None, sink_size=-1, epoch=1, sink_mode=True) -> None:
        """Compile for the rows of these datasets now, instead of in the first step."""
        for dataset, network, training in ((train_dataset, self._train_network, True),
                                           (valid_dataset, self._eval_network, False)):
            if dataset is None:
                continue
            if network is None:
                raise ValueError("Model.build: there is nothing to evaluate on valid_dataset, because 'metrics' is not "
                                 "set")
            _check_dataset(dataset, "dataset")
            network.set_train(training)
            for row in _Epochs(dataset, 1, None).next():
                network.compile(*(row if isinstance(row, (list, tuple)) else (row,)))
                break

    def infer_train_layout(self, *args, **kwargs):
        """Raises UnsupportedModeError: there are no layouts on one device."""
        raise UnsupportedModeError("Model.infer_train_layout describes how weights are split over devices; on one CPU "
                                   "they are not split, so leave the call out")

    def infer_predict_layout(self, *args, **kwargs):
        """Raises UnsupportedModeError: there are no layouts on one device."""
        raise UnsupportedModeError("Model.infer_predict_layout describes how weights are split over devices; on one "
                                   "CPU they are not split, so leave the call out")


class _Epochs:
    """The rows of one epoch after the other; with `steps`, that many rows are an epoch, wherever the dataset ends."""

    def __init__(self, dataset, epochs: int, steps: int | None, first: int = 0):
        self._dataset, self._steps = dataset, steps
        if hasattr(dataset, "create_tuple_iterator"):
            self._iterator = dataset.create_tuple_iterator(num_epochs=-1 if steps else epochs)
            if first and not steps and hasattr(self._iterator, "skip_epochs"):
                self._iterator.skip_epochs(first)
        else:
            self._iterator = None
        self._rows = None

    def next(self):
        """An iterable of the rows of the next epoch."""
        if self._steps is None:
            return self._iterator if self._iterator is not None else iter(self._dataset)
        return self._counted()

    def _counted(self):
        for _ in range(self._steps):
            yield self._following()

    def _following(self):
        for _ in range(2):
            if self._rows is None:
                self._rows = self._iterator if self._iterator is not None else iter(self._dataset)
            try:
                return next(self._rows)
            except StopIteration:
                self._rows = None
        raise ValueError("There is no valid data in dataset, please check dataset file firstly.")


def _check_dataset(dataset, name: str) -> None:
    if not hasattr(dataset, "get_dataset_size"):
        raise TypeError(f"'{name}' must be a dataset, but got {type(dataset).__name__}; wrap it: "
                        "graphcore.dataset.GeneratorDataset(source, column_names)")


def _check_sink_mode(value) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"dataset_sink_mode must be a bool, but got {type(value).__name__}")


def _callback_list(callbacks) -> list:
    """The callbacks as a list of their own.  Raises TypeError for what is no callback."""
    if callbacks is None:
        return []
    return list(CallbackManager(list(callbacks) if isinstance(callbacks, (list, tuple)) else callbacks)._callbacks)


def _is_ours(callback) -> bool:
    return type(callback).__module__.startswith("graphcore.train.")


def _check_custom_callbacks(callbacks: list, method: str) -> None:
    for callback in callbacks:
        old = sorted(_OLD_HOOKS & set(vars(type(callback))))
        if old and not _is_ours(callback):
            message = (f"For {type(callback).__name__} callback, {set(old)} methods may not be supported in later "
                       "version, Use methods prefixed with 'on_train' or 'on_eval' instead when using customized "
                       "callbacks.")
            if method == "fit":
                # They would be called at training and at evaluation, which mixes the two up.
                raise ValueError(message)
            log.info(message)


def _is_due(epoch: int, frequency) -> bool:
    return epoch % frequency == 0 if isinstance(frequency, int) else epoch in frequency


def _plain(value):
    """A NumPy scalar as a Python number, so that results print as numbers."""
    return value.item() if isinstance(value, np.generic) else value
