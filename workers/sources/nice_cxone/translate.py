"""What CXone's skill activity means. Pure: any JSON in, observations out, or TranslateError.

earliestQueueTime is an instant by CXone's clock, and so is serverTime: an age is made of these two, never of ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.core.floor.fields import LARGEST
from app.core.floor.observation import Observation
from app.services.trials import Rejected
from workers.sources.figures import count, instant, total
from workers.sources.lot import Lot
from workers.systems.faults import TranslateError

ROUNDING_SECONDS = 60.0
_WAITING = ("queueCount", "skillQueueCount")  # the latter in some versions
_TRUE = {True, "true", "True", "1"}


class _Row(NamedTuple):
    """One medium of a skill, at an instant of CXone's clock, None where it is not told."""

    at: datetime | None
    waiting: int | None
    oldest: float | None
    staffed: int | None
    available: int | None
    busy: int | None


def translate(answer: object, queues: Mapping[str, str], source: str, asked_at: datetime) -> Lot:
    """Return what is now of the skills that have a name in queues (ours by skillId); outbound rows are no queue.

    Of a skill with several media contacts add up, and of agents, who may serve all of them, the most count. Raises
    TranslateError.
    """
    rows: dict[str, list[_Row]] = {}
    rejected, spoiled = [], set()
    for number, skill, said in _skills(answer, queues):
        try:
            rows.setdefault(skill, []).append(_row(said))
        except TranslateError as fault:
            spoiled.add(skill)  # one medium alone would tell of too few
            rejected.append(Rejected(number, "", str(fault)))
    seen = [_combined(queues[skill], source, asked_at, each) for skill, each in rows.items() if skill not in spoiled]
    silent = [Rejected(0, "", "a skill's row has no number of contacts or agents") for each in seen if _silent(each)]
    return Lot([each for each in seen if not _silent(each)], rejected + silent)


def _skills(answer: object, queues: Mapping[str, str]) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    rows = answer.get("skillActivity") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise TranslateError("the answer has no skillActivity")
    for number, said in enumerate(rows, start=1):
        skill = said.get("skillId") if isinstance(said, dict) else None
        if isinstance(skill, int | str) and str(skill) in queues and not _is_true(said.get("isOutbound")):
            yield number, str(skill), said


def _is_true(value: object) -> bool:
    return isinstance(value, bool | str | int) and value in _TRUE


def _row(said: Mapping[str, Any]) -> _Row:
    at, waiting = instant(said, "serverTime"), _most(count(said, name) for name in _WAITING)
    since = instant(said, "earliestQueueTime") if waiting != 0 else None
    logged_in, away = count(said, "agentsLoggedIn"), count(said, "agentsUnavailable")
    return _Row(
        at=at,
        waiting=waiting,
        oldest=0.0 if waiting == 0 else _age(since, at),
        staffed=None if logged_in is None or away is None else max(0, logged_in - away),
        available=_least(count(said, name) for name in ("agentsAvailable", "agentsIdle")),
        busy=total(count(said, "agentsWorking"), count(said, "agentsACW")),
    )


def _age(since: datetime | None, at: datetime | None) -> float | None:
    """Return how long it is since an instant; None where one is not told, or they contradict each other."""
    if since is None or at is None:
        return None
    age = (at - since).total_seconds()
    return max(0.0, age) if -ROUNDING_SECONDS <= age <= LARGEST else None


def _combined(queue: str, source: str, asked_at: datetime, rows: Sequence[_Row]) -> Observation:
    instants = [each.at for each in rows if each.at is not None]
    return Observation(
        queue,
        min(instants, default=asked_at),
        source,
        backlog=total(*(each.waiting for each in rows)),
        oldest_wait_seconds=_most_of_all([each.oldest for each in rows]),
        agents_staffed=_most(each.staffed for each in rows),
        agents_available=_most(each.available for each in rows),
        agents_busy=_most(each.busy for each in rows),
    )


def _most(counts: Iterator[int | None]) -> int | None:
    return max((each for each in counts if each is not None), default=None)


def _least(counts: Iterator[int | None]) -> int | None:
    return min((each for each in counts if each is not None), default=None)


def _most_of_all(ages: Sequence[float | None]) -> float | None:
    """Return the most, None when one of them is not known."""
    known = [each for each in ages if each is not None]
    return max(known) if len(known) == len(ages) else None


def _silent(seen: Observation) -> bool:
    values = (seen.backlog, seen.oldest_wait_seconds, seen.agents_staffed, seen.agents_available, seen.agents_busy)
    return values == (None,) * len(values)
