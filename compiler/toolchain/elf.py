"""Relocatable ELF objects for x86-64, read into sections, symbols and relocations."""
from __future__ import annotations

import struct
from dataclasses import dataclass

from graphcore.errors import CompileError

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")

SYMBOL_TABLE, RELOCATIONS, NO_BITS = 2, 4, 8            # types of sections
WRITABLE, ALLOCATED, EXECUTABLE = 1, 2, 4               # flags of sections
UNDEFINED, COMMON = 0, 0xfff2                           # numbers of sections
_LOCAL = 0


@dataclass(frozen=True)
class Section:
    """name, flags, alignment and content (`size` zeros if `data` is None) of a section that is loaded."""

    name: str
    flags: int
    alignment: int
    size: int
    data: bytes | None


@dataclass(frozen=True)
class Symbol:
    """A name, where it stands (number of a section, None: in another object; offset), and whether others see it."""

    name: str
    section: int | None
    offset: int
    is_local: bool


@dataclass(frozen=True)
class Relocation:
    """A place (number of a section, offset) that gets an address of `symbol` (number) plus `addend`, as `kind` says."""

    section: int
    offset: int
    kind: int
    symbol: int
    addend: int


@dataclass(frozen=True)
class Object:
    """An object's loaded sections by number, symbols, and relocations of loaded sections."""

    sections: dict
    symbols: tuple
    relocations: tuple


def is_elf(image: bytes) -> bool:
    """Whether this is a 64-bit little-endian ELF file."""
    return image[:6] == b"\x7fELF\x02\x01"


def read_object(image: bytes) -> Object:
    """Read an object that LLVM made.  Raises CompileError for another format, and for common symbols."""
    if not is_elf(image):
        raise CompileError("the linker takes 64-bit little-endian ELF objects alone")
    header = _HEADER.unpack_from(image)
    offset, entry_size, count, names_at = header[6], header[11], header[12], header[13]
    raw = [_SECTION.unpack_from(image, offset + i * entry_size) for i in range(count)]
    sections, symbols, relocations = {}, (), []
    for number, (name, kind, flags, _, at, size, link, info, alignment, _) in enumerate(raw):
        if kind == SYMBOL_TABLE:
            symbols = tuple(_symbols(image, at, size, raw[link][4]))
        elif flags & ALLOCATED:
            title = _text(image, raw[names_at][4] + name)
            data = None if kind == NO_BITS else image[at:at + size]
            sections[number] = Section(title, flags, max(1, alignment), size, data)
        elif kind == RELOCATIONS and raw[info][2] & ALLOCATED:
            for place, information, addend in _RELOCATION.iter_unpack(image[at:at + size]):
                relocations.append(Relocation(info, place, information & 0xffffffff, information >> 32, addend))
    return Object(sections, symbols, tuple(relocations))


def undefined_symbols(image: bytes) -> list[str]:
    """Names of the symbols that an object needs from elsewhere, sorted; [] for other formats than ELF."""
    if not is_elf(image):
        return []
    return sorted({s.name for s in read_object(image).symbols if s.section is None and s.name})


def _symbols(image: bytes, at: int, size: int, names_at: int):
    for name, information, _, section, value, _ in _SYMBOL.iter_unpack(image[at:at + size]):
        if section == COMMON:
            raise CompileError(f"the linker does not place common symbols ({_text(image, names_at + name)})")
        yield Symbol(_text(image, names_at + name), None if section == UNDEFINED else section, value,
                     information >> 4 == _LOCAL)


def _text(image: bytes, at: int) -> str:
    return image[at:image.index(b"\0", at)].decode()
