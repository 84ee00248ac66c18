"""Bundles that several modules of tests look at."""
from __future__ import annotations

from functools import cache

import pytest

from graphcore.aot.bundle import write_bundle
from graphcore.train.exporting import exported_graph
from tests.aot.nets import made


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """A function that gives the folder of a net's bundle, made once."""
    @cache
    def bundle(name: str, weights: str = "inside", types: tuple = ()):
        net, inputs = made(name)
        folder = tmp_path_factory.mktemp(name)
        return write_bundle(folder, name, exported_graph(net, types or inputs), weights).folder
    return bundle
