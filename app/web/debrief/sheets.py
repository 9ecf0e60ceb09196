"""The tables of a debrief as files, and the whole of it as JSON."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from app.core.debrief.debrief import Count, Debrief
from app.web.exports import Row, Sheet

Rows = Callable[[Debrief], Iterator[Row]]
_WAYS = ("measured", "as_sent", "at_once", "nothing")
_METRICS = ("offered", "service_level_ratio", "speed_to_answer_seconds", "backlog")


def _estimates(found: Debrief) -> Iterator[Row]:
    contacts = found.contacts
    best = contacts.headline.method if contacts.headline else None
    for each in (contacts.hold_out, contacts.tagged, contacts.joint, contacts.frozen):
        if each is not None:
            yield (
                *(each.method.value, each.method is best, each.contacts, each.low, each.high),
                *(each.per_1000, each.per_1000_low, each.per_1000_high, each.is_distinguishable, each.detection_limit),
            )


def _queues(found: Debrief) -> Iterator[Row]:
    for each in found.queues:
        own = each.estimate
        interval = (own.contacts, own.low, own.high) if own else (None, None, None)
        yield each.queue, each.offered, each.forecast, *interval, each.tagged, each.basis


def _counts(counts: tuple[Count, ...]) -> Iterator[Row]:
    for each in counts:
        yield each.name or None, each.contacts


def _floor(found: Debrief) -> Iterator[Row]:
    window = found.window
    tellings = [getattr(found.floor, way) for way in _WAYS]
    courses = [getattr(each.course, name) if each else () for each in tellings for name in _METRICS]
    for place in range(max(map(len, courses), default=0)):
        at = window.start + place * timedelta(seconds=window.step_seconds)
        yield at, *(values[place] if place < len(values) else None for values in courses)


def _prediction(found: Debrief) -> Iterator[Row]:
    made = found.predicted
    if made is None:
        return
    for each in made.queues:
        spreads = (each.service_level_ratio, each.speed_to_answer_seconds, each.backlog)
        for place, offered in enumerate(each.offered):
            at = made.made_at + place * timedelta(seconds=made.step_seconds)
            values = (values[place] for spread in spreads for values in (spread.mean, spread.low, spread.high))
            yield each.queue, at, offered, *values


def _waves(found: Debrief) -> Iterator[Row]:
    for each in found.release.waves:
        yield each.number, each.opened_at, each.ended_at, each.allowed, each.sent, each.is_probe, each.ending


def _overrides(found: Debrief) -> Iterator[Row]:
    for each in found.release.overrides:
        yield each.id, each.effect, each.starts_at, each.ends_at, each.by, each.comment, each.used


_ESTIMATE = ("contacts", "low", "high")
_RATE = ("per_1000", "per_1000_low", "per_1000_high")
_SPREADS = tuple(f"{name}{edge}" for name in _METRICS[1:] for edge in ("", "_low", "_high"))
TABLES: Mapping[str, tuple[tuple[str, ...], Rows]] = {
    "estimates": (
        ("method", "is_headline", *_ESTIMATE, *_RATE, "is_distinguishable", "detection_limit"),
        _estimates,
    ),
    "queues": (("queue", "offered", "forecast", *_ESTIMATE, "tagged", "basis"), _queues),
    "reasons": (("reason", "contacts"), lambda found: _counts(found.tagged.reasons)),
    "channels": (("channel", "contacts"), lambda found: _counts(found.tagged.channels)),
    "floor": (("at", *(f"{way}_{name}" for way in _WAYS for name in _METRICS)), _floor),
    "prediction": (("queue", "at", "offered", *_SPREADS), _prediction),
    "waves": (("number", "opened_at", "ended_at", "allowed", "sent", "is_probe", "ending"), _waves),
    "overrides": (("id", "effect", "starts_at", "ends_at", "by", "comment", "used"), _overrides),
}


def sheet(found: Debrief, table: str) -> tuple[Sheet, Iterator[Row]]:
    """Return one of TABLES as a file, and its rows."""
    columns, rows = TABLES[table]
    return Sheet(f"debrief of {found.campaign.id} {table}", columns), rows(found)
