"""The errors that cross ring boundaries. Each is turned into an HTTP answer or an exit code in exactly one place."""

from collections.abc import Sequence

from app.core.problem import Problem


class HoldfireError(Exception):
    """Base of everything holdfire raises on purpose. str() is a sentence for people."""


class Invalid(HoldfireError):
    """Input was refused; `problems` says where and why, one entry per fault."""

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.problems = tuple(problems)


class NotFound(HoldfireError):
    """The thing named does not exist."""


class Conflict(HoldfireError):
    """The thing exists already, or changed since the caller read it."""


class NotDurable(HoldfireError):
    """It could not be written down safely, so it was not accepted. The caller may try again later."""


class NotComputed(HoldfireError):
    """A computation did not finish: it took too long, or its process ended. Nothing is known of its outcome."""
