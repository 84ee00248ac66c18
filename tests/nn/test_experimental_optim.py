"""``experimental.optim`` against what MindSpore 2.10 did (``record_experimental.py``), or PyTorch where it says so."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.errors import GradientError
from graphcore.experimental import optim
from tests.nn.experimental_cases import GROUPS, OPTIMIZERS, WEIGHTS, gradients_of, make_optimizer

RECORDED = json.loads(Path(__file__).with_name("experimental_results.json").read_text())["optimizers"]
CASES = [*OPTIMIZERS, *GROUPS]
COMPILED = [case for case in CASES if "," in case and case not in ("sgd, maximize", "rmsprop, momentum")]
AMSGRAD = [0.56383383, -1.4999999, 0.26730675, 2.5000005, 0.99999988, -0.21498649]      # PyTorch 2.13


def make_params(prefix=""):
    return [Parameter(value.copy(), name=prefix + name) for name, value in WEIGHTS.items()]


def gradient_tensors(step):
    return tuple(map(Tensor, gradients_of(step)))


def flat(params):
    return np.concatenate([p.asnumpy().ravel() for p in params])


def five_steps(make, steps=5):
    params = make_params()
    optimizer = make(params)
    for step in range(steps):
        optimizer(gradient_tensors(step))
    return params, optimizer


@pytest.mark.parametrize("case", CASES)
def test_five_steps_as_in_mindspore(case, eager):
    params, optimizer = five_steps(lambda p: make_optimizer(optim, p, case))
    np.testing.assert_allclose(flat(params), RECORDED[case]["weights"], rtol=1e-5, atol=4e-6)
    found = {p.name: p for p in optimizer.get_parameters()}
    assert [n for n in found if n in RECORDED[case]["names"]] == RECORDED[case]["names"]
    for name, values in RECORDED[case]["state"].items():
        np.testing.assert_allclose(found[name].asnumpy().ravel(), values, rtol=1e-5, atol=1e-6, err_msg=name)


class AllAtOnce(nn.Cell):
    """Steps many optimisers with the same gradients, as one program."""

    def __init__(self, optimizers):
        super().__init__()
        self.optimizers = nn.CellList(optimizers)

    def construct(self, *gradients):
        for optimizer in self.optimizers:
            optimizer(gradients)
        return gradients[0]


def test_five_compiled_steps(compiled):
    params = {case: make_params(case + ".") for case in COMPILED}
    step_all = AllAtOnce([make_optimizer(optim, params[case], case) for case in COMPILED])
    for step in range(5):
        step_all(*gradient_tensors(step))
    for case in COMPILED:
        np.testing.assert_allclose(flat(params[case]), RECORDED[case]["weights"], rtol=1e-5, atol=5e-6, err_msg=case)
    assert gc.explain_recompile(step_all) == "AllAtOnce was compiled once"


def test_amsgrad_of_adam_as_in_pytorch(eager):
    # MindSpore takes the argument and ignores it
    params, _ = five_steps(lambda p: optim.Adam(p, 0.1, betas=(0.8, 0.5), amsgrad=True))
    np.testing.assert_allclose(flat(params), AMSGRAD, rtol=1e-5)


def test_what_is_printed():
    optimizer = optim.Rprop([{"params": make_params(), "lr": 0.5}])
    assert repr(optimizer) == ("Rprop (\nParameter Group 0\n    etas: (0.5, 1.2)\n    lr: 0.5\n    maximize: False\n"
                               "    step_sizes: (1e-06, 50)\n    weight_decay: 0.0\n)")


def test_the_learning_rate_changes_without_compiling_again(mode):
    params = make_params()
    optimizer = optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.2}], lr=0.1)
    rates = [group["lr"] for group in optimizer.param_groups]
    assert [(r.name, float(r)) for r in rates] == [("learning_rate_group_0", pytest.approx(0.1)),
                                                   ("learning_rate_group_1", pytest.approx(0.2))]
    expected = [p.asnumpy().copy() for p in params]
    for rate in (None, 0.5, Tensor(0.25), 3):
        if rate is not None:
            optimizer.param_groups[0]["lr"] = rate
            ops.assign(optimizer.param_groups[1]["lr"], rate)
        optimizer(gradient_tensors(0))
        for value, gradient, default in zip(expected, gradients_of(0), (0.1, 0.2)):
            value -= float(default if rate is None else rate) * gradient
    for p, value in zip(params, expected):
        np.testing.assert_allclose(p.asnumpy(), value, rtol=1e-5)
    assert optimizer.param_groups[0]["lr"] is rates[0] is optimizer.lrs[0]
    if mode == "compiled":
        assert gc.explain_recompile(optimizer) == "SGD was compiled once"


def test_other_options_may_change_between_steps(mode):
    params = make_params()
    optimizer = optim.SGD(params, lr=0.1)
    optimizer(gradient_tensors(0))
    group = optimizer.param_groups[0]
    group["weight_decay"], group["maximize"] = 0.5, True
    before = params[0].asnumpy().copy()
    optimizer(gradient_tensors(0))
    np.testing.assert_allclose(params[0].asnumpy(), before - 0.1 * (0.5 * before - gradients_of(0)[0]), rtol=1e-5)


def test_a_group_that_is_added_later(mode):
    first, second = make_params()
    optimizer = optim.Adam([first], lr=0.1)
    optimizer(gradient_tensors(0)[:1])
    optimizer.add_param_group({"params": second, "lr": 0.3})
    assert [p.name for p in optimizer.exp_avg] == ["exp_avg.fc.weight", "exp_avg.bn.gamma"]
    assert [p.name for p in optimizer.lrs] == ["learning_rate_group_0", "learning_rate_group_1"]
    before = second.asnumpy().copy()
    optimizer(gradient_tensors(0))
    assert first.asnumpy()[0, 0] == pytest.approx(0.8, rel=1e-4)
    assert second.asnumpy()[0] < before[0] and second.asnumpy()[1] == before[1]


def test_a_float16_parameter_keeps_its_dtype(mode):
    param = Parameter(np.array([1.0, -2.0], np.float16), name="w")
    optimizer = optim.AdamW([param], lr=0.5)
    optimizer((Tensor(np.array([1.0, -1.0], np.float16)),))
    assert param.dtype == gc.float16 and optimizer.exp_avg[0].dtype == gc.float16
    np.testing.assert_allclose(param.asnumpy(), [0.4951, -1.49], rtol=2e-2)


def test_a_training_step_in_one_program(compiled):
    gc.set_seed(1)
    net = nn.Dense(4, 2)
    optimizer = optim.Adam([{"params": net.weight}, {"params": net.bias, "lr": 0.02, "weight_decay": 1e-3}], lr=0.1)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer)
    x = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
    losses = []
    for _ in range(30):
        losses.append(float(step(Tensor(x), Tensor(x[:, :2] - x[:, 2:]))))
        scheduler.step()
    assert losses[-1] < 0.1 * losses[0]
    assert float(optimizer.lrs[0]) == pytest.approx(0.1 / 8)
    assert gc.explain_recompile(step) == "TrainOneStepCell was compiled once"


@pytest.mark.parametrize("experimental, plain", [
    (lambda p: optim.AdamW(p, lr=0.1), lambda p: nn.AdamW(p, 0.1)),
    (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: nn.SGD(p, 0.1, 0.9))])
def test_updates_fuse_as_those_of_nn(experimental, plain, compiled):
    def kernels(make):
        gc.set_seed(1)
        net = nn.Dense(4, 2)
        step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), make(net.trainable_params()))
        step(Tensor(np.ones((32, 4), np.float32)), Tensor(np.ones((32, 2), np.float32)))
        return step._compiled.last_program.launches
    assert kernels(experimental) <= kernels(plain)


@pytest.mark.parametrize("make, error, text", [
    (lambda p: optim.Adam(None), ValueError, "trainable_params"),
    (lambda p: optim.Adam([]), ValueError, "empty"),
    (lambda p: optim.Adam(3), TypeError, "list of Parameters"),
    (lambda p: optim.Adam([1.0]), TypeError, "must hold Parameters"),
    (lambda p: optim.Adam([{"params": p}, p[0]]), TypeError, "must be a dict"),
    (lambda p: optim.Adam([{"lr": 0.1}]), KeyError, "lacks the key 'params'"),
    (lambda p: optim.Adam([{"params": set(p)}]), TypeError, "a set"),
    (lambda p: optim.Adam([{"params": p}, {"params": p[0]}]), ValueError, "more than one parameter group"),
    (lambda p: optim.Adam(p, lr=-0.1), ValueError, "lr must lie"),
    (lambda p: optim.Adam(p, lr="fast"), TypeError, "lr must be a number"),
    (lambda p: optim.Adam(p, lr=Tensor([0.1])), ValueError, "lr_scheduler"),
    (lambda p: optim.Adam(p, betas=(1.0, 0.9)), ValueError, r"betas\[0\]"),
    (lambda p: optim.Adam(p, betas=0.9), TypeError, "pair"),
    (lambda p: optim.Adam([{"params": p, "betas": (0.9, 2.0)}]), ValueError, r"betas\[1\]"),
    (lambda p: optim.AdamW(p, weight_decay=-1), ValueError, "weight_decay"),
    (lambda p: optim.AdamW(p, amsgrad=1), TypeError, "amsgrad"),
    (lambda p: optim.SGD(p, lr=0.1, nesterov=True), ValueError, "nesterov needs momentum"),
    (lambda p: optim.SGD(p, lr=0.1, momentum=-1), ValueError, "momentum"),
    (lambda p: optim.SGD(p, lr=0.1, maximize=1), TypeError, "maximize"),
    (lambda p: optim.Adagrad(p, lr_decay=-1), ValueError, "lr_decay"),
    (lambda p: optim.RMSprop(p, eps=0.0), ValueError, "eps"),
    (lambda p: optim.Adadelta(p, rho=1.5), ValueError, "rho"),
    (lambda p: optim.Adamax(p, eps=0), ValueError, "eps"),
    (lambda p: optim.NAdam(p, momentum_decay=-1), ValueError, "momentum_decay"),
    (lambda p: optim.Rprop(p, etas=(0.5, 0.9)), ValueError, r"etas\[1\]"),
    (lambda p: optim.Rprop(p, etas=0.5), TypeError, "pair"),
    (lambda p: optim.ASGD(p, lambd="x"), TypeError, "lambd"),
])
def test_bad_arguments(make, error, text):
    with pytest.raises(error, match=text):
        make(make_params())


def test_gradients_that_do_not_fit(mode):
    with pytest.raises(GradientError, match="2 Parameters but was given 1"):
        optim.Adam(make_params())(gradient_tensors(0)[:1])


def test_an_optimizer_written_for_mindspore(mode):
    class Sign(optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        def construct(self, gradients):
            for group_id, group in enumerate(self.param_groups):
                start, end = self.group_start_id[group_id], self.group_start_id[group_id + 1]
                for param, gradient in zip(self.parameters[start:end], gradients[start:end]):
                    ops.assign(param, param - group["lr"] * ops.sign(gradient))
            return True

    params, _ = five_steps(Sign, steps=1)
    np.testing.assert_allclose(params[0].asnumpy(), [[0.9, -1.9], [0.4, 2.9]], rtol=1e-6)


def test_under_the_name_of_mindspore():
    script = """
from graphcore.cli import mindspore_hook
mindspore_hook.install()
import mindspore as ms
from mindspore import experimental
from mindspore.experimental import optim
from mindspore.experimental.optim import Adam, lr_scheduler
from mindspore.experimental.optim.adamw import AdamW
from mindspore.experimental.optim.lr_scheduler import StepLR
from mindspore.experimental.optim.optimizer import Optimizer
import graphcore.experimental.optim as own
print(Adam is own.Adam is optim.Adam is ms.experimental.optim.Adam, AdamW is own.AdamW, StepLR is
      own.lr_scheduler.StepLR, Optimizer is own.Optimizer)
try:
    from mindspore.experimental.optim import Adamm
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("True True True True\n"), done.stderr
    assert "'Adamm' from 'mindspore.experimental.optim'" in done.stdout and "Adam" in done.stdout
