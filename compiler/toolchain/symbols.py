"""The symbols that a relocatable object needs from elsewhere."""
from __future__ import annotations

import struct

#: What kernels may need: the C library's mathematics, and the block copies that LLVM makes of loops.
ALLOWED = frozenset("memcpy memmove memset".split()) | {
    name + suffix for suffix in ("", "f") for name in
    "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc tgamma "
    "lgamma cbrt pow atan2 fmod hypot ldexp fma floor ceil trunc rint nearbyint round roundeven sqrt sincos "
    "fmax fmin fmaximum fminimum".split()}

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMBOL_TABLE, _UNDEFINED = 2, 0


def undefined_symbols(image: bytes) -> list[str]:
    """Names of the undefined symbols of a 64-bit little-endian ELF object, sorted; [] for other formats."""
    if image[:6] != b"\x7fELF\x02\x01":
        return []
    header = _HEADER.unpack_from(image)
    table_offset, section_size, section_count = header[6], header[11], header[12]
    sections = [_SECTION.unpack_from(image, table_offset + i * section_size) for i in range(section_count)]
    names = set()
    for section in sections:
        if section[1] != _SYMBOL_TABLE:
            continue
        offset, size, strings = section[4], section[5], sections[section[6]]
        for place in range(offset + _SYMBOL.size, offset + size, _SYMBOL.size):
            name, _, _, index, _, _ = _SYMBOL.unpack_from(image, place)
            if index == _UNDEFINED and name:
                start = strings[4] + name
                names.add(image[start:image.index(b"\0", start)].decode())
    return sorted(names)
