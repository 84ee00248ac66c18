"""The IR: sizes, types, nodes and graphs, their text and their rules."""
