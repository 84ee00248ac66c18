"""SummaryRecord and SummaryCollector: numbers, arrays, images and histograms over time, in MindSpore's files."""
from __future__ import annotations

import os
import re
import socket
import struct
import time
import zlib

import numpy as np

from graphcore.files.framed import framed
from graphcore.files.protobuf import block, double, single, varint, whole
from graphcore.tensor import Tensor
from graphcore.train.callback.base import Callback, check_count

_KINDS = ("scalar", "tensor", "image", "histogram")
# MindSpore's numbers for dtypes of tensors in summaries
_DTYPES = {"int8": 2, "int16": 3, "int32": 4, "int64": 5, "uint8": 6, "uint16": 7, "uint32": 8, "uint64": 9,
           "float16": 10, "float32": 11, "float64": 12, "bool": 1}


class SummaryRecord:
    """Writes a summary file, as MindSpore's tools read them, into `log_dir`; a context manager.

    file_prefix, file_suffix: parts of its name.  max_file_size: bytes after which nothing more is written.
    network, num_process, raise_exception, export_options: accepted; graphs are not written, one process writes.
    Raises TypeError or ValueError for unusable names.
    """

    def __init__(self, log_dir: str, file_prefix: str = "events", file_suffix: str = "_MS", num_process: int = 32,
                 network=None, max_file_size=None, raise_exception: bool = False, export_options=None):
        if not isinstance(log_dir, str) or not log_dir:
            raise TypeError(f"log_dir must be a str that names a folder, got {log_dir!r}")
        for name, part in (("file_prefix", file_prefix), ("file_suffix", file_suffix)):
            if not isinstance(part, str) or not re.fullmatch(r"[^/\\]*", part):
                raise ValueError(f"{name} must be a part of a file's name, got {part!r}")
        os.makedirs(log_dir, exist_ok=True)
        self.base_log_dir, self.network, self.max_file_size = os.path.realpath(log_dir), network, max_file_size
        name = f"{file_prefix}.out.events.summary.{int(time.time())}.0.{socket.gethostname()}{file_suffix}"
        self._path = os.path.join(self.base_log_dir, name)
        self._file = open(self._path, "ab")
        self._waiting: list[bytes] = []
        self._mode = "train"
        self._write(double(1, time.time()) + block(3, "MindSpore.Event:1"))

    @property
    def log_dir(self) -> str:
        """The path of the file."""
        return self._path

    def set_mode(self, mode: str) -> None:
        """Whether values are of training or evaluation.  Raises ValueError for anything else."""
        if mode not in ("train", "eval"):
            raise ValueError(f"mode must be 'train' or 'eval', got {mode!r}")
        self._mode = mode

    def add_value(self, plugin: str, name: str, value) -> None:
        """Keep a value for the next `record`.

        plugin: "scalar" (a number), "tensor", "histogram" (any array), "image" ([N, C, H, W] of 0..1 or 0..255; the
        first is written).  Raises ValueError for others, and for values that do not fit.
        """
        if plugin not in _KINDS:
            raise ValueError(f"a summary holds {', '.join(_KINDS)}; not {plugin!r}")
        if not isinstance(name, str) or not name:
            raise ValueError(f"the name of a value must be a str that is not empty, got {name!r}")
        array = value.asnumpy() if isinstance(value, Tensor) else np.asarray(value)
        content = {"scalar": _scalar, "tensor": _tensor, "image": _image, "histogram": _histogram}[plugin](array)
        self._waiting.append(block(1, block(1, name) + content))

    def record(self, step: int, train_network=None, plugin_filter=None) -> bool:
        """Write what was added since the last time, for this step; False where the file is full.

        Raises TypeError unless `step` is an int, RuntimeError for a closed file.
        """
        if not isinstance(step, int) or isinstance(step, bool):
            raise TypeError(f"For 'step', the type should be int, but got {type(step).__name__}.")
        if self._file.closed:
            raise RuntimeError("the summary file is closed")
        full = self.max_file_size is not None and self._file.tell() >= self.max_file_size
        if self._waiting and not full:
            self._write(double(1, time.time()) + whole(2, step) + block(5, b"".join(self._waiting)))
        self._waiting = []
        return not full

    def _write(self, event: bytes) -> None:
        self._file.write(framed(event))
        self._file.flush()

    def flush(self) -> None:
        """Everything is on its way to the disk."""
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _scalar(array: np.ndarray) -> bytes:
    if array.size != 1:
        raise ValueError(f"a scalar is one number, got shape {array.shape}")
    return single(3, float(array.reshape(())))


def _tensor(array: np.ndarray) -> bytes:
    code = _DTYPES.get(array.dtype.name)
    if code is None:
        raise ValueError(f"a summary does not hold tensors of {array.dtype}")
    dims = b"".join(whole(1, size) for size in array.shape or (1,))
    return block(8, dims + whole(2, code) + block(3, np.ascontiguousarray(array).tobytes()))


def _image(array: np.ndarray) -> bytes:
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        raise ValueError(f"images are [N, C, H, W] with 1 or 3 channels, got shape {array.shape}")
    pixels = array[0].astype(np.float64)
    if pixels.size and pixels.max() <= 1:
        pixels = pixels * 255
    pixels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    height, width, channels = pixels.shape
    return block(4, whole(1, height) + whole(2, width) + whole(3, channels) + block(4, png(pixels)))


def png(pixels: np.ndarray) -> bytes:
    """uint8 [H, W, 1 or 3] as a PNG file."""
    height, width, channels = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], 1)     # no filter

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines.tobytes()))
            + chunk(b"IEND", b""))


def _bins(count: int) -> int:
    """How many bars show that many numbers."""
    for most, bins in ((0, 1), (5, 2), (10, 3), (880, -(-count // 10) + 1)):
        if count <= most:
            return bins
    return 90


def _histogram(array: np.ndarray) -> bytes:
    numbers = array.astype(np.float64).reshape(-1)
    finite = numbers[np.isfinite(numbers)]
    bars = b""
    if finite.size:
        counts, edges = np.histogram(finite, _bins(finite.size))
        bars = b"".join(block(1, double(1, left) + double(2, width) + whole(3, int(n)))
                        for left, width, n in zip(edges, np.diff(edges), counts))
    else:
        finite = np.zeros(1)
    special = (np.isnan(numbers), np.isposinf(numbers), np.isneginf(numbers))
    return block(9, bars + b"".join(whole(2 + i, int(part.sum())) for i, part in enumerate(special))
                 + double(5, finite.max()) + double(6, finite.min()) + double(7, finite.sum())
                 + varint(8 << 3) + varint(numbers.size))


class SummaryCollector(Callback):
    """Writes the loss of every `collect_freq`-th step, as "loss/auto", to a summary file in `summary_dir`; also that of
    the first and of the last step.

    collect_specified_data: {"collect_metric": bool, "histogram_regular": a pattern of Parameter names whose histograms
    are written at the same steps}; its other entries (graphs, lineage, landscape) are accepted and write nothing.
    keep_default_action: whether the loss is collected without being asked for.
    """

    def __init__(self, summary_dir: str, collect_freq: int = 10, num_process: int = 32, collect_specified_data=None,
                 keep_default_action: bool = True, custom_lineage_data=None, collect_tensor_freq=None,
                 max_file_size=None, export_options=None):
        super().__init__()
        if not isinstance(summary_dir, str) or not summary_dir:
            raise TypeError(f"summary_dir must be a str that names a folder, got {summary_dir!r}")
        self.summary_dir, self.collect_freq = summary_dir, check_count(collect_freq, "collect_freq", 1)
        options = collect_specified_data or {}
        if not isinstance(options, dict):
            raise TypeError(f"collect_specified_data must be a dict, got {type(options).__name__}")
        self._loss = options.get("collect_metric", keep_default_action)
        self._pattern = options.get("histogram_regular")
        self._max_file_size, self._record = max_file_size, None
        self._latest = self._collected = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._record is not None:
            self._record.close()

    def begin(self, run_context):
        self._record = SummaryRecord(self.summary_dir, max_file_size=self._max_file_size)

    def step_end(self, run_context):
        run = run_context.original_args()
        if run.get("mode", "train") == "train":
            self._latest = run.cur_step_num
            if run.cur_step_num == 1 or run.cur_step_num % self.collect_freq == 0:
                self._collect(run)

    def _collect(self, run) -> None:
        self._collected = run.cur_step_num
        outputs = run.get("net_outputs")
        loss = outputs[0] if isinstance(outputs, (tuple, list)) and outputs else outputs
        if self._loss and loss is not None and np.size(loss.asnumpy() if isinstance(loss, Tensor) else loss) == 1:
            self._record.add_value("scalar", "loss/auto", loss)
        if self._pattern:
            for parameter in run.train_network.trainable_params():
                if re.search(self._pattern, parameter.name):
                    self._record.add_value("histogram", f"{parameter.name}/auto", parameter.value())
        self._record.record(run.cur_step_num)

    def end(self, run_context):
        if self._collected != self._latest:
            self._collect(run_context.original_args())
        self._record.close()


def _get_summary_tensor_data():
    """Refused: what the operators of summaries are given is not kept; MindSpore's gives the values by their labels."""
    raise NotImplementedError("the values given to TensorSummary and its like are not kept: return them from the net's "
                              "construct, or read them in a forward hook (Cell.register_forward_hook)")
