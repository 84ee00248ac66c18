"""The executor, in LLVM IR: one call from Python runs a whole program.

A program instance is a table of 64-bit words.  It begins with a header (`HEADER`); instructions, patches and rows
follow.  An instruction is `INSTRUCTION_WORDS` words: opcode, kernel or target, row, items, grain, three in reserve;
`runtime.program` says what each does with its row.
A patch is three words: the address of a row's word, the number of an external array, a byte offset; before anything
runs, the word becomes the array's address plus the offset.

A program that needs Python returns in the middle: the header's `paused_by` is then the number of the instruction
plus 1, `wanted` the bytes that a full tape needs, and the next call goes on at `resume_at`.  At the end, `paused_by`
and `resume_at` are 0.

External arrays are found without Python's help: ``externals`` is the address of a tuple of NumPy arrays, and the header
says where in a tuple the items begin and where in an array the data pointer is.
"""
from __future__ import annotations

#: Words of the header, in order.
HEADER = ("instruction_count", "instructions", "patch_count", "patches", "items_offset", "data_offset", "most_threads",
          "resume_at", "paused_by", "wanted")

INSTRUCTION_WORDS = 8
PATCH_WORDS = 3

#: Opcodes: a call of a kernel, a pause for Python, and those of `program.Control`.
OPCODES = {name: number for number, name in enumerate((
    "call", "host", "jump", "jump_if", "jump_unless", "set", "add", "begin", "next", "push", "reserve"))}


def executor_text(parallel: bool) -> str:
    """LLVM IR of @gc_run(program, externals) and @gc_set_threads(count); without `parallel` all runs on one thread."""
    cases = " ".join(f"i64 {number}, label %{name}" for name, number in OPCODES.items())
    return (_TEXT + _CONTROL + _END).replace("$SPLIT$", _SPLIT if parallel else "br label %serial").replace(
        "$CASES$", cases)


_SPLIT = """%limit = load atomic i64, ptr @threads monotonic, align 8
  %threads = call i64 @llvm.umin.i64(i64 %limit, i64 %most_threads)
  %is_alone = icmp ult i64 %threads, 2
  br i1 %is_alone, label %serial, label %share

share:
  %rounded = add i64 %items, %grain
  %rounded.less = sub i64 %rounded, 1
  %wanted = udiv i64 %rounded.less, %grain
  %was_free = call i1 @pool.split(ptr %kernel, ptr %row, i64 %items, i64 %wanted, i64 %threads)
  br i1 %was_free, label %go_on, label %serial"""


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
  %resume_at.at = getelementptr i64, ptr %program, i64 7
  %resume_at = load i64, ptr %resume_at.at
  %paused_by.at = getelementptr i64, ptr %program, i64 8
  %wanted.at = getelementptr i64, ptr %program, i64 9
  %arrays = getelementptr i8, ptr %externals, i64 %items_offset
  %any_patch = icmp ne i64 %patch_count, 0
  br i1 %any_patch, label %patch, label %instruction

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
  br i1 %more_patches, label %patch, label %instruction

instruction:
  %index = phi i64 [%resume_at, %entry], [%resume_at, %patch], [%index.next, %go_on], [%target, %leap]
  %more = icmp ult i64 %index, %instruction_count
  br i1 %more, label %fetch, label %end

fetch:
  %place = shl i64 %index, 3
  %opcode.at = getelementptr i64, ptr %instructions, i64 %place
  %opcode = load i64, ptr %opcode.at
  %target.at = getelementptr i64, ptr %opcode.at, i64 1
  %target = load i64, ptr %target.at
  %row.at = getelementptr i64, ptr %opcode.at, i64 2
  %row = load ptr, ptr %row.at
  switch i64 %opcode, label %end [$CASES$]

leap:
  br label %instruction

go_on:
  %index.next = add i64 %index, 1
  br label %instruction

call:
  %kernel = inttoptr i64 %target to ptr
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
  br i1 %is_empty, label %go_on, label %run

run:
  call void %kernel(ptr %row, i64 0, i64 %items, i64 0)
  br label %go_on
"""

_CONTROL = """
host:
  %after = add i64 %index, 1
  br label %pause

pause:
  %continuation = phi i64 [%after, %host], [%index, %push], [%index, %reserve.test]
  %needed = phi i64 [0, %host], [%push.end, %push], [%reserve.total, %reserve.test]
  %pausing = add i64 %index, 1
  store i64 %continuation, ptr %resume_at.at
  store i64 %pausing, ptr %paused_by.at
  store i64 %needed, ptr %wanted.at
  ret void

jump:
  br label %leap

jump_if:
  %if.flag.at = load ptr, ptr %row
  %if.flag = load i8, ptr %if.flag.at
  %if.holds = icmp ne i8 %if.flag, 0
  br i1 %if.holds, label %leap, label %go_on

jump_unless:
  %unless.flag.at = load ptr, ptr %row
  %unless.flag = load i8, ptr %unless.flag.at
  %unless.holds = icmp ne i8 %unless.flag, 0
  br i1 %unless.holds, label %go_on, label %leap

set:
  %set.at = load ptr, ptr %row
  %set.value.at = getelementptr i64, ptr %row, i64 1
  %set.value = load i64, ptr %set.value.at
  store i64 %set.value, ptr %set.at
  br label %go_on

add:
  %add.at = load ptr, ptr %row
  %add.value.at = getelementptr i64, ptr %row, i64 1
  %add.value = load i64, ptr %add.value.at
  %add.old = load i64, ptr %add.at
  %add.new = add i64 %add.old, %add.value
  store i64 %add.new, ptr %add.at
  br label %go_on

begin:
  %count.at = getelementptr i64, ptr %row, i64 3
  %count.given = load i64, ptr %count.at
  %count.indirect.at = getelementptr i64, ptr %row, i64 4
  %count.indirect = load i64, ptr %count.indirect.at
  %count.is_indirect = icmp ne i64 %count.indirect, 0
  br i1 %count.is_indirect, label %begin.load, label %begin.count

begin.load:
  %count.place = inttoptr i64 %count.given to ptr
  %count.loaded = load i64, ptr %count.place
  br label %begin.count

begin.count:
  %count = phi i64 [%count.given, %begin], [%count.loaded, %begin.load]
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %begin.enter, label %leap

begin.enter:
  store i64 %count, ptr %row
  %counter.place = getelementptr i64, ptr %row, i64 1
  %counter.at = load ptr, ptr %counter.place
  %step.at = getelementptr i64, ptr %row, i64 2
  %step = load i64, ptr %step.at
  %is_reverse = icmp slt i64 %step, 0
  %last = sub i64 %count, 1
  %first = select i1 %is_reverse, i64 %last, i64 0
  store i64 %first, ptr %counter.at
  %moving.at = getelementptr i64, ptr %row, i64 5
  %moving = load i64, ptr %moving.at
  %moving.first = getelementptr i64, ptr %row, i64 6
  br label %place_next

place_next:
  %placed = phi i64 [0, %begin.enter], [%placed.next, %place_at]
  %entry.at = phi ptr [%moving.first, %begin.enter], [%entry.after, %place_at]
  %unplaced = icmp ult i64 %placed, %moving
  br i1 %unplaced, label %place_one, label %go_on

place_one:
  %base.at = getelementptr i64, ptr %entry.at, i64 1
  %base.given = load i64, ptr %base.at
  %on_tape.at = getelementptr i64, ptr %entry.at, i64 2
  %on_tape = load i64, ptr %on_tape.at
  %is_on_tape = icmp ne i64 %on_tape, 0
  br i1 %is_on_tape, label %place_tape, label %place_at

place_tape:
  %tape.read = inttoptr i64 %base.given to ptr
  %tape.memory = load i64, ptr %tape.read
  br label %place_at

place_at:
  %base = phi i64 [%base.given, %place_one], [%tape.memory, %place_tape]
  %word.moving = load ptr, ptr %entry.at
  %shift.at = getelementptr i64, ptr %entry.at, i64 3
  %shift = load i64, ptr %shift.at
  %stride.at = getelementptr i64, ptr %entry.at, i64 4
  %stride = load i64, ptr %stride.at
  %distance = mul i64 %stride, %first
  %base.shifted = add i64 %base, %shift
  %base.first = add i64 %base.shifted, %distance
  store i64 %base.first, ptr %word.moving
  %placed.next = add i64 %placed, 1
  %entry.after = getelementptr i64, ptr %entry.at, i64 5
  br label %place_next

next:
  %left.old = load i64, ptr %row
  %left = sub i64 %left.old, 1
  store i64 %left, ptr %row
  %is_over = icmp eq i64 %left, 0
  br i1 %is_over, label %go_on, label %next.iteration

next.iteration:
  %index.place = getelementptr i64, ptr %row, i64 1
  %index.at = load ptr, ptr %index.place
  %index.step.at = getelementptr i64, ptr %row, i64 2
  %index.step = load i64, ptr %index.step.at
  %index.old = load i64, ptr %index.at
  %index.new = add i64 %index.old, %index.step
  store i64 %index.new, ptr %index.at
  %movers.at = getelementptr i64, ptr %row, i64 5
  %movers = load i64, ptr %movers.at
  %movers.first = getelementptr i64, ptr %row, i64 6
  br label %move_next

move_next:
  %moved = phi i64 [0, %next.iteration], [%moved.next, %move_one]
  %mover = phi ptr [%movers.first, %next.iteration], [%mover.after, %move_one]
  %unmoved = icmp ult i64 %moved, %movers
  br i1 %unmoved, label %move_one, label %leap

move_one:
  %word.to_move = load ptr, ptr %mover
  %pace.at = getelementptr i64, ptr %mover, i64 4
  %pace = load i64, ptr %pace.at
  %advance = mul i64 %pace, %index.step
  %word.old = load i64, ptr %word.to_move
  %word.new = add i64 %word.old, %advance
  store i64 %word.new, ptr %word.to_move
  %moved.next = add i64 %moved, 1
  %mover.after = getelementptr i64, ptr %mover, i64 5
  br label %move_next

push:
  %push.tape = load ptr, ptr %row
  %push.bytes.at = getelementptr i64, ptr %row, i64 1
  %push.bytes = load i64, ptr %push.bytes.at
  %push.used.at = getelementptr i64, ptr %push.tape, i64 1
  %push.used = load i64, ptr %push.used.at
  %push.room.at = getelementptr i64, ptr %push.tape, i64 2
  %push.room = load i64, ptr %push.room.at
  %push.end = add i64 %push.used, %push.bytes
  %push.full = icmp ugt i64 %push.end, %push.room
  br i1 %push.full, label %pause, label %push.place

push.place:
  store i64 %push.end, ptr %push.used.at
  %push.memory = load i64, ptr %push.tape
  %push.free = add i64 %push.memory, %push.used
  %push.count.at = getelementptr i64, ptr %row, i64 2
  %push.count = load i64, ptr %push.count.at
  %push.first = getelementptr i64, ptr %row, i64 3
  br label %push_next

push_next:
  %pushed = phi i64 [0, %push.place], [%pushed.next, %push_one]
  %push.word = phi ptr [%push.first, %push.place], [%push.word.after, %push_one]
  %unpushed = icmp ult i64 %pushed, %push.count
  br i1 %unpushed, label %push_one, label %go_on

push_one:
  %push.shift = load i64, ptr %push.word
  %push.to.at = getelementptr i64, ptr %push.word, i64 1
  %push.to = load ptr, ptr %push.to.at
  %push.at = add i64 %push.free, %push.shift
  store i64 %push.at, ptr %push.to
  %pushed.next = add i64 %pushed, 1
  %push.word.after = getelementptr i64, ptr %push.word, i64 2
  br label %push_next

reserve:
  %reserve.tape = load ptr, ptr %row
  %reserve.bytes.at = getelementptr i64, ptr %row, i64 1
  %reserve.bytes = load i64, ptr %reserve.bytes.at
  %reserve.count.at = getelementptr i64, ptr %row, i64 2
  %reserve.given = load i64, ptr %reserve.count.at
  %reserve.indirect.at = getelementptr i64, ptr %row, i64 3
  %reserve.indirect = load i64, ptr %reserve.indirect.at
  %reserve.is_indirect = icmp ne i64 %reserve.indirect, 0
  br i1 %reserve.is_indirect, label %reserve.load, label %reserve.test

reserve.load:
  %reserve.place = inttoptr i64 %reserve.given to ptr
  %reserve.loaded = load i64, ptr %reserve.place
  br label %reserve.test

reserve.test:
  %reserve.count = phi i64 [%reserve.given, %reserve], [%reserve.loaded, %reserve.load]
  %reserve.positive = call i64 @llvm.smax.i64(i64 %reserve.count, i64 0)
  %reserve.total = mul i64 %reserve.positive, %reserve.bytes
  %reserve.room.at = getelementptr i64, ptr %reserve.tape, i64 2
  %reserve.room = load i64, ptr %reserve.room.at
  %reserve.full = icmp ugt i64 %reserve.total, %reserve.room
  br i1 %reserve.full, label %pause, label %reserve.take

reserve.take:
  %reserve.used.at = getelementptr i64, ptr %reserve.tape, i64 1
  store i64 %reserve.total, ptr %reserve.used.at
  br label %go_on
"""

_END = """
end:
  store i64 0, ptr %resume_at.at
  store i64 0, ptr %paused_by.at
  ret void
}
"""
