"""A debrief as its page shows it: every value as text, in the zone of the gate's policy. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.debrief.debrief import Count, Debrief, Estimate, Method, QueueLift, State
from app.core.debrief.question import COMPLAINTS, OverrideFact, WaveFact
from app.web.briefing.view import Instant
from app.web.debrief.chart import Chart, Span, chart
from app.web.format import NO_BREAK, NONE, count, duration, iso, number, percent

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
    """One way it went, or would have gone."""

    way: str
    kind: str
    service_level: str
    speed_to_answer: str
    peak_backlog: str
    offered: str


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
    span: str
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class DebriefPage:
    """The whole page."""

    campaign: str
    title: str
    kicker: str
    summary: tuple[str, ...]
    facts: tuple[tuple[str, str, str], ...]
    ways: tuple[WayRow, ...]
    charts: tuple[Chart, ...]
    estimates: tuple[EstimateRow, ...]
    said: str
    queues: tuple[QueueRow, ...]
    channels: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    tagged_said: str
    released: str
    waves: tuple[WaveRow, ...]
    overrides: tuple[OverrideRow, ...]
    unknown: tuple[str, ...]
    zone: str
    shown_at: Instant
    window: str


def debrief_page(found: Debrief, zone: ZoneInfo) -> DebriefPage:
    """Return the page of a debrief."""
    tagged = found.tagged
    return DebriefPage(
        campaign=found.campaign.id,
        title=found.campaign.title,
        kicker="Debrief" if found.state is State.FINAL else "Debrief, so far",
        summary=found.summary,
        facts=tuple(_facts(found)),
        ways=tuple(_ways(found)),
        charts=tuple(_charts(found, zone)),
        estimates=tuple(_estimates(found)),
        said=found.contacts.said,
        queues=tuple(_queue(queue) for queue in found.queues),
        channels=tuple((each.name or "not said", number(each.contacts)) for each in tagged.channels),
        reasons=tuple((each.name or "no reason given", number(each.contacts)) for each in tagged.reasons),
        tagged_said=tagged.said,
        released=_released(found),
        waves=tuple(_wave(wave, zone) for wave in found.release.waves),
        overrides=tuple(_override(each, zone) for each in found.release.overrides),
        unknown=found.unknown,
        zone=zone.key,
        shown_at=_instant(found.at, zone),
        window=f"{_text(found.window.start, zone)} to {_text(found.window.until, zone)}",
    )


def _facts(found: Debrief) -> Iterable[tuple[str, str, str]]:
    """Yield what it is called, what it is, and what belongs to it."""
    sent, subject, best = found.sent, found.campaign, found.contacts.headline
    held = f"{subject.held_out:,} held out" if subject.held_out else ""
    yield "Messages sent", number(sent.messages), held or f"of {subject.recipients:,}"
    if best is None:
        yield "Contacts it brought", "not known", ""
        yield "Contacts per 1,000", "not known", f"{subject.expected_per_1000:g} were expected"
    else:
        shown = number(round(best.contacts)) if best.is_distinguishable else "not distinguishable from zero"
        yield "Contacts it brought", shown, _interval(best.low, best.high)
        yield "Contacts per 1,000", number(max(0.0, best.per_1000)), _rates(best)
        yield "Expected before", f"{subject.expected_per_1000:g} per 1,000", subject.expected_from
    if found.contacts.in_all is not None and best is not None and best.is_distinguishable:
        yield "In all, by the end", f"about {found.contacts.in_all:,.0f}", "72 hours after the last message"
    yield "Complaints", *_complaints(found.tagged.reasons)


def _complaints(reasons: tuple[Count, ...]) -> tuple[str, str]:
    if not any(reason.name for reason in reasons):
        return "not tagged", "no contact named the campaign and a reason"
    complaints = sum(reason.contacts for reason in reasons if reason.name.lower() in COMPLAINTS)
    return number(complaints), "contacts tagged so"


def _ways(found: Debrief) -> Iterable[WayRow]:
    floor = found.floor
    for way, kind, telling in (
        ("Measured", "measured", floor.measured),
        ("Calculated, as it was sent", "as-sent", floor.as_sent),
        ("All at once", "at-once", floor.at_once),
        ("Nothing sent", "unsent", floor.nothing),
    ):
        if telling is not None:
            own = telling.figures
            backlog = NONE if own.peak_backlog is None else number(round(own.peak_backlog))
            offered = NONE if own.offered is None else number(round(own.offered))
            yield WayRow(
                way, kind, percent(own.service_level_ratio), duration(own.speed_to_answer_seconds), backlog, offered
            )


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
                _interval(each.low, each.high),
                number(each.per_1000),
                _rates(each),
                is_best=each.method is best,
            )


def _queue(queue: QueueLift) -> QueueRow:
    own = queue.estimate
    return QueueRow(
        queue.queue,
        NONE if queue.offered is None else number(queue.offered),
        NONE if queue.forecast is None else number(round(queue.forecast)),
        NONE if own is None else number(round(own.contacts)),
        "" if own is None else _interval(own.low, own.high),
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
    return OverrideRow(what, f"{_text(each.starts_at, zone)} to {_text(each.ends_at, zone)}", each.by, each.comment)


def _interval(low: float, high: float) -> str:
    if low == high:
        return "counted"
    return f"{number(round(low))} {NONE} {number(round(high))}".replace(" ", NO_BREAK)


def _rates(estimate: Estimate) -> str:
    return f"{max(0.0, estimate.per_1000_low):.1f} {NONE} {estimate.per_1000_high:.1f}".replace(" ", NO_BREAK)


def _instant(at: datetime, zone: ZoneInfo) -> Instant:
    return Instant(iso(at), _text(at, zone))


def _text(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}, {local:%H:%M}{NO_BREAK}{local.tzname()}"
