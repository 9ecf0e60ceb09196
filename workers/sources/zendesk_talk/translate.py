"""What Zendesk Talk's current queue activity means. Pure: any JSON in, an observation out, or TranslateError.

Times are seconds. average_wait_time is counted since midnight, in the account's zone: it hardly moves late in the day,
so it is not read.
"""

from datetime import datetime
from typing import NamedTuple

from app.core.floor.observation import Observation
from workers.sources.figures import count, number, total
from workers.systems.faults import TranslateError


class Lines(NamedTuple):
    """One of our queues: the phone numbers, by Zendesk's ids, whose calls are its own; () for all of the account."""

    queue: str
    numbers: tuple[str, ...]


def translate(answer: object, lines: Lines, source: str, at: datetime, *, callbacks: bool) -> Observation:
    """Return what is now. callbacks: they wait, too. Raises TranslateError.

    agents_online are the account's, in conversation or not: they are staffed, and said of the whole account only.
    """
    said = answer.get("current_queue_activity") if isinstance(answer, dict) else None
    if not isinstance(said, dict):
        raise TranslateError("the answer has no current_queue_activity")
    backlog = count(said, "calls_waiting")
    if callbacks:
        backlog = total(backlog, count(said, "callbacks_waiting"), count(said, "embeddable_callbacks_waiting"))
    oldest, staffed = number(said, "longest_wait_time"), count(said, "agents_online")
    if lines.numbers:
        staffed = None
    if backlog is None and oldest is None and staffed is None:
        raise TranslateError("current_queue_activity says nothing of calls and agents")
    return Observation(
        lines.queue,
        at,
        source,
        channel="voice",
        backlog=backlog,
        oldest_wait_seconds=0.0 if backlog == 0 else oldest,
        agents_staffed=staffed,
    )
