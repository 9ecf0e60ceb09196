"""A campaign's line on the scoreboard: what its debrief comes to, in a few numbers that can be added up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.debrief.debrief import Debrief, State

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Score:
    """What one campaign comes to. began_at: its first message; of one that nothing went of, when it was to go.

    per_1000 with its 90 % interval, contacts, minutes of slam measured and avoided: None where not known;
    is_distinguishable: zero is not in the interval. wanted_at, granted_at: as in Before. notice_asked_minutes: by its
    gate's policy; notice_minutes: between its announcement and when it was to go. is_briefed None: nobody wrote a
    briefing, and nobody asked for one. reasons: contacts by reason tag; None: no contact named it and a reason.
    """

    campaign: str
    title: str
    gate: str
    kind: str
    began_at: datetime
    is_final: bool
    messages: int = 0
    contacts: float | None = None
    per_1000: float | None = None
    per_1000_low: float | None = None
    per_1000_high: float | None = None
    is_distinguishable: bool = False
    slam_minutes: float | None = None
    avoided_minutes: float | None = None
    wanted_at: datetime | None = None
    granted_at: datetime | None = None
    notice_asked_minutes: float | None = None
    notice_minutes: float | None = None
    is_briefed: bool | None = None
    reasons: tuple[tuple[str, int], ...] | None = None

    @property
    def delay_seconds(self) -> float | None:
        """From when it was to go until its first permit; None where one of them is not known."""
        if self.wanted_at is None or self.granted_at is None:
            return None
        return max(0.0, (self.granted_at - self.wanted_at).total_seconds())

    @property
    def keeps_notice(self) -> bool | None:
        """Whether it was announced as long before as its policy asks; None where none asks, or it is not known."""
        if not self.notice_asked_minutes or self.notice_minutes is None:
            return None
        return self.notice_minutes >= self.notice_asked_minutes


def score_of(found: Debrief) -> Score:
    """Return the line of a debrief."""
    subject, best, slam, before = found.campaign, found.contacts.headline, found.slam, found.before
    wanted = before.wanted_at if before else None
    announced = before.announced_at if before else None
    return Score(
        campaign=subject.id,
        title=subject.title,
        gate=subject.gate,
        kind=subject.kind,
        began_at=found.sent.first_at,
        is_final=found.state is State.FINAL,
        messages=found.sent.messages,
        contacts=best.contacts if best else None,
        per_1000=best.per_1000 if best else None,
        per_1000_low=best.per_1000_low if best else None,
        per_1000_high=best.per_1000_high if best else None,
        is_distinguishable=best is not None and best.is_distinguishable,
        slam_minutes=slam.measured_minutes if slam else None,
        avoided_minutes=slam.avoided_minutes if slam else None,
        wanted_at=wanted,
        granted_at=before.granted_at if before else None,
        notice_asked_minutes=before.notice_minutes if before else None,
        notice_minutes=(wanted - announced) / _MINUTE if wanted and announced else None,
        is_briefed=before.is_briefed if before else None,
        reasons=_reasons(found),
    )


def _reasons(found: Debrief) -> tuple[tuple[str, int], ...] | None:
    named = tuple((each.name, each.contacts) for each in found.tagged.reasons)
    return named if any(name for name, _ in named) else None
