"""The matrices of Winograd's convolutions F(m x m, 3x3), and multiplications with them as lines of a kernel."""
from __future__ import annotations

from fractions import Fraction
from functools import cache

#: The points at which polynomials are multiplied, beside 0 and infinity; each stands for itself and its negative.
#: F(4x4) with the common 1 and 2 has five to ten times the error.
POINTS = {2: (Fraction(1),), 4: (Fraction(3, 4), Fraction(3, 2))}


def lines(depth: int, texts: list) -> str:
    """Lines of a kernel, so many levels deep."""
    return "\n".join("    " * depth + text for text in texts)


class TransformText:
    """Lines that multiply vectors by a matrix.

    Two rows that differ in the signs of some columns alone (those of p and -p) share the sums of both kinds of column;
    so do two such columns.  No variable is set twice, which Numba would take long for.
    """

    def __init__(self, matrix: tuple, lanes: int):
        self.matrix, self.lanes, self._constants = matrix, lanes, {}
        self._body = self._by_columns() if len(matrix) < len(matrix[0]) else self._by_rows()

    def constants(self) -> str:
        return lines(1, [f"{name} = lanes(f32({float(value)}), {self.lanes})"
                          for value, name in self._constants.items()])

    def rows(self, name: str, depth: int, source: str, along, target: str, step) -> str:
        """Lines that read the vectors at `source`, so many numbers apart (or a name for it), and write the results.

        name: what their variables begin with.
        """
        def at(k: int, step) -> str:
            return str(k * step) if isinstance(step, int) else f"{k} * {step}"

        loads = [f"{{0}}{k} = load_whole({source}, {at(k, along)}, zero)" for k in range(len(self.matrix[0]))]
        stores = [f"store_whole({target}, {at(k, step)}, {{0}}_{k})" for k in range(len(self.matrix))]
        return lines(depth, [line.format(name) for line in loads + self._body + stores])

    def _by_rows(self) -> list:
        matrix, lines = self.matrix, []
        last = len(matrix) - 1
        for k in range(1, last, 2):
            pairs = [(a, b, f"{{0}}{j}") for j, (a, b) in enumerate(zip(matrix[k], matrix[k + 1]))]
            turned = [(a, x) for a, b, x in pairs if a != b]
            scale = turned[-1][0]
            lines += [f"{{0}}_same{k} = {self._sum([(a, x) for a, b, x in pairs if a == b])}",
                      f"{{0}}_turned{k} = {self._sum([(a / scale, x) for a, x in turned])}",
                      f"{{0}}_{k} = {self._sum([(1, f'{{0}}_same{k}'), (scale, f'{{0}}_turned{k}')])}",
                      f"{{0}}_{k + 1} = {self._sum([(1, f'{{0}}_same{k}'), (-scale, f'{{0}}_turned{k}')])}"]
        return lines + [f"{{0}}_{k} = {self._sum([(a, f'{{0}}{j}') for j, a in enumerate(matrix[k])])}"
                        for k in (0, last)]

    def _by_columns(self) -> list:
        last, lines = len(self.matrix[0]) - 1, []
        for k in range(1, last, 2):
            for kind, sign in (("same", 1), ("turned", -1)):
                lines.append(f"{{0}}_{kind}{k} = {self._sum([(1, f'{{0}}{k}'), (sign, f'{{0}}{k + 1}')])}")
        for i, row in enumerate(self.matrix):
            terms = [(row[k], f"{{0}}_{'turned' if i % 2 else 'same'}{k}") for k in range(1, last, 2)]
            lines.append(f"{{0}}_{i} = {self._sum([(row[0], '{0}0'), *terms, (row[last], f'{{0}}{last}')])}")
        return lines

    def _sum(self, terms: list) -> str:
        """The sum of factors times variables, beginning with one that needs no multiplication if there is any."""
        text = ""
        for value, name in sorted((term for term in terms if term[0] != 0), key=lambda term: term[0] != 1):
            if value != 1:
                constant = self._constants.setdefault(value, f"c{len(self._constants)}")
                name = f"lanes_multiply({name}, {constant})"
            text = f"lanes_add({text}, {name})" if text else name
        return text


@cache
def transforms(m: int) -> tuple:
    """(A', G, B') of F(m, 3): rows of Fractions, for the points 0, p, -p, q, -q ..., infinity."""
    points = [Fraction(0), *(signed for p in POINTS[m] for signed in (p, -p))]
    n = m + 2

    def polynomial(roots) -> list:
        coefficients = [Fraction(1)]
        for root in roots:
            coefficients = [high - root * low for high, low in zip([0, *coefficients], [*coefficients, 0])]
        return coefficients

    others = [[q for q in points if q != p] for p in points]
    scales = [polynomial_at(roots, p) for roots, p in zip(others, points)]
    back = [[*(p ** i for p in points), Fraction(i == m - 1)] for i in range(m)]
    weights = [[p ** i / scale for i in range(3)] for p, scale in zip(points, scales)] + [[0, 0, 1]]
    source = [[*polynomial(roots), *[0] * (n - len(roots) - 1)] for roots in others] + [polynomial(points)]
    return back, weights, source


def polynomial_at(roots, x):
    """The product of x - root."""
    value = Fraction(1)
    for root in roots:
        value *= x - root
    return value
