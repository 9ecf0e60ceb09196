"""What a debrief says in sentences."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from app.core.debrief.debrief import Count, Estimate, Figures, Floor, Method, Sent, Tagged, Telling
from app.core.debrief.lifts import Lifts
from app.core.debrief.question import Question
from app.core.gate.fields import listed

_LONG = timedelta(hours=20)
_RESTS = {
    Method.HOLD_OUT: "compared with those who were held out",
    Method.TAGGED: "by the contacts that named it",
    Method.JOINT: "estimated from when its contacts should have come",
    Method.FROZEN: "beyond what was forecast before the first message",
}


def summary(question: Question, sent: Sent, found: Lifts, tagged: Tagged, floor: Floor) -> Iterator[str]:
    """Yield what matters most, a sentence each: what went, what it brought, what the waves, or the gate, kept."""
    yield _went(question, sent)
    yield _brought(question, found.contacts.headline)
    yield tagged.said
    if floor.at_once and floor.nothing:
        yield from kept(floor.measured, floor.at_once, floor.nothing)


def _went(question: Question, sent: Sent) -> str:
    waves = len(question.release.waves)
    how = f" in {waves} waves" if waves > 1 else ""
    going = f", and {sent.outstanding:,} may still go" if sent.outstanding else ""
    held = f"; {question.subject.held_out:,} were held out" if question.subject.held_out else ""
    return f"{sent.messages:,} messages of {question.subject.recipients:,} went out{how}{going}{held}."


def _brought(question: Question, best: Estimate | None) -> str:
    expected = f"{question.subject.expected_per_1000:g} per 1,000 were expected ({question.subject.expected_from})"
    if best is None:
        return f"How many contacts that brought is not known; {expected}."
    if not best.is_distinguishable:
        return f"{best.said} {_first_upper(expected)}."
    per_1000 = f"{best.per_1000:.3g} per 1,000 ({max(0.0, best.per_1000_low):.3g} to {best.per_1000_high:.3g})"
    return f"It brought {best.contacts:,.0f} contacts, {_RESTS[best.method]}: {per_1000}; {expected}."


def tagged_said(contacts: int, reasons: Sequence[Count], complaint_reasons: Collection[str]) -> str:
    """Return how many contacts named the campaign and how many of them complained, or that nobody said."""
    if not contacts:
        return "No contact named the campaign: not tagged, so reasons and complaints are not known."
    named = [reason for reason in reasons if reason.name]
    if not named:
        return f"{contacts:,} contacts named the campaign, none of them a reason: complaints are not tagged."
    complaints = sum(reason.contacts for reason in named if reason.name.lower() in complaint_reasons)
    top = listed([f"{reason.name} ({reason.contacts:,})" for reason in named[:3]]).replace(" or ", " and ")
    return f"{contacts:,} contacts named the campaign, {complaints:,} of them as a complaint; mostly about {top}."


def kept(measured: Telling, at_once: Telling, nothing: Telling) -> Iterator[str]:
    """Yield what sending in this way kept of service level and speed to answer, and what the campaign cost."""
    was, once, without = measured.figures, at_once.figures, nothing.figures
    yield _difference("All at once", once, was)
    yield _difference("Without the campaign", without, was)


def _difference(way: str, other: Figures, was: Figures) -> str:
    level, answer = (
        (other.service_level_ratio, was.service_level_ratio),
        (other.speed_to_answer_seconds, was.speed_to_answer_seconds),
    )
    said = []
    if level[0] is not None:
        beside = "" if level[1] is None else f" ({level[1] * 100:.1f} % were measured)"
        said.append(f"{level[0] * 100:.1f} % would have been answered in time{beside}")
    if answer[0] is not None:
        beside = "" if answer[1] is None else f" ({answer[1]:,.0f} s were measured)"
        said.append(f"the speed to answer would have been {answer[0]:,.0f} s{beside}")
    if not said:
        return f"{way}, what the floor would have been is not known."
    return f"{way}, {' and '.join(said)}."


def doubts(question: Question, found: Lifts, floor: Floor) -> Iterator[str]:
    """Yield what cannot be said, or only with care, and why."""
    yield from found.unknown
    yield from floor.said
    if question.predicted is None:
        yield "What was predicted is not known: no outlook of its gate is kept from before its first message."
    if question.unaccounted:
        counted = "are counted as sent" if question.is_assumed_sent else "are counted as not sent"
        yield f"Of {question.unaccounted:,} permitted messages nobody reported what became of them; they {counted}."
    if question.others:
        names = listed(question.others).replace(" or ", " and ")
        yield f"Also sent at that time: {names}. What each of them brought cannot be told apart well."
    best = found.contacts.headline
    if best is not None and not best.is_distinguishable and floor.at_once is not None:
        yield f"The floor was calculated with {max(0.0, best.per_1000):.3g} contacts per 1,000, which may as well be 0."
    if question.sends[-1].at - question.sends[0].at > _LONG:
        yield "It was sent for more than 20 hours; contacts after the first 24 hours are not in the estimates."


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
