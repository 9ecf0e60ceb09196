"""Queues as their settings show them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.web.format import NONE, duration, number
from app.web.moments import Moment, clock

PATH = "/settings/queues"
COLUMNS = (
    *("queue", "title", "in_use", "retired_at", "last_heard_at", "channels", "service_level_seconds"),
    *("service_level_variant", "short_abandon_seconds", "concurrency", "hours"),
)
VARIANTS = {
    ServiceLevelVariant.OFFERED: "of all offered",
    ServiceLevelVariant.ANSWERED: "of those answered",
    ServiceLevelVariant.LESS_SHORT_ABANDONS: "of those offered, short abandons left out",
    ServiceLevelVariant.LESS_ABANDONS: "of those offered, all abandons left out",
    ServiceLevelVariant.POSITIVE: "of all offered, who gave up in time counting as answered",
}
IN_USE, QUIET, RETIRED = ("send", "in use"), ("neutral", "nothing heard"), ("neutral", "retired")
HOURS = {"own": "its own", "all_queues": "those of all queues", "none": "always open"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a queue. channels: as sources name them. hours: own, all_queues or none."""

    queue: str
    own: QueueTargets | None
    is_in_use: bool
    last_heard_at: datetime | None
    channels: tuple[str, ...]
    hours: str

    @property
    def targets(self) -> QueueTargets:
        """What counts for it: its own settings, or the defaults."""
        return self.own or QueueTargets()


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue in a line. mark and word: whether it is in use."""

    queue: str
    title: str
    links: Mapping[str, str]
    mark: str
    word: str
    heard: Moment | None
    channels: str
    target: str
    concurrency: str
    hours: str


def queue_row(known: Known, zone: ZoneInfo, now: datetime) -> QueueRow:
    """Return a queue as it is listed."""
    targets, heard = known.targets, known.last_heard_at
    mark, word = state_of(known)
    return QueueRow(
        queue=known.queue,
        title=targets.title or known.queue,
        links=links_of(known.queue),
        mark=mark,
        word=word,
        heard=clock(heard, zone, now) if heard else None,
        channels=", ".join(known.channels) or NONE,
        target=f"answered in {duration(targets.service_level_seconds)}",
        concurrency=number(targets.concurrency),
        hours=HOURS[known.hours],
    )


def state_of(known: Known) -> tuple[str, str]:
    """Return the mark and the word for whether a queue is in use; data newer than its retirement bring it back."""
    if known.is_in_use:
        return IN_USE
    return RETIRED if known.targets.retired_at else QUIET


def links_of(queue: str) -> Mapping[str, str]:
    """Return where a queue's pages are: its settings, its hours, its staffing, its history."""
    query = urlencode({"queue": queue})
    return {
        "settings": f"{PATH}/one?{query}",
        "hours": f"{PATH}/hours?{query}",
        "staffing": f"/queues/{urlencode({'': queue})[1:].replace('+', '%20')}/staffing",
        "history": f"/?{query}",
    }


def cells(known: Known) -> Sequence[object]:
    """Return a queue for a file, in the order of COLUMNS."""
    targets = known.targets
    return (
        *(known.queue, targets.title, known.is_in_use, targets.retired_at, known.last_heard_at, list(known.channels)),
        *(targets.service_level_seconds, targets.service_level_variant.value, targets.short_abandon_seconds),
        *(targets.concurrency, known.hours),
    )
