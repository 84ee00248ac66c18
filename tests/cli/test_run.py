"""``graphcore run``: scripts written for MindSpore, as if MindSpore were installed."""
import subprocess
import sys

import pytest

import graphcore
from graphcore.cli import mindspore_hook
from graphcore.cli.module_map import MODULES

SCRIPT = """\
import sys
import mindspore as ms
import mindspore.nn as nn
import mindspore.common.dtype as mstype
from mindspore import Tensor, context, dtype, ops
from mindspore.common.initializer import Normal, initializer
from mindspore.communication.management import get_group_size, get_rank, init
from mindspore.train.callback import LossMonitor
import beside

context.set_context(mode=context.GRAPH_MODE, device_target="CPU")
init()
net = nn.Dense(3, 2, weight_init=Normal(0.1))
print(__name__, sys.argv[1:], beside.value, net(ops.ones((4, 3), mstype.float32)).shape, get_rank(), get_group_size())
print(ms.Tensor is Tensor, mstype.float32 is dtype.float32 is ms.float32, ms.__version__ >= "2.0")
"""


@pytest.fixture
def script(file):
    file("beside.py", "value = 7\n")
    return file("train.py", SCRIPT)


def test_a_script_runs_unchanged(command, script):
    code, out, err = command("run", "train.py", "--epochs", "3", "-o", "x")
    assert (code, err) == (0, "")
    assert out == "__main__ ['--epochs', '3', '-o', 'x'] 7 (4, 2) 0 1\nTrue True True\n"


def test_the_installed_command(script):
    done = subprocess.run([sys.executable, "-m", "graphcore", "run", str(script)], capture_output=True, text=True,
                          timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("__main__ [] 7 (4, 2) 0 1\n")


def test_the_traceback_shows_the_script_alone(command, file):
    path = file("fails.py", "def f(x):\n    return 1 / x\n\n\nf(0)\n")
    code, _, err = command("run", "fails.py")
    assert code == 1
    assert err.startswith(f'Traceback (most recent call last):\n  File "{path}", line 5, in <module>\n    f(0)\n')
    assert err.count("File ") == 2 and err.endswith("ZeroDivisionError: division by zero\n")


def test_the_launcher_is_no_caller(file):
    path = file("fails.py", "import mindspore as ms\n\nms.jit(lambda x: x @ x)(ms.Tensor([[1.0, 2.0]]))\n")
    launcher = file("launcher", "import sys\nfrom graphcore.cli.main import main\nsys.exit(main(sys.argv[1:]))\n")
    done = subprocess.run([sys.executable, launcher, "run", path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and f"called from {path}:3, in <module>\n" in done.stderr
    assert f"{launcher}:" not in done.stderr


@pytest.mark.parametrize("text, code", [("import sys; sys.exit(7)", 7), ("raise SystemExit", None), ("pass", 0),
                                        ("raise KeyboardInterrupt", 130), ("def f(:", 1)])
def test_exit_codes(command, file, text, code):
    file("s.py", text + "\n")
    got, _, err = command("run", "s.py")
    assert got == code
    assert "graphcore/cli" not in err and "run.py" not in err


@pytest.mark.parametrize("line, message", [
    ("from mindspore.nn import Densee", "cannot import name 'Densee' from 'mindspore.nn'; did you mean 'Dense'?"),
    ("from mindspore import Tensorr", "cannot import name 'Tensorr' from 'mindspore'; did you mean 'Tensor'?"),
    ("from mindspore import set_contxt",
     "cannot import name 'set_contxt' from 'mindspore'; did you mean 'set_context'?"),
    ("from mindspore.common.initializer import Normall",
     "cannot import name 'Normall' from 'mindspore.common.initializer'; did you mean 'Normal'?"),
    ("from mindspore.context import GRAPHMODE",
     "cannot import name 'GRAPHMODE' from 'mindspore.context'; did you mean 'GRAPH_MODE'?"),
    ("import mindspore.dataset.vison", "cannot import name 'vison' from 'mindspore.dataset'; did you mean 'vision'?"),
    ("import mindspore.nn.Dense", "mindspore.nn.Dense is not a module"),
    ("from mindspore import mindpandas",
     "cannot import name 'mindpandas' from 'mindspore'; graphcore does not have it (yet)"),
    ("import mindspore.no.such.thing", "cannot import name 'no' from 'mindspore'"),
])
def test_unknown_names_list_the_nearest(command, file, line, message):
    file("s.py", line + "\n")
    code, _, err = command("run", "s.py")
    assert code == 1
    last = err.strip().splitlines()[-1]
    assert last.partition(": ")[0] in ("ImportError", "ModuleNotFoundError") and message in last
    assert "mindspore_hook" not in err and "importlib" not in err


def test_missing_things_can_be_caught(command, file):
    file("s.py", """\
for line in ("import mindspore.mint_of_another_kind", "from mindspore import mint_of_another_kind",
             "from mindspore.nn import Densee", "from mindspore.common.seed import set_sed"):
    try:
        exec(line)
    except ImportError:
        print("caught")
from mindspore import nn
print(hasattr(nn, "Densee"), getattr(nn, "Densee", None))
""")
    assert command("run", "s.py")[:2] == (0, "caught\n" * 4 + "False None\n")


def test_a_missing_script(command, script):
    code, out, err = command("run", "trian.py")
    assert (code, out) == (2, "")
    assert err == "graphcore run: error: there is no script 'trian.py'; did you mean 'train.py'?\n"


@pytest.fixture
def hook():
    mindspore_hook.install()
    yield
    mindspore_hook.uninstall()


# The module paths that public scripts import most, with a name that they take from each.
PATHS = """
mindspore Tensor
mindspore.nn Cell
mindspore.nn.cell Cell
mindspore.nn.layer Dense
mindspore.nn.layer.basic Dense
mindspore.nn.layer.conv Conv2d
mindspore.nn.layer.normalization BatchNorm2d
mindspore.nn.layer.activation ReLU
mindspore.nn.layer.pooling MaxPool2d
mindspore.nn.layer.container SequentialCell
mindspore.nn.layer.embedding Embedding
mindspore.nn.optim Adam
mindspore.nn.optim.adam Adam
mindspore.nn.optim.momentum Momentum
mindspore.nn.optim.optimizer Optimizer
mindspore.nn.optim.sgd SGD
mindspore.nn.wrap WithLossCell
mindspore.nn.wrap.cell_wrapper TrainOneStepCell
mindspore.nn.loss MSELoss
mindspore.nn.loss.loss LossBase
mindspore.nn.learning_rate_schedule LearningRateSchedule
mindspore.nn.dynamic_lr piecewise_constant_lr
mindspore.nn.metrics Accuracy
mindspore.ops relu
mindspore.ops.functional stop_gradient
mindspore.ops.composite GradOperation
mindspore.ops.operations ReLU
mindspore.ops.operations.nn_ops ReLU
mindspore.ops.operations.math_ops MatMul
mindspore.ops.operations.array_ops Reshape
mindspore.ops.function softmax
mindspore.common set_seed
mindspore.common.api jit
mindspore.common.dtype float32
mindspore.common.initializer initializer
mindspore.common.parameter Parameter
mindspore.common.seed set_seed
mindspore.common.tensor Tensor
mindspore.context set_context
mindspore.train Model
mindspore.train.model Model
mindspore.train.callback LossMonitor
mindspore.train.callback._callback Callback
mindspore.train.serialization load_checkpoint
mindspore.train.loss_scale_manager FixedLossScaleManager
mindspore.train.amp auto_mixed_precision
mindspore.train.metrics Accuracy
mindspore.amp auto_mixed_precision
mindspore.dataset GeneratorDataset
mindspore.dataset.config set_seed
mindspore.dataset.engine GeneratorDataset
mindspore.dataset.transforms TypeCast
mindspore.dataset.transforms.c_transforms TypeCast
mindspore.dataset.transforms.py_transforms Compose
mindspore.dataset.vision Normalize
mindspore.dataset.vision.c_transforms Normalize
mindspore.dataset.vision.py_transforms ToTensor
mindspore.communication get_rank
mindspore.communication.management init
mindspore.parallel._utils _get_device_num
mindspore.log warning
mindspore._checkparam check_positive_int
mindspore.common Bool
mindspore.common RowTensor
mindspore.context LAX
mindspore.dataset engine
mindspore.dataset.audio.utils create_dct
mindspore.dataset.text.transforms JiebaTokenizer
mindspore.dataset.vision.py_transforms_util hwc_to_chw
mindspore.mint functional
mindspore.nn metrics
mindspore.nn.layer conv
mindspore.nn.layer.rnn_cells LSTMCell
mindspore.nn.layer.rnns GRU
mindspore.ops.operations nn_ops
mindspore.ops.operations _inner_ops
mindspore.ops.operations._rl_inner_ops CudnnGRU
mindspore.train._utils check_value_type
mindspore.train.serialization export
mindspore.train.serialization load
"""


@pytest.mark.parametrize("path, name", [line.split() for line in PATHS.strip().splitlines()])
def test_mindspores_own_paths(hook, path, name):
    namespace: dict = {}
    exec(f"from {path} import {name}", namespace)
    assert namespace[name] is not None


def test_modules_are_the_same_objects(hook):
    import mindspore.common.tensor
    import mindspore.nn
    import mindspore.train.callback

    from graphcore import nn, train
    assert mindspore.nn is nn and mindspore.train.callback is train.callback
    from mindspore.common.tensor import Tensor
    assert mindspore.Tensor is graphcore.Tensor and Tensor is graphcore.Tensor
    assert nn.__spec__.name == "graphcore.nn" and nn.__name__ == "graphcore.nn"
    assert mindspore.tensor([1.0]).dtype is graphcore.float32


def test_alias_modules_never_hide_a_name(hook):
    """Importing ``mindspore.a.b`` does not put the module in the place of a class or function ``b`` of ``a``."""
    import importlib
    from types import ModuleType
    for path in MODULES:
        parent, _, name = path.rpartition(".")
        if not parent:
            continue
        try:
            holder = importlib.import_module(f"mindspore.{parent}")
        except ImportError:
            continue
        present = getattr(holder, name, None)
        if present is not None and not isinstance(present, ModuleType):
            importlib.import_module(f"mindspore.{path}")
            assert getattr(holder, name) is present, f"mindspore.{path} hides {present!r}"


def test_star_import(hook):
    namespace: dict = {}
    exec("from mindspore import *", namespace)
    assert namespace["Tensor"] is graphcore.Tensor and namespace["float32"] is graphcore.float32


def test_install_is_idempotent_and_can_be_undone():
    before = list(sys.meta_path)
    mindspore_hook.install()
    mindspore_hook.install()
    assert len(sys.meta_path) == len(before) + 2
    import mindspore  # noqa: F401
    mindspore_hook.uninstall()
    assert sys.meta_path == before and "mindspore" not in sys.modules
