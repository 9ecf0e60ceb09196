"""The contact center of the demonstration: three queues on a weekday, written in the center's local time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.floor.targets import QueueTargets
from app.core.simulation.plan import Break, FloorPlan, Outage, QueuePlan, Shift, Span
from app.core.simulation.randomness import LogNormal
from app.core.simulation.rates import Rates

TIME_ZONE = "America/Chicago"
OPENS = datetime(2026, 11, 16, 8, 30, tzinfo=ZoneInfo(TIME_ZONE))  # a Monday; the demonstration begins here
WARM_UP = timedelta(minutes=45)  # what happened before, so that charts have a past
DAY_SECONDS = 86_400

Knots = Sequence[tuple[str, float]]

QUEUES = {
    "orders-voice": QueueTargets(title="Orders (voice)"),
    "billing-voice": QueueTargets(title="Billing (voice)"),
    "care-chat": QueueTargets(title="Care (chat)", service_level_seconds=60),
}

# Contacts per hour on a Monday that nobody will remember.
ORDERS: Knots = (("07:00", 0), ("07:30", 130), ("08:30", 180), ("14:00", 180), ("17:00", 130), ("21:00", 0))
BILLING: Knots = (("07:00", 0), ("07:30", 36), ("09:00", 46), ("16:00", 44), ("18:00", 30), ("21:00", 0))
CHAT: Knots = (("07:00", 0), ("07:30", 50), ("09:00", 70), ("17:00", 68), ("20:00", 30), ("21:00", 0))


def local(clock: str) -> float:
    """Return seconds from the start of the simulation to a local time of its first day; below 0 when it is earlier."""
    hours, minutes = map(int, clock.split(":"))
    starts = OPENS - WARM_UP
    return (
        timedelta(hours=hours, minutes=minutes) - timedelta(hours=starts.hour, minutes=starts.minute)
    ).total_seconds()


def between(start: str, end: str) -> Span:
    """Return the span from one local time to another."""
    return Span(local(start), local(end))


def daily(knots: Knots, bursts: Knots = ()) -> Rates:
    """Return rates along straight lines through (local time, contacts per hour), the same each day.

    bursts are further contacts per hour, for the minute that begins at that time only, on every day.
    """
    midnight = local("00:00")
    rates = list(
        Rates.through([(local(at) - midnight, rate) for at, rate in knots], length_seconds=DAY_SECONDS).per_second
    )
    for at, rate in bursts:
        rates[int(local(at) - midnight) // 60] += rate / 3600
    begin = int(-midnight) // 60
    return Rates(tuple(rates[begin:] + rates[:begin]), repeats=True)


def center(orders: Rates, billing: Rates, chat: Rates, *outages: Outage) -> FloorPlan:
    """Return the floor: 25 people on orders (30 from 10:30), 12 on billing, 10 who chat with up to three at once."""
    hours = (between("07:00", "21:00"),)
    return FloorPlan(
        (
            QueuePlan(
                "orders-voice",
                orders,
                LogNormal.of(270, 0.9),
                (_shift(25, "07:00", "15:30", 5), _shift(5, "10:30", "19:00", 2), _shift(18, "15:00", "21:30", 3)),
                wrap_up_seconds=30,
                patience_seconds=360,
                opening=hours,
                redial_ratio=0.2,
            ),
            QueuePlan(
                "billing-voice",
                billing,
                LogNormal.of(320, 1.0),
                (_shift(12, "07:00", "15:30", 2), _shift(8, "15:00", "21:30", 1)),
                wrap_up_seconds=45,
                patience_seconds=300,
                opening=hours,
            ),
            QueuePlan(
                "care-chat",
                chat,
                LogNormal.of(600, 0.7),
                (_shift(10, "07:00", "15:30", 1), _shift(6, "15:00", "21:30", 1)),
                channel="chat",
                slots=3,
                patience_seconds=240,
                opening=hours,
            ),
        ),
        outages,
        repeats_every_seconds=DAY_SECONDS,
    )


def _shift(agents: int, start: str, end: str, at_lunch: int) -> Shift:
    """Return a shift whose people go to lunch half an hour each, `at_lunch` at a time, from four hours in."""
    begin, half_hour = local(start), 1800.0
    first = begin + 4 * 3600
    groups = -(-agents // at_lunch)
    breaks = tuple(
        Break(first + half_hour * k, first + half_hour * (k + 1), min(at_lunch, agents - k * at_lunch))
        for k in range(groups)
    )
    return Shift(agents, begin, local(end), breaks)
