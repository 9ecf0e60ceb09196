"""What happened meanwhile, as marks on the charts: sends, notes, deploys, overrides, policies, lost data. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.gate.override import Override
from app.core.note import Note, NoteKind
from app.ports.gates import PolicyVersion
from app.ports.history import HistoryPoint
from app.ports.permits import Granted
from app.web.format import count, number
from app.web.history.choice import Layer

NO_CAMPAIGN = "no campaign"


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened. until None: at one instant. amount: how many a send may reach. queue None: all."""

    layer: Layer
    at: datetime
    text: str
    until: datetime | None = None
    amount: int = 0
    queue: str | None = None


def of_grants(grants: Iterable[Granted], titles: Mapping[str, str]) -> list[Mark]:
    """Return a mark for each send that was let go, or for all of one campaign in one step. titles: of campaigns."""
    return [Mark(Layer.SENDS, each.at, _sent(each, titles), amount=each.allowed) for each in grants]


def _sent(each: Granted, titles: Mapping[str, str]) -> str:
    what = titles.get(each.campaign or "", each.campaign or NO_CAMPAIGN)
    wave = f", wave {each.wave}" if each.wave is not None and each.permits == 1 else ""
    several = f", {count(each.permits, 'permit')}" if each.permits > 1 else ""
    return f"up to {number(each.allowed)} for {what}{wave}{several}"


def of_notes(notes: Iterable[Note]) -> list[Mark]:
    """Return a mark for each note."""
    return [
        Mark(
            Layer.NOTES if note.kind is NoteKind.NOTE else Layer.DEPLOYS,
            note.at,
            f"{'' if note.kind is NoteKind.NOTE else f'{note.kind}: '}{note.text} ({note.author.name})",
            queue=note.queue,
        )
        for note in notes
    ]


def of_overrides(overrides: Iterable[Override], start: datetime, until: datetime) -> list[Mark]:
    """Return a mark for each override that was in force in [start, until), from its begin to its end."""
    return [
        Mark(
            Layer.CHANGES,
            max(each.starts_at, start),
            f"{each.effect} by {each.created_by}: {each.comment}",
            min(each.ends_at, until),
        )
        for each in overrides
        if each.starts_at < until and each.ends_at > start and each.ends_at > each.starts_at
    ]


def of_policies(policies: Iterable[PolicyVersion], start: datetime, until: datetime) -> list[Mark]:
    """Return a mark for each version of the policy that was saved in [start, until)."""
    return [
        Mark(
            Layer.CHANGES, each.saved_at, f"policy v{each.version} by {each.author}: {each.reason or 'no reason given'}"
        )
        for each in policies
        if start <= each.saved_at < until
    ]


def gaps(
    courses: Iterable[Sequence[HistoryPoint]], start: datetime, until: datetime, *, step: timedelta, trusted: timedelta
) -> list[Mark]:
    """Return the spans of [start, until) in which no course has anything, where that is longer than data is trusted.

    Time before the first data is none. trusted: how old data may be; what is shorter than two steps is not seen.
    """
    known = sorted({point.at for course in courses for point in course if point.value is not None})
    ends = [*known[1:], until] if known else []
    return [
        Mark(Layer.GAPS, max(begins, start), "no data", end)
        for begins, end in ((at + step, end) for at, end in zip(known, ends, strict=True))
        if end - begins > max(2 * step, trusted)
    ]
