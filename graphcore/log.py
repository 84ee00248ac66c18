"""Log messages to the standard error stream, with MindSpore's functions and its levels in ``GLOG_v``.

``GLOG_v`` is 0 (debug), 1 (info), 2 (warning, the default), 3 (error) or 4 (critical).
"""
from __future__ import annotations

import functools
import logging
import os
import sys

__all__ = ["critical", "debug", "error", "get_level", "get_log_config", "info", "warning"]

_LEVELS = {"0": logging.DEBUG, "1": logging.INFO, "2": logging.WARNING, "3": logging.ERROR, "4": logging.CRITICAL}


class _StandardError(logging.StreamHandler):
    """Writes to `sys.stderr` as it is at the time, so that redirections are followed."""

    def __init__(self):
        logging.Handler.__init__(self)

    @property
    def stream(self):
        return sys.stderr


@functools.cache
def _logger() -> logging.Logger:
    logger = logging.getLogger("graphcore")
    logger.setLevel(_LEVELS[get_level()])
    if not any(isinstance(h, _StandardError) for h in logger.handlers):
        handler = _StandardError()
        handler.setFormatter(logging.Formatter(
            "[%(levelname)s] ME(%(process)d:%(thread)d,%(processName)s):%(asctime)s.%(msecs)03d "
            "[%(filename)s:%(lineno)d] %(message)s", "%Y-%m-%d-%H:%M:%S"))
        logger.addHandler(handler)
        logger.propagate = False
    return logger


def get_level() -> str:
    """The level below which nothing is shown, '0' (everything) to '4' (critical only)."""
    level = os.environ.get("GLOG_v", "2").strip()
    return level if level in _LEVELS else "2"


def get_log_config() -> dict:
    """The settings in force."""
    return {"GLOG_v": get_level(), "GLOG_logtostderr": "1"}


def debug(msg: str, *args, **kwargs) -> None:
    """Log a detail."""
    _logger().debug(msg, *args, stacklevel=2, **kwargs)


def info(msg: str, *args, **kwargs) -> None:
    """Log what is going on."""
    _logger().info(msg, *args, stacklevel=2, **kwargs)


def warning(msg: str, *args, **kwargs) -> None:
    """Log what is probably not intended."""
    _logger().warning(msg, *args, stacklevel=2, **kwargs)


def error(msg: str, *args, **kwargs) -> None:
    """Log a failure."""
    _logger().error(msg, *args, stacklevel=2, **kwargs)


def critical(msg: str, *args, **kwargs) -> None:
    """Log a failure that ends the work."""
    _logger().critical(msg, *args, stacklevel=2, **kwargs)
