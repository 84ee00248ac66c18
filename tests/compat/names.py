"""How many public scripts find all their names here: python -m tests.compat.names [--missing N] [--without-a-case N]

``wild_names.txt.xz`` has the sets of MindSpore's names that 9,795 public model and tutorial scripts use: the names, an
empty line, then per set how many scripts have it, and the indices of its names, each less the one before it.
"""
from __future__ import annotations

import argparse
import lzma
import sys
from collections import Counter
from pathlib import Path

from graphcore.cli import mindspore_hook
from tests.compat import coverage, runner, table
from tests.parity.record import recorded

SETS = Path(__file__).with_name("wild_names.txt.xz")


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--missing", type=int, default=0, metavar="N", help="list the N names that would help most")
    parser.add_argument("--without-a-case", type=int, default=0, metavar="N", help="the same for names without a case")
    parser.add_argument("--trust", action="store_true", help="take all cases for passing instead of running them")
    options = parser.parse_args(arguments)
    names, sets = load()
    mindspore_hook.install()
    cases = [c for c in (table.every_case() if options.trust else passing()) if c.source != "refused"]
    covered = coverage.Covered(cases)
    there = {n for n, name in enumerate(names) if coverage.exists(name)}
    cased = {n for n in there if names[n] in covered}
    total = sum(sets.values())
    print(f"{len(cases)} cases pass" if not options.trust else f"{len(cases)} cases, not run")
    print(f"scripts whose names all exist: {share(sets, there)} of {total}, {share(sets, there) / total:.1%}; "
          f"with a passing case: {share(sets, cased)}, {share(sets, cased) / total:.1%}")
    print(f"names that exist: {len(there)} of {len(names)}; with a passing case: {len(cased)}")
    for title, have, count in (("missing", there, options.missing), ("without a case", cased, options.without_a_case)):
        if count:
            print(f"\n{title}: scripts that lack it alone, scripts that use it")
            for n, (alone, uses) in most_wanted(sets, have)[:count]:
                print(f"{alone:6} {uses:6}  {names[n]}")
    return 0


def load() -> tuple[list[str], dict[tuple, int]]:
    """The names, and how many scripts have each set of indices."""
    first, second = lzma.decompress(SETS.read_bytes()).decode().split("\n\n")
    sets = {}
    for line in second.splitlines():
        count, *steps = map(int, line.split())
        place, indices = 0, []
        for step in steps:
            place += step
            indices.append(place)
        sets[tuple(indices)] = count
    return first.splitlines(), sets


def passing() -> list:
    """The cases that give what MindSpore gave, run now."""
    import mindspore
    found = []
    for topic in table.topics():
        expected = recorded("compat", topic)
        for entry in table.load(topic):
            problem = next(runner.problems(mindspore, entry, expected), None)
            if problem is None:
                found.append(entry)
            else:
                print(f"{topic}: {entry.text}\n  {problem}", file=sys.stderr)
    return found


def share(sets: dict, have: set) -> int:
    """The scripts all of whose names are among `have`."""
    return sum(count for indices, count in sets.items() if have.issuperset(indices))


def most_wanted(sets: dict, have: set) -> list:
    """(name, (scripts that lack it alone, scripts that use it)), the one that helps most first.

    Of a script that lacks several names, each gets a share of the order.
    """
    alone, uses, weight = Counter(), Counter(), Counter()
    for indices, count in sets.items():
        lacking = [n for n in indices if n not in have]
        for n in lacking:
            uses[n] += count
            weight[n] += count / len(lacking) ** 2
        if len(lacking) == 1:
            alone[lacking[0]] += count
    return [(n, (alone[n], uses[n])) for n, _ in weight.most_common()]


if __name__ == "__main__":
    sys.exit(main())
