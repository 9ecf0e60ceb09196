"""An override: for a stated time and reason, somebody sets a gate's answer by hand."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Effect(StrEnum):
    """What an override makes of the gate's answer."""

    HOLD = "hold"
    ALLOW = "allow"


class OverrideState(StrEnum):
    """Where an override stands in time."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


MATCHED = ("campaign", "traffic_class")


@dataclass(frozen=True, slots=True)
class Matcher:
    """Narrows an override to some asks: the label's value must equal, or wholly match, or (is_equal False) not."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether these labels fit; a label that is absent is the empty text."""
        given = labels.get(self.name, "")
        fits = re.fullmatch(self.value, given) is not None if self.is_regex else given == self.value
        return fits is self.is_equal


@dataclass(frozen=True, slots=True)
class Override:
    """One override, in the shape of Alertmanager's silence. ends_at moves to the present when somebody ends it early.

    even_without_data: an allow that stands though the gate's state is unknown. used_count: answers it touched.
    """

    id: str
    gate: str
    effect: Effect
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    created_at: datetime
    matchers: tuple[Matcher, ...] = ()
    even_without_data: bool = False
    used_count: int = 0
    last_used_at: datetime | None = None
    reminded_at: datetime | None = None
    closed_at: datetime | None = None  # when its end was written down as an event

    def state(self, now: datetime) -> OverrideState:
        """Return where it stands at `now`: active from starts_at on, until before ends_at."""
        if now >= self.ends_at:
            return OverrideState.EXPIRED
        return OverrideState.ACTIVE if now >= self.starts_at else OverrideState.PENDING

    def applies(self, labels: Mapping[str, str], now: datetime) -> bool:
        """Return whether it is active and every matcher fits."""
        return self.state(now) is OverrideState.ACTIVE and all(matcher.matches(labels) for matcher in self.matchers)


def next_edge(overrides: Iterable[Override], now: datetime) -> datetime | None:
    """Return when the next of them begins or ends, after now; None: none does."""
    return min((at for each in overrides for at in (each.starts_at, each.ends_at) if at > now), default=None)
