"""What a campaign teaches: the contacts it brought and when they came, for the forecast of the next one of its kind."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.core.debrief.debrief import Estimate, Method
from app.core.debrief.lifts import Lifts, Z, expected_at_one
from app.core.debrief.question import STEP_MINUTES, Question, QueueFacts
from app.core.debrief.window import STEP, Look, floored, response_of, sent_in, tallied
from app.core.forecast.kernel import BINS
from app.core.forecast.kernel_learning import bin_curves
from app.core.forecast.series import FloatArray
from app.core.staffing.hours import OpeningHours, open_minutes

LAG_STEPS = 72 * 12
PER_LAG = 3  # steps in one interval of the lags: 15 minutes
FEWEST_FOR_LAGS = 20
_LEAST_SD = 0.01


@dataclass(frozen=True, slots=True)
class QueueContacts:
    """The contacts that the campaign brought to a queue per five minutes, to be left out of its history."""

    queue: str
    start: datetime
    contacts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Lags:
    """When its contacts came, per 15 minutes from `start` on: as app.core.forecast.kernel_learning.WatchedLags.

    counts: of contacts that named it. per_bin: 12 rows, the contacts to expect at 1 per 1,000 with a lag in that bin.
    """

    counts: tuple[float, ...]
    per_bin: tuple[tuple[float, ...], ...]
    thousands: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one campaign teaches. per_1000 and sd: its contact rate; None where it cannot be told.

    mix: contacts by queue that named it. lags: None with fewer than 20 such contacts.
    """

    campaign: str
    kind: str
    ended_at: datetime
    per_1000: float | None
    sd: float | None
    mix: tuple[tuple[str, int], ...]
    lags: Lags | None
    lifts: tuple[QueueContacts, ...]


def lesson(question: Question, look: Look, found: Lifts) -> Lesson:
    """Return what a campaign teaches, from the estimate that its debrief goes by."""
    best = found.contacts.headline
    return Lesson(
        campaign=question.subject.id,
        kind=question.subject.kind,
        ended_at=question.sends[-1].at,
        per_1000=None if best is None else best.per_1000,
        sd=None if best is None else _sd(best),
        mix=_mix(question),
        lags=_lags(question, look),
        lifts=tuple(_lift(question, facts, look, found) for facts in question.queues),
    )


def _sd(best: Estimate) -> float:
    """Return the standard deviation that an interval of 90 % stands for."""
    return max((best.per_1000_high - best.per_1000_low) / (2 * Z), _LEAST_SD)


def _mix(question: Question) -> tuple[tuple[str, int], ...]:
    sums: Counter[str] = Counter()
    for tally in question.tallies:
        sums[tally.queue] += tally.contacts
    return tuple(sorted(sums.items()))


def _lags(question: Question, look: Look) -> Lags | None:
    if not question.is_final:
        return None
    steps = min((floored(question.at) - look.start) // STEP, LAG_STEPS) // PER_LAG * PER_LAG
    counts = tallied(question.tallies, look.start, steps)
    if counts.sum() < FEWEST_FOR_LAGS:
        return None
    per_bin = _per_bin(question, look, steps)
    thousands = sum(send.messages for send in question.sends) / 1000
    return Lags(_rounded(_by_lag(counts)), tuple(_rounded(_by_lag(row)) for row in per_bin), thousands)


def _per_bin(question: Question, look: Look, steps: int) -> FloatArray:
    """Return the contacts to expect per bin and step, over queues; those with the same hours are one."""
    minutes = steps * STEP_MINUTES
    shares: defaultdict[OpeningHours | None, float] = defaultdict(float)
    for facts in question.queues:
        shares[facts.calendar.hours] += facts.share
    sends, response = sent_in(question.sends, look.start, minutes), response_of(question)
    whole = np.zeros((BINS, minutes))
    for hours, share in shares.items():
        whole += share * bin_curves(response, open_minutes(hours, look.start, minutes), sends)
    per_step: FloatArray = whole.reshape(BINS, steps, STEP_MINUTES).sum(axis=2)
    return per_step


def _by_lag(values: FloatArray) -> FloatArray:
    sums: FloatArray = values.reshape(-1, PER_LAG).sum(axis=1)
    return sums


def _rounded(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in values)


def _lift(question: Question, facts: QueueFacts, look: Look, found: Lifts) -> QueueContacts:
    """Return what the campaign brought to a queue: contacts that named it where those are all, else the estimate."""
    steps = (floored(question.sends[-1].at) - look.start) // STEP + LAG_STEPS
    best = found.contacts.headline
    if best is not None and best.method is Method.TAGGED:
        own = tuple(tally for tally in question.tallies if tally.queue == facts.queue)
        contacts = tallied(own, look.start, steps)
    else:
        contacts = (found.rate or 0.0) * expected_at_one(question, facts, look, steps)
    return QueueContacts(facts.queue, look.start, _rounded(contacts))
