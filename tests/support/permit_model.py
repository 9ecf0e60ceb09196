"""What permits may do, as plain lists and sums: written from the outside contract, sharing nothing with the program.

The model is told what was answered and what time it is; it says the most that may be granted now (more would be two
sends out of one headroom) and the least that must still be (less would hold a send back for nothing).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

HOUR = timedelta(hours=1)
BOOKING = timedelta(minutes=2)  # sums are kept per minute, so what was sent may count a little longer than its hour
STALE_AFTER = timedelta(seconds=120)
LIVE = frozenset({"active", "paused"})


@dataclass(slots=True)
class Given:
    """One permit as its holder knows it."""

    id: str
    allowed: int
    expires_at: datetime
    campaign: str | None = None
    sent: int = 0
    state: str = "active"

    @property
    def charged(self) -> int:
        return max(0, self.allowed - self.sent) if self.state in LIVE else 0

    def may_be_used(self, now: datetime) -> bool:
        return self.state in LIVE and now < self.expires_at


@dataclass
class PermitModel:
    """Every permit of one gate, and everything that was reported as sent, when. Caps None: no limit."""

    wave: int | None = None
    hour: int | None = None
    given: dict[str, Given] = field(default_factory=dict)
    sent: list[tuple[datetime, int]] = field(default_factory=list)

    def outstanding(self, now: datetime | None = None) -> int:
        """What live permits may still send. now: leave out those whose time is over but was not written down yet."""
        return sum(each.charged for each in self.given.values() if now is None or now < each.expires_at)

    def sent_within(self, now: datetime, span: timedelta) -> int:
        """What was reported in the time before now, or after it: a clock may have been set back."""
        return sum(number for at, number in self.sent if at > now - span)

    def most(self, now: datetime) -> int | None:
        """The most that may be granted now, None without a limit."""
        return self._left(self.outstanding(now), self.sent_within(now, HOUR))

    def least(self, now: datetime) -> int | None:
        """What must be left for asking now, None without a limit."""
        return self._left(self.outstanding(), self.sent_within(now, HOUR + BOOKING))

    def _left(self, outstanding: int, sent: int) -> int | None:
        caps = []
        if self.wave is not None:
            caps.append(self.wave - outstanding)
        if self.hour is not None:
            caps.append(self.hour - outstanding - sent)
        return max(0, min(caps)) if caps else None

    def grant(self, permit: Given) -> None:
        """Take in a permit that was given."""
        self.given[permit.id] = permit

    def report(self, permit: Given, total: int, at: datetime) -> None:
        """Take in the total that a sender says it has sent; it never shrinks."""
        grown = max(0, total - permit.sent)
        if grown:
            self.sent.append((at, grown))
            permit.sent += grown
        if permit.state in LIVE and permit.sent >= permit.allowed:
            permit.state = "used"

    def pause(self) -> None:
        """Stop every permit: its gate does not say go."""
        self.pause_those(self.given)

    def pause_those(self, permits: Collection[str]) -> None:
        """Take in that some permits were stopped."""
        for permit_id in permits:
            if (known := self.given.get(permit_id)) is not None and known.state == "active":
                known.state = "paused"

    def expire(self, now: datetime) -> None:
        """End every permit whose time is over."""
        for permit in self.given.values():
            if permit.state in LIVE and now >= permit.expires_at:
                permit.state = "expired"


class ByHand(NamedTuple):
    """An override. is_blind: an allow that stands without data, too."""

    effect: str
    starts_at: datetime
    ends_at: datetime
    is_blind: bool = False


@dataclass
class Standing:
    """What can be known of a gate: what it was told, and when it looked. is_sure: nothing has blurred that since."""

    told_at: datetime
    ticked_at: datetime
    latest: datetime
    slammed: bool = False
    is_sure: bool = True
    by_hand: list[ByHand] = field(default_factory=list)

    def tell(self, now: datetime) -> None:
        """The floor is reported as it is now."""
        self.told_at, self.is_sure = now, True

    def tick(self, now: datetime) -> None:
        """The gate was evaluated."""
        self.ticked_at, self.latest = now, max(now, self.latest)

    def restart(self, now: datetime) -> None:
        """The process began anew; after its clock was set back it may not know any more what is new."""
        self.is_sure = self.is_sure and now >= self.latest

    def is_shut(self, now: datetime) -> bool:
        """Tell whether it must let nothing go."""
        active = [each for each in self.by_hand if each.starts_at <= now < each.ends_at]
        if any(each.effect == "hold" for each in active):
            return True
        if now - self.told_at >= STALE_AFTER:
            return not any(each.is_blind for each in active)
        return self.slammed and not active

    def is_open(self, now: datetime) -> bool:
        """Tell whether it must let go what there is room for."""
        return self.is_sure and not self.is_shut(now) and self.ticked_at == now
