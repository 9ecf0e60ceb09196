"""What a driver remembers of one of a tool's campaigns between looks. Lost in a crash, and found out anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from app.core.campaign.campaign import Release
from app.core.campaign.handover import ToolCampaign
from app.core.sending.drive import Command, Part
from app.core.sending.standing import MAY_SEND, OVER, UNBEGUN, SendingState, Standing

FIRST_BACKOFF_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 300.0
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 300.0  # after a wave that was given back
RESTING = timedelta(seconds=15)  # between two looks at what neither sends nor soon will


@dataclass(slots=True)
class Watch:
    """One of a tool's campaigns. standing: what it said last, at read_at; None: it never did. is_blind: nor did it now.

    told, told_at: the last command that its state has not shown yet. trouble: what is wrong, in a sentence, once told.
    """

    part: ToolCampaign
    since: datetime
    standing: Standing | None = None
    read_at: datetime | None = None
    is_blind: bool = False
    running_since: datetime | None = None
    rested_since: datetime | None = None
    told: Command | None = None
    told_at: datetime | None = None
    failures: int = 0
    not_before: datetime | None = None
    trouble: str | None = None

    @property
    def may_be_sending(self) -> bool:
        """Whether it may be sending as far as we know: it was seen to, was told to, or was never seen at all."""
        if self.told in (Command.START, Command.RESUME):
            return True
        return self.standing is None or self.standing.state in MAY_SEND

    def saw(self, standing: Standing, now: datetime) -> None:
        """Take note of what the tool says."""
        before = self.standing
        if standing.state in MAY_SEND:
            if before is None or before.state not in MAY_SEND:
                self.running_since = self.told_at if self.told is not None else None
            self.rested_since = None
        elif before is None:
            self.rested_since = None if standing.state in UNBEGUN else now
        elif before.state in MAY_SEND or before.sent != standing.sent:
            self.rested_since, self.running_since = now, None
        self.standing, self.read_at, self.is_blind = standing, now, False
        if self.has_obeyed:
            self.told = self.told_at = None
        if standing.state not in MAY_SEND:
            self.trouble = None

    def is_due(self, now: datetime, final: timedelta, *, is_near: bool) -> bool:
        """Tell whether it is to be asked about now: while it may send or soon may, and until its count is final.

        final: how long after it came to rest that is. Else it is asked about now and then.
        """
        if self.is_blind or self.read_at is None or self.may_be_sending:
            return True
        if self.not_before is not None and now < self.not_before + RESTING:
            return True  # it was told to begin, and may do so yet
        if self.rested_since is not None and abs(now - self.rested_since) < final + RESTING:
            return True
        is_over = self.standing is not None and self.standing.state in OVER
        return (is_near and not is_over) or abs(now - self.read_at) >= RESTING

    @property
    def has_obeyed(self) -> bool:
        """Whether its state shows the last command."""
        if self.told is None or self.standing is None:
            return False
        state = self.standing.state
        if self.told is Command.PAUSE:
            return state not in MAY_SEND
        return state is SendingState.RUNNING or state in OVER

    def commanded(self, command: Command, now: datetime) -> None:
        """Take note of a command; of one that is repeated the first time counts."""
        if self.told is not command:
            self.told, self.told_at = command, now

    def is_late(self, takes_seconds: float, now: datetime) -> bool:
        """Tell whether its state should have shown the last command by now."""
        return self.told_at is not None and abs(now - self.told_at) >= timedelta(seconds=takes_seconds)

    def back_off(self, now: datetime) -> None:
        """Give up a command to begin for a while, longer each time."""
        seconds = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(self.failures, 10))
        self.failures += 1
        self.told = self.told_at = None
        self.not_before = now + timedelta(seconds=seconds)

    def begun(self) -> None:
        """Take note that it obeyed a command to begin."""
        self.failures, self.not_before = 0, None

    def backs_off(self, now: datetime) -> bool:
        """Tell whether it is too early to tell it to begin once more."""
        return self.not_before is not None and now < self.not_before

    def as_part(self, standing: Standing, now: datetime) -> Part:
        """Return it as the one who decides sees it. A clock that went back makes nothing shorter than it is."""
        return Part(
            self.part.id,
            standing,
            self.part.recipients,
            None if self.running_since is None else abs((now - self.running_since).total_seconds()),
            None if self.rested_since is None else max(0.0, (now - self.rested_since).total_seconds()),
        )


@dataclass(slots=True)
class GivenBack:
    """How often in a row a campaign's waves were given back unused, and why. release: the plan they were opened by.

    rests_until: no wave opens earlier; that becomes longer each time, or waves would open and close once a second.
    """

    release: Release
    times: int = 0
    why: str = ""
    rest_seconds: float = 0.0
    rests_until: datetime | None = None

    def once_more(self, why: str, now: datetime) -> None:
        """Take note of a wave that was given back."""
        self.rest_seconds = min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** min(self.times, 10))
        self.times, self.why = self.times + 1, why
        self.rests_until = now + timedelta(seconds=self.rest_seconds)

    def begun(self) -> None:
        """Take note that a wave has truly begun."""
        self.times, self.rests_until = 0, None

    def why_not_ready(self, now: datetime) -> str | None:
        """Return in words that follow the tool's name why no wave opens now; None when one may."""
        if self.rests_until is None or not timedelta(0) < self.rests_until - now <= timedelta(
            seconds=self.rest_seconds
        ):
            return None
        waves = "the last wave" if self.times == 1 else f"{self.times} waves in a row"
        return f"gave {waves} back: {self.why}. Another is tried after {self.rest_seconds:g} s"


class NotReady(Enum):
    """Why no wave may open for a tool."""

    UNKNOWN = "cannot be asked how the campaign stands"
    SENDING = "has not stopped yet"
    NOT_FINAL = "has no final count yet"
    BACKS_OFF = "did not begin when it was told to; it is told again soon"
    ENDED = "has ended the campaign; cancel it here, too"
    NOBODY_LEFT = "has nobody left to send to"


def why_not_ready(watches: Sequence[Watch], now: datetime, final: timedelta) -> NotReady | None:
    """Return why no wave may open; None when all rests, counted to the end, with somebody left to send to.

    final: how long after it came to rest a tool's count is final.
    """
    known = [watch.standing.state for watch in watches if watch.standing is not None and not watch.is_blind]
    if len(known) < len(watches):
        return NotReady.UNKNOWN
    if any(watch.may_be_sending for watch in watches):
        return NotReady.SENDING
    if any(watch.rested_since is not None and now - watch.rested_since < final for watch in watches):
        return NotReady.NOT_FINAL
    if any(watch.backs_off(now) for watch in watches):
        return NotReady.BACKS_OFF
    if not OVER.issuperset(known):
        return None
    return NotReady.ENDED if SendingState.ENDED in known else NotReady.NOBODY_LEFT
