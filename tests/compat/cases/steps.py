"""Primitives that are a step of an optimiser, on Parameters and on plain Tensors."""
from tests.compat.table import case, documented

STATE = ("v = Parameter(wave(2, 3), name='v'); m = Parameter(wave(2, 3, step=1), name='m'); s = Parameter(positive(2, 3), name='s'); "
         "h = Parameter(positive(2, 3, step=1), name='h'); g = wave(2, 3, step=2); ")
for call in ("ApplyAdaMax()(v, m, s, Tensor(0.9), 0.01, 0.9, 0.99, 1e-3, g)", "ApplyAdadelta()(v, s, h, 0.1, 0.9, 1e-3, g)",
             "ApplyAdamWithAmsgrad(0.9, 0.99, 1e-3)(v, m, s, h, Tensor(0.9), Tensor(0.99), Tensor(0.01), g)",
             "ApplyAdamWithAmsgradV2()(v, m, s, h, Tensor(0.9), Tensor(0.99), 0.01, 0.9, 0.99, 1e-3, g)",
             "ApplyCenteredRMSProp()(v, m, s, h, g, 0.01, 0.5, 0.2, 1.0)", "ApplyRMSProp()(v, s, m, 0.01, g, 0.1, 0.2, 1e-3)",
             "ApplyAdagrad()(v, s, 0.01, g)", "ApplyAdagradV2(1e-3)(v, s, 0.01, g)", "ApplyAdagradV2(1e-3, False)(v, s, 0.01, g)",
             "ApplyAdagradDA()(v, m, s, g, 0.01, 0.0, 0.2, Tensor(3, ms.int32))", "ApplyAddSign()(v, m, 0.01, 1.0, 0.9, 0.8, g)",
             "ApplyPowerSign()(v, m, 0.01, 1.5, 0.9, 0.8, g)", "ApplyProximalAdagrad()(v, s, 0.01, 0.1, 0.2, g)",
             "ApplyProximalGradientDescent()(v, 0.01, 0.1, 0.2, g)", "ApplyFtrl()(v, s, m, g, Tensor(0.01), Tensor(0.0), Tensor(0.2), Tensor(-0.3))",
             "AdamNoUpdateParam()(m, s, Tensor(0.9), Tensor(0.99), Tensor(0.01), Tensor(0.9), Tensor(0.99), Tensor(1e-3), g)"):
    case(f"{STATE}y = ops.{call}; [kind(y), v, m, s, h]")
# MindSpore's own kernels leave out a maximum and a sign here, which its documentation has.
documented(STATE + "ops.ApplyAdagradDA()(v, m, s, g, 0.01, 0.1, 0.2, 3); v", STATE + "a = m + g; n = s + g * g; ops.sign(a) * ops.relu(a.abs() - 0.3) * -0.01 / (0.006 + ops.sqrt(n))")
documented(STATE + "ops.ApplyFtrl()(v, s, m, g, 0.01, 0.1, 0.2, -0.5); [v, s, m]",
           STATE + "n = s + g * g; z = m + g - (n ** 0.5 - s ** 0.5) / 0.01 * v; [ops.sign(z) * ops.relu(z.abs() - 0.1) / -(n ** 0.5 / 0.01 + 0.4), n, z]")
documented(STATE + "ops.ApplyKerasMomentum()(v, m, 0.01, g, 0.9); [v, m]", STATE + "a = m * 0.9 - g * 0.01; [v + a, a]")
documented(STATE + "ops.ApplyKerasMomentum(use_nesterov=True)(v, m, 0.01, g, 0.9); [v, m]", STATE + "a = m * 0.9 - g * 0.01; [v + a * 0.9 - g * 0.01, a]")
PLAIN = "v = wave(4); a = wave(4, step=1); s = wave(4, step=0.3); g = wave(4, step=2); "
case(PLAIN + "y = ops.SGD()(v, g, Tensor(0.01), a, Tensor(0.1), s); [y, v, a, s]")
case(PLAIN + "y = ops.SGD(0.0, 0.01, True)(v, g, Tensor(0.01), a, Tensor(0.1), s); [y, v, a, s]")
case(PLAIN + "y = ops.ApplyMomentum()(v, a, 0.01, g, 0.1); [y, v, a]")
case(PLAIN + "ops.ApplyRMSProp()(v, positive(4), a, 0.01, g, 0.1, 0.2, 1e-3); [v, a]")
case("p = Parameter(wave(4), name='p'); a = Parameter(wave(4, step=1), name='a'); s = Parameter(ops.ones(4), name='s')\nclass Net(nn.Cell):\n    def __init__(self):\n        super().__init__()\n"
     "        self.p, self.a, self.s, self.step = p, a, s, ops.SGD()\n    def construct(self, g):\n        return self.step(self.p, g, Tensor(0.01), self.a, Tensor(0.1), self.s)\n"
     "net = Net(); net(wave(4)); net(wave(4)); [p, a, s]")
