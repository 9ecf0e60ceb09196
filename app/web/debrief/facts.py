"""What a debrief says first: its figures, and how the campaign came to go. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.core.debrief.debrief import Count, Debrief, Estimate
from app.core.debrief.question import Before, Limit
from app.core.debrief.scoreboard import DELAYED_SECONDS
from app.core.floor.metric import DEFINITIONS
from app.core.gate.fields import listed
from app.web.format import NO_BREAK, NONE, duration, measure, number
from app.web.instants import moment

ZERO = "not distinguishable from zero"


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure: what it is called, what it is, and what belongs to it. is_words: it is no number, and longer."""

    term: str
    value: str
    beside: str = ""

    @property
    def is_words(self) -> bool:
        """Whether it is said in words."""
        return not any(letter.isdigit() for letter in self.value)


def facts(found: Debrief, complaint_reasons: Collection[str]) -> Iterator[Fact]:
    """Yield the figures at the top of the page."""
    sent, subject, best = found.sent, found.campaign, found.contacts.headline
    held = f"{subject.held_out:,} held out" if subject.held_out else ""
    yield Fact("Messages sent", number(sent.messages), held or f"of {subject.recipients:,}")
    if best is None:
        yield Fact("Contacts it brought", "not known")
        yield Fact("Contacts per 1,000", "not known", f"{subject.expected_per_1000:g} were expected")
    else:
        shown = number(round(best.contacts)) if best.is_distinguishable else ZERO
        yield Fact("Contacts it brought", shown, interval(best.low, best.high))
        yield Fact("Contacts per 1,000", number(max(0.0, best.per_1000)), rates(best))
    if found.contacts.in_all is not None and best is not None and best.is_distinguishable:
        yield Fact("In all, by the end", f"about {found.contacts.in_all:,.0f}", "72 hours after the last message")
    yield _complaints(found.tagged.reasons, complaint_reasons)
    yield _avoided(found)
    yield _delay(found)


def _complaints(reasons: tuple[Count, ...], complaint_reasons: Collection[str]) -> Fact:
    if not any(reason.name for reason in reasons):
        return Fact("Complaints", "not tagged", "no contact named the campaign and a reason")
    complaints = sum(reason.contacts for reason in reasons if reason.name.lower() in complaint_reasons)
    return Fact("Complaints", number(complaints), "contacts tagged so")


def _avoided(found: Debrief) -> Fact:
    term, slam, best = "Minutes of slam avoided", found.slam, found.contacts.headline
    if slam is None or slam.measured_minutes is None:
        return Fact(term, "not known")
    beside = f"{slam.measured_minutes:g} past a limit"
    if slam.avoided_minutes is None:
        is_zero = best is not None and not best.is_distinguishable
        return Fact(term, ZERO if is_zero else "not known", beside)
    return Fact(term, number(slam.avoided_minutes), f"{beside}, {slam.at_once_minutes:g} all at once")


def _delay(found: Debrief) -> Fact:
    before = found.before
    if before is None or before.wanted_at is None or before.granted_at is None:
        return Fact("Delayed by its gate", "not known")
    seconds = (before.granted_at - before.wanted_at).total_seconds()
    return Fact("Delayed by its gate", duration(seconds) if seconds > DELAYED_SECONDS else "not delayed")


def slam_said(found: Debrief) -> str:
    """Return the minutes past a limit in a sentence, with the limits; "" in debriefs that do not tell."""
    slam = found.slam
    if slam is None:
        return ""
    limits = listed([_limit(limit) for limit in slam.limits]) if slam.limits else ""
    return f"{slam.said} A queue counts as slammed with {limits}." if limits else slam.said


def _limit(limit: Limit) -> str:
    definition = DEFINITIONS[limit.metric]
    word = "below" if limit.is_least else "above"
    return f"{definition.title.lower()} {word} {measure(limit.value, definition.unit)}"


def before(found: Debrief, zone: ZoneInfo) -> Iterator[str]:
    """Yield what went before its first message, a sentence each."""
    known = found.before
    if known is None:
        return
    if known.announced_at is not None:
        yield f"Announced {moment(known.announced_at, zone)}{_notice(known)}."
    if known.wanted_at is not None and known.granted_at is not None:
        late = (known.granted_at - known.wanted_at).total_seconds()
        waited = f", {duration(late)} later" if late > DELAYED_SECONDS else ", at once"
        given = moment(known.granted_at, zone)
        yield f"It was to go {moment(known.wanted_at, zone)}; its gate gave the first permit {given}{waited}."
    if known.is_briefed is not None:
        done = "had" if known.is_briefed else "had not"
        yield f"The contact center {done} acknowledged its briefing by then."


def _notice(known: Before) -> str:
    if known.wanted_at is None or known.announced_at is None:
        return ""
    seconds = (known.wanted_at - known.announced_at).total_seconds()
    given = f", {duration(max(0.0, seconds))} before it was to go"
    if not known.notice_minutes:
        return f"{given}; its gate asks for no notice"
    kept = "kept" if seconds >= known.notice_minutes * 60 else "not kept"
    return f"{given}: the {duration(known.notice_minutes * 60)} of notice that its gate asks for were {kept}"


def interval(low: float, high: float) -> str:
    """Return a 90 % interval of contacts."""
    if low == high:
        return "counted"
    return f"{number(round(low))} {NONE} {number(round(high))}".replace(" ", NO_BREAK)


def rates(estimate: Estimate) -> str:
    """Return a 90 % interval of contacts per 1,000."""
    return f"{max(0.0, estimate.per_1000_low):.1f} {NONE} {estimate.per_1000_high:.1f}".replace(" ", NO_BREAK)
