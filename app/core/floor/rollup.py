"""What history gains from each record: additive minute buckets, so that late and repeated data cannot bend it."""

from datetime import datetime
from typing import NamedTuple

from app.core.floor.metric import Metric


class RollupDelta(NamedTuple):
    """What one minute (bucket_at) of one metric of one queue gains.

    value of a bucket = total / weight: for gauges weight counts readings, for ratios and averages it is the
    denominator. minimum, maximum and last are None where they make no sense (counts that may be corrected).
    """

    queue: str
    metric: Metric
    bucket_at: datetime
    weight: float
    total: float
    minimum: float | None
    maximum: float | None
    last: float | None
    last_at: datetime | None
