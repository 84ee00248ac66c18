"""The kernels of attention: blocks of scores, what becomes of them, and the walks over heads and blocks.

All arithmetic but the exponentials is done by the register tile (`panels`).  A block of scores has some rows of
queries and some columns of keys; its columns are filled up to whole panels with -inf, so that loops along them have no
rest.  `pitch` is the number of elements from row to row of such a block, never a multiple of a page: the tile reads
blocks across, too.
"""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels.blocking import Tile
from graphcore.compiler.launch import KernelSource

_SCORES = """
def attention_scores_{work}{suffix}(args, begin, end, worker):
{words}
    scaled = restrict(ptr_{work}(scaled_at), 1)
    scale = bitcast_{bits}_{work}({bits}(scale_bits))
    panels = (keys + {columns} - 1) // {columns}
    high = end - begin
    for r in range(high):
        source = restrict(ptr_{work}(q_at + (begin + r) * q_row * {bytes}), 0)
        target = advance(scaled, r * depth)
        for d in range(depth):
            store(target, d, load(source, d) * scale)
    scores = advance(ptr_{work}(scores_at), begin * pitch)
    for panel in range(panels):
        at = panel * {columns}
        call_with(multiply, 0, (high + height - 1) // height, worker, scaled, height * depth, 0,
                  key_panels + at * depth * {bytes}, steps, depth, advance(scores, at), pitch, high, {columns},
                  0, height, depth, 1)
    for r in range(high):
        line = advance(scores, r * pitch)
        seen = maximum(0, minimum(keys, reach + begin + r))
{mask}
        for j in range(seen, panels * {columns}):
            store(line, j, {lowest})
"""

_MASK = """\
        mask = advance(ptr_{code}(mask_at), (begin + r) * mask_row)
        if mask_column == 1:
            for j in range(seen):
                store(line, j, {masked})
        else:
            for j in range(seen):
                store(line, j, {masked_apart})"""
_MASKED = {"bool": "select(load(mask, {at}), load(line, j), {lowest})", "": "load(line, j) + load(mask, {at})"}

_FORWARD = """
def attention_{work}(args, begin, end, worker):
{words}
    scratch = scratch_at + worker * scratch_bytes
    steps = ptr_i64(scratch)
    key_panels = scratch + at_key_panels
    value_panels = scratch + at_value_panels
    scaled = scratch + at_scaled
    scores = ptr_{work}(scratch + at_scores)
    tops = ptr_{work}(scratch + at_tops)
    totals = ptr_{work}(scratch + at_totals)
    empty = bitcast_{bits}_{work}({bits}(empty_bits))       # what is given to queries that see no key
    batches = ptr_i64(batches_at)
    for k in range(longest):
        store(steps, k, k * {columns})
    blocks = (queries + block_rows - 1) // block_rows
    wide_panels = (width + {columns} - 1) // {columns}
    for item in range(begin, end):
        head = item // blocks
        block = item - head * blocks
        if causal != 0:         # long ones beside short ones
            if block % 2 == 0:
                block = block // 2
            else:
                block = blocks - 1 - block // 2
        q = q_at
        k = k_at
        v = v_at
        mask = mask_at
        index = head
        for axis in range(rank - 1, -1, -1):
            size = load(batches, 5 * axis)
            position = index % size
            index = index // size
            q += position * load(batches, 5 * axis + 1) * {bytes}
            k += position * load(batches, 5 * axis + 2) * {bytes}
            v += position * load(batches, 5 * axis + 3) * {bytes}
            mask += position * load(batches, 5 * axis + 4) * mask_bytes
        output = advance(ptr_{work}(output_at), head * (queries * width + queries))
        first = block * block_rows
        high = minimum(block_rows, queries - first)
        for r in range(high):
            store(tops, r, {lowest})
            store(totals, r, 0)
        seen_in_all = keys
        if causal != 0:
            seen_in_all = minimum(keys, first + high)
        for start in range(0, seen_in_all, block_keys):
            count = minimum(block_keys, seen_in_all - start)
            call_with(pack, 0, (count + {columns} - 1) // {columns}, worker, k + start * k_row * {bytes}, k_row, 1,
                      count, depth, {columns}, key_panels, {columns} * depth, 1)
            call_with(pack, 0, wide_panels, worker, v + start * v_row * {bytes}, 1, v_row, width, count,
                      {columns}, value_panels, {columns} * count, 1)
            for strip in range(0, high, strip_rows):
                rows = minimum(strip_rows, high - strip)
                row = first + strip
                seen = count
                reach = count
                if causal != 0:
                    reach = row + 1 - start
                    seen = minimum(count, reach + rows - 1)
                if seen > 0:
                    call_with(scores_kernel, 0, rows, worker, q + row * q_row * {bytes}, q_row, key_panels, steps,
                              depth, scores, pitch, seen, reach, scaled, scale_bits, height, multiply,
                              mask + (row * mask_row + start * mask_column) * mask_bytes, mask_row, mask_column)
                    columns = (seen + {columns} - 1) // {columns} * {columns}
                    for r in range(rows):
                        line = restrict(advance(scores, r * pitch), 0)
                        before = load(tops, strip + r)
                        top = {work}({lowest})
                        for j in range(columns):
                            top = maximum(top, load(line, j))
                        top = maximum(top, before)
                        shift = select(top == {lowest}, {work}(0), top)
                        total = {work}(0)
                        for j in range(columns):
                            power = exp(load(line, j) - shift)
                            store(line, j, power)
                            total = accumulate(total, power)
                        store(tops, strip + r, top)
                        if start == 0:
                            store(totals, strip + r, total)
                        else:
                            fade = exp(before - shift)
                            store(totals, strip + r, load(totals, strip + r) * fade + total)
                            if fade != {work}(1):
                                line = restrict(advance(output, (row + r) * width), 0)
                                for d in range(width):
                                    store(line, d, load(line, d) * fade)
                    for panel in range(wide_panels):
                        at = panel * {columns}
                        call_with(multiply, 0, (rows + height - 1) // height, worker, scores, height * pitch, 0,
                                  value_panels + at * count * {bytes}, steps, seen,
                                  advance(output, row * width + at), width, rows, minimum({columns}, width - at),
                                  start, height, pitch, 1)
        lse = advance(output, queries * width + first)
        for r in range(high):
            line = advance(output, (first + r) * width)
            total = load(totals, r)
            if total == 0:
                for d in range(width):
                    store(line, d, empty)
                store(lse, r, {lowest} + empty)
            else:
                inverse = {work}(1) / total
                for d in range(width):
                    store(line, d, load(line, d) * inverse)
                store(lse, r, load(tops, r) + log(total))
"""

_BACKWARD = """
def attention_grad_{work}(args, begin, end, worker):
{words}
    scale = bitcast_{bits}_{work}({bits}(scale_bits))
    scratch = scratch_at + worker * scratch_bytes
    steps = ptr_i64(scratch)
    key_panels = scratch + at_key_panels        # along the depth: for scores
    value_panels = scratch + at_value_panels    # along the width: for the gradient of weights
    key_rows = scratch + at_key_rows            # along the keys: for the gradient of queries
    query_rows = scratch + at_query_rows        # along the queries: for the gradient of keys
    g_rows = scratch + at_g_rows                # along the queries: for the gradient of values
    scaled = scratch + at_scaled
    weights = ptr_{work}(scratch + at_weights)
    slopes = ptr_{work}(scratch + at_slopes)
    batches = ptr_i64(batches_at)
    for k in range(longest):
        store(steps, k, k * {columns})
    deep_panels = (depth + {columns} - 1) // {columns}
    wide_panels = (width + {columns} - 1) // {columns}
    for item in range(begin, end):
        head = item // parts
        part = item - head * parts
        if causal != 0:         # long ones beside short ones
            if part % 2 == 0:
                part = part // 2
            else:
                part = parts - 1 - part // 2
        q = q_at
        k = k_at
        v = v_at
        g = g_at
        lse = ptr_{work}(lse_at)
        delta = ptr_{work}(delta_at)
        mask = mask_at
        index = head
        for axis in range(rank - 1, -1, -1):
            size = load(batches, 8 * axis)
            position = index % size
            index = index // size
            q += position * load(batches, 8 * axis + 1) * {bytes}
            k += position * load(batches, 8 * axis + 2) * {bytes}
            v += position * load(batches, 8 * axis + 3) * {bytes}
            g += position * load(batches, 8 * axis + 4) * {bytes}
            lse = advance(lse, position * load(batches, 8 * axis + 5))
            delta = advance(delta, position * load(batches, 8 * axis + 6))
            mask += position * load(batches, 8 * axis + 7) * mask_bytes
        for_q = advance(ptr_{work}(output_at), head * (queries * depth + keys * (depth + width)))
        for_k = advance(for_q, queries * depth)
        for_v = advance(for_k, keys * depth)
        first_key = part * part_keys
        last_key = minimum(keys, first_key + part_keys)
        zero_line(advance(for_k, first_key * depth), (last_key - first_key) * depth, {lanes})
        zero_line(advance(for_v, first_key * width), (last_key - first_key) * width, {lanes})
        if parts > 1:           # sums over some of the keys, which are added up later
            for_q = advance(ptr_{work}(partial_at), (head * parts + part) * queries * depth)
        zero_line(for_q, queries * depth, {lanes})
        if causal != 0:
            last_key = minimum(last_key, queries)
        for start in range(first_key, last_key, block_keys):
            count = minimum(block_keys, last_key - start)
            panels = (count + {columns} - 1) // {columns}
            call_with(pack, 0, panels, worker, k + start * k_row * {bytes}, k_row, 1,
                      count, depth, {columns}, key_panels, {columns} * depth, 1)
            call_with(pack, 0, panels, worker, v + start * v_row * {bytes}, v_row, 1,
                      count, width, {columns}, value_panels, {columns} * width, 1)
            call_with(pack, 0, deep_panels, worker, k + start * k_row * {bytes}, 1, k_row,
                      depth, count, {columns}, key_rows, {columns} * count, 1)
            row = 0
            if causal != 0:     # rows before see nothing of the block
                row = start
            while row < queries:
                rows = minimum(strip_rows, queries - row)
                seen = count
                reach = count
                if causal != 0:
                    reach = row + 1 - start
                    seen = minimum(count, reach + rows - 1)
                call_with(scores_kernel, 0, rows, worker, q + row * q_row * {bytes}, q_row, key_panels, steps,
                          depth, weights, pitch, seen, reach, scaled, scale_bits, height, multiply,
                          mask + (row * mask_row + start * mask_column) * mask_bytes, mask_row, mask_column)
                stacked = (rows + height - 1) // height
                panels = (seen + {columns} - 1) // {columns}
                from_g = g + row * g_row * {bytes}
                for panel in range(panels):
                    at = panel * {columns}
                    call_with(multiply, 0, stacked, worker, from_g, height * g_row, 0,
                              value_panels + at * width * {bytes}, steps, width, advance(slopes, at), pitch, rows,
                              {columns}, 0, height, g_row, 1)
                for r in range(rows):
                    line = restrict(advance(weights, r * pitch), 0)
                    slope = restrict(advance(slopes, r * pitch), 1)
                    shift = load(lse, (row + r) * lse_step)
                    shift = select(shift == {lowest}, {work}(0), shift)
                    less = load(delta, (row + r) * delta_step)
                    for j in range(panels * {columns}):
                        weight = exp(load(line, j) - shift)
                        store(line, j, weight)
                        store(slope, j, weight * (load(slope, j) - less) * scale)
                for panel in range(deep_panels):
                    at = panel * {columns}
                    call_with(multiply, 0, stacked, worker, slopes, height * pitch, 0,
                              key_rows + at * count * {bytes}, steps, seen, advance(for_q, row * depth + at),
                              depth, rows, minimum({columns}, depth - at), 1, height, pitch, 1)
                stacked = (seen + height - 1) // height
                call_with(pack, 0, deep_panels, worker, q + row * q_row * {bytes}, 1, q_row,
                          depth, rows, {columns}, query_rows, {columns} * rows, 1)
                call_with(pack, 0, wide_panels, worker, from_g, 1, g_row,
                          width, rows, {columns}, g_rows, {columns} * rows, 1)
                for panel in range(deep_panels):
                    at = panel * {columns}
                    call_with(multiply, 0, stacked, worker, slopes, height, 0, query_rows + at * rows * {bytes},
                              steps, rows, advance(for_k, start * depth + at), depth, seen,
                              minimum({columns}, depth - at), 1, height, 1, pitch)
                for panel in range(wide_panels):
                    at = panel * {columns}
                    call_with(multiply, 0, stacked, worker, weights, height, 0, g_rows + at * rows * {bytes},
                              steps, rows, advance(for_v, start * width + at), width, seen,
                              minimum({columns}, width - at), 1, height, 1, pitch)
                row += rows
"""

_SUM = """
def attention_sum_{work}(args, begin, end, worker):
    # args: parts of the gradient of queries, their number, queries, depth, output, elements of it to a head
    # an item is a query
    parts = args[1]
    depth = args[3]
    for item in range(begin, end):
        head = item // args[2]
        row = item - head * args[2]
        target = restrict(advance(ptr_{work}(args[4]), head * args[5] + row * depth), 0)
        source = restrict(advance(ptr_{work}(args[0]), (head * parts * args[2] + row) * depth), 1)
        for d in range(depth):
            store(target, d, load(source, d))
        for part in range(1, parts):
            source = advance(source, args[2] * depth)
            for d in range(depth):
                store(target, d, load(target, d) + load(source, d))
"""


#: The words of each kernel's row, by the names that stand in its text.  Addresses end in _at, strides in elements are
#: those from row to row (or from column to column), offsets of sections of the scratch memory begin with at_.
SCORES_WORDS = tuple("""
    q_at q_row key_panels steps depth scores_at pitch keys reach scaled_at scale_bits height multiply mask_at mask_row
    mask_column""".split())
_SHARED_WORDS = """
    queries keys depth width q_row k_row v_row mask_at mask_bytes mask_row mask_column causal scale_bits block_keys
    strip_rows pitch height longest scores_kernel multiply pack rank batches_at scratch_at scratch_bytes at_key_panels
    at_value_panels at_scaled """
FORWARD_WORDS = tuple(f"""
    q_at k_at v_at output_at {_SHARED_WORDS} empty_bits block_rows at_scores at_tops at_totals""".split())
BACKWARD_WORDS = tuple(f"""
    q_at k_at v_at g_at lse_at delta_at output_at {_SHARED_WORDS} g_row lse_step delta_step parts part_keys partial_at
    at_key_rows at_query_rows at_g_rows at_weights at_slopes""".split())


def _reading(words: tuple) -> str:
    """The lines that give the words of a row their names."""
    return "\n".join(f"    {name} = args[{number}]" for number, name in enumerate(words))


def _names(tile: Tile) -> dict:
    wide = tile.work == "f64"
    return {"work": tile.work, "bits": "i64" if wide else "i32", "bytes": tile.bytes, "columns": tile.columns,
            "lanes": tile.lanes, "lowest": "-1e999" if wide else "f32(-1e999)"}


@cache
def scores_kernel(tile: Tile, mask: str | None) -> KernelSource:
    """Rows of a block of scores: scale * q k^T, plus or behind a mask of the dtype with the code `mask`.

    reach: keys that row 0 sees, each row sees one more; scaled_at: memory for as many rows of queries.  Items are rows.
    """
    names, masking = _names(tile), ""
    if mask is not None:
        text = _MASKED.get(mask, _MASKED[""])
        masking = _MASK.format(code=mask, masked=text.format(at="j", **names),
                               masked_apart=text.format(at="j * mask_column", **names))
    return KernelSource(f"attention_scores_{tile.work}" + (f"_{mask}" if mask else ""), _SCORES.format(
        **names, suffix=f"_{mask}" if mask else "", mask=masking, words=_reading(SCORES_WORDS)))


@cache
def forward_kernel(tile: Tile) -> KernelSource:
    """Attention, for blocks of queries; see `attention.lower_attention` for its row."""
    return KernelSource(f"attention_{tile.work}", _FORWARD.format(**_names(tile), words=_reading(FORWARD_WORDS)))


@cache
def backward_kernel(tile: Tile) -> KernelSource:
    """The gradients of attention; see `attention.lower_attention_grad` for its row."""
    return KernelSource(f"attention_grad_{tile.work}", _BACKWARD.format(**_names(tile), words=_reading(BACKWARD_WORDS)))


@cache
def sum_kernel(tile: Tile) -> KernelSource:
    """The parts of the gradient of queries added up; see its text for its row."""
    return KernelSource(f"attention_sum_{tile.work}", _SUM.format(work=tile.work))
