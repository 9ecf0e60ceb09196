"""The scoreboard's sums: what many campaigns come to together. Sums of parts are sums of the whole.

What is not known of a campaign is in no sum; how many it is known of stands beside each. The interval of a mean adds
the squares of the distances from each rate to its own limits (the method of variance estimates recovery: Zou and
Donner, Statistics in Medicine 27, 2008), which takes campaigns as independent of each other.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Self

from app.core.campaign.value import Figures
from app.core.debrief.score import Score

DELAYED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over those campaigns of which it is known."""

    of: int = 0
    total: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(self.of + other.of, self.total + other.total)

    @classmethod
    def one(cls, value: float | None) -> "Sum":
        """Return the sum of one campaign."""
        return Sum() if value is None else Sum(1, value)


@dataclass(frozen=True, slots=True)
class Rate:
    """The mean of contacts per 1,000, weighed by messages.

    weighted: the sum of messages x rate; below and above: of the squares of messages x distance to the lower and the
    upper limit of its interval.
    """

    of: int = 0
    messages: int = 0
    weighted: float = 0.0
    below: float = 0.0
    above: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @classmethod
    def one(cls, score: Score) -> "Rate":
        """Return the rate of one campaign; nothing where it is not known, or nothing was sent."""
        rate, low, high = score.per_1000, score.per_1000_low, score.per_1000_high
        if rate is None or low is None or high is None or not score.messages:
            return Rate()
        sent = score.messages
        return Rate(1, sent, sent * rate, (sent * (rate - low)) ** 2, (sent * (high - rate)) ** 2)

    @property
    def per_1000(self) -> float | None:
        """Contacts per 1,000 delivered; None while none is known."""
        return self.weighted / self.messages if self.messages else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 90 % interval of per_1000."""
        if not self.messages:
            return None
        low, high = self.weighted - math.sqrt(self.below), self.weighted + math.sqrt(self.above)
        return low / self.messages, high / self.messages

    @property
    def is_distinguishable(self) -> bool:
        """Whether zero is not in the interval."""
        interval = self.interval
        return interval is not None and not interval[0] <= 0 <= interval[1]


@dataclass(frozen=True, slots=True)
class Delays:
    """How many sends were delayed by more than a minute, of those of which that is known; together, and the longest.

    never: those that were to go and never went, because their deadline came first.
    """

    of: int = 0
    delayed: int = 0
    seconds: float = 0.0
    longest_seconds: float = 0.0
    never: int = 0

    def __add__(self, other: Self) -> Self:
        longest = max(self.longest_seconds, other.longest_seconds)
        summed = (self.of + other.of, self.delayed + other.delayed, self.seconds + other.seconds)
        return type(self)(*summed, longest, self.never + other.never)

    @classmethod
    def one(cls, line: "Line") -> "Delays":
        """Return the delay of one campaign."""
        seconds = line.score.delay_seconds
        never = int(line.never_went)
        if seconds is None:
            return Delays(never=never)
        is_delayed = seconds > DELAYED_SECONDS
        return Delays(1, int(is_delayed), seconds if is_delayed else 0.0, seconds if is_delayed else 0.0, never)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of those that could did."""

    did: int = 0
    of: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(self.did + other.did, self.of + other.of)

    @classmethod
    def one(cls, did: bool | None) -> "Share":  # noqa: FBT001  the one thing it is made of
        """Return the share of one campaign; None: it could not, or nobody knows."""
        return Share() if did is None else Share(int(did), 1)

    @property
    def ratio(self) -> float | None:
        """The share, 0..1; None of nobody."""
        return self.did / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Money:
    """Net value by currency, and of how many campaigns: amounts of two currencies are never added."""

    by_currency: Mapping[str, tuple[Decimal, int]] = field(default_factory=dict)

    def __add__(self, other: Self) -> Self:
        summed = dict(self.by_currency)
        for currency, (amount, of) in other.by_currency.items():
            known, so_far = summed.get(currency, (Decimal(0), 0))
            summed[currency] = known + amount, so_far + of
        return type(self)(summed)

    @classmethod
    def one(cls, figures: Figures | None) -> "Money":
        """Return the net value of one campaign."""
        return Money() if figures is None or figures.net is None else Money({figures.currency: (figures.net, 1)})


@dataclass(frozen=True, slots=True)
class Line:
    """One campaign on the board. complaints None: not tagged; figures None: nobody reported its value.

    is_waiting: it is to go, and its gate has not let it. never_went: its deadline came before its gate let it.
    """

    score: Score
    complaints: int | None = None
    figures: Figures | None = None
    is_waiting: bool = False
    never_went: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """What some campaigns come to together."""

    campaigns: int = 0
    waiting: int = 0
    messages: int = 0
    rate: Rate = Rate()
    avoided_minutes: Sum = Sum()
    slam_minutes: Sum = Sum()
    delays: Delays = Delays()
    notice: Share = Share()
    briefed: Share = Share()
    complaints: Sum = Sum()
    new: Sum = Sum()
    lost: Sum = Sum()
    kept: Sum = Sum()
    net: Money = field(default_factory=Money)

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def line(score: Score, complaint_reasons: Collection[str], figures: Figures | None = None) -> Line:
    """Return a campaign's line. complaint_reasons: in lower case."""
    named = score.reasons
    counted = None if named is None else sum(n for name, n in named if name.lower() in complaint_reasons)
    return Line(score, counted, None if figures is None or figures.is_empty else figures)


def totals(lines: Iterable[Line]) -> Totals:
    """Return what some campaigns come to together."""
    return sum((_totals_of(each) for each in lines), Totals())


def _totals_of(each: Line) -> Totals:
    score, figures = each.score, each.figures or Figures()
    return Totals(
        campaigns=1,
        waiting=int(each.is_waiting),
        messages=score.messages,
        rate=Rate.one(score),
        avoided_minutes=Sum.one(score.avoided_minutes),
        slam_minutes=Sum.one(score.slam_minutes),
        delays=Delays.one(each),
        notice=Share.one(score.keeps_notice),
        briefed=Share.one(score.is_briefed),
        complaints=Sum.one(each.complaints),
        new=Sum.one(figures.new),
        lost=Sum.one(figures.lost),
        kept=Sum.one(figures.kept),
        net=Money.one(figures),
    )
