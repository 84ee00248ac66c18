"""Scheduling: fusion into groups, loop structure, order of execution."""
