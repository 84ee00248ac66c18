"""Kernel texts → relocatable objects, for one CPU."""
