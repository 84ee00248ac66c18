"""Learned and random sequences of transforms: AutoAugment, RandAugment, TrivialAugmentWide."""
from __future__ import annotations

import enum
import math

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.vision.adjust import (
    AdjustBrightness,
    AdjustContrast,
    AdjustSaturation,
    AdjustSharpness,
    AutoContrast,
    Equalize,
    Posterize,
    Solarize,
)
from graphcore.dataset.vision.color import Invert
from graphcore.dataset.vision.resampling import Inter
from graphcore.dataset.vision.turning import Affine, Rotate, _Turns

__all__ = ["AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]


class AutoAugmentPolicy(str, enum.Enum):
    """The collections whose policies there are."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


# 25 pairs of transforms a policy: "Posterize .4 8 Rotate .6 9" does each with its chance, at its strength (- has none).
_POLICIES = {
    AutoAugmentPolicy.IMAGENET: """
        Posterize .4 8 Rotate .6 9; Solarize .6 5 AutoContrast .6 -; Equalize .8 - Equalize .6 -;
        Posterize .6 7 Posterize .6 6; Equalize .4 - Solarize .2 4; Equalize .4 - Rotate .8 8;
        Solarize .6 3 Equalize .6 -; Posterize .8 5 Equalize 1 -; Rotate .2 3 Solarize .6 8;
        Equalize .6 - Posterize .4 6; Rotate .8 8 Color .4 0; Rotate .4 9 Equalize .6 -; Equalize 0 - Equalize .8 -;
        Invert .6 - Equalize 1 -; Color .6 4 Contrast 1 8; Rotate .8 8 Color 1 2; Color .8 8 Solarize .8 7;
        Sharpness .4 7 Invert .6 -; ShearX .6 5 Equalize 1 -; Color .4 0 Equalize .6 -; Equalize .4 - Solarize .2 4;
        Solarize .6 5 AutoContrast .6 -; Invert .6 - Equalize 1 -; Color .6 4 Contrast 1 8;
        Equalize .8 - Equalize .6 -""",
    AutoAugmentPolicy.CIFAR10: """
        Invert .1 - Contrast .2 6; Rotate .7 2 TranslateX .3 9; Sharpness .8 1 Sharpness .9 3;
        ShearY .5 8 TranslateY .7 9; AutoContrast .5 - Equalize .9 -; ShearY .2 7 Posterize .3 7;
        Color .4 3 Brightness .6 7; Sharpness .3 9 Brightness .7 9; Equalize .6 - Equalize .5 -;
        Contrast .6 7 Sharpness .6 5; Color .7 7 TranslateX .5 8; Equalize .8 - Invert .1 -;
        TranslateY .4 3 Sharpness .2 6; Brightness .9 6 Color .2 8; Solarize .5 2 Invert 0 -;
        TranslateY .9 9 TranslateY .7 9; Equalize .2 - Equalize .6 -; Color .9 9 Equalize .6 -;
        AutoContrast .8 - Solarize .2 8; Brightness .1 3 Color .7 0; Solarize .4 5 AutoContrast .9 -;
        AutoContrast .9 - Solarize .8 3; TranslateY .7 9 AutoContrast .9 -; Equalize .3 - AutoContrast .4 -;
        Equalize .2 - AutoContrast .6 -""",
    AutoAugmentPolicy.SVHN: """
        ShearX .9 4 Invert .2 -; ShearY .9 8 Invert .7 -; Equalize .6 - Solarize .6 6; Invert .9 - Equalize .6 -;
        Equalize .6 - Rotate .9 3; ShearX .9 4 AutoContrast .8 -; ShearY .9 8 Invert .4 -; ShearY .9 5 Solarize .2 6;
        Invert .9 - AutoContrast .8 -; Equalize .6 - Rotate .9 3; ShearX .9 4 Solarize .3 3; ShearY .8 8 Invert .7 -;
        Equalize .9 - TranslateY .6 6; Invert .9 - Equalize .6 -; Contrast .3 3 Rotate .8 4;
        Invert .8 - TranslateY 0 2; ShearY .7 6 Solarize .4 8; Invert .6 - Rotate .8 4; ShearY .3 7 TranslateX .9 3;
        ShearX .1 6 Invert .6 -; Solarize .7 2 TranslateY .6 7; ShearY .8 4 Invert .8 -; ShearX .7 9 TranslateY .8 3;
        ShearY .8 5 AutoContrast .7 -; ShearX .7 2 Invert .1 -""",
}
_SIGNED = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness")
_FACTORS = {"Brightness": AdjustBrightness, "Color": AdjustSaturation, "Contrast": AdjustContrast,
            "Sharpness": AdjustSharpness}
_PLAIN = {"AutoContrast": AutoContrast, "Equalize": Equalize, "Invert": Invert}


def _pairs(policy: AutoAugmentPolicy) -> list:
    """[((name, chance, strength or None), (name, chance, strength or None))] of a policy."""
    found = []
    for pair in _POLICIES[policy].split(";"):
        words = pair.split()
        found.append(tuple((words[i], float(words[i + 1]), None if words[i + 2] == "-" else int(words[i + 2]))
                           for i in (0, 3)))
    return found


class _Augmenting(_Turns):
    """What the three have in common: transforms by name, with strengths out of a number of steps."""

    is_random = True

    # The largest shear, move in pixels (None: 150 / 331 of the image), turn in degrees, change of colours, and how many
    # bits are lost.
    SHEAR, MOVE, TURN, COLOURS, BITS = 0.3, None, 30.0, 0.9, 4

    def __init__(self, steps: int, interpolation, fill_value):
        self.steps, self.interpolation, self.fill_value = steps, Inter(interpolation), fill_value

    def _apply(self, image: np.ndarray, name: str, strength: int, generator) -> np.ndarray:
        if name in _PLAIN:
            return _PLAIN[name]()(image)
        share = strength / (self.steps - 1)
        if name in _SIGNED and generator.random() < 0.5:
            share = -share
        if name in _FACTORS:
            return _FACTORS[name](1.0 + share * self.COLOURS)(image)
        if name == "Rotate":
            return Rotate(share * self.TURN, self.interpolation, fill_value=self.fill_value)(image)
        if name == "Posterize":
            return Posterize(8 - round(share * self.BITS))(image)
        if name == "Solarize":
            return Solarize(float(255.0 - 255.0 * share))(image)
        return self._moved(image, name, share)

    def _moved(self, image, name, share):
        height, width = image.shape[:2]
        shear, move = [0.0, 0.0], [0.0, 0.0]
        axis = "XY".index(name[-1])
        if name.startswith("Shear"):
            shear[axis] = math.degrees(math.atan(share * self.SHEAR))
        else:
            move[axis] = share * (150.0 / 331.0 if self.MOVE is None else min(1.0, self.MOVE / (width, height)[axis]))
        return Affine(0.0, move, 1.0, shear, self.interpolation, self.fill_value)(image)


class AutoAugment(_Augmenting):
    """One of the 25 pairs of transforms that were learned for a collection, at random; for uint8 images in RGB.

    policy: an AutoAugmentPolicy.  interpolation, fill_value: of turned and moved images.
    """

    def __init__(self, policy=AutoAugmentPolicy.IMAGENET, interpolation=Inter.NEAREST, fill_value=0):
        if not isinstance(policy, AutoAugmentPolicy):
            raise TypeError(f"policy must be an AutoAugmentPolicy, got {type(policy).__name__}")
        super().__init__(10, interpolation, fill_value)
        self.pairs = _pairs(policy)

    def change(self, image):
        generator = rng.current()
        for name, chance, strength in self.pairs[int(generator.integers(len(self.pairs)))]:
            if generator.random() < chance:
                image = self._apply(image, name, strength or 0, generator)
        return image


_ALL = ("Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
        "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize")


class RandAugment(_Augmenting):
    """`num_ops` transforms at random, at the strength `magnitude` of `num_magnitude_bins`; for uint8 images in RGB."""

    def __init__(self, num_ops=2, magnitude=9, num_magnitude_bins=31, interpolation=Inter.NEAREST, fill_value=0):
        if num_magnitude_bins < 2 or not 0 <= magnitude < num_magnitude_bins or num_ops < 0:
            raise ValueError(f"RandAugment: num_ops={num_ops}, magnitude={magnitude}, "
                             f"num_magnitude_bins={num_magnitude_bins}: the magnitude must lie below its bins")
        super().__init__(num_magnitude_bins, interpolation, fill_value)
        self.num_ops, self.magnitude = num_ops, magnitude

    def change(self, image):
        generator = rng.current()
        for _ in range(self.num_ops):
            name = _ALL[int(generator.integers(len(_ALL)))]
            image = image if name == "Identity" else self._apply(image, name, self.magnitude, generator)
        return image


class TrivialAugmentWide(_Augmenting):
    """One transform at random, at a random strength of `num_magnitude_bins`; for uint8 images in RGB."""

    SHEAR, MOVE, TURN, COLOURS, BITS = 0.99, 32.0, 135.0, 0.99, 6

    def __init__(self, num_magnitude_bins=31, interpolation=Inter.NEAREST, fill_value=0):
        if num_magnitude_bins < 2:
            raise ValueError(f"TrivialAugmentWide: num_magnitude_bins must be at least 2, got {num_magnitude_bins}")
        super().__init__(num_magnitude_bins, interpolation, fill_value)

    def change(self, image):
        generator = rng.current()
        name = _ALL[int(generator.integers(len(_ALL)))]
        if name == "Identity":
            return image
        return self._apply(image, name, int(generator.integers(self.steps)), generator)
