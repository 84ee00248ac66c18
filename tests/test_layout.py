"""The arrows between the parts of the house, and what importing them costs."""
import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = {"graphcore": ROOT / "graphcore", "graphcore.nn": ROOT / "nn", "graphcore.compiler": ROOT / "compiler"}

# What the compiler may know of the rest: the IR, the operators, and the base modules that they stand on.
COMPILER_MAY_IMPORT = ("graphcore.compiler", "graphcore.ir", "graphcore.ops", "graphcore.dtype", "graphcore.errors",
                       "graphcore.tensor", "graphcore.capture.epoch")
# The doors through which graphcore reaches the compiler, and only inside functions.
FRONT_DOORS = {"graphcore.capture.compiled", "graphcore.capture.tape", "graphcore.capture.gradients",
               "graphcore.capture.transforms.examples",
               "graphcore.context", "graphcore.aot.bundle", "graphcore.inspect", "graphcore.tuning",
               "graphcore.cli.subject", "graphcore.cli.tune"}
# Those that may know the layers: they work on Cells.
MAY_IMPORT_NN = ("graphcore.train", "graphcore.cli", "graphcore.files", "graphcore.capture", "graphcore.experimental",
                 "graphcore.boost", "graphcore._extends", "graphcore.mint", "graphcore.onnx",
                 "graphcore.parallel.nn", "graphcore.parallel.auto_parallel")


def modules(part: str):
    """(module name, parsed source) of a part, leaving the other parts out."""
    for path in sorted(PARTS[part].rglob("*.py")):
        relative = path.relative_to(PARTS[part]).with_suffix("")
        names = [n for n in relative.parts if n != "__init__"]
        yield ".".join([part, *names]), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST, only_top: bool = False):
    """(line, module) of the absolute imports; `only_top`: those that run when the module is imported."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if only_top and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or _type_checking(node):
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import; write it absolutely"
            # `from graphcore import nn` imports a module as much as `import graphcore.nn`
            yield from ((node.lineno, f"{node.module}.{a.name}") for a in node.names)
        stack.extend(ast.iter_child_nodes(node))


def _type_checking(node) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def below(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(p + ".") for p in packages)


def test_nn_knows_nothing_of_the_compiler():
    faults = [f"{module}:{line} imports {name}" for module, tree in modules("graphcore.nn")
              for line, name in imports(tree) if below(name, "graphcore.compiler", "numba", "llvmlite")]
    assert not faults, "\n".join(faults)


def test_the_compiler_knows_only_the_ir_and_the_operators():
    faults = [f"{module}:{line} imports {name}" for module, tree in modules("graphcore.compiler")
              for line, name in imports(tree) if below(name, "graphcore") and not below(name, *COMPILER_MAY_IMPORT)]
    assert not faults, "\n".join(faults)


def test_graphcore_reaches_the_compiler_only_through_its_front_doors():
    faults = []
    for module, tree in modules("graphcore"):
        for line, name in imports(tree):
            if below(name, "graphcore.compiler", "numba", "llvmlite") and module not in FRONT_DOORS:
                faults.append(f"{module}:{line} imports {name}")
        for line, name in imports(tree, only_top=True):
            if below(name, "graphcore.compiler", "numba", "llvmlite"):
                faults.append(f"{module}:{line} imports {name} when it is imported itself")
    assert not faults, "\n".join(faults)


def test_the_base_does_not_know_the_layers():
    faults = [f"{module}:{line} imports {name}" for module, tree in modules("graphcore")
              for line, name in imports(tree) if below(name, "graphcore.nn") and not below(module, *MAY_IMPORT_NN)]
    assert not faults, "\n".join(faults)


# Modules that are longer than they should be, and how long: this list only shrinks.
TOO_LONG = {"graphcore.compiler.codegen.fused": 530}


@pytest.mark.parametrize("part", PARTS)
def test_modules_are_short_and_say_what_they_are(part):
    for module, tree in modules(part):
        if not tree.body:
            continue
        assert ast.get_docstring(tree), f"{module} has no docstring"
        last = max((getattr(n, "end_lineno", 0) for n in tree.body), default=0)
        # records of operators stand in long, flat modules
        limit = TOO_LONG.get(module, 800 if below(module, "graphcore.ops") else 450)
        assert last <= limit, f"{module} has {last} lines; split it"


def test_all_packages_are_installed():
    """A folder that pyproject.toml does not list would be missing from a wheel."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = text[text.index("packages = ["):]
    for part, folder in PARTS.items():
        for inner in sorted({path.parent for path in folder.rglob("*.py")}):
            name = ".".join([part, *inner.relative_to(folder).parts])
            assert (inner / "__init__.py").exists(), f"{name} has no __init__.py"
            assert f'"{name}"' in listed, f"{name} is not among the packages of pyproject.toml"


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_graphcore_is_quick_and_leaves_numba_alone():
    code = ("import time; t = time.perf_counter(); import numpy; from graphcore import nn, ops, Tensor, Parameter; "
            "print(time.perf_counter() - t); import sys; print(*sorted(sys.modules))")
    seconds, loaded = run_python(code).splitlines()
    numpy_alone = float(run_python("import time; t = time.perf_counter(); import numpy; "
                                   "print(time.perf_counter() - t)"))
    assert float(seconds) < max(0.15, 2 * numpy_alone)
    assert not {"numba", "llvmlite", "graphcore.compiler"} & set(loaded.split())


def test_using_everything_but_the_compiler_leaves_numba_alone():
    code = ("import sys; from graphcore import *; from graphcore import nn, ops, train, dataset; "
            "print('numba' in sys.modules, 'llvmlite' in sys.modules)")
    assert run_python(code).split() == ["False", "False"]


def test_the_folders_at_the_root_hold_the_same_classes():
    code = ("import nn, compiler, graphcore.nn, graphcore.compiler; "
            "print(nn.Cell is graphcore.nn.Cell, compiler.compile.__code__ == graphcore.compiler.compile.__code__)")
    assert run_python(code).split() == ["True", "True"]


def test_every_public_name_is_there():
    import graphcore
    started = time.perf_counter()
    missing = []
    for name in graphcore.__all__:
        try:
            getattr(graphcore, name)
        except (ImportError, AttributeError) as error:
            missing.append(f"{name}: {error}")
    assert not missing, "\n".join(missing)
    assert time.perf_counter() - started < 10
    with pytest.raises(AttributeError, match="no attribute 'Tensorr'"):
        _ = graphcore.Tensorr


def test_modules_can_be_reached_without_importing_them():
    code = ("import graphcore as gc; print(gc.nn.Cell.__name__, gc.ops.__name__, gc.context.GRAPH_MODE, "
            "'Tensor' in dir(gc), 'nn' in dir(gc))")
    assert run_python(code).split() == ["Cell", "graphcore.ops", "0", "True", "True"]
