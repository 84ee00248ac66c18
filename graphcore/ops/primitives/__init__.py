"""Primitive classes."""
__all__ = []
