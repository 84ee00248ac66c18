"""Changes to bytes, JSON and texts: blind ones, and ones at the places where a format keeps its numbers."""
from __future__ import annotations

import json
from random import Random

NUMBERS = (0, 1, 2, 3, 7, 255, 256, 65535, (1 << 31) - 1, 1 << 31, 1 << 32, (1 << 47), (1 << 62), (1 << 63) - 1,
           1 << 63, (1 << 64) - 1, -1, -2, -(1 << 31), -(1 << 63), 1 << 100)
_STRINGS = ("", "/", "..", "../../etc/passwd", "/etc/passwd", "a" * 300, "\0", "\ud800", "é", "F32", "BF16", "I64",
            "None")
_VALUES = (None, True, 1.5, -0.0, float("nan"), float("inf"), {}, [])


def blind(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """One to three changes that know nothing of the format; `others`: files of which parts may be put in."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice((_flip, _flip, _cut, _splice, _repeat, _insert, _word))(random, data, others)
    return data


def _place(random: Random, data: bytes) -> int:
    return random.randrange(len(data) + 1)


def _flip(random, data, others):
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        if changed:
            at = random.randrange(min(len(changed), random.choice((16, 64, 1 << 30))))
            changed[at] = random.choice((changed[at] ^ 1 << random.randrange(8), random.randrange(256), 0, 255))
    return bytes(changed)


def _cut(random, data, others):
    begin, end = sorted((_place(random, data), _place(random, data)))
    return random.choice((data[:end], data[begin:], data[:begin] + data[end:]))


def _splice(random, data, others):
    other = random.choice(others)
    begin, end = sorted((_place(random, other), _place(random, other)))
    return data[:_place(random, data)] + other[begin:end] + data[_place(random, data):]


def _repeat(random, data, others):
    begin, end = sorted((_place(random, data), _place(random, data)))
    return data[:end] + data[begin:end] * random.choice((1, 2, 20)) + data[end:]


def _insert(random, data, others):
    at = _place(random, data)
    return data[:at] + random.randbytes(random.choice((1, 4, 8, 100))) + data[at:]


def _word(random, data, others):
    """A number of 1 to 8 bytes somewhere becomes an extreme one."""
    size, at = random.choice((1, 2, 4, 8)), _place(random, data)
    number = random.choice(NUMBERS) & ((1 << 8 * size) - 1)
    return data[:at] + number.to_bytes(size, random.choice(("little", "big"))) + data[at + size:]


def json_tree(random: Random, tree):
    """A JSON value with one part of it changed."""
    if isinstance(tree, (dict, list)) and tree and random.random() < 0.85:
        key = random.choice(list(tree)) if isinstance(tree, dict) else random.randrange(len(tree))
        changed = dict(tree) if isinstance(tree, dict) else list(tree)
        how = random.random()
        if how < 0.75:
            changed[key] = json_tree(random, changed[key])
        elif how < 0.85:
            del changed[key]
        elif isinstance(changed, dict):
            changed[random.choice((*changed, *_STRINGS))] = changed[key]
        else:
            changed.append(changed[key])
        return changed
    if type(tree) is int and random.random() < 0.7:
        return random.choice((*NUMBERS, tree + 1, tree - 1, tree * 2, -tree))
    deep: object = 0
    for _ in range(random.choice((1, 40, 5000))):
        deep = [deep]
    return random.choice((*NUMBERS, *_STRINGS, *_VALUES, [tree, tree], deep))


def json_text(random: Random, text: bytes) -> bytes:
    """A JSON text with one part of its value changed; what is no JSON stays as it is."""
    try:
        text = json.dumps(json_tree(random, json.loads(text)), separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        pass
    return text.replace(b"}", b',"a":1}', 1) if random.random() < 0.02 else text


def varint(value: int) -> bytes:
    """A number as protocol buffers have it; negative ones in ten bytes, larger ones in more than are allowed."""
    value &= (1 << 64) - 1 if value < 0 else -1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(found + bytes([value]))
