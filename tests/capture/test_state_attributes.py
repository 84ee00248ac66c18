"""Attributes that construct both reads and writes are inputs of one program, not constants of many."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops


class Recurrent(nn.Cell):
    """Keeps a tensor, a count and a buffer from call to call."""

    def __init__(self):
        super().__init__()
        self.state, self.count = Tensor([0.0, 0.0]), 0
        self.register_buffer("total", Tensor([1.0]))

    def construct(self, x):
        if x.sum() > 0:
            self.state = ops.tanh(x + self.state)
        for _ in range(2):
            self.count += 1
        if self.count > 4:
            self.state = self.state * 0
        self.total = self.total * 2
        return self.state * self.count


def expected(calls):
    state, results = np.zeros(2, np.float32), []
    for number, x in enumerate(calls, 1):
        state = np.tanh(x + state) if x.sum() > 0 else state
        state = state * 0 if 2 * number > 4 else state
        results.append(state * 2 * number)
    return results


def test_one_program_serves_all_calls():
    net, calls = Recurrent(), [np.array(v, np.float32) for v in ([1, 2], [-3, 1], [1, 1], [2, 2])]
    found = [net(Tensor(x)).asnumpy() for x in calls]
    np.testing.assert_allclose(found, expected(calls), rtol=1e-6)
    assert net._compiled.programs == 1
    assert (type(net.count), net.count, net.total.tolist()) == (int, 8, [16.0])
    assert dict(net.named_buffers())["total"] is net.total


def test_what_is_set_from_outside_is_seen():
    net = Recurrent()
    net(Tensor([1.0, 1.0]))
    net.state, net.count = Tensor([5.0, 6.0]), 0
    np.testing.assert_allclose(net(Tensor([-1.0, 0.0])).asnumpy(), [10, 12])
    assert net._compiled.programs == 1


def test_another_type_compiles_again_and_is_explained():
    net = Recurrent()
    net(Tensor([1.0, 1.0]))
    net.state = Tensor(np.array([5.0, 6.0]))
    net(Tensor([1.0, 1.0]))
    assert net._compiled.programs == 2
    assert "Recurrent.state" in gc.explain_recompile(net)


def test_a_counter_decides_in_python_where_python_needs_it():
    class Alternating(nn.Cell):
        def __init__(self):
            super().__init__()
            self.turn, self.factors = 0, [2.0, 3.0]

        def construct(self, x):
            result = x * self.factors[self.turn]
            self.turn = 1 - self.turn
            return result

    net = Alternating()
    assert [float(net(Tensor(1.0))) for _ in range(5)] == [2, 3, 2, 3, 2]


@pytest.mark.parametrize("fails", [True, False])
def test_a_failed_call_leaves_no_trace(fails):
    class Checked(nn.Cell):
        def __init__(self):
            super().__init__()
            self.seen = []

        def construct(self, x):
            self.seen.append(x.sum())
            assert x.sum() > 0, "negative"
            return x

    net = Checked()
    if fails:
        with pytest.raises(AssertionError, match="negative"):
            net(Tensor([-1.0]))
        assert net.seen == []
    else:
        net(Tensor([1.0]))
        net(Tensor([2.0]))
        assert [float(t) for t in net.seen] == [1, 2]


def test_numbers_of_parameters_are_those_of_the_run():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.p = Parameter(np.ones((), np.float32), name="p")

        def construct(self, x):
            self.p += 1
            return x + [10, 20, 30, 40][int(self.p)] + float(self.p) * 0.5

    net = Net()
    assert [float(net(Tensor([1.0]))[0]) for _ in range(2)] == [32.0, 42.5]
    net.p.set_data(Tensor(0.0))
    assert float(net(Tensor([1.0]))[0]) == 21.5
