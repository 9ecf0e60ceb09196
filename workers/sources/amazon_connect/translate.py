"""What Amazon Connect's two answers about metrics mean. Pure: any values in, a lot out, or TranslateError.

Seconds are seconds here because we always group: without groupings the age of the oldest contact comes in milliseconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, NamedTuple

from app.core.floor.observation import Observation
from app.services.trials import Rejected
from workers.sources.lot import Lot
from workers.systems.faults import TranslateError

CURRENT_UNITS: Mapping[str, str] = {
    "CONTACTS_IN_QUEUE": "COUNT",
    "OLDEST_CONTACT_AGE": "SECONDS",
    "SLOTS_ACTIVE": "COUNT",
    "AGENTS_STAFFED": "COUNT",
    "AGENTS_AVAILABLE": "COUNT",
    "AGENTS_ON_CONTACT": "COUNT",
}
WINDOWED = ("CONTACTS_QUEUED", "CONTACTS_HANDLED", "CONTACTS_ABANDONED", "AVG_QUEUE_ANSWER_TIME", "AVG_HANDLE_TIME")
WITHIN = "SUM_CONTACTS_ANSWERED_IN_X"
LEVEL = "SERVICE_LEVEL"

Values = Mapping[str, float | None]
Queues = Mapping[str, str]


class Window(NamedTuple):
    """The span that windowed metrics are asked for: from start until before end."""

    start: datetime
    end: datetime

    @property
    def last(self) -> datetime:
        """Its last instant, which no snapshot has: of two observations of one instant the second would be a repeat."""
        return self.end - timedelta(microseconds=1)

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()


class _Row(NamedTuple):
    number: int
    queue: str
    channel: str
    values: Values


def snapshot_of(pages: Sequence[object]) -> datetime:
    """Return when the metrics of an answer's pages were taken, the earliest page counts. Raises TranslateError.

    An answer without that instant is no good answer, so nothing may be concluded from what it does not hold.
    """
    instants = [page.get("DataSnapshotTime") if isinstance(page, dict) else None for page in pages]
    sound = [each.astimezone(UTC) for each in instants if isinstance(each, datetime) and each.tzinfo is not None]
    if not sound or len(sound) < len(instants):
        raise TranslateError("the answer has no DataSnapshotTime")
    return min(sound)


def current(pages: Sequence[object], queues: Queues, source: str) -> Lot:
    """Return how each of these queues stands by an answer of GetCurrentMetricData, all of its pages.

    queues: our names by Amazon's ids. One that a good answer leaves out has neither contacts nor agents: nobody is
    home. Raises TranslateError.
    """
    at, rejected = snapshot_of(pages), list[Rejected]()
    rows = _by_queue(_rows(pages, queues, "Queue", "Channel", rejected), rejected)
    spoiled = {each.field for each in rejected}  # of these the rest would tell of too few
    seen = []
    for queue, name in queues.items():
        if queue in spoiled:
            continue
        if queue in rows:
            seen.append(_combined(Observation(name, at, source), list(rows[queue].values())))
        else:
            seen.append(_nobody_home(Observation(name, at, source)))
    said = [each for each in seen if _says_something(each)]
    silent = [Rejected(0, "", "a queue's metrics are all null") for each in seen if not _says_something(each)]
    return Lot(said, [each._replace(field="") for each in rejected] + silent)


def windowed(pages: Sequence[object], queues: Queues, source: str, window: Window) -> Lot:
    """Return what an answer of GetMetricDataV2, all of its pages, says of a window. What it leaves out is not said.

    Raises TranslateError.
    """
    rejected: list[Rejected] = []
    rows = _by_queue(_rows(pages, queues, "QUEUE", "CHANNEL", rejected), rejected)
    spoiled = {each.field for each in rejected}
    seen = [
        _of_window(Observation(queues[queue], window.last, source, window_seconds=window.seconds), row.values)
        for queue, by_channel in rows.items()
        for row in by_channel.values()
        if queue not in spoiled
    ]
    return Lot([each for each in seen if _says_something(each)], [each._replace(field="") for each in rejected])


def _rows(pages: Sequence[object], queues: Queues, queue_key: str, channel_key: str, rejected: list[Rejected]) -> Any:
    number = 0
    for page in pages:
        results = page.get("MetricResults") if isinstance(page, dict) else None
        if not isinstance(results, list):
            raise TranslateError("the answer has no MetricResults")
        for result in results:
            number += 1
            dimensions = result.get("Dimensions") if isinstance(result, dict) else None
            dimensions = dimensions if isinstance(dimensions, dict) else {}
            queue, channel = _queue_id(dimensions.get(queue_key)), dimensions.get(channel_key)
            values = _values(result.get("Collections")) if queue in queues else "it names no queue that was asked for"
            if isinstance(values, str):
                rejected.append(Rejected(number, queue if queue in queues else "", values))
            else:
                yield _Row(number, queue, channel if isinstance(channel, str) else "", values)


def _queue_id(said: object) -> str:
    """Return the id in a dimension: {"Id": ..., "Arn": ...} of now, a plain text of windows. "" for neither."""
    queue = said.get("Id") if isinstance(said, dict) else said
    return queue.rpartition("/")[2] if isinstance(queue, str) else ""


def _values(collections: object) -> Values | str:
    """Return the values by metric, null as None; or what is wrong with them."""
    if not isinstance(collections, list):
        return "it has no Collections"
    values: dict[str, float | None] = {}
    for each in collections:
        metric = each.get("Metric") if isinstance(each, dict) else None
        name, value = metric.get("Name") if isinstance(metric, dict) else None, None
        if isinstance(name, str):
            if name in values:
                return "a metric is there twice"
            value = each.get("Value")
            if isinstance(value, bool) or not isinstance(value, int | float | None):
                return "a metric's Value is no number"
            values[name] = value if value is not None and _sound(value) else None
    return values


def _sound(value: float) -> bool:
    return isfinite(value) and value >= 0


def _by_queue(rows: Iterable[_Row], rejected: list[Rejected]) -> Mapping[str, Mapping[str, _Row]]:
    """Return the rows by queue and channel; one that comes twice is rejected, as either may be the right one."""
    found: dict[str, dict[str, _Row]] = defaultdict(dict)
    for row in rows:
        if row.channel in found[row.queue]:
            rejected.append(Rejected(row.number, row.queue, "a queue's channel is there twice"))
        found[row.queue][row.channel] = row
    return found


def _combined(empty: Observation, rows: Sequence[_Row]) -> Observation:
    """Return a queue's channels as one: contacts add up, and of agents, who may serve several, the most count."""
    values = [row.values for row in rows]
    waiting = [_whole(each.get("CONTACTS_IN_QUEUE")) for each in values]
    ages = [
        0.0 if age is None and count == 0 else age
        for age, count in zip([each.get("OLDEST_CONTACT_AGE") for each in values], waiting, strict=True)
    ]
    return empty._replace(
        channel=rows[0].channel.lower() or None if len(rows) == 1 else None,
        backlog=_all_of(waiting, sum),
        oldest_wait_seconds=_all_of(ages, max),
        contacts_in_progress=_all_of([_whole(each.get("SLOTS_ACTIVE")) for each in values], sum),
        agents_staffed=_all_of([_whole(each.get("AGENTS_STAFFED")) for each in values], max),
        agents_available=_all_of([_whole(each.get("AGENTS_AVAILABLE")) for each in values], max),
        agents_busy=_all_of([_whole(each.get("AGENTS_ON_CONTACT")) for each in values], max),
    )


def _nobody_home(empty: Observation) -> Observation:
    return empty._replace(
        backlog=0, oldest_wait_seconds=0.0, contacts_in_progress=0, agents_staffed=0, agents_available=0, agents_busy=0
    )


def _of_window(empty: Observation, values: Values) -> Observation:
    answered, within, level = _whole(values.get("CONTACTS_HANDLED")), _whole(values.get(WITHIN)), values.get(LEVEL)
    if answered is None or (within is not None and within > answered):
        within = None  # counted at another instant of the contacts' lives: no level can be made of these
    return empty._replace(
        offered=_whole(values.get("CONTACTS_QUEUED")),
        answered=answered,
        abandoned=_whole(values.get("CONTACTS_ABANDONED")),
        answered_within_target=within,
        speed_to_answer_seconds=values.get("AVG_QUEUE_ANSWER_TIME"),
        handle_time_seconds=values.get("AVG_HANDLE_TIME"),
        service_level_ratio=None if level is None or level > 100 else level / 100,  # noqa: PLR2004 - it is a percentage
    )


def _whole(value: float | None) -> int | None:
    return int(value) if value is not None and value == int(value) else None


def _all_of(values: Sequence[Any], combine: Any) -> Any:
    """Return the values combined, None when one of them is not known."""
    return None if any(value is None for value in values) else combine(values)


def _says_something(observation: Observation) -> bool:
    beside = {"queue", "observed_at", "source", "channel", "window_seconds"}
    return any(getattr(observation, name) is not None for name in observation._fields if name not in beside)
