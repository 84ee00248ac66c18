"""The executor as a Python builtin, in LLVM IR: a call costs a tenth of what it costs through ctypes.

@gc_call and @gc_call_unlocked are C functions of the kind that Python calls METH_O: bound to the NumPy array that holds
a program instance's table, they take the tuple of external arrays and return None.  The second lets other Python
threads run meanwhile.  @gc_bind_python tells them what they need of the interpreter.
"""
from __future__ import annotations

PYTHON_TEXT = """
@python.none = internal global ptr null
@python.increment = internal global ptr null
@python.save_thread = internal global ptr null
@python.restore_thread = internal global ptr null
@python.data_offset = internal global i64 0

define void @gc_bind_python(ptr %none, ptr %increment, ptr %save, ptr %restore, i64 %data_offset) nounwind {
  store ptr %none, ptr @python.none
  store ptr %increment, ptr @python.increment
  store ptr %save, ptr @python.save_thread
  store ptr %restore, ptr @python.restore_thread
  store i64 %data_offset, ptr @python.data_offset
  ret void
}

define internal ptr @python.program(ptr %table) nounwind alwaysinline {
  %data_offset = load i64, ptr @python.data_offset
  %data.at = getelementptr i8, ptr %table, i64 %data_offset
  %program = load ptr, ptr %data.at
  ret ptr %program
}

define internal ptr @python.give_none() nounwind alwaysinline {
  %none = load ptr, ptr @python.none
  %increment = load ptr, ptr @python.increment
  call void %increment(ptr %none)
  ret ptr %none
}

define ptr @gc_call(ptr %table, ptr %externals) nounwind {
  %program = call ptr @python.program(ptr %table)
  call void @gc_run(ptr %program, ptr %externals)
  %none = call ptr @python.give_none()
  ret ptr %none
}

define ptr @gc_call_unlocked(ptr %table, ptr %externals) nounwind {
  %program = call ptr @python.program(ptr %table)
  %save = load ptr, ptr @python.save_thread
  %state = call ptr %save()
  call void @gc_run(ptr %program, ptr %externals)
  %restore = load ptr, ptr @python.restore_thread
  call void %restore(ptr %state)
  %none = call ptr @python.give_none()
  ret ptr %none
}
"""
