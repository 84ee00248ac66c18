"""Optimisers: four steps with each option; their names for their own Parameters; schedules of learning rates."""
from tests.compat.table import case, documented

GROUPS = "[{'params': [p[0]], 'lr': 0.05, 'weight_decay': 0.1}, {'params': [p[1]]}]"
for call in ("SGD(p)", "SGD(p, learning_rate=0.1, momentum=0.9)", "SGD(p, 0.1, 0.9, 0.5)",
             "SGD(p, 0.1, 0.9, nesterov=True, weight_decay=0.1)", f"SGD({GROUPS}, 0.1)",
             "Momentum(p, 0.1, 0.9)", "Momentum(p, 0.1, 0.9, weight_decay=0.1, loss_scale=2.0)",
             f"Momentum({GROUPS}, 0.1, 0.9)", "Adam(p)", "Adam(p, 0.1, 0.8, 0.95, 1e-3, weight_decay=0.1)",
             "Adam(p, 0.1, use_nesterov=True)", "Adam(p, 0.1, use_amsgrad=True)", "Adam(p, 0.1, loss_scale=4.0)",
             f"Adam({GROUPS}, 0.1)", "Adam(p, 0.1, use_lazy=True)", "AdamWeightDecay(p, 0.1)",
             "AdamWeightDecay(p, 0.1, 0.8, 0.95, 1e-3, 0.1)", f"AdamWeightDecay({GROUPS}, 0.1)",
             "RMSProp(p, 0.1)", "RMSProp(p, 0.1, decay=0.8, momentum=0.5, epsilon=1e-3, centered=True)",
             "RMSProp(p, 0.1, weight_decay=0.1)", "Adagrad(p)", "Adagrad(p, accum=0.2, learning_rate=0.1, "
             "weight_decay=0.1)",
             "Adadelta(p)", "Adadelta(p, learning_rate=0.5, rho=0.8, epsilon=1e-3, weight_decay=0.1)",
             "AdaMax(p)", "AdaMax(p, 0.1, 0.8, 0.9, weight_decay=0.1)", "FTRL(p)",
             "FTRL(p, 0.2, 0.1, -0.4, l2=0.02, weight_decay=0.1)", "LazyAdam(p)",
             "LazyAdam(p, 0.1, 0.8, 0.95, 1e-3, use_nesterov=True, weight_decay=0.1)", "ASGD(p)",
             "ASGD(p, 0.1, 0.1, 0.5, 2.0, weight_decay=0.1)", "Rprop(p)",
             "Rprop(p, 0.05, (0.4, 1.5), (0.01, 0.2))", "ProximalAdagrad(p)",
             "ProximalAdagrad(p, 0.2, 0.1, l1=0.01, l2=0.02, weight_decay=0.1)",
             "AdaFactor(p, learning_rate=0.1, scale_parameter=False, relative_step=False)",
             "AdaFactor(p)"):
    case(f"trained(lambda p: nn.{call})", scale=2)
# MindSpore's CPU takes the plain step whatever use_nesterov says.
documented("trained(lambda p: nn.Momentum(p, 0.1, 0.9, use_nesterov=True))",
           "trained(lambda p: nn.SGD(p, 0.1, 0.9, nesterov=True))")
for name in ("SGD(p)", "Momentum(p, 0.1, 0.9)", "Adam(p)", "Adam(p, use_amsgrad=True)", "AdamWeightDecay(p)", "RMSProp(p)",
             "RMSProp(p, centered=True)", "Adagrad(p)", "Lamb(p, 0.1)", "Adadelta(p)", "AdaMax(p)", "FTRL(p)", "LazyAdam(p)",
             "ASGD(p)", "Rprop(p)", "ProximalAdagrad(p)"):
    case(f"p = weights(); [n for n, _ in values(nn.{name})]")
case("trained(lambda p: nn.Momentum(p, nn.ExponentialDecayLR(0.1, 0.5, 2), 0.9))")
case("trained(lambda p: nn.Momentum(p, [0.1, 0.05, 0.02, 0.01], 0.9))")
case("trained(lambda p: nn.Adam(p, Tensor([0.1, 0.05, 0.02, 0.01], ms.float32)))")
case("trained(lambda p: nn.Adam([{'params': [p[1]], 'lr': nn.PolynomialDecayLR(0.1, 0.01, 3, 0.5)}, "
     "{'params': [p[0]], 'grad_centralization': True}, {'order_params': p}], 0.1))")
case("trained(lambda p: nn.SGD(p, 0.1, weight_decay=nn.ExponentialDecayLR(0.1, 0.5, 2)))", fails=True)
case("trained(lambda p: nn.Momentum(p, 0.1, 0.9, weight_decay=nn.ExponentialDecayLR(0.1, 0.5, 2)))")
case("p = weights(); o = nn.Momentum(p, 0.1, 0.9); [o.get_lr(), o.get_lr_parameter(p[0]).asnumpy(), o.learning_rate.name]")
case("nn.SGD([], 0.1)", fails=True)
case("nn.Adam(weights(), beta1=1.5)", fails=True)
case("nn.Momentum(weights(), -0.1, 0.9)", fails=True)
case("class Mine(nn.Optimizer):\n    def construct(self, gradients):\n        for p, g in zip(self.parameters, gradients):\n"
     "            ops.assign(p, p - self.get_lr() * g)\n        return True\ntrained(lambda p: Mine(0.1, p))")

for call in ("CosineDecayLR(0.01, 0.1, 4)", "ExponentialDecayLR(0.1, 0.9, 4)", "ExponentialDecayLR(0.1, 0.9, 4, True)",
             "InverseDecayLR(0.1, 0.9, 4)", "InverseDecayLR(0.1, 0.9, 4, True)", "NaturalExpDecayLR(0.1, 0.9, 4)",
             "NaturalExpDecayLR(0.1, 0.9, 4, True)", "PolynomialDecayLR(0.1, 0.01, 4, 0.5)",
             "PolynomialDecayLR(0.1, 0.01, 4, 2.0, True)", "WarmUpLR(0.1, 4)"):
    case(f"rates(nn.{call})")
for call in ("piecewise_constant_lr([2, 5, 10], [0.1, 0.05, 0.01])", "exponential_decay_lr(0.1, 0.9, 6, 2, 1)",
             "exponential_decay_lr(0.1, 0.9, 6, 2, 2, is_stair=True)", "natural_exp_decay_lr(0.1, 0.9, 6, 2, 2, True)",
             "natural_exp_decay_lr(0.1, 0.9, 6, 2, 2)", "inverse_decay_lr(0.1, 0.5, 6, 1, 1, True)",
             "inverse_decay_lr(0.1, 0.5, 6, 1, 1)", "cosine_decay_lr(0.01, 0.1, 6, 2, 2)",
             "polynomial_decay_lr(0.1, 0.01, 6, 2, 2, 0.5)", "polynomial_decay_lr(0.1, 0.01, 6, 2, 2, 2.0, True)",
             "warmup_lr(0.1, 12, 2, 3)"):
    case(f"nn.{call}")
case("nn.cosine_decay_lr(0.1, 0.01, 6, 2, 2)", fails=True)
case("nn.piecewise_constant_lr([5, 2], [0.1, 0.05])", fails=True)
SCHEDULE = ("class Mine(nn.{}LearningRateSchedule):\n    def construct(self, step):\n        return 0.1 / (step + 1)\n"
            "trained(lambda p: nn.SGD(p, Mine()))")
case(SCHEDULE.format("learning_rate_schedule."))
documented(SCHEDULE.format(""), SCHEDULE.format("learning_rate_schedule."))

for name, options in (("Adam", "betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1, amsgrad=True"),
                      ("AdamW", "betas=(0.8, 0.95), weight_decay=0.1, maximize=True"),
                      ("SGD", "lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01"), ("Adadelta", "rho=0.5"),
                      ("Adagrad", "lr_decay=0.5, weight_decay=0.1"), ("Adamax", "betas=(0.8, 0.5)"),
                      ("ASGD", "lambd=0.1, alpha=0.5, t0=2.0"), ("NAdam", "momentum_decay=0.1"),
                      ("RAdam", "betas=(0.8, 0.9), weight_decay=0.1"),
                      ("RMSprop", "alpha=0.8, momentum=0.5, centered=True"), ("Rprop", "etas=(0.4, 1.5)")):
    case(f"trained(lambda p: experimental_optim.{name}(p, {options}))", scale=2)
case("class Mine(experimental_optim.Optimizer):\n    def construct(self, gradients):\n"
     "        for p, g in zip(self.parameters, gradients):\n            ops.assign(p, p - 0.1 * g)\n"
     "trained(lambda p: Mine(p, {'lr': 0.1}))")

RATES = ("o = experimental_optim.SGD(weights(), lr=0.5); s = experimental_optim.lr_scheduler.{}; found = []\n"
         "for epoch in range(7):\n    s.step({})\n    found.append(float(o.param_groups[0]['lr'].asnumpy()))\nfound")
for call in ("StepLR(o, 2, 0.5)", "MultiStepLR(o, [2, 5], 0.5)", "ExponentialLR(o, 0.8)", "PolynomialLR(o, 5, 2.0)",
             "LambdaLR(o, lambda e: 0.9 ** e)", "MultiplicativeLR(o, lambda e: 0.9)", "ConstantLR(o, 0.25, 4)",
             "LinearLR(o, 0.25, 0.75, 4)", "CosineAnnealingLR(o, 4, 0.01)", "CosineAnnealingWarmRestarts(o, 3, eta_min=0.01)",
             "CyclicLR(o, 0.1, 0.5, 3)"):
    case(RATES.format(call, ""))
case(RATES.format("SequentialLR(o, [experimental_optim.lr_scheduler.ConstantLR(o, 0.1, 2), "
                  "experimental_optim.lr_scheduler.ExponentialLR(o, 0.9)], milestones=[3])", ""))
case(RATES.format("ReduceLROnPlateau(o, patience=1, factor=0.5)", "1.0"))
case("o = experimental_optim.SGD(weights(), lr=0.5); s = experimental_optim.lr_scheduler.StepLR(o, 2); "
     "[isinstance(s, experimental_optim.lr_scheduler.LRScheduler), float(s.get_last_lr()[0])]")
