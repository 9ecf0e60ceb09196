"""How big the next wave may be: careful after a hold, faster with every wave that did no harm.

The gate is asked anew before each wave. After it held, one small wave probes; each good look after that adds a fixed
share of a full wave (additive increase); a look that cannot tell, or that grants less for the floor's sake, halves
(multiplicative decrease). Contacts come long after the mail, so while waves are small they keep a distance in time.

Knows nothing of campaigns: a program that asks from outside paces itself with the same functions:

    better = judge(pace, Outcome.GOOD)
    ask for next_wave(better, full_wave, left)
        granted:     pace = better
        held:        pace = judge(pace, Outcome.HELD)
        not known:   pace = judge(pace, Outcome.BAD)
"""

from dataclasses import dataclass, replace
from enum import StrEnum

PROBE_PERCENT = 10
STEP_PERCENT = 25
CUT_PERCENT = 50
FULL_PERCENT = 100
RAMP_GAP_SECONDS = 300.0


class Outcome(StrEnum):
    """What a look at the gate before a wave said. bad: it could not tell, or gives less for the floor's sake."""

    GOOD = "good"
    BAD = "bad"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Pace:
    """What a release remembers between waves: the share of a full wave in percent, 10..100, and the last look.

    last None: there was no look yet.
    """

    percent: int = FULL_PERCENT
    last: Outcome | None = None

    @property
    def is_probing(self) -> bool:
        """Whether the next wave is the probe: the gate held, and nothing has gone out since."""
        return self.last is Outcome.HELD


def judge(pace: Pace, outcome: Outcome) -> Pace:
    """Return the pace after a look at the gate.

    The first good look after trouble leaves the share as it is: the wave that follows has yet to show what it does.
    Trouble that lasts cuts once, however often it is looked at.
    """
    if outcome is Outcome.HELD:
        return Pace(PROBE_PERCENT, Outcome.HELD)
    if outcome is Outcome.BAD:
        if pace.last in (Outcome.BAD, Outcome.HELD):
            return pace
        return Pace(max(PROBE_PERCENT, pace.percent * CUT_PERCENT // FULL_PERCENT), Outcome.BAD)
    if pace.last is Outcome.GOOD:
        return replace(pace, percent=min(FULL_PERCENT, pace.percent + STEP_PERCENT))
    return replace(pace, last=Outcome.GOOD)


def next_wave(pace: Pace, full_wave: int, left: int) -> int:
    """Return how many the next wave may have: its share of a full wave, at least 1, and never more than are left."""
    return min(left, max(1, full_wave * pace.percent // FULL_PERCENT))


def gap_seconds(pace: Pace, wave_gap_seconds: float | None) -> float:
    """Return how long after the opening of one wave the next may open, at the earliest.

    wave_gap_seconds None: full waves follow each other at once; smaller ones wait, to see what they do.
    """
    if wave_gap_seconds is not None:
        return wave_gap_seconds
    return 0.0 if pace.percent == FULL_PERCENT else RAMP_GAP_SECONDS
