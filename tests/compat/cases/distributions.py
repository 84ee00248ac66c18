"""Distributions: of values, of themselves, samples by their moments."""
from tests.compat.table import case

ROOT = "from mindspore.nn.probability import distribution as D; "
OF_VALUES = ("prob", "log_prob", "cdf", "log_cdf", "survival_function", "log_survival")
OF_THEMSELVES = ("mean", "mode", "sd", "var", "entropy")
for make, value, other, moments in (
        ("D.Normal(1.0, 2.0)", "Tensor([0.2, 0.5, 1.5])", "'Normal', Tensor(0.5), Tensor(1.5)", "1, 2"),
        ("D.Normal([0.0, 1.0], [1.0, 2.0])", "Tensor([0.2, 0.5])", "'Normal', Tensor([0.5, 0.1]), Tensor([1.5, 1.0])", ""),
        ("D.Uniform(0.0, 2.0)", "Tensor([-0.5, 0.0, 0.5, 2.0, 3.0])", "'Uniform', Tensor(-0.5), Tensor(2.5)", "1, 0.577"),
        ("D.Exponential(0.5)", "Tensor([0.2, 0.5, 1.5])", "'Exponential', Tensor(0.7)", "2, 2"),
        ("D.Bernoulli(0.3)", "Tensor([0, 1, 1], ms.int32)", "'Bernoulli', Tensor(0.6)", "0.3, 0.458"),
        ("D.Categorical(Tensor([0.2, 0.3, 0.5]))", "Tensor([0, 2, 1], ms.int32)", "'Categorical', Tensor([0.1, 0.4, 0.5])", "1.3, 0.781")):
    kind = make[2:].partition("(")[0]
    for method in OF_VALUES:
        case(f"{ROOT}{make}.{method}({value})", scale=5)
    for method in OF_THEMSELVES:
        if (kind, method) not in (("Uniform", "mode"), ("Bernoulli", "mode")):
            case(f"{ROOT}{make}.{method}()", scale=5)
    case(f"{ROOT}d = {make}; [d.kl_loss({other}), d.cross_entropy({other})]", scale=5)
    case(f"{ROOT}kind({make}.sample((2, 3)))")
    if moments:
        case(f"{ROOT}about({make}.sample((4000,)), {moments})")
case(ROOT + "D.Uniform(0.0, 1.0).mode()", fails=True)
case(ROOT + "d = D.Normal(); [d.log_prob(f, Tensor(1.0), Tensor(2.0)), d.entropy(Tensor(1.0), Tensor(2.0)), d.mean(Tensor(1.0), Tensor(2.0))]", scale=5)
case(ROOT + "d = D.Normal(1.0, 2.0); [d('prob', f), d('log_prob', f), d.get_dist_args(), d.get_dist_type()]", scale=5)
P = "Tensor([[0.2, 0.8], [0.5, 0.5]])"
case(ROOT + f"d = D.Categorical(); p = {P}; [d.prob(Tensor([1, 0], ms.int32), p), d.log_prob(Tensor([1, 0], ms.int32), p), d.entropy(p)]", scale=5)
case(ROOT + f"d = D.Categorical(); p = {P}; [d.sample((), p).shape, d.sample((4,), p).shape, d.kl_loss('Categorical', Tensor([[0.5, 0.5], [0.1, 0.9]]), p)]", scale=5)
case("grads(lambda x: nn.probability.distribution.Normal(0.5, 2.0).log_prob(x), wave(2, 3))", scale=5)
case("class Policy(nn.Cell):\n    def __init__(self):\n        super().__init__()\n        self.d = nn.probability.distribution.Categorical()\n"
     f"    def construct(self, p, a):\n        return self.d.log_prob(a, p)\nPolicy()({P}, Tensor([1, 0], ms.int32))", scale=5)
for call in ("D.Normal(1.0, -1.0)", "D.Uniform(1.0, 0.5)", "D.Bernoulli(1.5)", "D.Normal(1.0, 2.0).prob('a')", "D.Normal().prob(f)",
             "D.Normal(1.0, 2.0).kl_loss('Uniform', Tensor(1.0), Tensor(1.0))"):
    case(ROOT + call, fails=True)
