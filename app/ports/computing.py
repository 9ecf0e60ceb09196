"""Where long computations are done: away from the event loop, which has asks to answer."""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Computing(Protocol):
    """Runs pure functions elsewhere, one after the other. Function, arguments and result must be picklable."""

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns, or raise what it raises. Raises NotComputed when it did not finish."""
