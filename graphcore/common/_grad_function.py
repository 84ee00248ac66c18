"""``_Function``: functions with a gradient of their own, under MindSpore's name for them."""
from __future__ import annotations

from graphcore.capture.custom_gradients import Context, with_backward

__all__ = ["_Function"]


class _Function:
    """Base of functions with a `forward` and a `backward`::

        class Square(_Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, gradient):
                (x,) = ctx.saved_tensors
                return 2 * x * gradient

        y = Square.apply(x)

    backward takes the gradient of each output and gives one for each argument of forward (None: zeros).  Raises
    GradientError where it gives another number.
    """

    @staticmethod
    def forward(ctx, *args):
        """The function; `ctx` keeps what backward needs."""
        raise NotImplementedError("define forward(ctx, ...), a static method")

    @staticmethod
    def backward(ctx, *gradients):
        """The gradients of the arguments, given those of the outputs."""
        raise NotImplementedError("define backward(ctx, ...), a static method")

    @classmethod
    def apply(cls, *args):
        """``forward(ctx, *args)``, with the gradients of `backward`."""
        return with_backward(cls.forward, cls.backward, Context(args), args, cls.__name__)
