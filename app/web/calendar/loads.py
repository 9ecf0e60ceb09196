"""The hours of a calendar: the work that is expected in each beside who is there, as drawn and as said. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from app.core.forecast.series import FloatArray
from app.core.forecast.workload import Fit, Source
from app.services.workloads import Workload
from app.web.campaigns.words import Instant
from app.web.format import iso, number
from app.web.instants import minute

WORST = tuple(Fit)
MARKS = {Fit.OVER: "hold", Fit.FULL: "throttle", Fit.UNKNOWN: "unknown"}
WORDS = {
    Fit.OVER: "over capacity",
    Fit.FULL: "nearly full",
    Fit.UNKNOWN: "not known",
    Fit.FITS: "fits",
    Fit.CLOSED: "closed",
    Fit.GONE: "over",
}
TOLD = (Fit.OVER, Fit.FULL, Fit.UNKNOWN)
SOURCES = {Source.SCHEDULED: "scheduled", Source.USUAL: "usual", Source.UNKNOWN: "not known"}


class Numbers(NamedTuple):
    """An hour of all queues of which it is known: contacts, those from campaigns, their work, agents. None: of none."""

    contacts: float | None
    caused: float | None
    work: float | None
    agents: float | None
    agents_from: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The four as a table has them."""
        return tuple(number(value) for value in (self.contacts, self.caused, self.work, self.agents))


class Bar(NamedTuple):
    """An hour as drawn, in per cent of the widest one: work that comes anyway, work of campaigns, and who is there."""

    base: float
    more: float
    line: float | None


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour. state: whose shape it wears, "" where nobody need see to it; queues: those that stand like `fit`."""

    begins: datetime
    ends: datetime
    starts: Instant
    fit: Fit
    state: str
    word: str
    queues: tuple[str, ...]
    numbers: Numbers
    bar: Bar
    said: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hours one after another that stand alike: from when to when, how, and why."""

    state: str
    word: str
    starts: Instant
    ends: Instant
    said: str


def hours(load: Workload, titles: Mapping[str, str], zone: ZoneInfo) -> tuple[Hour, ...]:
    """Return the hours of a workload; () where nothing can be said of any of them."""
    if not is_told(load):
        return ()
    fits = list(zip(*(queue.fits() for queue in load.queues), strict=True))
    known = _numbers(load)
    top = max([1e-9, *(value for each in known for value in (each.work, each.agents) if value is not None)])
    names = [titles.get(queue.queue, queue.queue) for queue in load.queues]
    found = []
    for span, own, numbers in zip(pairwise(load.edges), fits, known, strict=True):
        fit = min(own, key=WORST.index)
        queues = tuple(name for name, each in zip(names, own, strict=True) if each is fit)
        starts, said = Instant(iso(span[0]), minute(span[0], zone)), _said(fit, queues, numbers)
        bar = _bar(fit, numbers, top)
        found.append(Hour(*span, starts, fit, MARKS.get(fit, ""), WORDS[fit], queues, numbers, bar, said))
    return tuple(found)


def is_told(load: Workload) -> bool:
    """Return whether of any hour it is known how its work compares with who is there."""
    return any(fit in (Fit.OVER, Fit.FULL, Fit.FITS) for queue in load.queues for fit in queue.fits())


def _bar(fit: Fit, numbers: Numbers, top: float) -> Bar:
    if fit in (Fit.GONE, Fit.CLOSED):
        return Bar(0.0, 0.0, None)
    share = numbers.caused / numbers.contacts if numbers.contacts and numbers.caused else 0.0
    width = 100 * (numbers.work or 0.0) / top
    line = None if numbers.agents is None else round(100 * numbers.agents / top, 2)
    return Bar(round(width * (1 - share), 2), round(width * share, 2), line)


def _numbers(load: Workload) -> list[Numbers]:
    queues = load.queues
    every = [
        _sums(values)
        for values in (
            [queue.coming.anyway + queue.coming.caused for queue in queues],
            [queue.coming.caused for queue in queues],
            [queue.work for queue in queues],
            [queue.agents for queue in queues],
        )
    ]
    found = []
    for place in range(len(load.edges) - 1):
        contacts, caused, work, agents = (_value(values, place) for values in every)
        sources = _from([queue.sources[place] for queue in queues])
        found.append(Numbers(contacts, caused, work, agents, sources))
    return found


def _sums(values: Sequence[FloatArray]) -> FloatArray:
    """Return sums over queues of what is known, NaN where none is."""
    table = np.array(values)
    return np.where(np.isnan(table).all(axis=0), np.nan, np.nansum(table, axis=0))


def _value(values: FloatArray, place: int) -> float | None:
    value = float(values[place])
    return None if np.isnan(value) else value


def _from(sources: Sequence[Source]) -> str:
    kinds = [source for source in Source if source in sources]
    return ", partly ".join(SOURCES[kind] for kind in kinds)


def _said(fit: Fit, queues: tuple[str, ...], numbers: Numbers) -> str:
    if fit is Fit.GONE:
        return "This hour is over."
    if fit is Fit.CLOSED:
        return "Closed."
    contacts, caused, work, agents, agents_from = numbers
    word = WORDS[fit][:1].upper() + WORDS[fit][1:]
    where = f" in {', '.join(queues)}" if fit in TOLD else ""
    many = "an unknown number of contacts" if contacts is None else f"{number(round(contacts))} contacts"
    of_them = f", {number(round(caused))} of them from campaigns" if caused and round(caused) else ""
    busy = "" if work is None else f", the work of {number(work)} agents"
    there = "how many agents are there is not known" if agents is None else f"{number(agents)} agents {agents_from}"
    return f"{word}{where}: {many} expected{of_them}{busy}; {there}."


def stretches(day: Sequence[Hour], zone: ZoneInfo) -> tuple[Stretch, ...]:
    """Return the hours of a day that somebody should see to, those that stand alike as one."""
    return tuple(_stretch(fit, queues, some, zone) for (fit, queues), some in _alike(day) if fit in TOLD)


def _alike(day: Sequence[Hour]) -> Iterator[tuple[tuple[Fit, tuple[str, ...]], list[Hour]]]:
    for key, some in groupby(day, key=lambda hour: (hour.fit, hour.queues)):
        yield key, list(some)


def _stretch(fit: Fit, queues: tuple[str, ...], some: Sequence[Hour], zone: ZoneInfo) -> Stretch:
    worst = max((hour.numbers for hour in some), key=lambda each: (each.work or 0.0) - (each.agents or 0.0))
    said = f"in {', '.join(queues)}"
    if worst.work is not None and worst.agents is not None:
        said += f": the work of {number(worst.work)} agents at its worst, {number(worst.agents)} {worst.agents_from}"
    last = some[-1].ends
    until = minute(last, zone)
    return Stretch(
        MARKS[fit], WORDS[fit], some[0].starts, Instant(iso(last), "24:00" if until == "00:00" else until), said
    )
