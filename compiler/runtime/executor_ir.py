"""The executor, in LLVM IR: one call from Python runs a whole program.

A program instance is a table of 64-bit words.  It begins with a header (`HEADER`); instructions, patches and rows
follow.  An instruction is `INSTRUCTION_WORDS` words: opcode, kernel, row, items, grain, three in reserve.
A patch is three words: the address of a row's word, the number of an external array, a byte offset; before anything
runs, the word becomes the array's address plus the offset.

External arrays are found without Python's help: ``externals`` is the address of a tuple of NumPy arrays, and the header
says where in a tuple the items begin and where in an array the data pointer is.
"""
from __future__ import annotations

#: Words of the header, in order.
HEADER = ("instruction_count", "instructions", "patch_count", "patches", "items_offset", "data_offset", "most_threads")

INSTRUCTION_WORDS = 8
PATCH_WORDS = 3

#: Opcodes.
CALL = 0


def executor_text(parallel: bool) -> str:
    """LLVM IR of @gc_run(program, externals) and @gc_set_threads(count); without `parallel` all runs on one thread."""
    return _TEXT.replace("$SPLIT$", _SPLIT if parallel else "br label %serial")


_SPLIT = """%limit = load atomic i64, ptr @threads monotonic, align 8
  %threads = call i64 @llvm.umin.i64(i64 %limit, i64 %most_threads)
  %is_alone = icmp ult i64 %threads, 2
  br i1 %is_alone, label %serial, label %share

share:
  %rounded = add i64 %items, %grain
  %rounded.less = sub i64 %rounded, 1
  %wanted = udiv i64 %rounded.less, %grain
  %was_free = call i1 @pool.split(ptr %kernel, ptr %row, i64 %items, i64 %wanted, i64 %threads)
  br i1 %was_free, label %next, label %serial"""


_TEXT = """
@threads = internal global i64 1, align 64

define void @gc_set_threads(i64 %count) nounwind {
  store atomic i64 %count, ptr @threads monotonic, align 8
  ret void
}

define void @gc_run(ptr %program, ptr %externals) nounwind {
entry:
  %instruction_count = load i64, ptr %program
  %instructions.at = getelementptr i64, ptr %program, i64 1
  %instructions = load ptr, ptr %instructions.at
  %patch_count.at = getelementptr i64, ptr %program, i64 2
  %patch_count = load i64, ptr %patch_count.at
  %patches.at = getelementptr i64, ptr %program, i64 3
  %patches = load ptr, ptr %patches.at
  %items_offset.at = getelementptr i64, ptr %program, i64 4
  %items_offset = load i64, ptr %items_offset.at
  %data_offset.at = getelementptr i64, ptr %program, i64 5
  %data_offset = load i64, ptr %data_offset.at
  %most_threads.at = getelementptr i64, ptr %program, i64 6
  %most_threads = load i64, ptr %most_threads.at
  %arrays = getelementptr i8, ptr %externals, i64 %items_offset
  %any_patch = icmp ne i64 %patch_count, 0
  br i1 %any_patch, label %patch, label %begin

patch:
  %patch.index = phi i64 [0, %entry], [%patch.next, %patch]
  %patch.place = mul i64 %patch.index, 3
  %word.at = getelementptr i64, ptr %patches, i64 %patch.place
  %word = load ptr, ptr %word.at
  %number.at = getelementptr i64, ptr %word.at, i64 1
  %number = load i64, ptr %number.at
  %offset.at = getelementptr i64, ptr %word.at, i64 2
  %offset = load i64, ptr %offset.at
  %array.at = getelementptr ptr, ptr %arrays, i64 %number
  %array = load ptr, ptr %array.at
  %data.at = getelementptr i8, ptr %array, i64 %data_offset
  %data = load i64, ptr %data.at
  %address = add i64 %data, %offset
  store i64 %address, ptr %word
  %patch.next = add i64 %patch.index, 1
  %more_patches = icmp ult i64 %patch.next, %patch_count
  br i1 %more_patches, label %patch, label %begin

begin:
  %any_instruction = icmp ne i64 %instruction_count, 0
  br i1 %any_instruction, label %instruction, label %end

instruction:
  %index = phi i64 [0, %begin], [%index.next, %next]
  %place = shl i64 %index, 3
  %opcode.at = getelementptr i64, ptr %instructions, i64 %place
  %opcode = load i64, ptr %opcode.at
  switch i64 %opcode, label %end [i64 0, label %call]

call:
  %kernel.at = getelementptr i64, ptr %opcode.at, i64 1
  %kernel = load ptr, ptr %kernel.at
  %row.at = getelementptr i64, ptr %opcode.at, i64 2
  %row = load ptr, ptr %row.at
  %items.at = getelementptr i64, ptr %opcode.at, i64 3
  %items = load i64, ptr %items.at
  %grain.at = getelementptr i64, ptr %opcode.at, i64 4
  %grain = load i64, ptr %grain.at
  %is_small = icmp sle i64 %items, %grain
  br i1 %is_small, label %serial, label %split

split:
  $SPLIT$

serial:
  %is_empty = icmp sle i64 %items, 0
  br i1 %is_empty, label %next, label %run

run:
  call void %kernel(ptr %row, i64 0, i64 %items, i64 0)
  br label %next

next:
  %index.next = add i64 %index, 1
  %more = icmp ult i64 %index.next, %instruction_count
  br i1 %more, label %instruction, label %end

end:
  ret void
}
"""
