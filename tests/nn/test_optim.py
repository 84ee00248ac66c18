"""Optimisers against recorded MindSpore trajectories (5 steps, CPU) or NumPy formulas, where its CPU has no kernel."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.errors import GradientError, NameClashError
from tests.nn.cases import Together


def make_params(prefix=""):
    return [Parameter(np.array([[1, -2], [0.5, 3]], np.float32), name=prefix + "fc.weight"),
            Parameter(np.array([1.5, -0.5], np.float32), name=prefix + "bn.gamma")]


def gradients_of(step):
    return (Tensor(np.array([[0.1 * (step + 1), -0.3], [0.2 - 0.1 * step, 0.05]], np.float32)),
            Tensor(np.array([0.4, -0.2 * step], np.float32)))


def run(make, steps=5):
    params = make_params()
    optimizer = make(params)
    for step in range(steps):
        optimizer(gradients_of(step))
    return params, optimizer


def flat(params):
    return np.concatenate([p.asnumpy().ravel() for p in params])


# MindSpore's CPU kernels ignore Momentum's use_nesterov and Adagrad's update_slots; these have tests of their own.
RECORDED = {
    "momentum": (lambda p: nn.Momentum(p, 0.1, 0.9),
                 [0.68296903, -1.6056769, 0.42270797, 2.9342794, 0.97423607, -0.12882]),
    "momentum_decay_scale": (lambda p: nn.Momentum(p, 0.1, 0.9, weight_decay=0.01, loss_scale=4.0),
                             [0.90775561, -1.8754253, 0.4742263, 2.9442692, 1.368559, -0.40720502]),
    "sgd": (lambda p: nn.SGD(p), [0.85000002, -1.8500001, 0.5, 2.9749994, 1.3000002, -0.29999998]),
    "sgd_momentum_dampening": (lambda p: nn.SGD(p, 0.1, momentum=0.9, dampening=0.3, weight_decay=0.01),
                               [0.75566643, -1.6668605, 0.4163993, 2.9167151, 1.0828241, -0.240174]),
    "sgd_nesterov": (lambda p: nn.SGD(p, 0.1, momentum=0.9, nesterov=True),
                     [0.56467211, -1.4951092, 0.43043724, 2.9158516, 0.82681239, 0.034061968]),
    "sgd_dampening_only": (lambda p: nn.SGD(p, 0.1, dampening=0.3),
                           [0.85000002, -1.8500001, 0.5, 2.9749994, 1.3000002, -0.29999998]),
    "adam": (lambda p: nn.Adam(p, 0.1), [0.51491904, -1.500002, 0.21943682, 2.5000036, 1.0000017, -0.16543019]),
    "adam_nesterov": (lambda p: nn.Adam(p, 0.1, use_nesterov=True),
                      [0.26638678, -1.306973, 0.17248756, 2.3069754, 0.80697274, 0.019122457]),
    "adam_amsgrad": (lambda p: nn.Adam(p, 0.1, use_amsgrad=True),
                     [0.51491904, -1.5000019, 0.21947286, 2.5000036, 1.0000017, -0.16543022]),
    "adam_decay_scale": (lambda p: nn.Adam(p, 0.1, weight_decay=0.1, loss_scale=2.0),
                         [0.49923792, -1.5014828, 0.13962464, 2.5016186, 1.000002, -0.16543041]),
    "adam_lazy": (lambda p: nn.Adam(p, 0.1, use_lazy=True),
                  [0.51491904, -1.500002, 0.21943682, 2.5000036, 1.0000017, -0.16543019]),
    "adam_weight_decay": (lambda p: nn.AdamWeightDecay(p, 0.1, weight_decay=0.1),
                          [-1.2934366, 0.41759846, -0.63837677, 0.53413147, -0.85998845, 1.2231396]),
    "rmsprop": (lambda p: nn.RMSProp(p, 0.1), [0.82166958, -1.8269147, 0.50603354, 2.9706528, 1.2722386, -0.26495135]),
    "rmsprop_momentum": (lambda p: nn.RMSProp(p, 0.1, momentum=0.5, decay=0.8, epsilon=0.01, weight_decay=0.1),
                         [0.61239952, -1.5197769, 0.44220296, 2.6478727, 1.0923883, -0.12764961]),
    "rmsprop_centered": (lambda p: nn.RMSProp(p, 0.1, centered=True, momentum=0.5),
                         [0.74066454, -1.7232245, 0.4827539, 2.9533722, 1.1340508, -0.17181379]),
    "adagrad": (lambda p: nn.Adagrad(p, learning_rate=0.1),
                [0.73170894, -1.7404763, 0.49044922, 2.9237194, 1.218647, -0.22949854]),
    "groups": (lambda p: nn.Momentum([{"params": [p[0]], "lr": 0.2, "weight_decay": 0.1}, {"params": [p[1]]},
                                      {"order_params": p}], 0.1, 0.9),
               [0.13524348, -0.74658245, 0.23668066, 2.1226077, 0.97423607, -0.12882]),
    "group_decay_reaches_gamma": (lambda p: nn.SGD([{"params": p[:1]}, {"params": p[1:], "weight_decay": 0.5}], 0.1,
                                                   weight_decay=0.01),
                                  [0.84520984, -1.8403198, 0.49760482, 2.9600801, 0.97969615, -0.19664295]),
    "schedule": (lambda p: nn.Momentum(p, nn.CosineDecayLR(0.01, 0.1, 4), 0.9),
                 [0.89984745, -1.8395972, 0.43975002, 2.9732661, 1.2861298, -0.40662986]),
    "group_schedule": (lambda p: nn.Momentum([{"params": p[:1], "lr": nn.ExponentialDecayLR(0.1, 0.5, 2)},
                                              {"params": p[1:]}], 0.3, 0.9),
                       [0.87659061, -1.8218555, 0.44526494, 2.9703093, -0.077291727, 0.61353981]),
}


@pytest.mark.parametrize("case", RECORDED)
def test_five_steps_as_in_mindspore(case, eager):
    make, expected = RECORDED[case]
    params, optimizer = run(make)
    np.testing.assert_allclose(flat(params), expected, rtol=2e-6, atol=2e-6)
    assert optimizer.global_step.asnumpy().tolist() == [5]


class AllAtOnce(nn.Cell):
    """Steps many optimisers with the same gradients, as one program."""

    def __init__(self, optimizers):
        super().__init__()
        self.optimizers = nn.CellList(optimizers)       # renames their state by position

    def construct(self, *gradients):
        for optimizer in self.optimizers:
            optimizer(gradients)
        return gradients[0]


def test_five_compiled_steps(compiled):
    params = {case: make_params(case + ".") for case in RECORDED}
    step_all = AllAtOnce([RECORDED[case][0](params[case]) for case in RECORDED])
    for step in range(5):
        step_all(*gradients_of(step))
    for case in RECORDED:
        np.testing.assert_allclose(flat(params[case]), RECORDED[case][1], rtol=1e-5, atol=3e-6, err_msg=case)


def by_formula(update):
    """Five steps in float64: ``update(step from 1, weight, gradient, state dict) -> weight``."""
    weights, states = [p.asnumpy().astype(np.float64) for p in make_params()], [{}, {}]
    for step in range(5):
        gradients = [g.asnumpy().astype(np.float64) for g in gradients_of(step)]
        weights = [update(step + 1, w, g, s) for w, g, s in zip(weights, gradients, states)]
    return np.concatenate([w.ravel() for w in weights])


def moments(state, g, beta1=0.9, beta2=0.999):
    state["m"] = state.get("m", 0) * beta1 + g * (1 - beta1)
    state["v"] = state.get("v", 0) * beta2 + g * g * (1 - beta2)
    return state["m"], state["v"]


def test_momentum_nesterov(mode):
    def update(step, w, g, state):
        state["v"] = state.get("v", 0) * 0.9 + g
        return w - 0.1 * (g + 0.9 * state["v"])
    params, _ = run(lambda p: nn.Momentum(p, 0.1, 0.9, use_nesterov=True))
    np.testing.assert_allclose(flat(params), by_formula(update), rtol=1e-5)


def test_adagrad_whose_sums_stay(mode):
    params, optimizer = run(lambda p: nn.Adagrad(p, accum=0.25, learning_rate=0.1, update_slots=False))
    np.testing.assert_allclose(flat(params), by_formula(lambda step, w, g, state: w - 0.1 * g / 0.5), rtol=1e-5)
    assert flat(optimizer.accum).tolist() == [0.25] * 6


def test_adam_without_momentum(mode):
    """beta1 = 0, as GANs with a gradient penalty are trained; MindSpore refuses it."""
    def update(step, w, g, state):
        m, v = moments(state, g, 0.0, 0.9)
        return w - 0.1 * m / (np.sqrt(v / (1 - 0.9 ** step)) + 1e-8)
    params, _ = run(lambda p: nn.Adam(p, 0.1, beta1=0.0, beta2=0.9))
    np.testing.assert_allclose(flat(params), by_formula(update), rtol=1e-5)


def test_lamb(mode):
    def update(step, w, g, state):
        m, v = moments(state, g)
        r = m / (1 - 0.9 ** step) / (np.sqrt(v / (1 - 0.999 ** step)) + 1e-6)
        if w.ndim == 2:     # bn.gamma does not decay
            r = r + 0.1 * w
        return w - 0.1 * np.linalg.norm(w) / np.linalg.norm(r) * r
    params, optimizer = run(lambda p: nn.Lamb(p, 0.1, weight_decay=0.1))
    np.testing.assert_allclose(flat(params), by_formula(update), rtol=1e-4, atol=1e-5)
    assert [p.name for p in optimizer.moments1] == ["lamb_m.fc.weight", "lamb_m.bn.gamma"]


def test_adamw(mode):
    def update(step, w, g, state):
        m, v = moments(state, g)
        if w.ndim == 2:
            w = w * (1 - 0.1 * 0.5)
        return w - 0.1 * m / (1 - 0.9 ** step) / (np.sqrt(v / (1 - 0.999 ** step)) + 1e-8)
    params, _ = run(lambda p: nn.AdamW(p, 0.1, weight_decay=0.5))
    np.testing.assert_allclose(flat(params), by_formula(update), rtol=1e-4, atol=1e-5)


def test_listed_rates_are_used_in_turn_and_the_last_one_stays(mode):
    params, optimizer = run(lambda p: nn.SGD(p, [0.1, 0.0, 0.2]), steps=5)
    total = sum(rate * gradients_of(step)[0].asnumpy() for step, rate in enumerate([0.1, 0.0, 0.2, 0.2, 0.2]))
    np.testing.assert_allclose(params[0].asnumpy(), make_params()[0].asnumpy() - total, rtol=1e-5, atol=1e-6)
    assert float(optimizer.get_lr()) == pytest.approx(0.2)


def test_rates_of_groups_may_be_of_all_kinds(mode):
    def make(p):
        return nn.SGD([{"params": p[:1], "lr": [0.1, 0.2]}, {"params": p[1:]}], 0.3)
    params, optimizer = run(make, steps=2)
    first = make_params()[0].asnumpy() - 0.1 * gradients_of(0)[0].asnumpy() - 0.2 * gradients_of(1)[0].asnumpy()
    second = make_params()[1].asnumpy() - 0.3 * (gradients_of(0)[1].asnumpy() + gradients_of(1)[1].asnumpy())
    np.testing.assert_allclose(flat(params), np.concatenate([first.ravel(), second]), rtol=1e-5)
    names = [(path, p.name) for path, p in optimizer.parameters_and_names() if "rate" in path]
    assert names == [("learning_rate.0.learning_rate", "learning_rate_group_0"),
                     ("learning_rate.1.learning_rate", "learning_rate")]


def test_weight_decay_computed_by_a_cell(mode):
    class Halving(nn.Cell):
        def construct(self, step):
            return 0.5 / (1.0 + ops.cast(step, gc.float32))
    params, _ = run(lambda p: nn.Momentum(p, 0.1, 0.0, weight_decay=Halving()), 2)
    w = make_params()[0].asnumpy().astype(np.float64)
    for step, decay in enumerate([0.5, 0.25]):
        w = w - 0.1 * (gradients_of(step)[0].asnumpy() + decay * w)
    np.testing.assert_allclose(params[0].asnumpy(), w, rtol=1e-5)
    plain = make_params()[1].asnumpy() - 0.1 * (gradients_of(0)[1].asnumpy() + gradients_of(1)[1].asnumpy())
    np.testing.assert_allclose(params[1].asnumpy(), plain, rtol=1e-5)        # "gamma" does not decay


def test_grad_centralization_of_wide_gradients(mode):
    wide = Parameter(np.zeros((3, 16), np.float32), name="w")
    gradient = np.arange(48, dtype=np.float32).reshape(3, 16) ** 2
    nn.SGD([{"params": [wide], "grad_centralization": True}], 1.0)((Tensor(gradient),))
    np.testing.assert_allclose(wide.asnumpy(), gradient.mean(1, keepdims=True) - gradient, rtol=1e-5)


def test_state_after_two_steps_of_adam(mode):
    _, optimizer = run(lambda p: nn.Adam(p, 0.1), steps=2)
    state = {p.name: p.asnumpy().ravel() for p in optimizer.get_parameters()}
    assert list(state) == ["global_step", "learning_rate", "fc.weight", "bn.gamma", "beta1_power", "beta2_power",
                           "moment1.fc.weight", "moment1.bn.gamma", "moment2.fc.weight", "moment2.bn.gamma"]
    np.testing.assert_allclose(state["beta1_power"], 0.81, rtol=1e-6)
    np.testing.assert_allclose(state["beta2_power"], 0.998001, rtol=1e-6)
    np.testing.assert_allclose(state["moment1.fc.weight"], [0.029, -0.057, 0.028, 0.0095], rtol=1e-5)
    np.testing.assert_allclose(state["moment2.bn.gamma"], [3.1983588e-04, 3.9999486e-05], rtol=1e-4)


def test_sgd_moves_its_state_only_with_momentum(mode):
    _, plain = run(lambda p: nn.SGD(p, 0.1), steps=2)
    assert flat(plain.accum).tolist() == [0] * 6 and flat(plain.stat).tolist() == [1] * 6
    _, moving = run(lambda p: nn.SGD(p, 0.1, momentum=0.9), steps=2)
    np.testing.assert_allclose(moving.accum[0].asnumpy().ravel(), [0.29, -0.57, 0.28, 0.095], rtol=1e-5)
    assert flat(moving.stat).tolist() == [0] * 6


@pytest.mark.parametrize("make, slots", [
    (lambda p: nn.Momentum(p, 0.1, 0.9), ["momentum", "moments.fc.weight", "moments.bn.gamma"]),
    (lambda p: nn.SGD(p), ["momentum", "accum.fc.weight", "accum.bn.gamma", "stat.fc.weight", "stat.bn.gamma"]),
    (lambda p: nn.AdamWeightDecay(p), ["adam_m.fc.weight", "adam_m.bn.gamma", "adam_v.fc.weight", "adam_v.bn.gamma"]),
    (lambda p: nn.RMSProp(p, centered=True),
     ["mean_grad.fc.weight", "mean_grad.bn.gamma", "mean_square.fc.weight", "mean_square.bn.gamma", "moment.fc.weight",
      "moment.bn.gamma"]),
    (lambda p: nn.Adagrad(p), ["accum.fc.weight", "accum.bn.gamma"]),
])
def test_names_of_the_state(make, slots):
    names = [p.name for p in make(make_params()).get_parameters()]
    assert names == ["global_step", "learning_rate", "fc.weight", "bn.gamma", *slots]


def test_setting_the_learning_rate_does_not_recompile(mode):
    params = make_params()
    optimizer = nn.SGD(params, 0.1)
    optimizer(gradients_of(0))
    optimizer.learning_rate.set_data(Tensor(0.0, gc.float32))
    before = flat(params).copy()
    optimizer(gradients_of(1))
    np.testing.assert_array_equal(flat(params), before)
    if mode == "compiled":
        assert optimizer._compiled.programs == 1


def test_what_a_call_takes_and_returns(mode):
    params = make_params()
    optimizer = nn.Momentum(params, 0.1, 0.9)
    assert optimizer(gradients_of(0)) == (True, True)
    assert optimizer(list(gradients_of(1))) == (True, True)
    with pytest.raises(GradientError, match="updates 2 Parameters but was given 1 gradients"):
        optimizer(gradients_of(0)[:1])


def test_float16_parameters_keep_their_dtype(mode):
    param = Parameter(Tensor(np.ones(4), gc.float16), name="w")
    optimizer = nn.Adam([param], 0.1, eps=1e-3)
    optimizer((Tensor(np.ones(4), gc.float16),))
    assert param.dtype is gc.float16 and optimizer.moment1[0].dtype is gc.float16
    np.testing.assert_allclose(param.asnumpy().astype(np.float32), 0.9, atol=5e-3)


def test_what_can_be_asked():
    params = make_params()
    optimizer = nn.Momentum(params, [0.1, 0.2], 0.9, weight_decay=0.5, loss_scale=2.0)
    assert float(optimizer.get_weight_decay()) == 1.0       # decay is added to gradients that are still scaled
    assert optimizer.get_lr_parameter(params[0]).name == "learning_rate"
    assert [p.name for p in optimizer.get_lr_parameter(params)] == ["learning_rate", "learning_rate"]
    with pytest.raises(ValueError, match="does not update"):
        optimizer.get_lr_parameter(make_params()[0])
    with pytest.raises(TypeError):
        optimizer.get_lr_parameter(3)
    assert optimizer.target == "CPU" and optimizer.parameters == tuple(params)
    with pytest.raises(ValueError):
        optimizer.target = "GPU"

    grouped = nn.SGD([{"params": params[:1], "lr": 0.3}, {"params": params[1:], "weight_decay": 0.1}], 0.2)
    assert [p.name for p in grouped.get_lr()] == ["learning_rate_group_0", "learning_rate"]
    assert [float(d) for d in grouped.get_weight_decay()] == pytest.approx([0.0, 0.1])
    assert grouped.is_group and grouped.is_group_lr and not grouped.is_group_params_ordered


def test_order_params_sets_the_order_of_the_gradients():
    params = make_params()
    optimizer = nn.SGD([{"params": params[1:]}, {"params": params[:1]}, {"order_params": params}])
    assert optimizer.parameters == tuple(params) and optimizer.is_group_params_ordered
    assert nn.SGD([{"params": params[1:]}, {"params": params[:1]}]).parameters == tuple(params[::-1])


@pytest.mark.parametrize("make, error, text", [
    (lambda p: nn.Adam([]), ValueError, "empty"),
    (lambda p: nn.Adam(None), ValueError, "None"),
    (lambda p: nn.Adam(3), TypeError, "list of Parameters"),
    (lambda p: nn.Adam([3]), TypeError, "Parameters or group dicts"),
    (lambda p: nn.Adam([{"params": p}, p[0]]), TypeError, "group dicts"),
    (lambda p: nn.Adam(p, -1.0), ValueError, "learning_rate"),
    (lambda p: nn.Adam(p, "fast"), TypeError, "learning_rate"),
    (lambda p: nn.Adam(p, Tensor([[0.1]])), ValueError, "one per step"),
    (lambda p: nn.Adam(p, weight_decay=-1.0), ValueError, "weight_decay"),
    (lambda p: nn.Adam(p, weight_decay="x"), TypeError, "weight_decay"),
    (lambda p: nn.Adam(p, loss_scale=0.0), ValueError, "loss_scale"),
    (lambda p: nn.Adam(p, beta1=1.0), ValueError, "beta1"),
    (lambda p: nn.Adam(p, beta2=-0.1), ValueError, "beta2"),
    (lambda p: nn.Adam(p, eps=0.0), ValueError, "eps"),
    (lambda p: nn.Adam(p, foo=1), KeyError, "foo"),
    (lambda p: nn.Adam(p, use_lazy=True, use_offload=True), ValueError, "exclude each other"),
    (lambda p: nn.Momentum(p, 0.1, -9.0), ValueError, "momentum"),
    (lambda p: nn.SGD(p, momentum=0.9, dampening=0.1, nesterov=True), ValueError, "nesterov"),
    (lambda p: nn.Adam([{"params": p, "foo": 1}]), KeyError, "foo"),
    (lambda p: nn.Adam([{"lr": 1.0}]), KeyError, "lacks the key 'params'"),
    (lambda p: nn.Adam([{"params": p}, {"params": p}]), RuntimeError, "two parameter groups"),
    (lambda p: nn.Adam([{"params": p}, {"order_params": p[:1]}]), ValueError, "order_params"),
    (lambda p: nn.Adam([{"params": p}, {"order_params": p, "lr": 1.0}]), ValueError, "no other key"),
    (lambda p: nn.Adam([{"params": []}]), ValueError, "empty"),
    (lambda p: nn.Adam([p[0], Parameter(np.zeros(2, np.float32), name="fc.weight")]), NameClashError, "fc.weight"),
])
def test_bad_arguments(make, error, text):
    with pytest.raises(error, match=text):
        make(make_params())


def test_an_optimizer_written_for_mindspore(mode):
    class Sign(nn.Optimizer):
        def __init__(self, params, learning_rate=0.1, weight_decay=0.0):
            super().__init__(learning_rate, params, weight_decay)
            self.seen = self.parameters.clone(prefix="seen", init="zeros")

        def construct(self, gradients):
            gradients = self.scale_grad(self.gradients_centralization(self.decay_weight(gradients)))
            lr = self.get_lr()
            self.assignadd(self.global_step, self.global_step_increase_tensor)

            def update(param, seen, gradient):
                ops.assign(seen, gradient)
                return ops.assign(param, param - lr * ops.sign(gradient))
            return self.hyper_map(update, self.parameters, self.seen, gradients)

    params = make_params()
    optimizer = Sign(params)
    optimizer(gradients_of(0))
    np.testing.assert_allclose(params[0].asnumpy(), [[0.9, -1.9], [0.4, 2.9]], rtol=1e-6)
    assert optimizer.seen[0].asnumpy()[0, 1] == np.float32(-0.3) and optimizer.global_step.asnumpy()[0] == 1


def test_opt_init_args_register_keeps_the_arguments():
    params = make_params()
    optimizer = nn.Momentum(params, 0.1, 0.9, weight_decay=0.2)
    assert optimizer.init_params["params"] is params and optimizer.init_learning_rate == 0.1
    assert optimizer.init_args == {"momentum": 0.9, "weight_decay": 0.2, "loss_scale": 1.0, "use_nesterov": False}


def test_printed_forms():
    assert repr(nn.Adam(make_params())) == "Adam()"
    listed = nn.Momentum(make_params(), [0.1, 0.2], 0.9)
    assert repr(listed) == "Momentum(\n  (learning_rate): _IteratorLearningRate()\n)"


# -- learning rates ----------------------------------------------------------------------------------------
SCHEDULES = {
    "exponential": (lambda: nn.ExponentialDecayLR(0.1, 0.9, 4), lambda s: 0.1 * 0.9 ** (s / 4)),
    "exponential_stair": (lambda: nn.ExponentialDecayLR(0.1, 0.9, 4, True), lambda s: 0.1 * 0.9 ** (s // 4)),
    "natural": (lambda: nn.NaturalExpDecayLR(0.1, 0.9, 4), lambda s: 0.1 * np.exp(-0.9 * s)),
    "natural_stair": (lambda: nn.NaturalExpDecayLR(0.1, 0.9, 4, True), lambda s: 0.1 * np.exp(-0.9 * (s // 4 * 4))),
    "inverse": (lambda: nn.InverseDecayLR(0.1, 0.9, 4), lambda s: 0.1 / (1 + 0.9 * s / 4)),
    "inverse_stair": (lambda: nn.InverseDecayLR(0.1, 0.9, 4, True), lambda s: 0.1 / (1 + 0.9 * (s // 4))),
    "cosine": (lambda: nn.CosineDecayLR(0.01, 0.1, 4),
               lambda s: 0.01 + 0.045 * (1 + np.cos(np.pi * min(s, 4) / 4))),
    "polynomial": (lambda: nn.PolynomialDecayLR(0.1, 0.01, 4, 0.5), lambda s: 0.09 * (1 - min(s, 4) / 4) ** 0.5 + 0.01),
    "polynomial_updated": (lambda: nn.PolynomialDecayLR(0.1, 0.01, 4, 0.5, True),
                           lambda s: 0.09 * (1 - s / (4 * max(np.ceil(s / 4), 1))) ** 0.5 + 0.01),
    "warmup": (lambda: nn.WarmUpLR(0.1, 4), lambda s: 0.1 * min(s, 4) / 4),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name, eager):
    make, formula = SCHEDULES[name]
    schedule = make()
    got = [schedule(Tensor([step], gc.int32)).asnumpy() for step in range(7)]
    assert got[0].shape == (1,) and got[0].dtype == np.float32
    np.testing.assert_allclose(np.concatenate(got), [formula(step) for step in range(7)], rtol=1e-5, atol=1e-8)


def test_compiled_schedules(compiled):
    together = Together([make() for make, _ in SCHEDULES.values()], [1] * len(SCHEDULES))
    for step in range(7):
        rates = together(*[Tensor([step], gc.int32)] * len(SCHEDULES))
        for rate, (_, formula) in zip(rates, SCHEDULES.values()):
            np.testing.assert_allclose(rate.asnumpy(), [formula(step)], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("make, error", [
    (lambda: nn.CosineDecayLR(0.2, 0.1, 4), ValueError), (lambda: nn.CosineDecayLR(0, 0.1, 4), TypeError),
    (lambda: nn.ExponentialDecayLR(0.1, 0.9, 0), ValueError),
    (lambda: nn.ExponentialDecayLR(0.1, 0.9, 4, 1), TypeError),
    (lambda: nn.WarmUpLR(0.1, 1.5), TypeError), (lambda: nn.PolynomialDecayLR(0.1, 0.01, 4, 2), TypeError)])
def test_bad_schedules(make, error):
    with pytest.raises(error):
        make()


def test_lists_of_rates():
    assert nn.piecewise_constant_lr([2, 5], [0.1, 0.05]) == [0.1, 0.1, 0.05, 0.05, 0.05]
    np.testing.assert_allclose(nn.exponential_decay_lr(0.1, 0.9, 6, 2, 1), [0.1, 0.1, 0.09, 0.09, 0.081, 0.081])
    np.testing.assert_allclose(nn.exponential_decay_lr(0.1, 0.9, 4, 1, 2, True), [0.1, 0.1, 0.09, 0.09])
    np.testing.assert_allclose(nn.natural_exp_decay_lr(0.1, 0.9, 6, 2, 1, True),
                               [0.1, 0.1, 0.040656966, 0.040656966, 0.016529888, 0.016529888])
    np.testing.assert_allclose(nn.inverse_decay_lr(0.1, 0.5, 6, 1, 1, True),
                               [0.1, 0.1 / 1.5, 0.05, 0.04, 0.1 / 3, 0.1 / 3.5])
    np.testing.assert_allclose(nn.cosine_decay_lr(0.01, 0.1, 6, 2, 2), [0.1, 0.1, 0.055, 0.055, 0.01, 0.01])
    np.testing.assert_allclose(nn.polynomial_decay_lr(0.1, 0.01, 6, 2, 2, 0.5),
                               [0.1, 0.1, 0.073639610, 0.073639610, 0.01, 0.01])
    np.testing.assert_allclose(nn.warmup_lr(0.1, 6, 2, 2), [0.0, 0.0, 0.05, 0.05, 0.1, 0.1])
    with pytest.raises(ValueError, match="increase"):
        nn.piecewise_constant_lr([5, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="do not go with"):
        nn.piecewise_constant_lr([5], [0.1, 0.2])
    with pytest.raises(TypeError, match="min_lr"):
        nn.cosine_decay_lr(0, 0.1, 6, 2, 2)
