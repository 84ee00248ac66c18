"""Neural networks: Cells, containers, layers, losses, optimisers and schedules."""
from graphcore.nn.cell import Cell
from graphcore.nn.cell_options import cell_attr_register
from graphcore.nn.containers import CellDict, CellList, SequentialCell

__all__ = ["Cell", "CellDict", "CellList", "SequentialCell", "cell_attr_register"]
