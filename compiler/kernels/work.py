"""What lowerings share: putting kernel texts together, portioning work, clearing and converting buffers."""
from __future__ import annotations

from graphcore.compiler.launch import Address, KernelSource, View
from graphcore.ir.dims import Size

#: Elements of simple work that are worth waking a thread for: some 5 microseconds.
ELEMENTS_PER_THREAD = 16384


def grain(elements: Size) -> int:
    """How many items of `elements` elements each a thread should get at least."""
    return max(1, ELEMENTS_PER_THREAD // max(1, elements)) if isinstance(elements, int) else 1


def blocks(extent: Size, width: int) -> Size:
    """How many blocks of `width` cover `extent`."""
    return (extent + (width - 1)) // width


def kernel_text(name: str, body: list) -> KernelSource:
    """A kernel from lines; a list among the lines is a block one step further in."""
    lines = [f"def {name}(args, begin, end, worker):"]

    def put(block: list, depth: int) -> None:
        for line in block:
            if isinstance(line, list):
                put(line, depth + 1)
            else:
                lines.append("    " * depth + line)

    put(body, 1)
    return KernelSource(name, "\n".join(lines) + "\n")


def pointer(name: str, code: str, number: int) -> str:
    """The line that makes a pointer, the only one to its memory, of word `number`."""
    return f"{name} = restrict(ptr_{code}(args[{number}]), {number})"


def words(first: int, *names: str) -> list:
    """The lines that read words from number `first` on."""
    return [f"{name} = args[{number}]" for number, name in enumerate(names, first)]


def compute_code(dtype) -> str:
    """The float type that kernels compute a float dtype in."""
    return "f64" if dtype.code == "f64" else "f32"


def raw_code(dtype) -> str:
    """The unsigned integer of the size of a dtype: for moving elements as they are."""
    return f"u{8 * dtype.itemsize}"


def per_element(build, name: str, line: str, target: View, target_code: str, source: View | None = None,
                source_code: str = "") -> None:
    """Launch ``for i: <line>`` over all elements of `target` (y) and, if given, of `source` (x), both contiguous."""
    arrays = [("y", target, target_code)] + ([("x", source, source_code)] if source is not None else [])
    kernel = kernel_text(name, [
        *(pointer(label, code, number) for number, (label, _, code) in enumerate(arrays)),
        *(f"{label} = advance({label}, begin)" for label, *_ in arrays),
        "for i in range(end - begin):", [line]])
    moved = sum((view.size * view.dtype.itemsize for _, view, _ in arrays), 0)
    build.launch(kernel, tuple(Address(view) for _, view, _ in arrays), target.size, 4 * ELEMENTS_PER_THREAD,
                 tuple(view.buffer for _, view, _ in arrays[1:]), (target.buffer,), bytes=moved)


def clear(build, target: View) -> None:
    """Fill a contiguous view with zeros."""
    per_element(build, "clear", "store(y, i, 0)", target, raw_code(target.dtype))


def convert(build, source: View, target: View) -> None:
    """Copy a contiguous view into another, converting the dtype."""
    line = "store(y, i, load(x, i))"
    if source.dtype is target.dtype:
        per_element(build, "copy", line, target, raw_code(target.dtype), source, raw_code(target.dtype))
    else:
        per_element(build, "convert", line, target, target.dtype.code, source, source.dtype.code)
