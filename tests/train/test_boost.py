"""mindspore.boost: gradients that are added up over several steps."""
import numpy as np

from graphcore import Parameter, Tensor, boost, nn


class Point(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([1.0, 2.0]), name="w")


def test_the_optimiser_runs_once_with_the_mean_of_the_gradients():
    net = Point()
    accumulate = boost.GradientAccumulation(2, nn.SGD(net.trainable_params(), learning_rate=0.5))
    assert [p.name for p in accumulate._grad_accumulation] == ["grad_accumulation.w"]
    seen = []
    for gradient in ([2.0, 0.0], [4.0, 2.0], [8.0, 8.0], [0.0, 0.0]):
        loss = accumulate(Tensor(3.0), (Tensor(gradient),))
        assert float(loss) == 3.0
        seen.append(net.w.asnumpy().tolist())
    assert seen == [[1.0, 2.0], [-0.5, 1.5], [-0.5, 1.5], [-2.5, -0.5]]
    np.testing.assert_array_equal(accumulate._grad_accumulation[0].asnumpy(), [0, 0])
