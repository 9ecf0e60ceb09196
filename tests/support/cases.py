"""Cases to plan for: the worked example of the science, and variations on it."""

from datetime import UTC, datetime

import numpy as np

from app.core.forecast.case import STARTS_EVERY_MINUTES, Case, QueueCase, Rate
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.response import Response, response_curves
from app.core.forecast.scenario import Scenario

AT = datetime(2026, 11, 21, 15, tzinfo=UTC)
WINDOW_LIMITS = OutlookLimits(service_level_ratio=0.8, speed_to_answer_seconds=30.0)
PER_1000 = Rate(mean=10.0, cv=0.25)


def a_queue_case(
    queue: str = "orders-voice",
    *,
    agents: int | np.ndarray = 40,
    base_per_minute: float = 6.2,
    busy: int = 31,
    waiting: int = 0,
    patience_seconds: float | None = 180.0,
    base_cv: float = 0.05,
    share: float = 1.0,
    minutes: int = 180,
    in_flight: np.ndarray | None = None,
    in_flight_cv: float = 0.0,
    patience_known: bool = True,
) -> QueueCase:
    """Return a queue of 40 agents who handle contacts in 300 s, open all the time unless agents say otherwise."""
    staff = np.broadcast_to(agents, (minutes,)).astype(np.int64)
    opening = staff > 0 if staff.any() else np.ones(minutes, dtype=np.bool_)
    base = np.where(opening, base_per_minute / 60, 0.0)
    scenario = Scenario(base, staff, 300.0, patience_seconds, busy, waiting, 20.0)
    curves = response_curves(Response(), opening, starts(minutes), minutes)
    return QueueCase(
        queue,
        scenario,
        arrivals_cv=np.full(minutes, base_cv),
        in_flight=np.zeros(minutes) if in_flight is None else in_flight,
        in_flight_cv=in_flight_cv,
        share=share,
        curves=curves,
        patience_known=patience_known,
    )


def a_case(
    *queues: QueueCase, limits: OutlookLimits = WINDOW_LIMITS, rate: Rate = PER_1000, minutes: int = 180, **fields
) -> Case:
    """Return a case of these queues; without any, of one made with the fields given."""
    made = queues or (a_queue_case(minutes=minutes, **fields),)
    return Case(AT, made, rate, limits, starts(minutes))


def starts(minutes: int) -> np.ndarray:
    """Return a start every 5 minutes."""
    return np.arange(0, minutes, STARTS_EVERY_MINUTES, dtype=np.int64)
