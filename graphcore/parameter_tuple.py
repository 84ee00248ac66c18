"""ParameterTuple: a fixed collection of Parameters with different names, as optimisers keep them."""
from __future__ import annotations

from collections.abc import Iterable

from graphcore.errors import NameClashError
from graphcore.tensor import Tensor


class ParameterTuple(tuple):
    """A tuple of Parameters with different names.

    Raises TypeError if an item is not a Parameter, NameClashError naming the ones that share a name.
    """

    def __new__(cls, iterable):
        from graphcore.parameter import Parameter
        if isinstance(iterable, Tensor) or not isinstance(iterable, Iterable):
            raise TypeError(f"ParameterTuple takes a collection of Parameters, got {type(iterable).__name__}")
        items = tuple(iterable)
        seen: dict = {}
        identities = set()
        for item in items:
            if not isinstance(item, Parameter):
                raise TypeError(f"ParameterTuple takes a collection of Parameters; one item is a {type(item).__name__}")
            if id(item) in identities:
                raise NameClashError(f"ParameterTuple: {item} is given twice; give each Parameter once")
            identities.add(id(item))
            if item.has_given_name:
                if item.name in seen:
                    raise NameClashError(f"ParameterTuple: {seen[item.name]} and {item} have one name, {item.name!r}; "
                                         "please set a unique name for each")
                seen[item.name] = item
        return super().__new__(cls, items)

    def clone(self, prefix, init="same") -> ParameterTuple:
        """A ParameterTuple of clones called ``prefix.name``, with the values that `init` says (see Parameter.clone).

        Parameters without a name of their own are numbered: prefix.Parameter, prefix.Parameter_1 ...
        Raises ValueError unless `prefix` is a str.
        """
        if not isinstance(prefix, str):
            raise ValueError(f"prefix must be a str, got {type(prefix).__name__}")
        taken: set[str] = set()
        clones = []
        for item in self:
            name, number = item.name, 0
            while name in taken:
                number += 1
                name = f"{item.name}_{number}"
            taken.add(name)
            clone = item.clone(init)
            clone.name = f"{prefix}.{name}" if prefix else name
            clones.append(clone)
        return ParameterTuple(clones)

    def __parameter_tuple__(self):
        """For duck typing, as MindSpore's."""


def sequence_like(sequence: list | tuple, items: Iterable) -> list | tuple:
    """`items` in a sequence of the kind of `sequence`; a tuple for a ParameterTuple, which holds Parameters alone."""
    kind = tuple if isinstance(sequence, ParameterTuple) else type(sequence)
    return kind(*items) if hasattr(kind, "_fields") else kind(items)
