"""What a model of the truth answers with: facts by canonical names, x being a wait or a number where a name has one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class UnknownFact(ValueError):
    """The model has no such fact."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A model that is a table of functions: plain facts, and facts of a wait or a number."""

    plain: Mapping[str, Callable[[], float]]
    of: Mapping[str, Callable[[float], float]]

    def fact(self, name: str, x: float | None) -> float:
        """Return one fact. Raises UnknownFact."""
        if x is None and name in self.plain:
            return self.plain[name]()
        if x is not None and name in self.of:
            return self.of[name](x)
        raise UnknownFact(f"{name}{'' if x is None else f' of {x:g}'} is nothing that this model knows")
