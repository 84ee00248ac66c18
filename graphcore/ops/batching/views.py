"""Rules of views and of what is assembled of parts: the batch axis comes first and is taken whole."""
from __future__ import annotations

from graphcore.ops.batching.values import rule


@rule("reshape")
def _reshape(record, batch, values, attrs):
    return record(values[0].node, shape=(batch, *attrs["shape"]))


@rule("transpose")
def _transpose(record, batch, values, attrs):
    return record(values[0].node, perm=(0, *(p + 1 for p in attrs["perm"])))


@rule("broadcast_to")
def _broadcast_to(record, batch, values, attrs):
    return record(values[0].aligned(len(attrs["shape"])), shape=(batch, *attrs["shape"]))


@rule("slice")
def _slice(record, batch, values, attrs):
    return record(values[0].node, begin=(0, *attrs["begin"]), size=(batch, *attrs["size"]),
                  stride=(1, *attrs["stride"]))


@rule("concat")
def _concat(record, batch, values, attrs):
    return record(*(v.spread(batch) for v in values), axis=attrs["axis"] + 1)


@rule("place")
def _place(record, batch, values, attrs):
    return record(values[0].node, shape=(batch, *attrs["shape"]), begin=(0, *attrs["begin"]),
                  stride=(1, *attrs["stride"]), fill=attrs["fill"])


@rule("update_slice")
def _update_slice(record, batch, values, attrs):
    return record(*(v.spread(batch) for v in values), begin=(0, *attrs["begin"]), stride=(1, *attrs["stride"]))
