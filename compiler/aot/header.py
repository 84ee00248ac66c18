"""The C header of a library."""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.dtype import DType
from graphcore.ir.dims import evaluate, product

#: The type of C of an element, by the dtype's name; 16-bit floating-point numbers are words.
C_TYPES = {"bool_": "uint8_t", "float16": "uint16_t", "bfloat16": "uint16_t", "float32": "float", "float64": "double",
           **{f"{sign}int{bits}": f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)}}


@dataclass(frozen=True)
class Argument:
    """An input or output: its name in C, its dtype and its shape, with symbolic sizes as `ir.dims.Dim`."""

    name: str
    dtype: DType
    shape: tuple

    @property
    def text(self) -> str:
        """Like ``float32 [N, 10]``."""
        return f"{self.dtype.name.rstrip('_')} [{', '.join(map(str, self.shape))}]"


def header_text(name: str, inputs, outputs, symbols, weights_file: str | None, levels, title: str) -> str:
    """The text of ``NAME.h``.

    inputs, outputs: `Argument`s in order; symbols: names of sizes; weights_file: that beside the library, or None;
    levels: names of the CPU levels in it; title: what the model is and who made the library.
    """
    sizes = "".join(f"int64_t {s}, " for s in symbols)
    pointers = [f"const {C_TYPES[a.dtype.name]} *{a.name}" for a in inputs]
    pointers += [f"{C_TYPES[a.dtype.name]} *{a.name}" for a in outputs]
    guard = f"{name.upper()}_H"
    options = "".join(f"    int64_t max_{s};{_pad(f'int64_t max_{s};')}/* the largest {s} that it will run with */\n"
                      for s in symbols)
    needs = bool(symbols or weights_file)
    return f"""\
/* {title}
 *
 * Compile and link with: cc program.c {name}.so -Wl,-rpath,'$ORIGIN'
 * (the last part lets the program find the library in its own folder when it starts).
 * CPU levels: {', '.join(levels)}. Needs nothing but the C library and its mathematics.
 */
#ifndef {guard}
#define {guard}

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* A model that was created. Several may exist; each may be used by one thread at a time. */
typedef struct {name} {name};

typedef struct {name}_options {{
{options}    int32_t threads;{_pad('int32_t threads;')}/* threads that a run may use; 0 means 1 */
    int32_t cpu_level;{_pad('int32_t cpu_level;')}/* 2, 3 or 4 for x86-64-v2, -v3, -v4; 0: the best that this CPU has */
    const char *weights;{_pad('const char *weights;')}/* {_weights_words(weights_file)} */
}} {name}_options;

/* Make a model ready to run; all memory is allocated here. *model is NULL if it fails.
 * options: {'what this model needs' if needs else 'may be NULL'}.
 * Returns 0, or a status that {name}_error explains. */
int {name}_create({name} **model, const {name}_options *options);

/* Run the model.
{_arguments_words(inputs, outputs, symbols)} * Arrays are contiguous, in C order; outputs must not overlap inputs.
 * Returns 0, or a status that {name}_error explains. Allocates nothing. */
int {name}_run({name} *model, {sizes}{', '.join(pointers)});

/* Free a model; NULL is allowed. */
void {name}_destroy({name} *model);

/* What a status means; the text is never freed. */
const char *{name}_error(int status);

#ifdef __cplusplus
}}
#endif

/* Example:

{_indented(example_text(name, inputs, outputs, symbols, weights_file))}
 */

#endif /* {guard} */
"""


def example_text(name: str, inputs, outputs, symbols, weights_file: str | None) -> str:
    """A C program that creates the model, runs it on zeros and prints the first numbers of its results."""
    size = _example_size((*inputs, *outputs), symbols)
    options = [f"options.max_{s} = {size};" for s in symbols]
    options += [f'options.weights = "{weights_file}";'] if weights_file else []
    arrays = [f"    static {C_TYPES[a.dtype.name]} {a.name}[{_elements(a, symbols, size)}];"
              for a in (*inputs, *outputs)]
    arguments = ", ".join((*(str(size) for _ in symbols), *(a.name for a in (*inputs, *outputs))))
    lines = [f'#include "{name}.h"', "#include <stdio.h>", *(["#include <string.h>"] if options else []), "",
             "int main(void) {", *arrays]
    lines += [f"    {name} *model;"]
    lines += [f"    {name}_options options;", "    memset(&options, 0, sizeof options);"] if options else []
    lines += [f"    {option}" for option in options]
    lines += [f"    int status = {name}_create(&model, {'&options' if options else 'NULL'});",
              f"    if (status == 0) status = {name}_run(model, {arguments});",
              f'    if (status != 0) {{ fprintf(stderr, "%s\\n", {name}_error(status)); return 1; }}']
    lines += [f'    printf("{a.name}[0] = %g\\n", (double){a.name}[0]);' for a in outputs]
    return "\n".join((*lines, f"    {name}_destroy(model);", "    return 0;", "}"))


def _example_size(arguments, symbols) -> int:
    """A value for all symbolic sizes at which no array is empty, if there is a small one."""
    for size in (4, 8, 16, 32, 64, 128, 256, 512):
        binding = dict.fromkeys(symbols, size)
        if all(evaluate(s, binding) > 0 for a in arguments for s in a.shape):
            return size
    return 4


def _elements(argument: Argument, symbols, size: int) -> int:
    return max(1, evaluate(product(argument.shape), dict.fromkeys(symbols, size)))


def _weights_words(weights_file: str | None) -> str:
    return f"path of {weights_file}" if weights_file else "not used: the weights are in the library"


def _arguments_words(inputs, outputs, symbols) -> str:
    width = max(len(a.name) for a in (*inputs, *outputs))
    lines = [f" * {s}: a size, from 1 to options.max_{s}.\n" for s in symbols]
    lines += [f" * {a.name:{width}}  in   {a.text}\n" for a in inputs]
    lines += [f" * {a.name:{width}}  out  {a.text}\n" for a in outputs]
    return "".join(lines)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _pad(declaration: str) -> str:
    return " " * max(1, 28 - len(declaration))
