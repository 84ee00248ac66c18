"""``graphcore cache list|clear|verify``: the compiled kernels and programs that are kept on disk."""
from __future__ import annotations

import argparse
import json
import sys
import time

from graphcore.cli.text import size, table

HELP = "list, clear or check the cache of compiled kernels and programs"
EXAMPLES = """\
The cache lies in GRAPHCORE_CACHE_DIR (~/.cache/graphcore): objects of kernels, programs, and results of tuning.  What
is damaged counts as missing and is made anew, so nothing here needs care.

examples:
  graphcore cache list
  graphcore cache verify
  graphcore cache clear --kind programs --older-than 30"""

_DAY = 86400.0


def add_parser(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (("list", "what is there, by kind"), ("clear", "delete entries"),
                       ("verify", "check every entry; exit code 1 if one is damaged")):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--kind", choices=("objects", "programs", "tuned"), help="only these")
        action.add_argument("--json", action="store_true", help="print JSON instead of text")
        if name == "list":
            action.add_argument("--all", action="store_true", help="every entry, the one used last first")
        if name == "clear":
            action.add_argument("--older-than", type=float, metavar="DAYS", default=0.0,
                                help="only what has not been used for so many days")
        if name == "verify":
            action.add_argument("--delete", action="store_true", help="delete what is damaged")


def run(options: argparse.Namespace) -> int:
    """Do one of the actions."""
    from graphcore.inspect import cache_folder
    store = cache_folder()
    entries = [e for e in store.entries() if options.kind in (None, e.kind)]
    return {"list": _list, "clear": _clear, "verify": _verify}[options.action](store, entries, options)


def _list(store, entries: list, options: argparse.Namespace) -> int:
    now = time.time()
    if options.json:
        json.dump({"folder": str(store.directory()), "entries": [
            {"kind": e.kind, "name": e.path.name, "bytes": e.bytes, "used": e.used} for e in entries]},
            sys.stdout, indent=1)
        print()
        return 0
    print(store.directory())
    kinds = dict.fromkeys(e.kind for e in entries)
    print("\n".join(table(("kind", "entries", "size", "last used"), [
        (kind, sum(e.kind == kind for e in entries), size(sum(e.bytes for e in entries if e.kind == kind)),
         _ago(now - max(e.used for e in entries if e.kind == kind))) for kind in kinds])))
    if options.all:
        print("\n".join(table(("entry", "size", "last used"), [
            (f"{e.kind}/{e.path.name}", size(e.bytes), _ago(now - e.used))
            for e in sorted(entries, key=lambda e: -e.used)])))
    return 0


def _clear(store, entries: list, options: argparse.Namespace) -> int:
    old = [e for e in entries if e.used <= time.time() - options.older_than * _DAY]
    gone = [e for e in old if store.delete(e)]
    _report(options, f"deleted {len(gone)} entries, {size(sum(e.bytes for e in gone))}", deleted=len(gone))
    return int(len(gone) != len(old))


def _verify(store, entries: list, options: argparse.Namespace) -> int:
    damaged = [e for e in entries if not store.is_sound(e)]
    for e in damaged:
        if not options.json:
            print(f"{e.path}: damaged" + (", deleted" if options.delete and store.delete(e) else ""))
        elif options.delete:
            store.delete(e)
    _report(options, f"{len(entries)} entries, {len(damaged)} damaged", entries=len(entries),
            damaged=[str(e.path) for e in damaged])
    return int(bool(damaged))


def _report(options: argparse.Namespace, text: str, **facts) -> None:
    print(json.dumps(facts) if options.json else text)


def _ago(seconds: float) -> str:
    """``today``, ``3 days ago``: last use is kept to the day only."""
    days = int(seconds / _DAY)
    return "today" if days < 1 else "yesterday" if days < 2 else f"{days} days ago"
