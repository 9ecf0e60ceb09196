"""What came in and went out of queues, minute by minute, as it is kept."""

from datetime import datetime
from typing import Protocol

from app.core.forecast.flows import FlowSeries


class FlowReader(Protocol):
    """The past of a queue's flows, as long as 1-minute history is kept."""

    async def flows(self, queue: str, start: datetime, until: datetime, step_seconds: int) -> FlowSeries:
        """Return the steps that begin in [start, until), start on a whole minute; step a multiple of 60."""
