"""Which sizes the axes of a kernel's operands have: odd ones on both sides of vectors, tiles and blocks, in pairs."""
from __future__ import annotations

from itertools import combinations

SIZES = (1, 2, 3, 7, 15, 17, 31, 33, 63, 65, 127, 129)
SMALL = 4                   # so many sizes of each role are small
_LEVELS = 13                # a prime; level 12 stands for another size in each row


def rows(roles: dict, work=None, most: int = 1 << 23) -> list[dict]:
    """Sizes for all roles, so that every two of them take every pair of their sizes.

    roles: the sizes that each may take, in order, at most 12 roles of 12 sizes; work: what a row costs.  A row that
    costs more than `most` is divided into rows that keep a pair of roles each and have small sizes for the others.
    """
    lines = [_row(roles, a, b) for a in range(_LEVELS) for b in range(_LEVELS)]
    return _affordable(lines, roles, work, most, together=min(2, len(roles)))


def few_rows(roles: dict, work=None, most: int = 1 << 23) -> list[dict]:
    """The same where every role takes each of its sizes: 13 rows or some more."""
    return _affordable([_row(roles, a, a + 1) for a in range(_LEVELS)], roles, work, most, together=1)


def _row(roles: dict, a: int, b: int) -> dict:
    """A line of the affine plane: two different columns meet in every pair of levels exactly once."""
    row = {}
    for column, (role, sizes) in enumerate(roles.items()):
        level = (b + column * a) % _LEVELS
        level = (a + column) % len(SIZES) if level == len(SIZES) else level
        row[role] = sizes[level % len(sizes)]
    return row


def _affordable(lines: list, roles: dict, work, most: int, together: int) -> list[dict]:
    """The lines, each that costs too much as several that keep so many roles together."""
    found: dict = {}
    for line in lines:
        parts = [line]
        if work is not None and work(**line) > most:
            parts = [_small_beside(kept, line, roles, work, most, len(found))
                     for kept in combinations(roles, together)]
        found |= {tuple(part.values()): part for part in parts}
    return list(found.values())


def _small_beside(kept: tuple, line: dict, roles: dict, work, most: int, turn: int) -> dict:
    """The sizes of a line for the roles `kept`, and for the others small ones, in turn; the smallest if need be."""
    own = {role: line[role] for role in kept}
    small = {role: sizes[(turn + i) % len(sizes[:SMALL])] for i, (role, sizes) in enumerate(roles.items())}
    part = small | own
    return part if work(**part) <= most else {role: sizes[0] for role, sizes in roles.items()} | own
