"""OnRequestExit: training that ends with a checkpoint when it is asked to."""
from __future__ import annotations

import json
import signal
from pathlib import Path

from graphcore import log
from graphcore.train.callback.base import Callback

__all__ = ["OnRequestExit"]


class OnRequestExit(Callback):
    """Ends training or evaluation after the step in which the process gets a signal, and writes a checkpoint.

    save_ckpt: write DIRECTORY/rank_0/FILE_NAME.ckpt.  save_mindir: accepted; MindSpore's graph files are not written,
    which the log says.  config_file: a JSON file; ``{"GracefulExit": 1}`` in it asks as well.  sig: SIGTERM.
    Raises ValueError for other types and another signal.
    """

    def __init__(self, save_ckpt=True, save_mindir=True, file_name="Net", directory="./", config_file=None,
                 sig=signal.SIGTERM):
        for name, value, kind in (("save_ckpt", save_ckpt, bool), ("save_mindir", save_mindir, bool),
                                  ("file_name", file_name, str), ("directory", directory, str)):
            if not isinstance(value, kind):
                raise ValueError(f"OnRequestExit: {name} must be a {kind.__name__}, got {value!r}")
        if sig != signal.SIGTERM:
            raise ValueError(f"OnRequestExit: sig must be signal.SIGTERM, got {sig!r}")
        self._save, self._save_mindir, self._sig = save_ckpt, save_mindir, sig
        self._path = Path(directory) / "rank_0" / f"{file_name}.ckpt"
        self._config, self._asked = config_file, False
        self._before = None

    def on_train_begin(self, run_context):
        """Listens for the signal."""
        self._before = signal.signal(self._sig, self._ask)

    def on_train_step_end(self, run_context):
        """Ends the training if that was asked for."""
        if self._asked or self._in_the_file():
            self._asked = True
            run_context.request_stop()

    def on_train_end(self, run_context):
        """Writes the checkpoint if training was to end, and stops listening."""
        if self._asked and self._save:
            from graphcore.train.serialization import save_checkpoint
            parameters = run_context.original_args()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            save_checkpoint(parameters.train_network or parameters.network, str(self._path))
            if self._save_mindir:
                log.warning("OnRequestExit writes a checkpoint, no MindIR; set save_mindir=False")
        self._listen_no_more()

    on_eval_begin, on_eval_step_end = on_train_begin, on_train_step_end

    def on_eval_end(self, run_context):
        """Stops listening."""
        self._listen_no_more()

    def _listen_no_more(self) -> None:
        if self._before is not None:
            signal.signal(self._sig, self._before)
            self._before = None

    def _ask(self, number, frame) -> None:
        self._asked = True

    def _in_the_file(self) -> bool:
        if self._config is None or not Path(self._config).is_file():
            return False
        return json.loads(Path(self._config).read_text(encoding="utf-8")).get("GracefulExit") == 1
