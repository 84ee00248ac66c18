"""Converted functions do what the originals do when only Python values are involved: every construct, run both ways.

PYTEST_DONT_REWRITE: the `assert` of a converted function is compared with that of the original.
"""
import contextlib
import functools
import traceback

import pytest

from graphcore.capture.convert.converted import converted

GLOBAL = [5]


def branches(a, b=2):
    if a > b:
        c = "more"
    elif a == b:
        return "equal"
    else:
        c = "less"
        if a < 0:
            c += " than nothing"
    return c


def nested_returns(a, b):
    if a:
        if b:
            return 1
        a = 7
    if b:
        return a, 2
    return a, 3


def loops(n):
    found = []
    for i in range(n):
        if i == 1:
            continue
        if i == 5:
            break
        for j in "xyz":
            if j == "y" and i % 2:
                break
            found.append((i, j))
        else:
            found.append("whole")
    else:
        found.append("all")
    while True:
        n -= 1
        if n < 0:
            return found, n
        if n % 3:
            continue
        found.append(n)


def search(values, wanted):
    for i, v in enumerate(values):
        if v == wanted:
            return i
    return None


def while_else(n):
    while n > 3:
        n -= 1
        if n == 5:
            break
    else:
        return "ended", n
    return "broken", n


def expressions(a, b):
    chain = 0 < a <= b < 10, a in (1, 2), a not in [3], a is None, not a
    first = a and b or "neither"
    return chain, first, (a if a > b else b), (lambda x, y=a: x * y)(b), f"{a:>3}|{b!r}"


def evaluated_once(calls):
    def value(n):
        calls.append(n)
        return n
    result = value(1) < value(2) < value(0) < value(9), value(0) and value(5), value(3) or value(4)
    return result, calls


def assignments(data, box):
    data[0], (data[1:3], *box.rest), box.value = data[2], ([8, 9], 1, 2, 3), 4
    data[-1] += 10
    box.value *= 3
    box.items["k"] = box.items.get("k", 0) + 1
    box.items["k"] += 5
    x: int = 3
    del data[0]
    a = b = x
    a += 1
    return data, vars(box), a, b


def closures(n):
    total = 0

    def add(k):
        nonlocal total
        if k > 0:
            total += k
        return total

    adders = [lambda k, m=m: add(k) * m for m in range(n)]
    return [f(2) for f in adders], total


def arguments(a, /, b, *more, c=3, **named):
    if named:
        a = a + len(named)
    return a, b, more, c, sorted(named.items())


def comprehensions(rows):
    flat = [x for row in rows if row for x in row if x % 2]
    table = {k: [v * k for v in row] for k, row in enumerate(rows)}
    return flat, table, {x for x in flat}, sum(x * x for x in flat), any(x > 4 for x in flat)


def exceptions(n):
    log = []
    for i in range(n):
        try:
            if i == 1:
                continue
            if i == 2:
                raise KeyError(i)
            if i == 4:
                return log
            log.append(10 // i)
        except ZeroDivisionError as error:
            log.append(type(error).__name__)
        except KeyError:
            log.append("key")
            break
        else:
            log.append("fine")
        finally:
            log.append("end")
    with contextlib.suppress(ValueError):
        log.append("in")
        if n > 2:
            return log, "from with"
        raise ValueError
    return log


def matched(value):
    match value:
        case [a, b]:
            if a > b:
                return a - b
            kind = "pair"
        case {"k": found}:
            kind = found
        case int() | float():
            return value * 2
        case _:
            kind = "other"
    return kind


def undefined(flag):
    if flag:
        y = 1
    return y


def deleted(flag):
    y = 1
    if flag:
        del y
    return y


def walrus(values):
    found = []
    while (n := len(values)) > 2 and values[0]:
        found.append(n)
        values = values[1:]
    if (k := n * 2) > 3:
        found.append(k)
    return found, n


def asserted(n):
    assert n > 0, f"bad {n}"
    if n > 5:
        raise ValueError(f"too many: {n}") from KeyError("cause")
    return n


def recursion(n):
    return 1 if n <= 1 else n * recursion(n - 1)


def generated(n):
    def numbers():
        for i in range(n):
            if i != 2:
                yield i
    return list(numbers())


def starred(t):
    first, *middle, last = t
    return max(*middle, first), [*t, last], {**{"a": first}}, dict(zip("ab", t))


def global_read():
    return GLOBAL[0] + len(GLOBAL)


def many_partial_returns(a):
    if a > 1:
        if a == 2:
            return "two"
    if a > 2:
        if a == 3:
            return "three"
    if a > 3:
        if a == 4:
            return "four"
    for i in range(3):
        if a > i + 5:
            if a == i + 6:
                return i
    return "none"


class Box:
    def __init__(self):
        self.value, self.items, self.rest = 1, {}, None


CASES = [
    (branches, [(1,), (2,), (3,), (-1,)]), (nested_returns, [(0, 0), (0, 1), (1, 0), (1, 1)]),
    (loops, [(0,), (3,), (8,)]), (search, [([1, 2, 3], 2), ([], 1)]), (while_else, [(9,), (4,), (1,)]),
    (expressions, [(1, 2), (5, 3), (0, 0)]), (evaluated_once, [([],)]), (closures, [(3,)]),
    (arguments, [(1, 2), (1, 2, 3, 4), (1, 2, 3)]), (comprehensions, [([[1, 2], [], [3, 5]],)]),
    (exceptions, [(0,), (1,), (2,), (3,), (6,)]), (matched, [([1, 2],), ([3, 2],), ({"k": 7},), (4,), ("s",)]),
    (undefined, [(True,), (False,)]), (deleted, [(True,), (False,)]), (walrus, [([1, 1, 1, 1],), ([0],)]),
    (asserted, [(1,), (0,), (9,)]), (recursion, [(6,)]), (generated, [(5,)]), (starred, [((1, 2, 3, 4),)]),
    (global_read, [()]), (many_partial_returns, [(n,) for n in range(9)]),
]


def outcome(function, args):
    try:
        return function(*args)
    except Exception as error:
        return type(error), str(error), repr(error.__cause__)


def fresh(args):
    import copy
    return copy.deepcopy(args)


@pytest.mark.parametrize("function, calls", CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_does_what_the_original_does(function, calls):
    new = converted(function)
    assert new is not function
    for args in calls:
        assert outcome(new, fresh(args)) == outcome(function, fresh(args))


def test_assignments_to_elements_and_attributes():
    expected, found = assignments([1, 2, 3, 4], Box()), converted(assignments)([1, 2, 3, 4], Box())
    assert found == expected


def test_methods_private_names_and_super():
    class Base:
        def value(self, k):
            return k

    class Derived(Base):
        def __init__(self):
            self.__hidden = 5

        def value(self, k):
            if k > 1:
                self.__hidden += k
            return super().value(k) + self.__hidden

    original, copy = Derived(), Derived()
    assert converted(Derived.value)(copy, 3) == original.value(3) == 11
    assert vars(copy) == vars(original)


def test_keeps_name_defaults_and_closure():
    k = 3

    @functools.lru_cache
    def cached(a):
        return a

    def inner(a, b=4, *, c=5):
        return (a, b, c, k) if cached(a) else None

    new = converted(inner)
    assert (new.__name__, new.__qualname__, new.__defaults__) == (inner.__name__, inner.__qualname__, (4,))
    k = 9
    assert new(1) == (1, 4, 5, 9)


def test_lambdas_on_one_line_are_told_apart():
    f, g = (lambda x: x + 1 if x else 0), (lambda x: x - 1 if x else 0)
    assert [converted(f)(5), converted(g)(5)] == [6, 4]


def test_library_functions_and_those_without_source_stay():
    assert converted(contextlib.contextmanager) is contextlib.contextmanager
    namespace = {}
    exec("def made(x):\n    return x if x else 0", namespace)
    assert converted(namespace["made"]) is namespace["made"]


def test_tracebacks_show_the_function_and_line_of_the_user():
    with pytest.raises(ValueError) as error:
        converted(asserted)(9)
    users = [f for f in traceback.extract_tb(error.value.__traceback__) if f.filename == __file__][1:]
    assert {f.name for f in users} == {"asserted"} and "raise ValueError" in users[-1].line
