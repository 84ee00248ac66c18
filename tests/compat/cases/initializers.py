"""Initialisers: those that draw numbers by their mean and deviation, the others by their values."""
from tests.compat.table import case

BIG = "[200, 100], ms.float32"
for call, mean, deviation in (("Normal(0.5, 2.0)", 2.0, 0.5), ("Normal()", 0, 0.01), ("Uniform(2.0)", 0, 1.1547),
                              ("TruncatedNormal(1.0)", 0, 0.8796), ("XavierUniform()", 0, 0.0816),
                              ("XavierUniform(10)", 0, 0.8165), ("XavierNormal(10)", 0, 0.8165),
                              ("HeUniform(mode='fan_out')", 0, 0.1), ("HeNormal(negative_slope=5 ** 0.5)", 0, 0.0577),
                              ("VarianceScaling(4.0, 'fan_avg', 'uniform')", 0, 0.1633),
                              ("VarianceScaling(100.0, 'fan_in', 'untruncated_normal')", 0, 1.0)):
    case(f"about(initializer.initializer(initializer.{call}, {BIG}).init_data(), {mean}, {deviation})")
for name in ("normal", "uniform", "xavier_uniform", "he_uniform", "he_normal", "truncatedNormal", "xavier_normal"):
    case(f"kind(initializer.initializer('{name}', [3, 4], ms.float16).init_data())")
for name in ("zeros", "ones", "zero", "one"):
    case(f"initializer.initializer('{name}', [2, 3], ms.float32).init_data()")
case("initializer.initializer(initializer.Constant(3), [2, 3], ms.int32).init_data()")
case("initializer.initializer(initializer.Zero(), [2, 3]).init_data()")
case("initializer.initializer(initializer.One(), [2, 3], ms.float16).init_data()")
case("initializer.initializer(2.5, [2, 3], ms.float32).init_data()")
case("initializer.initializer(initializer.Identity(), [2, 3]).init_data()")
case("initializer.initializer(initializer.Dirac(groups=2), [4, 2, 3]).init_data()")
case("a = initializer.initializer(initializer.Orthogonal(gain=2.0), [3, 3]).init_data().asnumpy(); "
     "bool(np.allclose(a @ a.T, 4 * np.eye(3), atol=1e-5))")
case("a = initializer.initializer(initializer.Sparse(sparsity=0.5, sigma=0.1), [4, 3]).init_data().asnumpy(); "
     "(a == 0).sum(0).tolist()")
case("initializer.initializer('nothing', [2])", fails=True)
case("class Mine(initializer.Initializer):\n    def _initialize(self, array):\n        array[...] = 7\n"
     "initializer.initializer(Mine(), [2, 2]).init_data()")
case("nn.Dense(3, 2, weight_init=initializer.Constant(0.5), bias_init=initializer.One())(f)")
case("p = Parameter(initializer.initializer(initializer.Constant(2), [2]), name='p'); p.value()")
case("t = initializer.initializer('ones', [2, 3]); [t.shape, str(t.dtype), type(t.init).__name__, t.has_init]")
