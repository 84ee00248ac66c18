"""The tables of names that packages import when they are first used, against the modules that hold the names."""
import importlib
import re
from pathlib import Path

import pytest

from graphcore import tensor_names
from graphcore.ops import own_methods
from graphcore.tensor import Tensor
from tests.test_layout import ROOT, run_python


@pytest.mark.parametrize("package", ["ops.functional", "ops.primitives", "nn.layers", "nn.loss", "nn", "train.metrics",
                                     "train.callback", "dataset", "dataset.vision"])
def test_a_table_lists_what_its_modules_export(package):
    package, missing = importlib.import_module(f"graphcore.{package}"), []
    for path in sorted(Path(package.__path__[0]).glob("[a-z]*.py")):
        module = importlib.import_module(f"{package.__name__}.{path.stem}")
        if path.stem not in ("arguments", "communication", "utils"):       # reached by their own names
            missing += [f"{path.stem}: {name}" for name in getattr(module, "__all__", ())
                        if getattr(package, name, None) is not getattr(module, name) or name not in package.__all__]
    assert not missing, f"add to the table of {package.__file__}: {missing}"


@pytest.mark.parametrize("package", ["", ".nn", ".nn.layers", ".nn.loss", ".nn.optim", ".ops", ".ops.functional",
                                     ".ops.primitives", ".train", ".train.metrics", ".train.callback", ".dataset",
                                     ".dataset.vision"])
def test_every_listed_name_is_there(package):
    package = importlib.import_module(f"graphcore{package}")
    assert len(set(package.__all__)) == len(package.__all__)
    assert set(package.__all__) <= set(dir(package))
    for name in dir(package):
        getattr(package, name)
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'no_such_name'"):
        _ = package.no_such_name


def test_every_method_of_a_tensor_is_there():
    assert not [name for name in tensor_names.ALL if not callable(getattr(Tensor, name)) and name not in "T H mT mH"]
    assert set(tensor_names.OWN) == set(own_methods.METHODS)
    done = run_python("from graphcore import Tensor; print(Tensor.abs(Tensor(-1)), 'relu' in dir(Tensor))")
    assert done.split() == ["1", "True"]


def test_the_head_of_a_script_loads_what_it_names():
    loaded = run_python("import sys; from graphcore import nn, ops, Tensor, Parameter; class_ = nn.Cell; "
                        "print(*sys.modules)").split()
    extra = [m for m in loaded if m.startswith(("graphcore.nn.layers.", "graphcore.ops.functional.",
                                                "graphcore.ops.primitives.", "graphcore.train", "graphcore.dataset"))]
    assert "graphcore.nn.cell" in loaded and not extra


def test_one_import_registers_every_operator():
    written = {name.rstrip("_") for path in (ROOT / "graphcore" / "ops").rglob("*.py")
               for name in re.findall(r"^@op\nclass (\w+)", path.read_text(), re.MULTILINE)}
    found = run_python("import graphcore.ops.records; from graphcore.ops.record import REGISTRY; print(*REGISTRY)")
    assert set(found.split()) == written
    assert run_python("from graphcore.ops.record import REGISTRY; print(REGISTRY['conv2d'].kind)") == "scheduled\n"
