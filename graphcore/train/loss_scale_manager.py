"""How much the loss is scaled before gradients are taken, so that small ones survive float16."""
from __future__ import annotations


class LossScaleManager:
    """Base of the managers: what the scale is, how it changes, and the Cell that does that within a training step."""

    def get_loss_scale(self):
        """The current scale."""
        raise NotImplementedError

    def update_loss_scale(self, overflow: bool):
        """Change the scale after a step that overflowed or did not."""
        raise NotImplementedError

    def get_update_cell(self):
        """The Cell for `nn.TrainOneStepWithLossScaleCell`, or None if a constant factor suffices."""
        raise NotImplementedError


class FixedLossScaleManager(LossScaleManager):
    """A scale that never changes.

    loss_scale: at least 1.  drop_overflow_update: whether a step whose gradients overflowed is left out; if False, the
    optimizer must be given the same loss_scale.
    """

    def __init__(self, loss_scale: float = 128.0, drop_overflow_update: bool = True):
        if loss_scale < 1:
            raise ValueError(f"The argument 'loss_scale' must be >= 1, but got {loss_scale}")
        self._loss_scale, self._drop_overflow_update = loss_scale, drop_overflow_update

    def get_loss_scale(self) -> float:
        return self._loss_scale

    def get_drop_overflow_update(self) -> bool:
        """Whether a step that overflowed is left out."""
        return self._drop_overflow_update

    def update_loss_scale(self, overflow: bool) -> None:
        """Nothing: the scale is fixed."""

    def get_update_cell(self):
        if not self._drop_overflow_update:
            return None
        from graphcore.nn import FixedLossScaleUpdateCell
        return FixedLossScaleUpdateCell(self._loss_scale)


class DynamicLossScaleManager(LossScaleManager):
    """A scale that is divided by `scale_factor` after an overflow and multiplied after `scale_window` good steps."""

    def __init__(self, init_loss_scale: float = 2 ** 24, scale_factor: int = 2, scale_window: int = 2000):
        if init_loss_scale < 1:
            raise ValueError(f"The argument 'init_loss_scale' must be >= 1, but got {init_loss_scale}")
        if isinstance(scale_window, bool) or not isinstance(scale_window, int) or scale_window < 1:
            raise ValueError(f"For 'DynamicLossScaleManager', the 'scale_window' must be a positive int, "
                             f"but got {scale_window}")
        if scale_factor <= 0:
            raise ValueError(f"The argument 'scale_factor' must be > 0, but got {scale_factor}")
        self.loss_scale = init_loss_scale
        self.scale_factor, self.scale_window = scale_factor, scale_window
        self.increase_ratio, self.decrease_ratio = scale_factor, 1 / scale_factor
        self.cur_iter, self.last_overflow_iter = 1, 0
        self.bad_step, self.bad_step_max = 0, 1000

    def get_loss_scale(self) -> float:
        return self.loss_scale

    def update_loss_scale(self, overflow: bool) -> None:
        """Raises RuntimeError after more than 1000 overflows in a row: the training has diverged."""
        if overflow:
            self.loss_scale = max(self.loss_scale * self.decrease_ratio, 1)
            self.last_overflow_iter = self.cur_iter
            self.bad_step += 1
        else:
            if (self.cur_iter - self.last_overflow_iter) % self.scale_window == 0:
                self.loss_scale *= self.increase_ratio
            self.bad_step = 0
        if self.bad_step > self.bad_step_max:
            raise RuntimeError(f"Dynamic loss scale Continuous overflow {self.bad_step} times, has exceeded maximum "
                               "threshold.")
        self.cur_iter += 1

    def get_drop_overflow_update(self) -> bool:
        """Always True: a step that overflowed is left out."""
        return True

    def get_update_cell(self):
        from graphcore.nn import DynamicLossScaleUpdateCell
        return DynamicLossScaleUpdateCell(self.loss_scale, self.scale_factor, self.scale_window)
