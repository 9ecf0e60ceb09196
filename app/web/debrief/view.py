"""A debrief as its page shows it: every value as text, in the zone of the gate's policy. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.debrief.debrief import Debrief, Method, QueueLift, State
from app.core.debrief.question import OverrideFact, WaveFact
from app.web.briefing.view import Instant
from app.web.debrief.chart import Chart, Span, chart
from app.web.debrief.facts import ZERO, Fact, before, facts, interval, rates, slam_said
from app.web.format import NONE, count, duration, iso, number, percent
from app.web.instants import moment

METHODS = {
    Method.HOLD_OUT: "compared with those held out",
    Method.TAGGED: "contacts that named it",
    Method.JOINT: "by when its contacts should have come",
    Method.FROZEN: "beyond the forecast",
}
EFFECTS = {"allow": "allowed sends", "hold": "held sends"}


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """One estimate. is_best: the one that the debrief goes by."""

    method: str
    contacts: str
    interval: str
    per_1000: str
    per_1000_interval: str
    is_best: bool


@dataclass(frozen=True, slots=True)
class WayRow:
    """One way it went, or would have gone. slam: minutes past a limit."""

    way: str
    kind: str
    service_level: str
    speed_to_answer: str
    peak_backlog: str
    offered: str
    slam: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue."""

    queue: str
    offered: str
    forecast: str
    contacts: str
    interval: str
    tagged: str
    basis: str


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One wave."""

    number: str
    opened_at: Instant
    allowed: str
    sent: str
    ending: str


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """One override."""

    what: str
    start: Instant
    until: Instant
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class DebriefPage:
    """The whole page. is_final: nothing of it changes any more. before: how it came to go, in sentences."""

    campaign: str
    title: str
    gate: str
    is_final: bool
    kicker: str
    summary: tuple[str, ...]
    facts: tuple[Fact, ...]
    slam_said: str
    ways: tuple[WayRow, ...]
    charts: tuple[Chart, ...]
    estimates: tuple[EstimateRow, ...]
    said: str
    queues: tuple[QueueRow, ...]
    channels: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    tagged_said: str
    before: tuple[str, ...]
    released: str
    waves: tuple[WaveRow, ...]
    overrides: tuple[OverrideRow, ...]
    unknown: tuple[str, ...]
    zone: str
    shown_at: Instant
    window: tuple[Instant, Instant]


def debrief_page(
    found: Debrief, zone: ZoneInfo, titles: Mapping[str, str], complaint_reasons: Collection[str]
) -> DebriefPage:
    """Return the page of a debrief. titles: what queues are called."""
    tagged = found.tagged
    return DebriefPage(
        campaign=found.campaign.id,
        title=found.campaign.title,
        gate=found.campaign.gate,
        is_final=found.state is State.FINAL,
        kicker="Debrief" if found.state is State.FINAL else "Debrief, so far",
        summary=found.summary,
        facts=tuple(facts(found, complaint_reasons)),
        slam_said=slam_said(found),
        ways=tuple(_ways(found)),
        charts=tuple(_charts(found, zone)),
        estimates=tuple(_estimates(found)),
        said=found.contacts.said,
        queues=tuple(_queue(queue, titles) for queue in found.queues),
        channels=tuple((each.name or "not said", number(each.contacts)) for each in tagged.channels),
        reasons=tuple((each.name or "no reason given", number(each.contacts)) for each in tagged.reasons),
        tagged_said=tagged.said,
        before=tuple(before(found, zone)),
        released=_released(found),
        waves=tuple(_wave(wave, zone) for wave in found.release.waves),
        overrides=tuple(_override(each, zone) for each in found.release.overrides),
        unknown=found.unknown,
        zone=zone.key,
        shown_at=_instant(found.at, zone),
        window=(_instant(found.window.start, zone), _instant(found.window.until, zone)),
    )


def _ways(found: Debrief) -> Iterable[WayRow]:
    floor, slam = found.floor, found.slam
    for way, kind, telling, minutes in (
        ("Measured", "measured", floor.measured, slam.measured_minutes if slam else None),
        ("Calculated, as it was sent", "as-sent", floor.as_sent, None),
        ("All at once", "at-once", floor.at_once, slam.at_once_minutes if slam else None),
        ("Nothing sent", "unsent", floor.nothing, slam.nothing_minutes if slam else None),
    ):
        if telling is not None:
            own = telling.figures
            backlog = NONE if own.peak_backlog is None else number(round(own.peak_backlog))
            offered = NONE if own.offered is None else number(round(own.offered))
            level, answer = percent(own.service_level_ratio), duration(own.speed_to_answer_seconds)
            yield WayRow(way, kind, level, answer, backlog, offered, number(minutes))


def _charts(found: Debrief, zone: ZoneInfo) -> Iterable[Chart]:
    floor, window = found.floor, found.window
    if floor.at_once is None or floor.nothing is None:
        return
    measured = floor.measured if any(value is not None for value in floor.measured.course.backlog) else floor.as_sent
    if measured is None:
        return
    span = Span(window.start, window.step_seconds, len(floor.at_once.course.backlog), zone)
    told = "measured" if measured is floor.measured else "calculated, as it was sent"
    for title, unit, member in (
        ("Speed to answer", "seconds", "speed_to_answer_seconds"),
        ("Waiting at once", "contacts", "backlog"),
    ):
        lines = [
            ("at-once", "all at once", getattr(floor.at_once.course, member)),
            ("unsent", "nothing sent", getattr(floor.nothing.course, member)),
            ("measured", told, getattr(measured.course, member)),
        ]
        yield chart(title, unit, lines, span, _described(title, unit, lines))


def _described(title: str, unit: str, lines: list[tuple[str, str, tuple[float | None, ...]]]) -> str:
    peaks = (
        f"{label} up to {max((value for value in values if value is not None), default=0.0):,.0f}"
        for _, label, values in lines
    )
    return f"{title}, in {unit}, per five minutes: {', '.join(peaks)}."


def _estimates(found: Debrief) -> Iterable[EstimateRow]:
    contacts = found.contacts
    best = None if contacts.headline is None else contacts.headline.method
    for each in (contacts.hold_out, contacts.tagged, contacts.joint, contacts.frozen):
        if each is not None:
            yield EstimateRow(
                METHODS[each.method],
                number(round(each.contacts)),
                interval(each.low, each.high),
                number(each.per_1000),
                rates(each),
                is_best=each.method is best,
            )


def _queue(queue: QueueLift, titles: Mapping[str, str]) -> QueueRow:
    own = queue.estimate
    brought = NONE if own is None else number(round(own.contacts)) if own.is_distinguishable else ZERO
    return QueueRow(
        titles.get(queue.queue) or queue.queue,
        NONE if queue.offered is None else number(queue.offered),
        NONE if queue.forecast is None else number(round(queue.forecast)),
        brought,
        "" if own is None else interval(own.low, own.high),
        number(queue.tagged),
        queue.basis,
    )


def _released(found: Debrief) -> str:
    release = found.release
    said = f"{count(release.permits, 'permit')} for {release.permitted:,} messages"
    paused = f"{count(release.pauses, 'pause')} by its gate or a person" if release.pauses else "never paused"
    refused = f"{count(release.refusals, 'ask')} held or cut" if release.refusals else "no ask held"
    return f"{said}; {paused}; {refused}."


def _wave(wave: WaveFact, zone: ZoneInfo) -> WaveRow:
    probe = ", the probe" if wave.is_probe else ""
    return WaveRow(
        f"{wave.number}{probe}",
        _instant(wave.opened_at, zone),
        number(wave.allowed),
        number(wave.sent),
        wave.ending or "open",
    )


def _override(each: OverrideFact, zone: ZoneInfo) -> OverrideRow:
    what = f"{EFFECTS.get(each.effect, each.effect)}, took part in {count(each.used, 'answer')}"
    return OverrideRow(what, _instant(each.starts_at, zone), _instant(each.ends_at, zone), each.by, each.comment)


def _instant(at: datetime, zone: ZoneInfo) -> Instant:
    return Instant(iso(at), moment(at, zone))
