"""What scripts ask of MindSpore's ``communication._comm_helper``."""
from graphcore.communication.management import GlobalComm

__all__ = ["GlobalComm", "_is_initialized"]


def _is_initialized() -> bool:
    """Whether `communication.init` was called."""
    return GlobalComm.INITED
