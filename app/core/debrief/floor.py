"""What the floor would have been: the queues calculated once more, with everything sent at once, and with nothing sent.

The course of each queue is calculated with the agents who were there, from where it stood as the first message went.
Contacts that come anyway are the forecast, raised or lowered as a whole so that forecast and campaign together bring as
many contacts as came. What differs between the three ways is the campaign's contacts alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from app.core.debrief.baseline import Baseline, Baselines
from app.core.debrief.debrief import Course, Figures, Floor, Telling
from app.core.debrief.lifts import Lifts, expected_at_one
from app.core.debrief.question import STEP_MINUTES, STEP_SECONDS, Question, QueueFacts, Send
from app.core.debrief.window import Look, numbers, told
from app.core.forecast.check import ScenarioRefused
from app.core.forecast.course import Course as Predicted
from app.core.forecast.predict import predict
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import FloatArray

WAYS = ("as_sent", "at_once", "nothing")
_NOBODY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums per step of some queues: contacts judged, of them within the target; answered, with the sum of waits.

    Each is an array with a value per step; offered is NaN where it is not known.
    """

    offered: FloatArray
    judged: FloatArray
    reached: FloatArray
    answered: FloatArray
    wait_seconds: FloatArray
    backlog: FloatArray

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, name) + getattr(other, name) for name in _SUMS))

    @property
    def service_level(self) -> FloatArray:
        """The ratio per step, NaN where nobody was judged."""
        return _ratio(self.reached, self.judged)

    @property
    def speed_to_answer(self) -> FloatArray:
        """The mean wait in seconds per step, NaN where nobody was answered."""
        return _ratio(self.wait_seconds, self.answered)


_SUMS = tuple(field.name for field in fields(Sums))


@dataclass(frozen=True, slots=True, eq=False)
class Calculated:
    """The floor by queue: as measured, and, where it could be calculated, in each of WAYS. said: why not."""

    measured: Mapping[str, Sums]
    ways: Mapping[str, Sequence[Sums]]
    said: tuple[str, ...]


def calculated(question: Question, baselines: Baselines, found: Lifts) -> Calculated:
    """Return what was measured of each queue, and what can be calculated of it."""
    said: list[str] = []
    ways: dict[str, Sequence[Sums]] = {}
    for queue in baselines.queues:
        if (own := _ways(question, queue, baselines.look, found, said)) is not None:
            ways[queue.facts.queue] = own
    measured = {queue.facts.queue: _measured(queue, baselines.look) for queue in baselines.queues}
    return Calculated(measured, ways, tuple(said))


def floor(known: Calculated) -> Floor:
    """Return the floor as it was and as it would have been; `said` has why something could not be calculated."""
    ways = known.ways.values()
    tellings = [_telling(_added([own[place] for own in ways])) for place in range(len(WAYS))]
    as_sent, at_once, nothing = tellings if ways else (None, None, None)
    measured = _telling(_added(list(known.measured.values()))) or _SILENT
    return Floor(measured, as_sent, at_once, nothing, tuple(known.ways), known.said)


def course(sums: Sums) -> Course:
    """Return sums as they are read, step by step."""
    return Course(told(sums.offered), told(sums.service_level), told(sums.speed_to_answer), told(sums.backlog))


def _ways(question: Question, queue: Baseline, look: Look, found: Lifts, said: list[str]) -> list[Sums] | None:
    """Return the sums of each of WAYS for one queue; None, and why in `said`, where they cannot be calculated."""
    why = _why_not(queue.facts, found)
    base = queue.forecast(look.start, look.steps).expected.values
    if why is None and np.isnan(base).any():
        why = "what comes without the campaign is not known"
    if why is None:
        try:
            return _predicted(question, queue, look, found.rate or 0.0, base)
        except ScenarioRefused as refused:
            why = refused.problems[0].detail
    said.append(f"{queue.facts.queue} could not be calculated: {why}.")
    return None


def _why_not(facts: QueueFacts, found: Lifts) -> str | None:
    agents = numbers(facts.agents)
    if found.rate is None:
        return "the campaign's contacts are not known"
    if np.isnan(agents).any() or not agents.any():
        return "how many agents there were is not known for the whole time"
    if facts.handle_seconds is None:
        return "its handle time is not known"
    if facts.busy is None or facts.waiting is None:
        return "how it stood as the first message went is not known"
    return None


def _predicted(question: Question, queue: Baseline, look: Look, rate: float, base: FloatArray) -> list[Sums]:
    facts = queue.facts
    as_sent = rate * expected_at_one(question, facts, look, look.steps)
    at_once = rate * expected_at_one(_all_at_once(question), facts, look, look.steps)
    anyway = base * _level(queue, look, as_sent, base)
    rows = np.repeat([anyway + as_sent, anyway + at_once, anyway], STEP_MINUTES, axis=1) / STEP_SECONDS
    scenario = Scenario(
        rows[0],
        np.repeat(np.rint(numbers(facts.agents)).astype(np.int64), STEP_MINUTES),
        facts.handle_seconds or 0.0,
        facts.patience_seconds,
        facts.busy or 0,
        facts.waiting or 0,
        facts.target_seconds,
    )
    predicted = predict(scenario, rows)
    return [_of_course(predicted, place) for place in range(len(WAYS))]


def _level(queue: Baseline, look: Look, caused: FloatArray, base: FloatArray) -> float:
    """Return by how much the forecast is raised, so that with the campaign as many come as came; 0.5 to 2."""
    came = queue.came(look.start, look.steps)
    known = ~np.isnan(came)
    forecast = float(base[known].sum())
    return float(np.clip((came[known] - caused[known]).sum() / forecast, 0.5, 2.0)) if forecast > 0 else 1.0


def _all_at_once(question: Question) -> Question:
    """Return the question had everything that was sent gone in the minute of the first message."""
    total, first = sum(send.messages for send in question.sends), question.sends[0].at
    return replace(question, sends=(Send(first, total),))


def _of_course(course: Predicted, row: int) -> Sums:
    offered = course.offered[row]
    return Sums(
        offered,
        offered,
        course.answered_in_target[row],
        course.answered[row],
        course.answered_wait_seconds[row],
        course.backlog[row],
    )


def _measured(queue: Baseline, look: Look) -> Sums:
    own = queue.facts.measured
    came = queue.came(look.start, look.steps)
    columns = (own.judged, own.reached, own.answered, own.wait_seconds, own.backlog)
    return Sums(came, *(numbers(column) for column in columns))


def _added(queues: Sequence[Sums]) -> Sums | None:
    """Return the sums over queues; a figure that one of them does not know is not known of all."""
    whole: Sums | None = None
    for each in queues:
        whole = each if whole is None else whole + each
    return whole


def _telling(sums: Sums | None) -> Telling | None:
    if sums is None:
        return None
    known = ~np.isnan(sums.judged) & ~np.isnan(sums.reached)
    heard = ~np.isnan(sums.answered) & ~np.isnan(sums.wait_seconds)
    return Telling(
        course(sums),
        Figures(
            _sum(sums.offered),
            _whole_ratio(sums.reached[known], sums.judged[known]),
            _whole_ratio(sums.wait_seconds[heard], sums.answered[heard]),
            None if np.isnan(sums.backlog).all() else float(np.nanmax(sums.backlog)),
        ),
    )


_SILENT = Telling(Course((), (), (), ()), Figures(None, None, None, None))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    found = np.full(len(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > _NOBODY)
    return found


def _whole_ratio(part: FloatArray, whole: FloatArray) -> float | None:
    return float(part.sum() / whole.sum()) if whole.sum() > _NOBODY else None


def _sum(values: FloatArray) -> float | None:
    return None if np.isnan(values).any() else float(values.sum())
