"""A campaign about to begin at another time: what was typed, and what that would mean before it is saved. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.core.campaign.campaign import Campaign
from app.core.forecast.workload import Fit
from app.core.gate.policy import Policy
from app.web.calendar.entries import Around, Warned, at_another_time, short_notice, warnings
from app.web.calendar.loads import Hour
from app.web.format import count, duration
from app.web.instants import ComesTwice, moment, read_instant, typed, which_of
from app.web.typed import NotRead

MOST_REASON = 500
Choices = tuple[tuple[str, str], ...]


class MoveForm(BaseModel):
    """What was typed: a wall clock's time, which of two where it comes twice, and why.

    revision: the one that was read. seen: the start whose consequences were shown. view, day, gate and zone: where the
    calendar stood.
    """

    start: str = Field(default="", max_length=40)
    start_which: str = Field(default="", max_length=10)
    reason: str = Field(default="", max_length=MOST_REASON)
    revision: str = Field(default="", max_length=20)
    seen: str = Field(default="", max_length=60)
    view: str = Field(default="week", max_length=20)
    day: str = Field(default="", max_length=20)
    gate: str = Field(default="", max_length=63)
    zone: str = Field(default="", max_length=20)

    @property
    def chosen(self) -> str:
        """The start as it was typed, so that it can be told whether it is the one that was shown."""
        return f"{self.start.strip()} {self.start_which}".strip()


@dataclass(frozen=True, slots=True)
class Read:
    """The start that was read, None where it was not; faults by field, and the choices where the time comes twice."""

    start: datetime | None
    faults: dict[str, str] = field(default_factory=dict)
    twice: Choices = ()

    @property
    def known_start(self) -> datetime | None:
        """The start, unless something is wrong with it."""
        return None if self.faults.keys() - {"reason"} else self.start

    def with_fault(self, name: str, sentence: str) -> "Read":
        """Return the same with one more fault."""
        return Read(self.start, self.faults | {name: sentence}, self.twice)


def read(form: MoveForm, zone: ZoneInfo, now: datetime) -> Read:
    """Return the start that a form names."""
    try:
        start = read_instant(form.start, zone, form.start_which)
    except ComesTwice as fault:
        return Read(None, {"start": str(fault)}, fault.choices)
    except NotRead as fault:
        return Read(None, {"start": str(fault)})
    if start is None:
        return Read(None, {"start": "Choose a date and a time, such as 2026-11-23 09:00."})
    if start < now:
        return Read(start, {"start": f"{moment(start, zone)} is over; choose a time ahead."})
    return Read(start)


def form_of(campaign: Campaign, zone: ZoneInfo) -> dict[str, str]:
    """Return the fields as they are before anybody typed."""
    return {"start": typed(campaign.earliest_start, zone), "start_which": which_of(campaign.earliest_start, zone)}


def consequences(campaign: Campaign, start: datetime, others: Sequence[Campaign], around: Around) -> tuple[Warned, ...]:
    """Return what beginning at another time would mean, the move itself first."""
    moved = at_another_time(campaign, start, around.now)
    policy = around.policies.get(campaign.gate)
    return (
        _shift(campaign, start, around.zone),
        *_notice(campaign, moved, policy, around),
        *(each for each in warnings(moved, others, around) if each.word != "short notice"),
    )


def _shift(campaign: Campaign, start: datetime, zone: ZoneInfo) -> Warned:
    before = campaign.earliest_start
    if before is None:
        return Warned("none", "new start", f"It had no start of its own; now it begins {moment(start, zone)}.")
    apart = duration(abs((start - before).total_seconds()))
    if start == before:
        return Warned("none", "same start", f"It begins {moment(before, zone)} already.")
    way = "later" if start > before else "earlier"
    return Warned("none", way, f"From {moment(before, zone)} to {moment(start, zone)}: {apart} {way}.")


def _notice(campaign: Campaign, moved: Campaign, policy: Policy | None, around: Around) -> Iterator[Warned]:
    """Yield what the move does to the notice that the contact center has."""
    is_anew = moved.announced_at != campaign.announced_at
    anew = " An earlier start is announced anew, so its notice begins again now." if is_anew else ""
    if policy is None or not policy.notice_minutes or campaign.traffic_class in policy.exempt_traffic_classes:
        yield Warned("none", "notice", f"Its gate asks for no notice.{anew}")
        return
    short = list(short_notice(moved, policy, around))
    if short:
        yield short[0]._replace(sentence=f"{short[0].sentence}{anew}")
        return
    wanted = duration(policy.notice_minutes * 60)
    yield Warned("send", "notice kept", f"The {wanted} of notice that its gate wants are kept.{anew}")


def work_said(hours: Iterable[Hour], others: Iterable[Hour]) -> Warned:
    """Return what becomes of the hours around the new start. others: the same hours if nothing is moved."""
    after, before = list(hours), list(others)
    over, was = (sum(hour.fit is Fit.OVER for hour in some) for some in (after, before))
    unknown = sum(hour.fit is Fit.UNKNOWN for hour in after)
    if unknown and not over:
        return Warned(
            "unknown", "work", f"Of {count(unknown, 'hour')} in the day after it nobody can tell whether it fits."
        )
    if not over:
        return Warned("send", "it fits", "No hour in the day after it is over capacity.")
    as_now = f"{count(was, 'hour')} if it is not moved" if was else "none if it is not moved"
    first = next(hour for hour in after if hour.fit is Fit.OVER)
    where = f"the first at {first.starts.text} in {', '.join(first.queues)}"
    return Warned(
        "hold", "over capacity", f"{count(over, 'hour')} in the day after it over capacity, {where}; {as_now}."
    )
