"""The time in which a campaign's lift is looked for, and everything laid out in its steps."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from app.core.debrief.question import STEP_MINUTES, STEP_SECONDS, Question, Send, Timeline, Values
from app.core.debrief.tagging import Tally
from app.core.forecast.kernel import Kernel, binned_kernel, log_logistic_kernel
from app.core.forecast.response import Response, Sent
from app.core.forecast.series import FloatArray

STEP = timedelta(seconds=STEP_SECONDS)
AFTER_LAST_SEND = timedelta(hours=4)
LONGEST = timedelta(hours=24)
RESPONSE = timedelta(hours=72)
LEAD = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """From the step of the first message to four hours after the last one, at most 24 hours in all and not beyond now.

    In four hours more than half of the contacts come; later ones drown in the forecast's own errors. Never empty.
    """

    start: datetime
    until: datetime

    @property
    def steps(self) -> int:
        """How many steps of five minutes it has."""
        return (self.until - self.start) // STEP

    @property
    def minutes(self) -> int:
        """How many minutes it has."""
        return self.steps * STEP_MINUTES


def look_of(sends: tuple[Send, ...], at: datetime) -> Look | None:
    """Return the window of these sends as of `at`; None while not even its first step is over."""
    start, until = floored(sends[0].at), min(floored(sends[-1].at) + AFTER_LAST_SEND, floored(at))
    until = min(until, start + LONGEST)
    return Look(start, until) if until > start else None


def floored(at: datetime) -> datetime:
    """Return the beginning of the step that an instant is in."""
    return at - (at - _EPOCH) % STEP


def sent_in(sends: tuple[Send, ...], start: datetime, minutes: int) -> list[Sent]:
    """Return the sends as minutes from `start` on, those outside of [0, minutes) left out."""
    placed = (Sent((send.at - start).total_seconds() // 60, send.messages) for send in sends)
    return [sent for sent in placed if 0 <= sent.minute < minutes]


def response_of(question: Question) -> Response:
    """Return how people answer a message: by the learned lag where there is one."""
    return Response(kernel_of(question.bin_shares))


def kernel_of(bin_shares: tuple[float, ...]) -> Kernel:
    """Return the kernel of learned bins; () for the published one."""
    return binned_kernel(np.array(bin_shares)) if bin_shares else log_logistic_kernel()


def numbers(values: Values) -> FloatArray:
    """Return values as an array, NaN where one is not known."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def told(values: FloatArray) -> Values:
    """Return an array as values, None in place of NaN; rounded, since a debrief is read by people."""
    return tuple(None if value != value else value for value in np.round(values, 4).tolist())  # noqa: PLR0124 - NaN


def between(line: Timeline, start: datetime, until: datetime) -> FloatArray:
    """Return the values of [start, until), NaN where the line does not reach."""
    first, steps = (start - line.start) // STEP, (until - start) // STEP
    found = np.full(steps, np.nan)
    low, high = max(0, first), min(len(line.values), first + steps)
    if low < high:
        found[low - first : high - first] = numbers(line.values[low:high])
    return found


def tallied(tallies: tuple[Tally, ...], start: datetime, steps: int) -> FloatArray:
    """Return the contacts of tallies per step from `start` on."""
    found = np.zeros(steps)
    for tally in tallies:
        place = (tally.bucket_at - start) // STEP
        if 0 <= place < steps:
            found[place] += tally.contacts
    return found


def per_step(per_second: FloatArray) -> FloatArray:
    """Return the contacts of each step, from contacts per second in each minute."""
    sums: FloatArray = per_second.reshape(-1, STEP_MINUTES).sum(axis=1) * 60.0
    return sums
