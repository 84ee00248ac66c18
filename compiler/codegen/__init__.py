"""The kernel language: what the text of a kernel may call, and how that becomes LLVM instructions."""
