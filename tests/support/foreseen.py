"""What is known of a small floor, for tests that look ahead."""

from datetime import UTC, datetime

import numpy as np

from app.core.forecast.case import Rate
from app.core.forecast.foresee import Sender
from app.core.forecast.known import Known, QueueKnown, SendKnown
from app.core.forecast.limits import OutlookLimits

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTES = 240
STEPS = MINUTES // 5 + 1


def a_queue(name: str = "orders", *, per_minute: float = 3.0, agents: int = 20, **changes: object) -> QueueKnown:
    members: dict[str, object] = {
        "expected": np.full(STEPS, per_minute * 5),
        "cv": np.full(STEPS, 0.1),
        "step_seconds": 300.0,
        "step_offset_seconds": 120.0,
        "agents": np.full(MINUTES, agents),
        "is_open": np.ones(MINUTES, dtype=bool),
        "opened_before": np.ones(72 * 60, dtype=bool),
        "busy": 15,
        "waiting": 0,
        "handle_seconds": 300.0,
        "patience_seconds": 180.0,
        "is_patience_known": True,
    }
    return QueueKnown(name, **members | changes)  # type: ignore[arg-type]


def a_known(*queues: QueueKnown, sent: tuple[SendKnown, ...] = (), most: int = 100_000) -> Known:
    return Known(
        NOON,
        OutlookLimits(service_level_ratio=0.8, horizon_minutes=60),
        queues or (a_queue(),),
        sent,
        (Sender("", Rate(10.0, 0.5), (("orders", 1.0),), most),),
        np.ones(MINUTES // 5, dtype=bool),
    )


def a_send(
    *messages: tuple[float, float], campaign: str = "spring", per_1000: float = 10.0, cv: float = 0.5
) -> SendKnown:
    return SendKnown(campaign, Rate(per_1000, cv), (("orders", 1.0),), messages)
