"""Where a chart's ticks go and what they say. Pure; times are ticked in the center's zone, across DST too."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.web.format import measure

QUARTER, HALF_A_DAY = timedelta(minutes=15), timedelta(hours=12)
MOST_TIMES = 9
DAYS_OF_A_WEEK, DAYS_OF_A_MONTH = 7, 30.4
MONTH_STEPS = (1, 2, 3, 6, 12, 120)
MAX_TICKS = 6
SECOND_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
Ticks = list[tuple[float, str]]


def time_ticks(start: datetime, until: datetime, zone: ZoneInfo, most: int = MOST_TIMES) -> list[tuple[datetime, str]]:
    """Return (instant, label) at round local times, at most about `most`; midnight is labelled with its date.

    A local hour that DST skips gets no tick, one that comes twice gets two. A span of days has days, weeks or months.
    """
    if until - start > most * HALF_A_DAY:
        return _day_ticks(start, until, zone, most)
    minutes = _minutes_between_ticks(until - start, most)
    at = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    ticks = []
    while at <= until:
        local = at.astimezone(zone)
        if at >= start and (local.hour * 60 + local.minute) % minutes == 0:
            ticks.append((at, f"{local:%a} {local.day}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"))
        at += QUARTER
    return ticks


def _minutes_between_ticks(span: timedelta, most: int) -> int:
    for minutes in (15, 30, 60, 120, 180, 360):
        if span <= timedelta(minutes=minutes * most):
            return minutes
    return 720


def _day_ticks(start: datetime, until: datetime, zone: ZoneInfo, most: int) -> list[tuple[datetime, str]]:
    """Return ticks at local midnights: of each day, of Mondays, or of the first of every so many months."""
    first, days = start.astimezone(zone).date(), (until - start).days + 1
    dates = [first + timedelta(days=day) for day in range(days + 1)]
    if days > most:
        dates = [day for day in dates if day.weekday() == 0]
    if len(dates) > most:
        months = next(each for each in MONTH_STEPS if days / DAYS_OF_A_MONTH / each <= most)
        dates = [first + timedelta(days=day) for day in range(days + 1)]
        dates = [day for day in dates if day.day == 1 and (day.month - 1) % months == 0]
    ticks = [(datetime.combine(day, time.min, zone).astimezone(UTC), _date_label(day, days, most)) for day in dates]
    return [(at, label) for at, label in ticks if start <= at <= until]


def _date_label(day: date, days: int, most: int) -> str:
    if days <= most:
        return f"{day:%a} {day.day}"
    if days <= most * DAYS_OF_A_WEEK:
        return f"{day.day} {day:%b}"
    return f"{day:%b %Y}" if day.month == 1 else f"{day:%b}"


def value_ticks(top: float, unit: str) -> Ticks:
    """Return (value, label) from 0 to at most `top` in round steps of the unit: whole contacts, 15 s, 20 %."""
    if unit == "seconds":
        step: float = next((step for step in SECOND_STEPS if top / step <= MAX_TICKS), SECOND_STEPS[-1])
    elif unit == "ratio":
        step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if top / step <= MAX_TICKS), 0.25)
    else:
        step = _decimal_step(top)
    return [(index * step, measure(index * step, unit)) for index in range(int(top / step + 1e-9) + 1)]


def _decimal_step(top: float) -> float:
    scale = 1.0
    while True:
        for step in (scale, 2 * scale, 5 * scale):
            if top / step <= MAX_TICKS:
                return step
        scale *= 10
