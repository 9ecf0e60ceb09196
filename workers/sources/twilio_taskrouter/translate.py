"""What TaskRouter's statistics of a task queue mean. Pure: any JSON in, observations out, or TranslateError.

Counts may be texts; ages and averages are seconds.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.core.floor.observation import Observation
from workers.sources.figures import count, instant, number, total, within
from workers.systems.faults import TranslateError

_LAST = timedelta(microseconds=1)
_DAY_SECONDS = 86_400


def current(answer: object, queue: str, source: str, at: datetime, sid: str) -> Observation:
    """Return what RealTimeStatistics says at an instant of the task queue of this SID. Raises TranslateError.

    Who waits is pending or reserved; total_tasks has those in conversation, too. total_available_workers has who is
    busy in an activity that counts as available: these are staffed, and who could take a task now is not told.
    """
    said = _object(answer, "RealTimeStatistics")
    if said.get("task_queue_sid", sid) != sid:
        raise TranslateError("RealTimeStatistics is of another task queue")
    by_status = within(said, "tasks_by_status")
    backlog = total(count(by_status, "pending"), count(by_status, "reserved"))
    oldest = number(said, "longest_task_waiting_age")
    staffed = count(said, "total_available_workers")
    if backlog is None and oldest is None and staffed is None:
        raise TranslateError("RealTimeStatistics says nothing of tasks and workers")
    return Observation(
        queue,
        at,
        source,
        backlog=backlog,
        oldest_wait_seconds=0.0 if backlog == 0 else oldest,
        contacts_in_progress=count(by_status, "assigned"),
        agents_staffed=staffed,
    )


def windowed(answer: object, queue: str, source: str, target_seconds: int) -> Observation | None:
    """Return what CumulativeStatistics says of the window that it names itself; None where it counts nothing.

    Raises TranslateError, when the window's begin or end is missing, too.
    """
    said = _object(answer, "CumulativeStatistics")
    start, end = instant(said, "start_time"), instant(said, "end_time")
    if start is None or end is None or not 0 < (seconds := (end - start).total_seconds()) <= _DAY_SECONDS:
        raise TranslateError("CumulativeStatistics has no start_time and end_time of a window of up to a day")
    answered = count(said, "reservations_accepted")
    below = within(within(within(said, "split_by_wait_time"), str(target_seconds)), "below")
    in_time = count(below, "reservations_accepted")
    found = Observation(
        queue,
        end - _LAST,
        source,
        speed_to_answer_seconds=number(said, "avg_task_acceptance_time") if answered else None,
        window_seconds=seconds,
        offered=count(said, "tasks_entered"),
        answered=answered,
        abandoned=count(said, "tasks_canceled"),
        answered_within_target=None if answered is None or in_time is None or in_time > answered else in_time,
    )
    counts = (found.offered, answered, found.abandoned, found.answered_within_target)
    return None if counts == (None,) * len(counts) else found


def _object(answer: object, what: str) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise TranslateError(f"{what} is no object")
    return answer
