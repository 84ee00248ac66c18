"""What tells a compiler from an interpreter: few launches, shared programs, no Python per operator, a warm start."""
from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import numpy as np

from graphcore import Tensor, nn
from graphcore.compiler.program import statistics
from graphcore.compiler.toolchain.cpu import host
from graphcore.compiler.toolchain.elf import undefined_symbols


def lenet():
    return nn.SequentialCell(
        nn.Conv2d(1, 6, 5, pad_mode="valid", has_bias=True), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten(),
        nn.Dense(400, 120), nn.ReLU(), nn.Dense(120, 84), nn.ReLU(), nn.Dense(84, 10))


def mlp(depth):
    layers = []
    for _ in range(depth):
        layers += [nn.Dense(8, 8), nn.ReLU()]
    return nn.SequentialCell(*layers, nn.Dense(8, 10))


def training_step(net):
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    return nn.TrainOneStepCell(nn.WithLossCell(net, loss), optimizer).set_train()


def batch(shape, seed=0):
    random = np.random.RandomState(seed)
    return (Tensor(random.randn(*shape).astype(np.float32)), Tensor(random.randint(0, 10, shape[0]).astype(np.int32)))


def test_a_lenet_step_is_one_program_of_few_launches():
    step = training_step(lenet())
    step(*batch((64, 1, 32, 32)))
    assert step._compiled.last_program.launches <= 35


def test_an_equal_net_compiles_nothing():
    training_step(lenet())(*batch((8, 1, 32, 32)))
    before = dict(vars(statistics))
    training_step(lenet())(*batch((8, 1, 32, 32)))
    after = dict(vars(statistics))
    assert after["graphs_compiled"] == before["graphs_compiled"]
    assert after["programs_loaded"] == before["programs_loaded"]
    assert after["programs_shared"] == before["programs_shared"] + 1


def calls_of_a_warm_step(depth):
    step, data = training_step(mlp(depth)), batch((4, 8))
    for _ in range(3):
        step(*data)
    count = 0

    def count_calls(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(count_calls)
    try:
        step(*data)
    finally:
        sys.setprofile(None)
    return count


def test_python_calls_of_a_step_do_not_grow_with_the_net():
    assert calls_of_a_warm_step(2) == calls_of_a_warm_step(20)


def test_objects_need_the_math_library_at_most():
    from graphcore.compiler.pipeline import optimize
    from graphcore.compiler.plan import compile_plan
    from graphcore.compiler.toolchain.compile import objects
    step = training_step(lenet())
    step(*batch((4, 1, 32, 32)))
    graph = optimize(step._compiled.last_program.graph)
    kernels = compile_plan(graph, host(), {}).kernels
    needed = set().union(*(undefined_symbols(image) for image in objects(kernels).values()))
    assert needed <= {"memcpy", "memmove", "memset", "expf", "logf", "powf"}, needed


SECOND_PROCESS = """
    import json, sys
    import numpy as np
    import graphcore as gc
    from graphcore import Tensor, nn
    gc.set_seed(3)
    net = nn.SequentialCell(nn.Dense(6, 5), nn.Tanh(), nn.Dense(5, 3))
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), nn.Momentum(net.trainable_params(), 0.1, 0.9)).set_train()
    value = step(Tensor(np.ones((2, 6), np.float32)), Tensor(np.array([0, 2], np.int32)))
    from graphcore.compiler.program import statistics
    print(json.dumps({"loss": float(value), "numba": "numba" in sys.modules, **vars(statistics)}))
"""


def test_a_second_process_starts_without_numba(tmp_path):
    results = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(SECOND_PROCESS)], capture_output=True, text=True,
                              env={**__import__("os").environ, "GRAPHCORE_CACHE_DIR": str(tmp_path)}, check=False)
        assert done.returncode == 0, done.stderr
        results.append(json.loads(done.stdout))
    first, second = results
    assert first["numba"] and first["graphs_compiled"] == 1
    assert not second["numba"] and second["graphs_compiled"] == 0 and second["programs_loaded"] == 1
    assert second["loss"] == first["loss"]
