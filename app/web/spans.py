"""From a gate's transitions to the spans of time it stood at each verdict. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.gate.decision import Verdict
from app.ports.decisions import DecisionRow


@dataclass(frozen=True, slots=True)
class Span:
    """A gate stood at one verdict from start until."""

    start: datetime
    until: datetime
    verdict: Verdict


def verdict_spans(rows: Sequence[DecisionRow], start: datetime, until: datetime, present: Verdict) -> list[Span]:
    """Return the verdicts over [start, until) without gaps, from transitions in order of time.

    `present` is the verdict now: where no transition is known in the span it stood all along. Time before the first
    known verdict of a gate is left out.
    """
    changes = [row for row in rows if row.at < until]
    inside = [row for row in changes if row.at > start]
    earlier = [row for row in changes if row.at <= start]
    first = earlier[-1].verdict if earlier else inside[0].before if inside else present
    marks = [(start, first)] + [(row.at, row.verdict) for row in inside]
    ends = [at for at, _ in marks[1:]] + [until]
    return [Span(at, end, Verdict(verdict)) for (at, verdict), end in zip(marks, ends, strict=True) if verdict]
