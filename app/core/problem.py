"""Why a piece of input was refused: where it is wrong, and what would be right."""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple


class Problem(NamedTuple):
    """One refusal: an RFC 6901 JSON pointer into the input, and a sentence naming value, rule and remedy."""

    pointer: str
    detail: str


class InputRefused(ValueError):
    """Nothing can be made of some input; `problems` has every fault found, at least one, and str() tells the first."""

    what: ClassVar[str] = "input"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first, others = self.problems[0], len(self.problems) - 1
        more = f" (and {others} more)" if others else ""
        super().__init__(f"{self.what} refused at {first.pointer or 'its root'}: {first.detail}{more}")

    def __reduce__(self) -> "tuple[type[InputRefused], tuple[tuple[Problem, ...]]]":
        """Return how a copy is made: of the problems, not of the sentence. Other processes raise it, too."""
        return type(self), (self.problems,)
