"""Writes ``experimental_results.json``: what MindSpore 2.10 does in the cases of ``experimental_cases.py``.

    MS_JIT_IGNORE_MODULES=numpy,scipy python tests/nn/record_experimental.py        (MindSpore's interpreter)
"""
import json
from pathlib import Path

import experimental_cases as cases
import mindspore as ms
from mindspore.experimental import optim

TARGET = Path(__file__).with_name("experimental_results.json")


def make_parameters():
    return [ms.Parameter(value.copy(), name=name) for name, value in cases.WEIGHTS.items()]


def numbers(values) -> list:
    return [float(f"{float(v):.8g}") for v in values]


def five_steps(case):
    parameters = make_parameters()
    optimizer = cases.make_optimizer(optim, parameters, case)
    for step in range(5):
        optimizer(tuple(map(ms.Tensor, cases.gradients_of(step))))
    return {"weights": numbers(v for p in parameters for v in p.asnumpy().ravel()),
            "names": [p.name for p in optimizer.get_parameters()],
            "state": {p.name: numbers(p.asnumpy().ravel()) for p in list(optimizer.get_parameters())[2:]}}


def rates_of(optimizer):
    return numbers(group["lr"].asnumpy() for group in optimizer.param_groups)


def two_groups():
    first, second = make_parameters()
    return optim.SGD([{"params": [first]}, {"params": [second], "lr": 0.05}], lr=0.5)


def rates(case):
    optimizer = two_groups()
    scheduler, epochs = cases.make_scheduler(optim.lr_scheduler, optimizer, case)
    sequence = [rates_of(optimizer)]
    for epoch in epochs:
        scheduler.step() if epoch is None else scheduler.step(epoch)
        sequence.append(rates_of(optimizer))
    return sequence


def plateau(case):
    optimizer = two_groups()
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, **cases.PLATEAUS[case])
    sequence = []
    for metric in cases.METRICS:
        scheduler.step(ms.Tensor(metric))
        sequence.append(rates_of(optimizer))
    return sequence


def attempt(function, case):
    try:
        return function(case)
    except Exception as error:
        print(case, type(error).__name__, str(error)[:300])
        return None


if __name__ == "__main__":
    results = {"optimizers": {c: attempt(five_steps, c) for c in [*cases.OPTIMIZERS, *cases.GROUPS]},
               "schedulers": {c: attempt(rates, c) for c in cases.SCHEDULER_CASES},
               "plateaus": {c: attempt(plateau, c) for c in cases.PLATEAUS}}
    lines = (f'"{kind}": {{\n' + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in r.items()) + "\n}"
             for kind, r in results.items())
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
