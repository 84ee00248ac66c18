"""Attention in blocks: which blocks for which sizes, and the rows of the kernels (see `attention_texts`).

Forward, an item is a block of queries of one head: it takes the keys block by block and keeps for each query the
largest score so far, the sum of powers and the weighed values, scaled anew when a larger score comes.  Backward, the
weights follow from the logsumexp, and an item is a head, or, if there are few, a part of its keys: it has the gradients
of these keys and values, and a sum for the gradient of the queries, to which those of the other parts are added.
"""
from __future__ import annotations

import numpy as np

from graphcore.compiler.kernels import attention_texts as texts
from graphcore.compiler.kernels import panels
from graphcore.compiler.kernels.blocking import ENOUGH_ITEMS, Sections, Tile, ceil_div, grain, round_up, static
from graphcore.compiler.launch import Address, KernelAddress, Row, Scratch, View
from graphcore.ir.dims import Size, product

#: Most keys to a block, forward and backward; most queries to an item.
FORWARD_KEYS, BACKWARD_KEYS, MOST_ROWS = 256, 128, 512
#: Panels of rows to a strip of queries.  Where the future is hidden, short strips compute less that nobody sees.
STRIP, CAUSAL_STRIP = 8, 4
#: A number of queries that is not known counts as this; heads that are not counted are enough.
USUAL = 512


def lower_attention(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``attention`` (see `graphcore.ops.attention`); `output` is contiguous."""
    _Attention(build, node, inputs[:3], inputs[3:], output).forward()


def lower_attention_grad(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``attention_grad`` (see `graphcore.ops.attention`); `output` is contiguous."""
    _Attention(build, node, inputs[:4], inputs[6:], output).backward(inputs[4], inputs[5])


def _batch_strides(view: View, own: int, rank: int) -> list:
    """Strides along `rank` leading axes in front of a view's own ones; 0 where it is repeated."""
    lead = max(0, len(view.shape) - own)
    strides = [0 if size == 1 else stride for size, stride in zip(view.shape[:lead], view.strides)]
    return [0] * (rank - lead) + strides


def _merged(batches: list) -> list:
    """Leading axes as few as possible: neighbours whose strides all fit become one."""
    result: list = []
    for size, *strides in batches:
        if result and all(outer == size * inner for outer, inner in zip(result[-1][1:], strides)):
            result[-1] = (result[-1][0] * size, *strides)
        elif size != 1:
            result.append((size, *strides))
    return result


class _Attention:
    """One node on its way to launches; `operands` are q, k, v and, backward, g."""

    def __init__(self, build, node, operands: list, masks: list, output: View):
        self.build, self.node, self.output = build, node, output
        # the tile reads rows of queries, and packing whole lines of all
        self.operands = [x if x.shape[-1] == 1 or x.strides[-1] == 1 else build.contiguous(x) for x in operands]
        self.masks = masks
        self.tile = Tile.of(build.cpu, node.dtype)
        self.lead = node.shape[:-1]
        (self.queries, self.depth), (self.keys, self.width) = (x.shape[-2:] for x in (operands[0], operands[2]))
        self.count = product(self.lead)
        self.causal = node.attrs["causal"]
        self.strip = self.tile.rows * (CAUSAL_STRIP if self.causal else STRIP)
        self._has_many_heads = static(self.count, ENOUGH_ITEMS) >= ENOUGH_ITEMS

    # -- blocks ----------------------------------------------------------------------------------------
    def _block_keys(self, most: int, layouts: int) -> int:
        """Keys to a block: their panels, in so many layouts each, have half of the second-level cache."""
        each = (static(self.depth, 64) + static(self.width, 64)) * self.tile.bytes * layouts
        fitting = (self.build.cpu.l2 or 256 << 10) // 2 // max(1, each)
        return round_up(max(1, min(most, fitting, static(self.keys, most))), self.tile.columns)

    def _block_rows(self) -> int:
        """Queries to an item: many for the reuse of the packed keys, few if there would be too few items."""
        rows = static(self.queries, USUAL)
        if not self._has_many_heads:
            rows = ceil_div(rows, ceil_div(2 * ENOUGH_ITEMS, max(1, static(self.count, 1))))
        rows = min(MOST_ROWS, rows)
        return round_up(max(rows, 2 * self.strip), self.strip)

    # -- rows ------------------------------------------------------------------------------------------
    def _row(self, sections: Sections, others: list, block_keys: int) -> dict:
        """The words that both kernels have; `others`: (view, number of its own axes) of further operands."""
        tile, rank = self.tile, len(self.lead)
        strides = [_batch_strides(x, 2, rank) for x in self.operands]
        strides += [_batch_strides(x, own, rank) for x, own in others]
        mask = self.masks[0] if self.masks else None
        strides.append([0] * rank if mask is None else _batch_strides(mask, 2, rank))
        batches = _merged(list(zip(self.lead, *strides)))
        *_, mask_row, mask_column = (0, 0) if mask is None else (0, 0, *_batch_strides(mask, 0, len(mask.shape)))
        q, k, v = self.operands[:3]
        wide, deep = (round_up(size, tile.columns) for size in (self.width, self.depth))
        longest = block_keys + self.strip + self.depth + self.width
        sections.add(longest * 8)       # the steps of the tile, in front
        return {
            "q_at": Address(q), "k_at": Address(k), "v_at": Address(v), "output_at": Address(self.output),
            "queries": self.queries, "keys": self.keys, "depth": self.depth, "width": self.width,
            "q_row": q.strides[-2], "k_row": k.strides[-2], "v_row": v.strides[-2],
            "mask_at": 0 if mask is None else Address(mask), "mask_bytes": 0 if mask is None else mask.dtype.itemsize,
            "mask_row": mask_row, "mask_column": mask_column, "causal": int(self.causal),
            "scale_bits": self._bits(self.node.attrs["scale"]),
            "block_keys": block_keys, "strip_rows": self.strip, "pitch": block_keys + 64 // tile.bytes,
            "height": tile.rows, "longest": longest, "rank": len(batches),
            "batches_at": Row(tuple(word for batch in batches for word in batch) or (0,)),
            "scores_kernel": KernelAddress(texts.scores_kernel(tile, mask and mask.dtype.code)),
            "multiply": KernelAddress(panels.multiply_panel(tile)),
            "pack": KernelAddress(panels.pack_panels(tile, self.node.dtype)),
            "at_key_panels": sections.add(block_keys * self.depth * tile.bytes),
            "at_value_panels": sections.add(block_keys * wide * tile.bytes),
            "at_scaled": sections.add(self.strip * deep * tile.bytes),
        }

    def _bits(self, value: float) -> int:
        """A number as the word that a kernel makes it of."""
        with np.errstate(over="ignore"):
            return int(np.asarray(value, self.node.dtype.storage).view(f"i{self.tile.bytes}"))

    def _launch(self, kernel, names: tuple, row: dict, sections: Sections, items: Size, others: list, flops,
                partial=()) -> None:
        row |= {"scratch_at": Scratch(sections.total), "scratch_bytes": sections.total}
        read, written = [*self.operands, *others, *self.masks], [self.output, *partial]
        if self.causal:
            flops = flops // 2
        self.build.launch(kernel, tuple(row[name] for name in names), items=items,
                          grain=grain(static(flops, 1 << 30) // max(1, static(items, 1)) // 2),
                          reads=[x.buffer for x in read], writes=[x.buffer for x in written], flops=flops,
                          bytes=sum((x.size for x in (*read, *written)), 0) * self.tile.bytes)

    # -- the kernels -----------------------------------------------------------------------------------
    def forward(self) -> None:
        """Output and logsumexp."""
        block_rows, block_keys, sections = self._block_rows(), self._block_keys(FORWARD_KEYS, 1), Sections()
        row = self._row(sections, [], block_keys)
        row |= {"empty_bits": self._bits(np.nan if self.node.attrs.get("empty_is_nan") else 0.0),
                "block_rows": block_rows, "at_scores": sections.add(self.strip * row["pitch"] * self.tile.bytes),
                "at_tops": sections.add(block_rows * self.tile.bytes),
                "at_totals": sections.add(block_rows * self.tile.bytes)}
        self._launch(texts.forward_kernel(self.tile), texts.FORWARD_WORDS, row, sections,
                     self.count * ceil_div(self.queries, block_rows), [],
                     2 * self.count * self.queries * self.keys * (self.depth + self.width))

    def backward(self, lse: View, delta: View) -> None:
        """The gradients of queries, keys and values."""
        tile, sections, g, strip = self.tile, Sections(), self.operands[3], self.strip
        block_keys = self._block_keys(BACKWARD_KEYS, 2)
        parts, part_keys = self._parts(block_keys)
        wide, deep = (round_up(size, tile.columns) * tile.bytes for size in (self.width, self.depth))
        row = self._row(sections, [(lse, 1), (delta, 1)], block_keys)
        block = strip * row["pitch"] * tile.bytes
        row |= {"g_at": Address(g), "g_row": g.strides[-2], "lse_at": Address(lse), "lse_step": lse.strides[-1],
                "delta_at": Address(delta), "delta_step": delta.strides[-1], "parts": parts,
                "part_keys": part_keys, "partial_at": 0, "at_key_rows": sections.add(block_keys * deep),
                "at_query_rows": sections.add(strip * deep), "at_g_rows": sections.add(strip * wide),
                "at_weights": sections.add(block), "at_slopes": sections.add(block)}
        partial = []
        if parts > 1:
            shape = (self.count, parts, self.queries, self.depth)
            partial = [View.whole(self.build.temp("parts", self.node.dtype, product(shape)), shape)]
            row["partial_at"] = Address(partial[0])
        self._launch(texts.backward_kernel(tile), texts.BACKWARD_WORDS, row, sections, self.count * parts, [lse, delta],
                     self.count * self.queries * self.keys * (6 * self.depth + 4 * self.width), partial)
        for view in partial:
            self._add_up(view)

    def _add_up(self, partial: View) -> None:
        """The gradient of queries from its parts (heads, parts, queries, depth)."""
        count, parts, queries, depth = partial.shape
        words = (Address(partial), parts, queries, depth, Address(self.output), self.node.shape[-1])
        self.build.launch(texts.sum_kernel(self.tile), words, items=count * queries,
                          grain=max(1, 16384 // max(1, parts * static(depth, 64))), reads=[partial.buffer],
                          writes=[self.output.buffer], flops=partial.size, bytes=2 * partial.size * self.tile.bytes)

    def _parts(self, block_keys: int) -> tuple:
        """(parts of the keys that are items of their own, keys to a part): enough for the cores, with the heads."""
        if self._has_many_heads:
            return 1, self.keys
        blocks = max(1, ceil_div(static(self.keys, USUAL), block_keys))
        each = ceil_div(blocks, ceil_div(ENOUGH_ITEMS, max(1, static(self.count, 1))))
        parts = ceil_div(blocks, each)
        return parts, (each * block_keys if isinstance(self.keys, int) else
                       round_up(ceil_div(self.keys, parts), block_keys))


LOWERINGS = {"attention": lower_attention, "attention_grad": lower_attention_grad}
ACCEPTS_EPILOGUE = frozenset()
