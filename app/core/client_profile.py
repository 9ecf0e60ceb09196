"""How a client wants to be answered: for tools that wait on one status only, or read Retry-After in another unit."""

from dataclasses import dataclass
from enum import StrEnum


class RetryUnit(StrEnum):
    """What the number in Retry-After counts."""

    SECONDS = "s"
    MILLISECONDS = "ms"


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """What one API key's holder is answered. The body says the same whatever the status is.

    hold_status: of hold, and of a throttle that was not asked for. unknown_status: of an answer that cannot be known.
    max_rps: at most so many requests per second of wall time; None: no limit of its own.
    """

    hold_status: int = 429
    unknown_status: int = 503
    retry_after_unit: RetryUnit = RetryUnit.SECONDS
    max_rps: float | None = None


PLAIN = ClientProfile()
