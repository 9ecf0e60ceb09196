"""What is to be expected of queues from their own history: how many contacts will come in by themselves.

A queue's past days are read once and kept until its day is over; each question reads only what came since midnight.
What came late into past days, and what is learned of past campaigns, counts when the past is read anew, after six hours
at the latest.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from app.core.forecast.arrivals import ArrivalForecast, forecast
from app.core.forecast.calendar import Calendar
from app.core.forecast.days import Days, by_local_day
from app.core.forecast.errors import ErrorCv, error_cv
from app.core.forecast.series import FloatArray
from app.core.forecast.usual import Usuals
from app.core.staffing.hours import OpeningHours
from app.ports.flows import FlowReader

STEP_SECONDS = 300
HISTORY_DAYS = 70
KEPT = timedelta(hours=6)
QUIET_LOOKED_AT = timedelta(hours=2)
SETTLED = timedelta(seconds=15)  # until then what came in may not be written down yet

# Return the contacts that campaigns brought to a queue, per step of [start, until).
Lift = Callable[[str, datetime, datetime], FloatArray]


async def _always_open(_queue: str) -> OpeningHours | None:
    return None


@dataclass(frozen=True, slots=True)
class _Past:
    """The days of a queue before today, and how far forecasts were off on them."""

    calendar: Calendar
    today: date
    read_at: datetime
    usuals: Usuals
    errors: ErrorCv | None

    def is_good(self, calendar: Calendar, today: date, now: datetime) -> bool:
        """Whether it holds for a question of `now`; a clock that was set back makes it unusable."""
        return (self.calendar, self.today) == (calendar, today) and timedelta() <= now - self.read_at < KEPT


class Flows:
    """Forecasts arrivals. hours: when a queue is open. time_zone: whose days a queue without hours of its own lives by.

    lift: the contacts that campaigns brought, which are taken out of the history; None: none did.
    """

    def __init__(
        self,
        reader: FlowReader,
        *,
        hours: Callable[[str], Awaitable[OpeningHours | None]] = _always_open,
        time_zone: Callable[[str], str] = lambda _queue: "UTC",
        lift: Lift | None = None,
    ) -> None:
        self._reader, self._hours, self._time_zone, self._lift = reader, hours, time_zone, lift
        self._pasts: dict[str, _Past] = {}

    async def forecast(self, queue: str, now: datetime, minutes: int) -> ArrivalForecast:
        """Return the contacts to expect from now until so many minutes (1 to 10,080) on, campaigns aside."""
        usuals, errors = await self.usuals(queue, now)
        return await asyncio.to_thread(forecast, usuals, now, minutes, errors)

    async def usuals(self, queue: str, now: datetime) -> tuple[Usuals, ErrorCv | None]:
        """Return what is usual of a queue and what came in today; and how far forecasts of it were off, if measured."""
        calendar = Calendar(self._time_zone(queue), await self._hours(queue))
        today = calendar.day_of(now)
        midnight = _midnight(today, calendar)
        past = self._pasts.get(queue)
        if past is None or not past.is_good(calendar, today, now):
            before = await self._days(
                queue, _midnight(today - timedelta(days=HISTORY_DAYS), calendar), midnight, calendar
            )
            past = self._pasts[queue] = await asyncio.to_thread(_past, before, calendar, today, now)
        since_midnight = await self._days(queue, midnight, _floored(now - SETTLED), calendar, is_today=True)
        history = past.usuals.history.followed_by(since_midnight)
        return Usuals(history, calendar, past.usuals), past.errors

    async def quiet(self, queue: str, now: datetime) -> tuple[datetime, datetime] | None:
        """Return since when, and until when, nobody is said to have come in, campaigns' contacts included.

        As far as is known lately, of the last two hours. None where somebody came in the last steps.
        """
        until = _floored(now - SETTLED)
        return (await self._reader.flows(queue, until - QUIET_LOOKED_AT, until, STEP_SECONDS)).quiet()

    async def _days(
        self, queue: str, start: datetime, until: datetime, calendar: Calendar, *, is_today: bool = False
    ) -> Days:
        """Return what came in by days. Of today's counts those that contradict themselves are not believed.

        Of past days they are: what a median of weeks makes of them is little, and a time that none of these days knew
        would have no forecast.
        """
        flows = await self._reader.flows(queue, start, max(start, until), STEP_SECONDS)
        came_in = flows.believed() if is_today else flows.series()
        lift = None if self._lift is None else self._lift(queue, start, came_in.end)
        return await asyncio.to_thread(by_local_day, came_in, calendar, lift)


def _past(before: Days, calendar: Calendar, today: date, now: datetime) -> _Past:
    usuals = Usuals(before, calendar)
    return _Past(calendar, today, now, usuals, error_cv(usuals, today.toordinal()))


def _midnight(day: date, calendar: Calendar) -> datetime:
    return datetime.combine(day, time(), calendar.zone).astimezone(UTC)


def _floored(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % STEP_SECONDS)
