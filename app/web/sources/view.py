"""The sources as their pages print them: who brings data, how fresh they are, what was refused and why. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.core.floor.contact import ContactEvent
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.observation import Observation
from app.ports.sources import CLOCK_WRONG_SECONDS, Refusal, SourceHealth
from app.web.format import NONE, duration, measure, number
from app.web.moments import Moment, clock, full

COLUMNS = (
    *("name", "kind", "state", "status", "last_observed_at", "last_success_at", "per_minute", "lag_seconds"),
    *("clock_ahead_seconds", "stale_after_seconds", "accepted", "duplicates", "rejected", "consecutive_failures"),
    *("last_error", "queues"),
)
REFUSAL_COLUMNS = ("at", "pointer", "detail", "value")
QUEUE_COLUMNS = ("queue", "channel", "last_observed_at", "stale_after_seconds", "gates")
WITHHELD = frozenset({"contact_id", "agent"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands: whose shape it wears, its word, and what that means."""

    mark: str
    word: str
    meaning: str


FRESH = Standing("send", "fresh", "Its newest data are young enough for every gate that goes by them.")
STALE = Standing("unknown", "stale", "Its newest data are older than a gate allows: what that gate says is UNKNOWN.")
REFUSED = Standing("throttle", "refused", "Everything in its last batch was refused: the rejected rows say why.")
FAILING = Standing("hold", "failing", "Nothing can be read from it, or nothing of it can be written down.")
WAITING = Standing("neutral", "waiting", "It is known and has not brought any data yet.")
STANDINGS = (FRESH, STALE, REFUSED, FAILING, WAITING)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who goes by a queue's data: the gates, and how old these may be for the strictest of them."""

    gates: tuple[str, ...]
    stale_after_seconds: float


@dataclass(frozen=True, slots=True)
class Reader:
    """What sources are read by. usual_stale_after: in seconds, of a source whose queues nobody watches."""

    watched: Mapping[str, Watch]
    titles: Mapping[str, str]
    zone: ZoneInfo
    now: datetime
    usual_stale_after: float


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source in a line. newest: the instant that it spoke of last; age: how long ago, ticking on the page."""

    name: str
    href: str
    kind: str
    standing: Standing
    newest: Moment | None
    age: str
    stale_after: str
    per_minute: str
    lag: str
    clock: str
    clock_wrong: bool
    accepted: str
    duplicates: str
    rejected: str
    queues: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue that a source feeds. gates: those that watch it."""

    queue: str
    title: str
    channel: str
    newest: Moment
    age: str
    stale_after: str
    gates: tuple[str, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class SampleField:
    """A field of the last sample: its name on the wire, what people call it, and its value."""

    name: str
    title: str
    text: str
    at: Moment | None = None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One fault of one refused item."""

    at: Moment
    pointer: str
    detail: str
    value: str


@dataclass(frozen=True, slots=True)
class SourceDetail:
    """All that a source's own page shows. worker: what a source that holdfire reads by itself says of its work."""

    row: SourceRow
    came: Moment | None
    error: str
    worker: tuple[tuple[str, str], ...]
    queues: tuple[QueueRow, ...]
    sample_kind: str
    sample: tuple[SampleField, ...]
    refusals: tuple[RefusedRow, ...]


def standing(health: SourceHealth, reader: Reader) -> Standing:
    """Return how a source stands now."""
    if health.status == "failing":
        return FAILING
    if health.consecutive_failures:
        return REFUSED
    if health.last_observed_at is None:
        return WAITING
    return _aged(health.last_observed_at, stale_after_of(health, reader), reader)


def stale_after_of(health: SourceHealth, reader: Reader) -> float:
    """Return how old a source's data may be, in seconds: what the strictest gate says that watches a queue of its."""
    limits = [reader.watched[queue].stale_after_seconds for queue in health.queues if queue in reader.watched]
    return min(limits, default=reader.usual_stale_after)


def source_row(health: SourceHealth, reader: Reader) -> SourceRow:
    """Return a source in a line."""
    pace, at = health.pace, health.last_observed_at
    lag, ahead = pace.lag_seconds, health.clock_ahead_seconds
    return SourceRow(
        name=health.name,
        href=f"/sources/{quote(health.name, safe='')}",
        kind="sends to us" if health.kind == "push" else health.kind.replace("_", " "),
        standing=standing(health, reader),
        newest=clock(at, reader.zone, reader.now) if at else None,
        age=_age(at, reader.now),
        stale_after=duration(stale_after_of(health, reader)),
        per_minute=number(pace.per_minute(reader.now)),
        lag=NONE if lag is None else "none" if lag < 0 else duration(lag),
        clock=_clock(ahead),
        clock_wrong=ahead is not None and abs(ahead) > CLOCK_WRONG_SECONDS,
        accepted=number(health.accepted),
        duplicates=number(health.duplicates),
        rejected=number(health.rejected),
        queues=len(health.queues),
    )


def source_detail(health: SourceHealth, reader: Reader) -> SourceDetail:
    """Return everything that is known of a source."""
    sample = health.sample
    return SourceDetail(
        row=source_row(health, reader),
        came=full(health.last_success_at, reader.zone),
        error=health.last_error or "",
        worker=tuple(_worker(health, reader)),
        queues=tuple(sorted(_queue_rows(health, reader), key=lambda row: row.title)),
        sample_kind="" if sample is None else "observation" if isinstance(sample, Observation) else "contact event",
        sample=() if sample is None else tuple(_sample(sample, reader)),
        refusals=tuple(_refused(each, reader) for each in reversed(health.refusals)),
    )


def cells(health: SourceHealth, reader: Reader) -> Sequence[object]:
    """Return a source for a file, in the order of COLUMNS."""
    pace = health.pace
    return (
        *(health.name, health.kind, standing(health, reader).word, health.status, health.last_observed_at),
        *(health.last_success_at, pace.per_minute(reader.now), pace.lag_seconds, health.clock_ahead_seconds),
        *(stale_after_of(health, reader), health.accepted, health.duplicates, health.rejected),
        *(health.consecutive_failures, health.last_error, sorted(health.queues)),
    )


def refusal_cells(health: SourceHealth) -> list[Sequence[object]]:
    """Return a source's rejected rows for a file, in the order of REFUSAL_COLUMNS, newest first."""
    return list(reversed(health.refusals))


def queue_cells(health: SourceHealth, reader: Reader) -> list[Sequence[object]]:
    """Return a source's queues for a file, in the order of QUEUE_COLUMNS."""
    found: list[Sequence[object]] = []
    for queue, fed in sorted(health.queues.items()):
        watch = reader.watched.get(queue)
        limit, gates = (watch.stale_after_seconds, list(watch.gates)) if watch else (None, [])
        found.append((queue, fed.channel, fed.last_at, limit, gates))
    return found


def _queue_rows(health: SourceHealth, reader: Reader) -> Iterator[QueueRow]:
    for queue, fed in health.queues.items():
        watch = reader.watched.get(queue)
        limit = watch.stale_after_seconds if watch else reader.usual_stale_after
        yield QueueRow(
            queue=queue,
            title=reader.titles.get(queue, queue),
            channel=fed.channel or NONE,
            newest=clock(fed.last_at, reader.zone, reader.now),
            age=_age(fed.last_at, reader.now),
            stale_after=duration(limit) if watch else "no gate watches it",
            gates=watch.gates if watch else (),
            standing=_aged(fed.last_at, limit, reader),
        )


def _aged(at: datetime, limit: float, reader: Reader) -> Standing:
    return STALE if (reader.now - at).total_seconds() > limit else FRESH


def _age(at: datetime | None, now: datetime) -> str:
    return NONE if at is None else duration(max(0.0, (now - at).total_seconds()))


def _clock(ahead: float | None) -> str:
    if not ahead:
        return "not known" if ahead is None else "as ours"
    return f"{duration(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"


def _worker(health: SourceHealth, reader: Reader) -> Iterator[tuple[str, str]]:
    if health.kind != "push":
        yield "Says of itself", health.status
    for name, value in health.details.items():
        moment = full(value, reader.zone) if isinstance(value, datetime) else None
        yield name.replace("_", " ").capitalize(), moment.text if moment else str(value)


def _sample(sample: Observation | ContactEvent, reader: Reader) -> Iterator[SampleField]:
    for name, value in zip(sample._fields, sample, strict=True):
        if value is None:
            continue
        title, unit = _meaning(name)
        if isinstance(value, datetime):
            yield SampleField(name, title, "", full(value, reader.zone))
        elif name in WITHHELD:
            yield SampleField(name, title, "given, and not shown here")
        elif isinstance(value, int | float):
            yield SampleField(name, title, measure(value, unit))
        else:
            yield SampleField(name, title, str(value))


def _meaning(name: str) -> tuple[str, str]:
    """Return what a field is called and its unit."""
    if name in list(Metric):
        definition = DEFINITIONS[Metric(name)]
        return definition.title, definition.unit
    unit = "seconds" if "seconds" in name else "ratio" if name.endswith("ratio") else "contacts"
    return name.replace("_at", "").replace("_seconds", "").replace("_", " ").capitalize(), unit


def _refused(each: Refusal, reader: Reader) -> RefusedRow:
    at = clock(each.at, reader.zone, reader.now)
    return RefusedRow(at, each.pointer or "the whole item", each.detail, each.value or NONE)
