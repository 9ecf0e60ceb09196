"""What the demonstration can show. A new scenario is one more entry in SCENARIOS."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.core.forecast.lag import LogLogisticLag
from app.core.simulation.campaign import Campaign
from app.core.simulation.plan import FloorPlan, Outage, Span
from workers.sources.simulator.center import BILLING, CHAT, ORDERS, QUEUES, between, center, daily, local

SHARES = {"orders-voice": 0.6, "billing-voice": 0.15, "care-chat": 0.25}


@dataclass(frozen=True, slots=True)
class PlannedSend:
    """What marketing wants to send: to how many, when (seconds after the simulation's start), with what effect.

    asks_gate False: it is sent at once, without a question. wave_gap_seconds: from one wave's beginning to the next.
    shares: how its contacts split over queues.
    """

    campaign: str
    audience: int
    planned_at: float
    contacts_per_1000: float
    asks_gate: bool = True
    audience_per_wave: int = 20_000
    wave_gap_seconds: float = 600.0
    emails_per_second: float = 60.0
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)

    def whole(self, per_second: float | None = None) -> Campaign:
        """Return it as the campaign that mails everybody, at its own pace or at so many emails per second."""
        seconds = self.audience / (per_second or self.emails_per_second)
        return Campaign(self.campaign, self.audience, self.contacts_per_1000, self.shares, delivery_seconds=seconds)


@dataclass(frozen=True, slots=True)
class Surge:
    """People call for a reason of their own, within minutes, as soon as `after_sent` emails are out."""

    why: str
    after_sent: int
    contacts: int
    queue: str = "orders-voice"

    def campaign(self) -> Campaign:
        """Return it as something that everybody answers at once."""
        lag = LogLogisticLag(median_seconds=90.0, shape=3.0)
        return Campaign(self.why, self.contacts, 1000.0, {self.queue: 1.0}, delivery_seconds=120.0, lag=lag)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A floor, what is done to it, and one sentence on what to look at. silences: when its reports do not come."""

    name: str
    title: str
    look: str
    plan: FloorPlan
    send: PlannedSend
    silences: tuple[Span, ...] = ()
    surge: Surge | None = None


SPRING = PlannedSend("spring", audience=100_000, planned_at=local("08:55"), contacts_per_1000=3.5)
SHOP_FAILS = Surge("the web shop fails", after_sent=24_000, contacts=160)
MONDAY_SPRING = replace(SPRING, audience=400_000)
PRICE_CHANGE = replace(SPRING, audience=500_000, contacts_per_1000=4.0, asks_gate=False, emails_per_second=1000.0)


def _usual(*outages: Outage) -> FloorPlan:
    return center(daily(ORDERS), daily(BILLING), daily(CHAT), *outages)


_PEAK = (
    *(("07:00", 0), ("07:30", 140), ("08:30", 220), ("08:38", 320), ("08:55", 310), ("09:30", 300)),
    *(("10:00", 230), ("10:40", 185), ("14:00", 185), ("17:00", 130), ("21:00", 0)),
)
_BURSTS = tuple(
    (f"{8 + minute // 60:02}:{minute % 60:02}", 900.0) for at in range(40, 120, 8) for minute in (at, at + 1, at + 2)
)

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "quiet",
            "a quiet Monday",
            "the gate stays blue (SEND); from 08:55 the email tool sends 20,000 at a time, and the floor carries it.",
            _usual(),
            SPRING,
        ),
        Scenario(
            "monday-peak",
            "Monday's peak",
            "the gate turns red (HOLD) as the calls pour in before 09:00; the email tool, which wanted to send at "
            "08:55, waits, and from about 09:45 on sends 20,000 at a time, as the floor allows.",
            center(daily(_PEAK), daily(BILLING), daily(CHAT)),
            MONDAY_SPRING,
        ),
        Scenario(
            "spike",
            "a spike in mid-flight",
            "from 08:55 the email tool sends 20,000 at a time; in the second wave the web shop fails and everybody "
            "calls: the wave is stopped in mid-flight, and what follows begins with a small probing wave.",
            _usual(),
            SPRING,
            surge=SHOP_FAILS,
        ),
        Scenario(
            "careless-blast",
            "the blast nobody announced",
            "at 08:55 a price change goes to 500,000 people without asking; see what it does to an ordinary morning, "
            "and how long the gate stays red (HOLD).",
            _usual(),
            PRICE_CHANGE,
        ),
        Scenario(
            "outage",
            "an outage",
            "from 08:45 to 09:05 the agents' desktops are down while customers keep calling: the gate turns red "
            "(HOLD), and stays so until the line is worked off.",
            _usual(Outage(*between("08:45", "09:05"), tuple(QUEUES))),
            SPRING,
        ),
        Scenario(
            "feed-stops",
            "the feed stops",
            "from 08:45 to 09:05 nothing is heard of the floor: after two minutes the gate turns grey (UNKNOWN), the "
            "API answers 503, and both come back by themselves.",
            _usual(),
            SPRING,
            silences=(between("08:45", "09:05"),),
        ),
        Scenario(
            "flapping",
            "calls in bursts",
            "from 08:40 to 10:00 calls come in bursts, eight minutes apart: the backlog goes up and down across its "
            "limit, and the gate holds once instead of flapping.",
            center(daily(ORDERS, _BURSTS), daily(BILLING), daily(CHAT)),
            SPRING,
        ),
    )
}
DEFAULT_SCENARIO = "monday-peak"
