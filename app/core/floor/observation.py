"""An observation: one source's measurement of one queue at one instant; and what makes one acceptable."""

from datetime import datetime
from typing import NamedTuple


class Observation(NamedTuple):
    """One source's measurement of one queue at one instant.

    A named tuple and not a dataclass because it is also the row the stream writes, a hundred thousand a second.
    Absent fields are None and mean "not reported", never zero. observed_at is aware UTC. Ratios are 0..1,
    durations seconds. Averages come ready-made (speed_to_answer_seconds, ...) or as counts and sums over the
    window_seconds that end at observed_at; where both are given the counts win, because they can be added.
    """

    queue: str
    observed_at: datetime
    source: str
    channel: str | None = None
    backlog: int | None = None
    oldest_wait_seconds: float | None = None
    contacts_in_progress: int | None = None
    agents_staffed: int | None = None
    agents_available: int | None = None
    agents_busy: int | None = None
    speed_to_answer_seconds: float | None = None
    handle_time_seconds: float | None = None
    service_level_ratio: float | None = None
    abandonment_ratio: float | None = None
    occupancy_ratio: float | None = None
    window_seconds: float | None = None
    offered: int | None = None
    answered: int | None = None
    abandoned: int | None = None
    answered_within_target: int | None = None
    wait_seconds_sum: float | None = None
    handle_seconds_sum: float | None = None
