"""What can go wrong between a system and us: a contact center's, or a tool that sends. str() is a sentence for people.

No sentence quotes what a system said: it may hold a caller's number or name, or a secret that was sent to it.
"""

from app.errors import HoldfireError


class SourceFault(HoldfireError):
    """Nothing could be had from a system just now. It is asked again, after pauses that grow."""


class RateLimited(SourceFault):
    """A system wants to be asked less often. retry_after_seconds: what it asked for, 0 where it did not say."""

    def __init__(self, sentence: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class BadAnswer(SourceFault):
    """A system answered with an HTTP status that says no. status: that one."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class Refused(SourceFault):
    """A system does not accept our credentials. It is asked again seldom, so that no account is locked."""


class TranslateError(SourceFault):
    """A system answered, and what came makes no sense. The sentence says where, and never what stood there."""
