"""The linker: relocatable x86-64 objects and blocks of data → a shared library for Linux.

It needs no other program and gives the same bytes everywhere.  Objects are made so that it can be small: code refers to
code and data relative to itself, nothing holds an absolute address, so the library is mapped as it is and its pages are
shared between processes.  Calls of the C library go through a table of addresses that the system's loader fills.

References: the ELF-64 object file format, version 1.5; System V ABI, AMD64 supplement; glibc's symbol versions.
"""
from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphcore.compiler.toolchain.elf import ALLOCATED, EXECUTABLE, WRITABLE, Symbol, read_object
from graphcore.errors import CompileError

PAGE = 0x1000
_LARGEST = (1 << 31) - PAGE
_PC32, _PLT32, _GOTPCREL, _GOTPCRELX, _REX_GOTPCRELX = 2, 4, 9, 41, 42
_LEFT_OUT = (".eh_frame", ".llvm_addrsig")
_STUB = 16                      # bytes of a call of the C library: jmp *slot(%rip), and padding

#: Functions of which the C library's first version is not what is meant, and the version that is.
_VERSIONS = {name: "GLIBC_2.3.2" for name in (
    "pthread_cond_init", "pthread_cond_wait", "pthread_cond_broadcast", "pthread_cond_signal", "pthread_cond_destroy")}
_LIBRARY_OF_VERSIONS = "libpthread.so.0"        # part of libc.so.6 since glibc 2.34, where this file is empty


@dataclass(frozen=True)
class Data:
    """A block of read-only data that the linker places itself, on a page of its own if it is large."""

    symbol: str
    content: bytes
    alignment: int = 64


@dataclass
class _Piece:
    """A section of an object, or data, and where it is loaded."""

    flags: int
    alignment: int
    size: int
    content: bytes | None
    address: int = 0


@dataclass
class _Scope:
    """The objects of one scope, and what they define."""

    objects: list = field(default_factory=list)         # (Object, {section number: _Piece})
    defined: dict = field(default_factory=dict)         # name -> (_Piece, offset)


def link(scopes: Mapping[str, Sequence[bytes]], exported: Sequence[str], needed: Sequence[str], name: str,
         data: Sequence[Data] = ()) -> bytes:
    """Make a shared library.

    scopes: objects; a name is looked up in its own scope first and then in the others, so that several scopes may
    define the same names.  exported: the functions that the library shows; needed: libraries that have what no object
    defines; name: the library's own (DT_SONAME).
    Raises CompileError for a kind of relocation that is not handled, and for a symbol that two objects of a scope
    define.
    """
    return _Linker(scopes, data).library(exported, needed, name)


class _Linker:
    def __init__(self, scopes: Mapping[str, Sequence[bytes]], data: Sequence[Data]):
        self.pieces: list[_Piece] = []
        self.scopes = {name: self._read(images) for name, images in scopes.items()}
        own = self.scopes.setdefault("", _Scope())
        for block in data:
            piece = _Piece(ALLOCATED, block.alignment, len(block.content), block.content)
            self.pieces.append(piece)
            own.defined[block.symbol] = (piece, 0)
        self.imported: dict[str, int] = {}              # name -> number
        for *_, symbol, scope in self._references():
            if symbol.section is None and self._find(symbol.name, scope) is None:
                self.imported.setdefault(symbol.name, len(self.imported))
        self.imported = {name: i for i, name in enumerate(sorted(self.imported))}

    def _read(self, images: Sequence[bytes]) -> _Scope:
        scope = _Scope()
        for image in images:
            found = read_object(image)
            pieces = {}
            for number, section in found.sections.items():
                if section.name not in _LEFT_OUT and section.size:
                    pieces[number] = _Piece(section.flags, section.alignment, section.size, section.data)
            self.pieces += pieces.values()
            scope.objects.append((found, pieces))
            for symbol in found.symbols:
                if symbol.section is not None and not symbol.is_local and symbol.section in pieces:
                    if symbol.name in scope.defined:
                        raise CompileError(f"two objects define {symbol.name}")
                    scope.defined[symbol.name] = (pieces[symbol.section], symbol.offset)
        return scope

    def _references(self):
        """(the object's pieces, relocation, symbol, scope) of each relocation of what is loaded."""
        for scope in self.scopes.values():
            for found, pieces in scope.objects:
                for relocation in found.relocations:
                    if relocation.section in pieces:
                        yield pieces, relocation, found.symbols[relocation.symbol], scope

    def _find(self, name: str, scope: _Scope):
        for candidate in (scope, *self.scopes.values()):
            if name in candidate.defined:
                return candidate.defined[name]
        return None

    # -- layout ----------------------------------------------------------------------------------------
    def library(self, exported: Sequence[str], needed: Sequence[str], name: str) -> bytes:
        """The bytes of the library."""
        tables = _Tables(exported, tuple(self.imported), needed, name)
        read_only = [p for p in self.pieces if not p.flags & (WRITABLE | EXECUTABLE)]
        code = [p for p in self.pieces if p.flags & EXECUTABLE]
        writable = sorted((p for p in self.pieces if p.flags & WRITABLE), key=lambda p: p.content is None)

        at = _place(read_only, tables.end)
        self.read_only_end = at
        self.code_at = _aligned(at, PAGE)
        at = _aligned(_place(code, self.code_at), _STUB)
        self.stubs_at = at
        self.code_end = at + _STUB * len(self.imported)
        self.writable_at = _aligned(self.code_end, PAGE)
        self.slots_at = self.writable_at + tables.dynamic_bytes
        self.file_end = _place([p for p in writable if p.content is not None],
                               self.slots_at + 8 * len(self.imported))
        self.memory_end = _place([p for p in writable if p.content is None], self.file_end)
        if self.memory_end > _LARGEST:
            raise CompileError(f"{name} would be larger than 2 GiB, over which its parts cannot refer to each other: "
                               "put the weights beside it (weights='beside')")

        image = bytearray(self.file_end)
        for piece in self.pieces:
            if piece.content is not None:
                image[piece.address:piece.address + piece.size] = piece.content
        for number in range(len(self.imported)):
            stub, slot = self.stubs_at + _STUB * number, self.slots_at + 8 * number
            image[stub:stub + _STUB] = b"\xff\x25" + struct.pack("<i", slot - (stub + 6)) + b"\xcc" * (_STUB - 6)
        self._relocate(image)
        functions = {}
        for function in exported:
            piece, offset = self._find(function, self.scopes[""])
            functions[function] = piece.address + offset
        tables.write(image, self, functions)
        return bytes(image)

    def _relocate(self, image: bytearray) -> None:
        for pieces, relocation, symbol, scope in self._references():
            place = pieces[relocation.section].address + relocation.offset
            if relocation.kind in (_GOTPCREL, _GOTPCRELX, _REX_GOTPCRELX) and symbol.name in self.imported \
                    and symbol.section is None:
                target = self.slots_at + 8 * self.imported[symbol.name]
            elif relocation.kind in (_PC32, _PLT32):
                target = self._address(symbol, pieces, scope)
            else:
                raise CompileError(f"the linker does not handle relocations of kind {relocation.kind} "
                                   f"(of {symbol.name or 'a section'})")
            struct.pack_into("<i", image, place, target + relocation.addend - place)

    def _address(self, symbol: Symbol, pieces: Mapping, scope: _Scope) -> int:
        if symbol.section is not None:
            return pieces[symbol.section].address + symbol.offset
        found = self._find(symbol.name, scope)
        if found is None:
            return self.stubs_at + _STUB * self.imported[symbol.name]
        return found[0].address + found[1]


class _Tables:
    """What the system's loader reads: symbols, their names and versions, what is needed, what is to be filled in."""

    def __init__(self, exported: Sequence[str], imported: tuple, needed: Sequence[str], name: str):
        self.exported, self.imported, self.needed, self.name = tuple(exported), imported, tuple(needed), name
        self.versions = sorted({_VERSIONS[n] for n in imported if n in _VERSIONS})
        if self.versions and _LIBRARY_OF_VERSIONS not in self.needed:
            self.needed += (_LIBRARY_OF_VERSIONS,)
        self.strings, self.string_at = b"\0", {}
        for text in (*self.exported, *imported, *self.needed, name, *self.versions):
            if text not in self.string_at:
                self.string_at[text] = len(self.strings)
                self.strings += text.encode() + b"\0"
        count = 1 + len(self.exported) + len(imported)
        parts = {"symbols": 24 * count, "hash": 4 * (3 + count), "fill": 24 * len(imported)}
        if self.versions:
            parts |= {"version": 2 * count, "version_needs": 16 + 16 * len(self.versions)}
        self.at, place = {}, _aligned(64 + 56 * 5, 8)
        for part, size in (parts | {"strings": len(self.strings)}).items():
            self.at[part], place = place, _aligned(place + size, 8)
        self.end = place
        self.dynamic_bytes = 16 * len(self._dynamic())

    def write(self, image: bytearray, layout: _Linker, functions: Mapping[str, int]) -> None:
        """Write the headers and tables; functions: name -> address of what is exported."""
        image[self.at["strings"]:self.at["strings"] + len(self.strings)] = self.strings
        table = bytearray(24)
        for name in self.exported:
            table += struct.pack("<IBBHQQ", self.string_at[name], 0x12, 0, 1, functions[name], 0)
        for name in self.imported:
            table += struct.pack("<IBBHQQ", self.string_at[name], 0x12, 0, 0, 0, 0)
        image[self.at["symbols"]:self.at["symbols"] + len(table)] = table
        count = 1 + len(self.exported) + len(self.imported)
        chain = [0, *range(2, count), 0][:count]                # one bucket: every symbol leads to the next
        struct.pack_into(f"<{3 + count}I", image, self.at["hash"], 1, count, min(1, count - 1), *chain)
        first = 1 + len(self.exported)
        for number in range(len(self.imported)):
            struct.pack_into("<QQq", image, self.at["fill"] + 24 * number, layout.slots_at + 8 * number,
                             (first + number) << 32 | 6, 0)     # R_X86_64_GLOB_DAT
        if self.versions:
            self._write_versions(image)
        for number, (tag, value) in enumerate(self._dynamic()):
            struct.pack_into("<QQ", image, layout.writable_at + 16 * number, tag, value)
        self._write_header(image, layout)

    def _write_versions(self, image: bytearray) -> None:
        numbers = [0, *(1 for _ in self.exported)]
        numbers += [2 + self.versions.index(_VERSIONS[n]) if n in _VERSIONS else 1 for n in self.imported]
        struct.pack_into(f"<{len(numbers)}H", image, self.at["version"], *numbers)
        struct.pack_into("<HHIII", image, self.at["version_needs"], 1, len(self.versions),
                         self.string_at[_LIBRARY_OF_VERSIONS], 16, 0)
        for i, version in enumerate(self.versions):
            last = i == len(self.versions) - 1
            struct.pack_into("<IHHII", image, self.at["version_needs"] + 16 + 16 * i, _elf_hash(version), 0, 2 + i,
                             self.string_at[version], 0 if last else 16)

    def _dynamic(self) -> list:
        at = self.at
        entries = [(1, self.string_at[n]) for n in self.needed] + [(14, self.string_at[self.name])]
        entries += [(4, at["hash"]), (5, at["strings"]), (6, at["symbols"]), (10, len(self.strings)), (11, 24)]
        if self.imported:
            entries += [(7, at["fill"]), (8, 24 * len(self.imported)), (9, 24)]
        if self.versions:
            entries += [(0x6ffffff0, at["version"]), (0x6ffffffe, at["version_needs"]), (0x6fffffff, 1)]
        return [*entries, (24, 0), (30, 8), (0x6ffffffb, 1), (0, 0)]      # BIND_NOW, in three places

    def _write_header(self, image: bytearray, layout: _Linker) -> None:
        def segment(kind, flags, at, file_bytes, memory_bytes, alignment):
            return struct.pack("<IIQQQQQQ", kind, flags, at, at, at, file_bytes, memory_bytes, alignment)
        code, writable = layout.code_at, layout.writable_at
        segments = (segment(1, 4, 0, layout.read_only_end, layout.read_only_end, PAGE)
                    + segment(1, 5, code, layout.code_end - code, layout.code_end - code, PAGE)
                    + segment(1, 6, writable, layout.file_end - writable, layout.memory_end - writable, PAGE)
                    + segment(2, 6, writable, self.dynamic_bytes, self.dynamic_bytes, 8)
                    + segment(0x6474e551, 6, 0, 0, 0, 16))             # the stack need not be executable
        sections = _section_headers(len(image), self, layout)
        at = _aligned(len(image), 8)
        image += bytes(at - len(image)) + sections[0]
        header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, at + sections[1], 0, 64,
                                                           56, 5, 64, sections[2], sections[2] - 1)
        image[:64] = header
        image[64:64 + len(segments)] = segments


def _section_headers(end: int, tables: _Tables, layout: _Linker) -> tuple:
    """(names and headers of the sections, where the headers begin in it, how many), for tools such as nm."""
    count = 1 + len(tables.exported) + len(tables.imported)
    at = tables.at
    entries = [                                     # name, type, flags, address, bytes, link, info, alignment, entry
        (".text", 1, 6, layout.code_at, layout.code_end - layout.code_at, 0, 0, 16, 0),
        (".dynsym", 11, 2, at["symbols"], 24 * count, 3, 1, 8, 24),
        (".dynstr", 3, 2, at["strings"], len(tables.strings), 0, 0, 1, 0),
        (".hash", 5, 2, at["hash"], 4 * (3 + count), 2, 0, 8, 4),
        (".dynamic", 6, 3, layout.writable_at, tables.dynamic_bytes, 3, 0, 8, 16)]
    if tables.versions:
        entries += [(".gnu.version", 0x6fffffff, 2, at["version"], 2 * count, 2, 0, 2, 2),
                    (".gnu.version_r", 0x6ffffffe, 2, at["version_needs"], 16 + 16 * len(tables.versions), 3, 1, 8, 0)]
    names = b"\0" + b"".join(e[0].encode() + b"\0" for e in entries) + b".shstrtab\0"
    padded = names + bytes(-len(names) % 8)
    entries.append((".shstrtab", 3, 0, _aligned(end, 8), len(names), 0, 0, 1, 0))
    headers = bytes(64)
    for name, kind, flags, address, size, link_, info, alignment, entry in entries:
        loaded = address if flags else 0
        headers += struct.pack("<IIQQQQIIQQ", names.index(name.encode() + b"\0"), kind, flags, loaded, address, size,
                               link_, info, alignment, entry)
    return padded + headers, len(padded), len(entries) + 1


def _place(pieces: Sequence[_Piece], at: int) -> int:
    """Give the pieces addresses from `at` on; the end of the last one."""
    for piece in pieces:
        piece.address = _aligned(at, piece.alignment)
        at = piece.address + piece.size
    return at


def _aligned(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _elf_hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xf0000000
        value = (value ^ high >> 24) & ~high & 0xffffffff
    return value


