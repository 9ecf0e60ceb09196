"""What is predicted: the course that a queue takes, in expected values per interval."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.forecast.series import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Expected values; every array has shape (rows, intervals): one row per curve of arrivals that was asked for.

    Contacts belong to the interval they arrive in: offered = answered + abandoned (expected contacts), of which
    answered_in_target and abandoned_in_target within the target; answered_wait_seconds and wait_seconds are summed
    waits, of those answered and of all. backlog is the mean over the interval of E[Q], busy that of busy agents;
    backlog_end and backlog_end_sd are at its end. backlog_above[x]: the largest P(Q > x) at any instant looked at in
    the interval. end: the distribution of the number in system at the horizon, shape (rows, states).
    """

    interval_seconds: float
    offered: FloatArray
    answered: FloatArray
    abandoned: FloatArray
    answered_in_target: FloatArray
    abandoned_in_target: FloatArray
    answered_wait_seconds: FloatArray
    wait_seconds: FloatArray
    backlog: FloatArray
    backlog_end: FloatArray
    backlog_end_sd: FloatArray
    busy: FloatArray
    end: FloatArray
    backlog_above: Mapping[float, FloatArray] = field(default_factory=dict)
