"""From a gate's changes to the spans of time it stood at each verdict. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.core.gate.decision import Verdict
from app.ports.decisions import Turn

VERDICTS = {verdict.value: verdict for verdict in Verdict}
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A gate stood at one verdict from start until."""

    start: datetime
    until: datetime
    verdict: Verdict


def verdict_spans(turns: Sequence[Turn], start: datetime, until: datetime, present: Verdict) -> list[Span]:
    """Return the verdicts over [start, until) without gaps, from changes in order of time.

    `present` is the verdict now: where no change is known it stood all along. Time before the first known change is
    left out.
    """
    known = [turn for turn in turns if turn.at < until]
    if not known:
        return [Span(start, until, present)]
    ends = [turn.at for turn in known[1:]] + [until]
    pairs = zip(known, ends, strict=True)
    return [Span(max(at, start), end, VERDICTS[verdict]) for (at, verdict), end in pairs if end > start and end > at]


def visible(spans: Sequence[Span], least: timedelta) -> list[Span]:
    """Return spans of which none is shorter than `least`, nor nearer to the next one: what a chart has room for.

    Those too near are one span, of the verdict that lasted longest of all in it.
    """
    crowds: list[list[Span]] = []
    ends = datetime.min.replace(tzinfo=UTC)
    for span in spans:
        if not crowds or span.start - ends >= least:
            crowds.append([])
        crowds[-1].append(span)
        ends = max(span.until, crowds[-1][0].start + least)
    return [_one(crowd, least) for crowd in crowds]


def _one(crowd: Sequence[Span], least: timedelta) -> Span:
    lasted = Counter[Verdict]()
    for span in crowd:
        lasted[span.verdict] += (span.until - span.start) // MICROSECOND
    start = crowd[0].start
    return Span(start, max(crowd[-1].until, start + least), max(lasted, key=lambda verdict: lasted[verdict]))
