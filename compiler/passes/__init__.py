"""Passes over graphs: the rewriting engine and its rules."""
