"""Primitives that work element by element, most of them without attributes."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.primitives.base import plain, primitive

_PLAIN = """Add TensorAdd=add Sub Mul Div RealDiv=div DivNoNan=div_no_nan Mod=fmod FloorMod=floor_mod
    FloorDiv=floor_div TruncateDiv=truncate_div TruncateMod=truncate_mod Pow Maximum Minimum Neg Abs Sign Square
    Sqrt Rsqrt Exp Expm1 Log Log1p Reciprocal Inv=reciprocal Floor Ceil Rint Trunc Sin Cos Tan Asin Acos
    ACos=acos Atan Atan2 Sinh Cosh Asinh Acosh Atanh Tanh Sigmoid Erf Erfc Erfinv ReLU=relu ReLU6=relu6 SeLU=selu
    HSwish=hardswish HSigmoid=hardsigmoid Mish Softplus Softsign FastGeLU=fast_gelu FastGelu=fast_gelu SiLU=silu
    PReLU=prelu Xlogy Equal NotEqual=not_equal Less LessEqual=less_equal Greater GreaterEqual=greater_equal
    LogicalAnd=logical_and LogicalOr=logical_or LogicalNot=logical_not LogicalXor=logical_xor IsNan=isnan
    IsInf=isinf IsFinite=isfinite BitwiseAnd=bitwise_and BitwiseOr=bitwise_or BitwiseXor=bitwise_xor
    Invert=bitwise_not LeftShift=bitwise_left_shift RightShift=bitwise_right_shift Select Where=where
    MaskedFill=masked_fill Lerp Hypot Heaviside Sinc Fmax Fmin AddN=addn AccumulateNV2=addn Addcmul Addcdiv
    Identity=identity Cast TypeAs=type_as Assign AssignAdd=assign_add AssignSub=assign_sub
    StopGradient=stop_gradient Depend=depend"""


def div_no_nan(x, y):
    """x / y, and 0 where y is 0."""
    zero = F.equal(y, 0)
    return F.where(zero, 0.0, F.div(x, F.where(zero, 1, y)))


class _Functions:
    """The functional API, and what only primitives have."""

    div_no_nan = staticmethod(div_no_nan)

    def __getattr__(self, name):
        return getattr(F, name)


_CLASSES = plain(_PLAIN, _Functions(), __name__)
globals().update(_CLASSES)


@primitive
def AddExt(input, other, alpha=1):
    """input + alpha * other."""
    return F.add(input, other if alpha == 1 else F.mul(other, alpha))


@primitive
def Swiglu(input, dim=-1):
    """silu of the first half along `dim` times the second."""
    return F.swiglu(input, dim)


@primitive
def Partial(function, *args, **kwargs):
    """A function with its first arguments given."""
    return F.partial(function, *args, **kwargs)


@primitive
def GeLU(input):
    """The Gaussian error unit by its tanh approximation."""
    return F.gelu(input, "tanh")


Gelu = GeLU     # before MindSpore 1.1


@primitive
def Elu(input_x, *, alpha=1.0):
    """x above 0, alpha * (e^x - 1) below."""
    return F.elu(input_x, alpha)


@primitive
def CeLU(x, *, alpha=1.0):
    """max(0, x) + min(0, alpha * (e^(x / alpha) - 1))."""
    return F.celu(x, alpha)


@primitive
def LeakyReLU(x, *, alpha=0.2):
    """x above 0, alpha * x below."""
    return F.leaky_relu(x, alpha)


@primitive
def SoftShrink(input, *, lambd=0.5):
    """x moved by `lambd` towards 0."""
    return F.softshrink(input, lambd)


@primitive
def HShrink(input, *, lambd=0.5):
    """x where |x| > lambd, else 0."""
    return F.hardshrink(input, lambd)


@primitive
def Softmax(input, *, axis=-1):
    """e^x divided by its sum along `axis`."""
    return F.softmax(input, axis)


@primitive
def LogSoftmax(logits, *, axis=-1):
    """log(softmax(x)) along `axis`."""
    return F.log_softmax(logits, axis)


@primitive
def GLU(x, *, axis=-1):
    """The first half along `axis` times the sigmoid of the second."""
    return F.glu(x, axis)


@primitive
def Round(input, decimals=0):
    """The nearest multiple of 10**-decimals, ties to even."""
    return F.round(input, decimals=decimals)


@primitive
def Logit(input, *, eps=-1.0):
    """log(x / (1 - x)), x clipped to [eps, 1 - eps] if eps is not negative."""
    return F.logit(input, eps)


@primitive
def IsClose(input, other, *, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|."""
    return F.isclose(input, other, rtol, atol, equal_nan)


@primitive
def ApproximateEqual(x, y, *, tolerance=1e-05):
    """|x - y| < tolerance."""
    return F.approximate_equal(x, y, tolerance)


@primitive
def NanToNum(input, *, nan=None, posinf=None, neginf=None):
    """NaN and infinities replaced by numbers."""
    return F.nan_to_num(input, nan, posinf, neginf)


@primitive
def SquaredDifference(x, y):
    """(x - y)^2."""
    return F.square(F.sub(x, y))


@primitive
def MulNoNan(x, y):
    """x * y, and 0 where y is 0 even if x is not finite."""
    return F.where(F.equal(y, 0), 0.0, F.mul(x, y))


@primitive
def BiasAdd(input_x, bias, *, data_format="NCHW"):
    """`input_x` plus a bias for each channel (axis 1)."""
    return F.bias_add(input_x, bias)


@primitive
def ScalarCast(input_x, input_y):
    """A Python number of the kind of a dtype."""
    return F.scalar_cast(input_x, input_y)


@primitive
def ScalarToTensor(x, dtype=dt.float32):
    """A number as a 0-d Tensor."""
    return F.scalar_to_tensor(x, dtype)


@primitive
def Print(*values):
    """Prints values, each on a line of its own; in a graph, when the program runs."""
    F.print_(*values)


@primitive
def Assert(condition, input_data=(), *, summarize=3):
    """Raises AssertionError with the data if the condition is false; in a graph, when the program runs."""
    F.program.check_that(condition, *input_data)


__all__ = [*_CLASSES, *(n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__
                        and not n.startswith("_"))]
