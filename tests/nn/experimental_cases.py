"""Optimisers and schedulers of ``experimental.optim`` by name: run by the tests, and by ``record_experimental.py``."""
import numpy as np

WEIGHTS = {"fc.weight": np.array([[1, -2], [0.5, 3]], np.float32), "bn.gamma": np.array([1.5, -0.5], np.float32)}


def gradients_of(step) -> list:
    """The gradients of the two weights at a step from 0 on."""
    return [np.array([[0.1 * (step + 1), -0.3], [0.2 - 0.1 * step, 0.05]], np.float32),
            np.array([0.4, -0.2 * step], np.float32)]


# name: (class, arguments); the learning rate is 0.1 unless it is given
OPTIMIZERS = {
    "adam": ("Adam", {}),
    "adam, all options": ("Adam", dict(betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1, maximize=True)),
    "adamw": ("AdamW", {}),
    "adamw, all options": ("AdamW", dict(betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1, maximize=True)),
    "adamw, amsgrad": ("AdamW", dict(betas=(0.8, 0.5), amsgrad=True)),
    "sgd": ("SGD", {}),
    "sgd, dampening": ("SGD", dict(momentum=0.9, dampening=0.3, weight_decay=0.01)),
    "sgd, nesterov": ("SGD", dict(momentum=0.9, nesterov=True, weight_decay=0.1)),
    "sgd, maximize": ("SGD", dict(momentum=0.5, maximize=True, weight_decay=0.1)),
    "adagrad": ("Adagrad", {}),
    "adagrad, all options": ("Adagrad", dict(lr_decay=0.5, weight_decay=0.1, initial_accumulator_value=0.2, eps=1e-3,
                                             maximize=True)),
    "rmsprop": ("RMSprop", {}),
    "rmsprop, all options": ("RMSprop", dict(alpha=0.8, eps=0.01, weight_decay=0.1, momentum=0.5, centered=True,
                                             maximize=True)),
    "rmsprop, momentum": ("RMSprop", dict(momentum=0.5)),
    "adadelta": ("Adadelta", dict(lr=1.0)),
    "adadelta, all options": ("Adadelta", dict(rho=0.5, eps=1e-2, weight_decay=0.1, maximize=True)),
    "adamax": ("Adamax", {}),
    "adamax, all options": ("Adamax", dict(betas=(0.8, 0.5), eps=1e-2, weight_decay=0.1, maximize=True)),
    "nadam": ("NAdam", {}),
    "nadam, all options": ("NAdam", dict(betas=(0.8, 0.95), eps=1e-2, weight_decay=0.1, momentum_decay=0.1)),
    "radam": ("RAdam", {}),
    "radam, rectified": ("RAdam", dict(betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)),
    "rprop": ("Rprop", {}),
    "rprop, all options": ("Rprop", dict(etas=(0.4, 1.5), step_sizes=(0.05, 0.2), maximize=True)),
    "asgd": ("ASGD", {}),
    "asgd, all options": ("ASGD", dict(lambd=0.1, alpha=0.5, t0=2.0, weight_decay=0.1, maximize=True)),
}
# parameter groups: (class, arguments, what the second group sets)
GROUPS = {
    "adam, groups": ("Adam", {}, dict(lr=0.3, weight_decay=0.2, betas=(0.5, 0.9))),
    "sgd, groups": ("SGD", dict(momentum=0.5), dict(lr=0.3, weight_decay=0.2, momentum=0.9, maximize=True)),
    "adamw, groups": ("AdamW", dict(weight_decay=0.0), dict(lr=0.3, weight_decay=0.2, amsgrad=True)),
}


def make_optimizer(optim, parameters, case):
    """The optimiser of a case; `optim` is the module with the classes."""
    if case in GROUPS:
        name, arguments, second = GROUPS[case]
        first, other = parameters
        parameters = [{"params": [first]}, {"params": [other], **second}]
    else:
        name, arguments = OPTIMIZERS[case]
    return getattr(optim, name)(parameters, **{"lr": 0.1, **arguments})


# name: (class, arguments, epochs given to step: None for the next one)
NEXT = (None,) * 9
SCHEDULERS = {
    "step": ("StepLR", dict(step_size=2, gamma=0.5), NEXT),
    "step to": ("StepLR", dict(step_size=2, gamma=0.5), (3, None, 7, 0)),
    "multi step": ("MultiStepLR", dict(milestones=[2, 5, 5, 7], gamma=0.5), NEXT),
    "exponential": ("ExponentialLR", dict(gamma=0.8), NEXT),
    "exponential to": ("ExponentialLR", dict(gamma=0.8), (4, None, 1)),
    "polynomial": ("PolynomialLR", dict(total_iters=5, power=2.0), NEXT),
    "polynomial to": ("PolynomialLR", dict(total_iters=5, power=2.0), (3, None, 9)),
    "lambda": ("LambdaLR", dict(lr_lambda=lambda epoch: 0.9 ** epoch), NEXT),
    "lambdas": ("LambdaLR", dict(lr_lambda=[lambda epoch: 0.9 ** epoch, lambda epoch: 1 / (epoch + 1)]), NEXT),
    "multiplicative": ("MultiplicativeLR", dict(lr_lambda=lambda epoch: 0.9 + 0.01 * epoch), NEXT),
    "constant": ("ConstantLR", dict(factor=0.25, total_iters=4), NEXT),
    "constant to": ("ConstantLR", dict(factor=0.25, total_iters=4), (4, None, 1)),
    "linear": ("LinearLR", dict(start_factor=0.25, end_factor=0.75, total_iters=4), NEXT),
    "linear to": ("LinearLR", dict(start_factor=0.25, end_factor=0.75, total_iters=4), (3, None, 9)),
    "cosine": ("CosineAnnealingLR", dict(T_max=4, eta_min=0.01), NEXT),
    "cosine to": ("CosineAnnealingLR", dict(T_max=4, eta_min=0.01), (3, None, 5)),
    "warm restarts": ("CosineAnnealingWarmRestarts", dict(T_0=3, eta_min=0.01), NEXT),
    "warm restarts, longer": ("CosineAnnealingWarmRestarts", dict(T_0=2, T_mult=2), NEXT),
    "warm restarts to": ("CosineAnnealingWarmRestarts", dict(T_0=3), (1, 3.5, None, 7.25)),
    "warm restarts to, longer": ("CosineAnnealingWarmRestarts", dict(T_0=2, T_mult=2), (1, 3.5, None, 7.25)),
    "cyclic": ("CyclicLR", dict(base_lr=0.1, max_lr=0.5, step_size_up=3), NEXT),
    "cyclic, halved": ("CyclicLR", dict(base_lr=[0.1, 0.2], max_lr=[0.5, 0.8], step_size_up=2, step_size_down=1,
                                        mode="triangular2"), NEXT),
    "cyclic, exponential": ("CyclicLR", dict(base_lr=0.1, max_lr=0.5, step_size_up=2, mode="exp_range", gamma=0.9),
                            NEXT),
    "cyclic, own scale": ("CyclicLR", dict(base_lr=0.1, max_lr=0.5, step_size_up=2, scale_fn=lambda x: 1 / (5 * x),
                                           scale_mode="cycle"), NEXT),
}
METRICS = (1.0, 0.9, 0.9, 0.95, 0.9, 0.89999, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.9, 0.7, 0.7, 0.7)
PLATEAUS = {
    "min": dict(patience=1, factor=0.5),
    "min, absolute": dict(patience=0, factor=0.5, threshold=0.05, threshold_mode="abs"),
    "max": dict(mode="max", patience=1, factor=0.5, cooldown=2),
    "max, absolute": dict(mode="max", patience=1, factor=0.5, threshold=0.05, threshold_mode="abs", cooldown=1,
                          min_lr=[0.2, 0.01]),
    "eps": dict(patience=0, factor=0.5, eps=0.1),
}


def make_scheduler(schedulers, optimizer, case):
    """(scheduler, epochs) of a case; `schedulers` is the module with the classes."""
    if case == "sequence":
        parts = [schedulers.ConstantLR(optimizer, factor=0.1, total_iters=2),
                 schedulers.ExponentialLR(optimizer, gamma=0.9), schedulers.StepLR(optimizer, step_size=2, gamma=0.5)]
        return schedulers.SequentialLR(optimizer, parts, milestones=[3, 6]), NEXT
    if case == "chain":
        schedulers.LinearLR(optimizer, start_factor=0.5, total_iters=3)
        return schedulers.ExponentialLR(optimizer, gamma=0.9), NEXT
    name, arguments, epochs = SCHEDULERS[case]
    return getattr(schedulers, name)(optimizer, **arguments), epochs


SCHEDULER_CASES = [*SCHEDULERS, "sequence", "chain"]
