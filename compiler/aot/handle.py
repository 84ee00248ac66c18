"""The memory of a model that was created: one block, which begins with what its functions need to know.

    head | largest sizes | present sizes | addresses of arrays | places of these addresses | bases | tables
    | scratch memory | arena | derived arrays

All but the last line are words of 64 bits.  The first three and the arrays' addresses stand at the same places for all
CPU levels.
"""
from __future__ import annotations

from dataclasses import dataclass

#: Words of the head: the program's table, the places of the arrays' addresses, the function `resize` of the level, the
#: weights' file in memory and its bytes (0: none), threads.
HEAD = ("table", "places", "resize", "mapped", "mapped_bytes", "threads")

#: What the functions of a library return; `ERRORS` says it in words.
OK, INVALID, NO_MEMORY, NO_FILE, WRONG_FILE, NO_CPU, BAD_SIZE = range(7)

ERRORS = {
    OK: "no error",
    INVALID: "an argument is missing: a pointer is NULL, or the options lack what this model needs (see its header)",
    NO_MEMORY: "there is not enough memory for a model of these sizes",
    NO_FILE: "the file of weights cannot be read",
    WRONG_FILE: "the file of weights is not one of this model: names, shapes, dtypes and order must be those of the "
                "file that came with the library",
    NO_CPU: "this library has no code for this CPU, or the level asked for is none of this CPU's",
    BAD_SIZE: "a size is below 1, above the largest one that the model was created for, or one that the net cannot "
              "take",
}


@dataclass(frozen=True)
class HandleLayout:
    """Places, in words, of what a handle holds for `sizes` symbolic sizes and `externals` arrays."""

    sizes: int
    externals: int

    @property
    def largest(self) -> int:
        return len(HEAD)

    @property
    def present(self) -> int:
        return self.largest + self.sizes

    @property
    def arrays(self) -> int:
        return self.present + self.sizes

    @property
    def places(self) -> int:
        return self.arrays + self.externals

    @property
    def bases(self) -> int:
        return self.places + self.externals
