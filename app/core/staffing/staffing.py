"""How many agents there will be, minute by minute: from a schedule, from what is usual, or from who is here now.

Theory of operation. Each minute takes the first of these that is known: the schedule; the schedule of the same weekday
and time a week before, where the present one has ended; what history shows as usual; who is here now. Who is here now
also corrects what was planned: when fewer came than should have, so many of a hundred planned agents are counted as
came, for half an hour; after that, evenly over another half hour, the plan is believed again. More than planned are not
counted: they may be about to leave. Closed hours have nobody. A schedule that has more than three times as many as were
ever seen is taken for a slip of the pen: no more than were seen are counted. All doubts go one way, towards fewer
agents; what is left of one after rounding is dropped. The two half hours and the three times are a judgement.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from app.core.forecast.series import BoolArray, FloatArray, IntArray

ABSENT_MINUTES = 30
BACK_MINUTES = 30
MOST_TIMES_SEEN = 3.0
# What dividing and multiplying may leave of a whole number: 8.2 agents of concurrency 5 are 41, not 40.999….
_HAIR = 1e-9


class Basis(StrEnum):
    """What a staffing is made from."""

    SCHEDULE = "schedule"
    HISTORY = "inferred from history"
    PRESENT = "agents now"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """What can be known beforehand, each with one value per minute; NaN: it says nothing of that minute.

    scheduled: the schedule. week_before: the schedule seven local days earlier. usual: the usual head-count, by
    history. schedule_ends_at: when the schedule ends, None without one. most_seen: the most agents that were here at
    any time of the last weeks, None where too little is known of them.
    """

    scheduled: FloatArray
    week_before: FloatArray
    usual: FloatArray
    schedule_ends_at: datetime | None = None
    most_seen: float | None = None

    @property
    def basis(self) -> Basis:
        """What the minutes are mostly taken from, were nobody here to be counted."""
        if self.schedule_ends_at is not None and not (np.isnan(self.scheduled) & np.isnan(self.week_before)).all():
            return Basis.SCHEDULE
        return Basis.UNKNOWN if np.isnan(self.usual).all() else Basis.HISTORY


class Asked(NamedTuple):
    """For whom, and from when on: present is the number of agents here at `start`, None where nobody knows.

    is_open has one value per minute; concurrency is how many contacts one agent handles at once.
    """

    queue: str
    start: datetime
    present: float | None
    is_open: BoolArray
    concurrency: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Staffing:
    """Agents per minute from `start` on, whole, for chat slots: agents x concurrency, rounded down.

    said: in a sentence where the numbers are from, and what is doubtful about them. With basis UNKNOWN nothing is
    known: agents are 0, and an answer made from them must be unknown, not a hold for want of agents.
    is_open: whether customers are let in, per minute.
    """

    queue: str
    start: datetime
    agents: IntArray
    basis: Basis
    said: str
    is_open: BoolArray


def staffing(asked: Asked, planned: Planned) -> Staffing:
    """Return the staffing of a queue for as many minutes as is_open has.

    Raises ValueError for a present head-count, or a concurrency, that is no number of the world.
    """
    present = asked.present
    if present is not None and not 0 <= present < np.inf:
        raise ValueError(f"present={present} agents must be a number from 0 on, or None where nobody knows")
    if not 1 <= asked.concurrency < np.inf:
        raise ValueError(f"concurrency={asked.concurrency} must be a number from 1 on")
    most = _most_believed(planned, present)
    basis, plan = planned.basis, _plan(_held_to(planned, most))
    if basis is Basis.UNKNOWN and present is not None:
        basis = Basis.PRESENT
    minutes = _corrected(plan, present)
    slots = np.floor(np.where(asked.is_open, minutes, 0.0) * asked.concurrency + _HAIR).astype(np.int64)
    said = " ".join([*_sentences(asked, planned, basis, plan), *_doubts(planned, most)])
    return Staffing(asked.queue, asked.start, slots, basis, said, asked.is_open)


def _most_believed(planned: Planned, present: float | None) -> float:
    """Return how many agents were ever seen here, now included; without end where too little was seen to say."""
    return np.inf if planned.most_seen is None else max(planned.most_seen, present or 0.0)


def _held_to(planned: Planned, most: float) -> Planned:
    """Return what is planned, with no more than `most` wherever a schedule has over three times as many."""
    scheduled, week_before = (
        np.where(agents > MOST_TIMES_SEEN * most, most, agents) for agents in (planned.scheduled, planned.week_before)
    )
    return replace(planned, scheduled=scheduled, week_before=week_before)


def _doubts(planned: Planned, most: float) -> list[str]:
    """Say where a schedule is not believed."""
    agents = np.fmax(planned.scheduled, planned.week_before)
    if not (agents > MOST_TIMES_SEEN * most).any():
        return []
    times = f"more than {MOST_TIMES_SEEN:g} times the {most:g} that were ever seen here at once"
    return [f"Up to {np.nanmax(agents):g} are scheduled, {times}: where it is so, no more than {most:g} are counted."]


def _plan(planned: Planned) -> FloatArray:
    """Return what is planned for each minute, NaN where nothing is."""
    found = planned.scheduled
    for other in (planned.week_before, planned.usual):
        found = np.where(np.isnan(found), other, found)
    return found


def _corrected(plan: FloatArray, present: float | None) -> FloatArray:
    """Return the plan as far as it is believed; where there is none, the lower of who is here and the last planned."""
    filled = _filled(plan, 0.0 if present is None else present)
    attendance = _attendance(plan, present)
    if attendance == 1.0:
        return filled
    since = np.arange(len(plan), dtype=np.float64)
    belief = np.clip((since - ABSENT_MINUTES) / BACK_MINUTES, 0.0, 1.0)
    corrected = filled * (attendance + (1.0 - attendance) * belief)
    return np.where(np.isnan(plan), filled, corrected)


def _filled(plan: FloatArray, held: float) -> FloatArray:
    """Return the plan with its unknown minutes at `held`, or at the last value planned before where that is lower."""
    known = ~np.isnan(plan)
    last = np.maximum.accumulate(np.where(known, np.arange(len(plan)), -1))
    before = np.where(last >= 0, plan[last], held)
    return np.where(known, plan, np.minimum(before, held))


def _attendance(plan: FloatArray, present: float | None) -> float:
    """Return what share of the agents planned for now are here, 0..1; 1 where it cannot be said, or none is missing.

    A fraction of an agent is not missed: 12 are as many as a plan of 12.5 can have sent.
    """
    if present is None or not len(plan) or not np.floor(plan[0]) > present:
        return 1.0
    return present / float(plan[0])


def _sentences(asked: Asked, planned: Planned, basis: Basis, plan: FloatArray) -> list[str]:
    said = [_source(asked, planned, basis)]
    if basis in (Basis.SCHEDULE, Basis.HISTORY):
        said += _difference(asked, basis, plan)
    if basis is Basis.SCHEDULE and np.isnan(planned.scheduled).any():
        said.append(_beyond(asked, planned, plan))
    if not asked.is_open.all():
        closed = "It is closed all that time" if not asked.is_open.any() else "It is closed for part of that time"
        said.append(f"{closed}: nobody is counted then.")
    if asked.concurrency > 1:
        said.append(f"Each agent handles {asked.concurrency:g} contacts at once.")
    return said


def _source(asked: Asked, planned: Planned, basis: Basis) -> str:
    match basis:
        case Basis.SCHEDULE:
            return f"{asked.queue}: agents as scheduled."
        case Basis.HISTORY:
            return f"{asked.queue} has no schedule: agents as usual at these hours of the last weeks."
        case Basis.PRESENT:
            what = "has no schedule" if planned.schedule_ends_at is None else "has no schedule for this time"
            return f"{asked.queue} {what}: the {asked.present or 0:g} agents here now are taken to stay."
        case Basis.UNKNOWN:
            return f"{asked.queue} has no schedule for this time, and nobody says how many are here: it is not known."


def _difference(asked: Asked, basis: Basis, plan: FloatArray) -> list[str]:
    """Say by how much who is here differs from who should be, and what is made of it."""
    if asked.present is None:
        return ["How many are really here is not known."]
    if not len(plan) or np.isnan(plan[0]):
        return []
    should, word = float(plan[0]), "scheduled" if basis is Basis.SCHEDULE else "usual"
    missing = should - asked.present
    if missing > -1 and asked.present >= np.floor(should):
        return []
    here = f"{asked.present:g} of {should:g}"
    if missing > 0:
        until = (
            f"for {ABSENT_MINUTES} min, then evenly more until all are, {ABSENT_MINUTES + BACK_MINUTES} min from now"
        )
        counted = f"{asked.present / should:.0%} of the {word} ones are counted {until}"
        return [f"{missing:g} fewer are here now than {word} ({here}): {counted}."]
    return [f"{-missing:g} more are here now than {word} ({here}); they are not counted on."]


def _beyond(asked: Asked, planned: Planned, plan: FloatArray) -> str:
    """Say what is taken where the schedule says nothing."""
    missing = np.isnan(planned.scheduled)
    since = asked.start + timedelta(minutes=int(np.flatnonzero(missing)[0]))
    ends_at = planned.schedule_ends_at
    over = ends_at is not None and ends_at <= since
    said = (
        f"Its schedule ends at {ends_at:%Y-%m-%d %H:%M} UTC" if over else f"It has none for {since:%Y-%m-%d %H:%M} UTC"
    )
    steps = ["that of the same weekday a week before"]
    if not np.isnan(planned.usual[missing]).all():
        steps.append("what is usual")
    if np.isnan(plan).any():
        steps.append("nobody" if asked.present is None else "no more than are here now")
    return f"{said}; from then on counts {', else '.join(steps)}."


def usual_agents(weeks: FloatArray, least_weeks: int = 2) -> FloatArray:
    """Return the median over weeks (rows) per minute (columns), NaN where fewer than least_weeks rows say anything.

    A median: one week of holidays, or of a broken source, does not bend it.
    """
    enough = (~np.isnan(weeks)).sum(axis=0) >= least_weeks
    found = np.full(weeks.shape[1], np.nan)
    if enough.any():
        found[enough] = np.nanmedian(weeks[:, enough], axis=0)
    return found
