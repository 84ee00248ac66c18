"""``mindspore._extends``: the old home of a decorator of Cells."""
from graphcore.nn.cell_options import cell_attr_register

__all__ = ["cell_attr_register"]
