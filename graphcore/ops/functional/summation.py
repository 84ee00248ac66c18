"""Einstein's summation convention, by matrix products."""
from __future__ import annotations

from graphcore.ir.dims import product
from graphcore.ops import linear
from graphcore.ops.functional.arguments import apply, same_dtype, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import mul
from graphcore.ops.functional.linalg import diagonal
from graphcore.ops.functional.reduction import sum
from graphcore.ops.functional.shaping import reshape, transpose

__all__ = ["einsum"]


def einsum(equation, *operands):
    """The sum of products that `equation` describes: ``einsum("bij,bjk->bik", x, y)``.

    Letters name axes, ``...`` stands for axes that broadcast; what is missing after ``->`` is summed over; without
    ``->`` the letters that occur once are kept, in alphabetical order.  Raises ValueError if the equation does not fit.
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    tensors = same_dtype([tensor_of(x, "einsum") for x in operands])
    terms, result = _parsed(equation.replace(" ", ""), tensors)
    pending = [_without_repeats(x, term) for x, term in zip(tensors, terms)]
    while len(pending) > 1:
        (a, left), (b, right) = pending[:2]
        needed = set(result).union(*(term for _, term in pending[2:]))
        pending[:2] = [_contracted(a, left, b, right, needed)]
    x, term = pending[0]
    return _arranged(x, term, result)


def _parsed(equation: str, tensors) -> tuple:
    """(a list of axis names for each operand, those of the result); ... is spelt out with numbers from the right."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors):
        raise shape_error(f"einsum: {equation!r} has {len(terms)} terms, but {len(tensors)} tensors are given")
    spelt = [_spelt(term, x.ndim, equation) for term, x in zip(terms, tensors)]
    dots = max((sum_of_dots for _, sum_of_dots in spelt), default=0)
    names = [name for term, _ in spelt for name in term]
    if arrow:
        result = _spelt(right, len(right.replace("...", "")) + (dots if "..." in right else 0), equation)[0]
    else:
        numbers = sorted({n for n in names if not n.isalpha()}, reverse=True)
        result = numbers + sorted(n for n in set(names) if n.isalpha() and names.count(n) == 1)
    sizes: dict = {}
    for (term, _), x in zip(spelt, tensors):
        for name, size in zip(term, x.shape):
            if sizes.setdefault(name, size) != size and 1 not in (size, sizes[name]):
                raise shape_error(f"einsum: {name!r} in {equation!r} has the sizes {sizes[name]} and {size}")
    if not set(result) <= set(names) or len(set(result)) != len(result):
        raise shape_error(f"einsum: the result of {equation!r} must name axes of the operands, each once")
    return [term for term, _ in spelt], result


def _spelt(term: str, rank: int, equation: str) -> tuple:
    before, dots, after = term.partition("...")
    hidden = rank - len(before) - len(after) if dots else 0
    names = [*before, *(str(i) for i in reversed(range(hidden))), *after]
    if len(names) != rank or hidden < 0:
        raise shape_error(f"einsum: the term {term!r} of {equation!r} does not fit a tensor of {rank} axes")
    return names, hidden


def _without_repeats(x, term) -> tuple:
    """A letter that occurs twice in one term takes the diagonal."""
    term = list(term)
    for name in dict.fromkeys(term):
        while term.count(name) > 1:
            first = term.index(name)
            second = term.index(name, first + 1)
            x = diagonal(x, 0, first, second)
            term = [n for i, n in enumerate(term) if i not in (first, second)] + [name]
    return x, term


def _contracted(a, left, b, right, needed) -> tuple:
    """The product of two operands, summed over the letters that nothing else needs; (tensor, its letters)."""
    a, left = _summed(a, left, needed | set(right))
    b, right = _summed(b, right, needed | set(left))
    shared = [n for n in left if n in right]
    broadcast = [n for n in shared if a.shape[left.index(n)] != b.shape[right.index(n)]]
    summed = [n for n in shared if n not in needed]
    batch = [n for n in shared if n in needed]
    rows, columns = [n for n in left if n not in shared], [n for n in right if n not in shared]
    if broadcast or not summed:
        names = batch + rows + columns + summed
        whole = mul(_arranged(a, left, names, pad=True), _arranged(b, right, names, pad=True))
        return _summed(whole, names, needed)
    x = _arranged(a, left, batch + rows + summed)
    y = _arranged(b, right, batch + summed + columns)
    lead, m = x.shape[:len(batch)], x.shape[len(batch):len(batch) + len(rows)]
    k, n = x.shape[len(batch) + len(rows):], y.shape[len(batch) + len(summed):]
    z = apply(linear.matmul, reshape(x, (*lead, product(m), product(k))), reshape(y, (*lead, product(k), product(n))),
              transpose_a=False, transpose_b=False)
    return reshape(z, (*lead, *m, *n)), batch + rows + columns


def _summed(x, term, needed) -> tuple:
    axes = tuple(i for i, n in enumerate(term) if n not in needed)
    return (sum(x, axes, dtype=x.dtype) if axes else x), [n for n in term if n in needed]


def _arranged(x, term, names, pad=False):
    """`x` with its axes in the order of `names`; others are summed over, missing ones of size 1 if `pad`."""
    x, term = _summed(x, term, set(names))
    x = transpose(x, [term.index(n) for n in names if n in term])
    if not pad:
        return x
    sizes = iter(x.shape)
    return reshape(x, tuple(next(sizes) if n in term else 1 for n in names))
