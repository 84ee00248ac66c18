"""Conversion of Python functions: control flow becomes calls that work on traced tensors as well as on Python values.

`converted(function)` gives the function to run during a capture.  The way of a function: `source` finds its syntax
tree, `assignments` makes stores to elements and attributes calls, `jumps` turns return, break and continue into
structured branches, `rewrite` replaces statements and expressions by calls of `graphcore.capture.language`, `converted`
compiles the result with the function's own globals and closure.
"""
