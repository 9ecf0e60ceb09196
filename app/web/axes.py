"""Where a chart's ticks go and what they say. Pure; times are ticked in the center's zone, across DST too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.web.format import measure

QUARTER = timedelta(minutes=15)
MAX_TICKS = 6
SECOND_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
Ticks = list[tuple[float, str]]


def time_ticks(start: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[datetime, str]]:
    """Return (instant, label) at round local times, at most about nine; midnight is labelled with its date.

    A local hour that DST skips gets no tick, one that comes twice gets two.
    """
    minutes = _minutes_between_ticks(until - start)
    at = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    ticks = []
    while at <= until:
        local = at.astimezone(zone)
        if at >= start and (local.hour * 60 + local.minute) % minutes == 0:
            ticks.append((at, f"{local:%a} {local.day}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"))
        at += QUARTER
    return ticks


def _minutes_between_ticks(span: timedelta) -> int:
    for minutes in (15, 30, 60, 120, 180, 360):
        if span <= timedelta(minutes=minutes * 9):
            return minutes
    return 720


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
