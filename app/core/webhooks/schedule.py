"""When a delivery is tried again. Written down as tables: tries are rows in the outbox, not loops in a process."""

from collections.abc import Sequence

# Seconds from one try to the next, as Standard Webhooks 1.0.0 advises ("Deliverability and reliability").
NORMAL_SECONDS: Sequence[float] = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
# A stop cannot wait for that, so it is tried at once several times before.
URGENT_SECONDS: Sequence[float] = (0, 1, 2, 4, 8, *NORMAL_SECONDS[1:])
FAST_TRIES = 5
LONGEST_WAIT_SECONDS, LONGEST_URGENT_WAIT_SECONDS = 86_400.0, 60.0
JITTER_RATIO = 0.2


def next_wait_seconds(tries: int, *, urgent: bool, jitter: float, asked_seconds: float = 0.0) -> float | None:
    """Return how long to wait after so many failed tries (1, 2, ...), None when that was the last.

    jitter, 0..1, adds up to a fifth. asked_seconds is what the receiver asked for (Retry-After): it is obeyed up to
    a day, or up to a minute while an urgent delivery is still in its fast tries.
    """
    schedule = URGENT_SECONDS if urgent else NORMAL_SECONDS
    if tries >= len(schedule):
        return None
    fast = urgent and tries < FAST_TRIES
    asked = min(asked_seconds, LONGEST_URGENT_WAIT_SECONDS if fast else LONGEST_WAIT_SECONDS)
    return max(schedule[tries] * (1 + JITTER_RATIO * jitter), asked)
