"""What is believed of a campaign's contacts: before it, by what was found, and of the next of its kind. Pure."""

from dataclasses import dataclass

from app.core.debrief.debrief import Debrief, State
from app.core.forecast.learn import GammaRate
from app.web.format import NO_BREAK, NONE

_LOW, _HIGH = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Belief:
    """A step of what was learned: when, contacts per 1,000, between what, and what that rests on."""

    when: str
    per_1000: str
    between: str
    rests_on: str


def learned(found: Debrief, now: GammaRate, rests_on: str) -> tuple[Belief, ...]:
    """Return what was believed before, what was found, and what is believed now.

    now: while its contacts come, of the campaign itself; after that of the next one of its kind.
    """
    subject, best, made = found.campaign, found.contacts.headline, found.predicted
    believed = made.per_1000 if made else subject.expected_per_1000
    edges = _between(made.per_1000_low, made.per_1000_high) if made else ""
    before = Belief("Before", _rate(believed), edges, subject.expected_from)
    if best is None:
        measured = Belief("Found", "not known", "", found.contacts.said)
    else:
        shown = _rate(best.per_1000) if best.is_distinguishable else "not distinguishable from zero"
        measured = Belief("Found", shown, _between(max(0.0, best.per_1000_low), best.per_1000_high), best.said)
    of = f"the next of kind {subject.kind!r}" if subject.kind else "the next one without a kind"
    when = f"Now, of {of}" if found.state is State.FINAL else "Now, of the rest of it"
    after = Belief(when, _rate(now.mean), _between(now.quantile(_LOW), now.quantile(_HIGH)), rests_on)
    return before, measured, after


def _rate(value: float) -> str:
    return f"{max(0.0, value):.3g}"


def _between(low: float, high: float) -> str:
    return f"{low:.3g} {NONE} {high:.3g}".replace(" ", NO_BREAK)
