"""ModelCheckpoint: saves the training network as it goes, and keeps the latest files."""
from __future__ import annotations

import logging
import os
import re
import time

from graphcore.communication.parameters import as_rank_0
from graphcore.ops.transport import group_size
from graphcore.random import get_rng_state
from graphcore.tensor import Tensor
from graphcore.train.callback.base import Callback, check_count
from graphcore.train.serialization import save_checkpoint, wait_for_saves, writes_checkpoints

log = logging.getLogger("graphcore.train")
_COUNTERS = ("epoch_num", "step_num")
_CHANGING = (*_COUNTERS, "rng_state")


class CheckpointConfig:
    """When ModelCheckpoint saves, what, and how many files it keeps.

    save_checkpoint_steps or save_checkpoint_seconds: how often (steps go before seconds).  keep_checkpoint_max: how
    many files stay, or keep_checkpoint_per_n_minutes: one file for that span.  async_save: files are written beside the
    training, so there may be one more until the next save.  saved_network: the Cell to save instead
    of the training network.  append_info: "epoch_num", "step_num", "rng_state" (see `set_rng_state`: training goes on
    bit by bit from there) and at most one dict of further entries.
    exception_save: whether to save ``<prefix>-<epoch>_<step>_breakpoint.ckpt`` when the training fails.
    crc_check: end the files with a check sum.  format: "ckpt" or "safetensors".
    """

    def __init__(self, save_checkpoint_steps=1, save_checkpoint_seconds=0, keep_checkpoint_max=5,
                 keep_checkpoint_per_n_minutes=0, integrated_save=True, async_save=False, saved_network=None,
                 append_info=None, enc_key=None, enc_mode="AES-GCM", exception_save=False, crc_check=False,
                 remove_redundancy=False, format="ckpt", **kwargs):
        limits = {"save_checkpoint_steps": save_checkpoint_steps, "save_checkpoint_seconds": save_checkpoint_seconds,
                  "keep_checkpoint_max": keep_checkpoint_max,
                  "keep_checkpoint_per_n_minutes": keep_checkpoint_per_n_minutes}
        for name, value in limits.items():
            if value is not None:
                check_count(value, name)
        if not any(limits.values()):
            raise ValueError("For 'CheckpointConfig', the input arguments 'save_checkpoint_steps', "
                             "'save_checkpoint_seconds', 'keep_checkpoint_max' and 'keep_checkpoint_per_n_minutes' "
                             "can't be all None or 0.")
        if saved_network is not None and not hasattr(saved_network, "parameters_and_names"):
            raise TypeError("For 'CheckpointConfig', the type of 'saved_network' must be None or Cell, "
                            f"but got {type(saved_network)}.")
        if enc_key is not None:
            raise ValueError("For 'CheckpointConfig', encryption is not supported; leave enc_key at None")
        if remove_redundancy:
            raise ValueError("For 'CheckpointConfig', remove_redundancy needs several devices; leave it at False")
        if format not in ("ckpt", "safetensors"):
            raise ValueError(f"For 'CheckpointConfig', format must be 'ckpt' or 'safetensors', but got {format!r}.")
        self.save_checkpoint_steps = save_checkpoint_steps
        self.save_checkpoint_seconds = None if save_checkpoint_steps else save_checkpoint_seconds
        self.keep_checkpoint_per_n_minutes = None if keep_checkpoint_max else keep_checkpoint_per_n_minutes
        self.keep_checkpoint_max = keep_checkpoint_max or (0 if keep_checkpoint_per_n_minutes else 1)
        self.integrated_save, self.async_save, self.saved_network = integrated_save, async_save, saved_network
        self.append_dict = _append_dict(append_info)
        self.enc_key, self.enc_mode = enc_key, enc_mode
        self.exception_save, self.crc_check, self.format = exception_save, crc_check, format
        self.map_param_inc = kwargs.get("incremental", False)

    def get_checkpoint_policy(self) -> dict:
        """When files are saved and how many are kept."""
        return {"save_checkpoint_steps": self.save_checkpoint_steps,
                "save_checkpoint_seconds": self.save_checkpoint_seconds,
                "keep_checkpoint_max": self.keep_checkpoint_max,
                "keep_checkpoint_per_n_minutes": self.keep_checkpoint_per_n_minutes,
                "saved_network": self.saved_network}


def _append_dict(append_info) -> dict | None:
    if not append_info:
        return None
    if not isinstance(append_info, list):
        raise TypeError(f"For 'CheckpointConfig', the type of 'append_info' must be list, but got {type(append_info)}.")
    if sum(isinstance(element, dict) for element in append_info) > 1:
        raise TypeError("For 'CheckpointConfig', the element of 'append_info' must has only one dict.")
    result: dict = {name: 0 for name in _CHANGING if name in append_info}
    for element in append_info:
        if isinstance(element, dict):
            for key, value in element.items():
                if not isinstance(key, str) or not isinstance(value, (int, float, bool, str, Tensor)):
                    raise TypeError("For 'CheckpointConfig', the key type of the dict 'append_info' must be string, "
                                    "the value type must be int or float or bool, but got key type "
                                    f"{type(key)}, value type {type(value)}")
            result.update(element)
        elif element not in _CHANGING:
            raise ValueError("For 'CheckpointConfig', the value of element in the argument 'append_info' must be in "
                             f"{list(_CHANGING)} or a dict, but got {element!r}.")
    return result


class ModelCheckpoint(Callback):
    """Saves the training network (weights and optimizer state) to ``<directory>/<prefix>-<epoch>_<step>.ckpt``.

    prefix, directory: strings, or functions of the run's facts that return them.  If files of the prefix are there
    already, ``<prefix>_1`` is used, and so on.  The new file is complete before an old one is removed.
    """

    def __init__(self, prefix="CKP", directory=None, config: CheckpointConfig | None = None):
        super().__init__()
        if config is not None and not isinstance(config, CheckpointConfig):
            raise TypeError("For 'ModelCheckpoint', the type of argument 'config' should be 'CheckpointConfig', "
                            f"but got {type(config)}.")
        self._config = config or CheckpointConfig()
        self._prefix, self._prefix_function = (None, prefix) if callable(prefix) else (_checked_prefix(prefix), None)
        directory = os.getcwd() if directory is None else directory
        self._directory_function = directory if callable(directory) else None
        self._directory = None if callable(directory) else _made_directory(directory)
        if self._prefix is not None and self._directory is not None:
            self._prefix = unused_prefix(self._directory, self._prefix)
        self._append_dict = dict(self._config.append_dict or {})
        self._append_start = {name: self._append_dict.get(name, 0) for name in _COUNTERS}
        self._last_triggered_step = 0
        self._last_time = self._last_kept = time.time()
        self._latest_ckpt_file_name = ""
        self._unsettled: str | None = None

    @property
    def latest_ckpt_file_name(self) -> str:
        """The path of the file saved last, empty before that."""
        return self._latest_ckpt_file_name

    def step_end(self, run_context):
        self._save(run_context.original_args(), False)

    def end(self, run_context):
        config = self._config
        if config.save_checkpoint_steps or config.save_checkpoint_seconds:
            self._save(run_context.original_args(), True)
        self._settle()

    def _is_due(self, step: int) -> bool:
        config = self._config
        if config.save_checkpoint_steps:
            return step >= self._last_triggered_step + config.save_checkpoint_steps
        if config.save_checkpoint_seconds and as_rank_0(time.time() - self._last_time > config.save_checkpoint_seconds):
            self._last_time = time.time()
            return True
        return False

    def _save(self, run, last: bool) -> None:
        step = run.cur_step_num
        if step == self._last_triggered_step or not (last or self._is_due(step)):
            return
        self._last_triggered_step = step
        name = self._file_name(run)
        network = self._config.saved_network if self._config.saved_network is not None else run.train_network
        self._settle()          # the save before this one, if it ran beside the training
        self._write(network, name, run.cur_epoch_num, step)
        self._unsettled = name
        if not self._config.async_save:
            self._settle()
        self._latest_ckpt_file_name = os.path.join(self._directory, name)
        run.last_save_ckpt_step, run.latest_ckpt_file = step, self._latest_ckpt_file_name

    def _settle(self) -> None:
        """Wait until the file saved last is complete, and remove the files that are too old by now."""
        wait_for_saves()
        if self._unsettled is not None:
            self._remove_old(self._unsettled)
            self._unsettled = None

    def _file_name(self, run) -> str:
        if self._directory_function is not None:
            self._directory = _made_directory(self._directory_function(run))
        if self._prefix_function is not None:
            return f"{_checked_prefix(self._prefix_function(run))}.{self._config.format}"
        return f"{self._prefix}-{run.cur_epoch_num}_{(run.cur_step_num - 1) % run.batch_num + 1}.{self._config.format}"

    def _write(self, network, name: str, epoch: int, step: int) -> None:
        for counter, now in zip(_COUNTERS, (epoch, step)):
            if counter in self._append_dict:
                self._append_dict[counter] = self._append_start[counter] + now
        if "rng_state" in self._append_dict:
            self._append_dict["rng_state"] = get_rng_state()
        save_checkpoint(network, os.path.join(self._directory, name), self._config.integrated_save,
                        self._config.async_save, self._append_dict, crc_check=self._config.crc_check,
                        format=self._config.format)

    def save_breakpoint(self, network, epoch: int, step_in_epoch: int, step: int) -> None:
        """Save ``<prefix>-<epoch>_<step>_breakpoint.ckpt`` if the configuration asks for it: the training failed.

        Not one of several processes, which may not have come as far as this one: they begin again at the last file.
        """
        known = self._prefix is not None and self._directory is not None
        if self._config.exception_save and known and group_size() == 1:
            name = f"{self._prefix}-{epoch}_{step_in_epoch}_breakpoint.{self._config.format}"
            self._write(network, name, epoch, step)

    def _remove_old(self, newest: str) -> None:
        """Remove what is more than keep_checkpoint_max, or all but the first file of the span that is kept."""
        if self._prefix is None or not writes_checkpoints():
            return
        files = sorted(_saved_files(self._directory, self._prefix, self._config.format),
                       key=lambda name: (name == newest, os.path.getmtime(os.path.join(self._directory, name))))
        doomed: list = []
        if self._config.keep_checkpoint_max:
            doomed = files[:-self._config.keep_checkpoint_max]
        elif self._config.keep_checkpoint_per_n_minutes:
            span, now = self._config.keep_checkpoint_per_n_minutes * 60, time.time()
            if now - self._last_kept < span:
                recent = [name for name in files[:-1]
                          if now - os.path.getmtime(os.path.join(self._directory, name)) < span]
                doomed = recent[1:]
            self._last_kept = now
        for name in doomed:
            try:
                os.remove(os.path.join(self._directory, name))
            except OSError as error:
                log.warning("ModelCheckpoint: the older file %s cannot be removed: %s", name, error.strerror)


def _checked_prefix(prefix) -> str:
    if not isinstance(prefix, str) or "/" in prefix:
        raise ValueError("For 'ModelCheckpoint', the argument 'prefix' for checkpoint file name is invalid, it must be "
                         f"callable or string that does not contain '/', but got {prefix}.")
    return prefix


def _made_directory(directory) -> str:
    if not isinstance(directory, (str, os.PathLike)) or not os.fspath(directory):
        raise TypeError(f"For 'ModelCheckpoint', the argument 'directory' must be a path, but got {directory!r}.")
    path = os.path.realpath(os.fspath(directory))
    os.makedirs(path, exist_ok=True)
    return path


def _saved_files(directory: str, prefix: str, format: str) -> list:
    pattern = re.compile(re.escape(prefix) + r"-[^a-zA-Z]*\." + format)
    return [name for name in os.listdir(directory) if pattern.fullmatch(name)]


def unused_prefix(directory: str, prefix: str) -> str:
    """`prefix`, or ``<prefix>_<n>`` with the first number above those of the files that are there."""
    taken = [-1]
    for name in os.listdir(directory):
        found = re.fullmatch(re.escape(prefix) + r"(?:_(\d+))?-.*\.(ckpt|safetensors)", name)
        if found and not re.search(r"_breakpoint\.\w+$", name):
            taken.append(int(found[1] or 0))
    return prefix if max(taken) < 0 else f"{prefix}_{max(taken) + 1}"
