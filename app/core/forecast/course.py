"""What is predicted: the course that a queue takes, in expected values per interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from app.core.forecast.series import BoolArray, FloatArray


def _nothing() -> FloatArray:
    return np.zeros((0, 0))


def _none() -> BoolArray:
    return np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Expected values; every array has shape (rows, intervals): one row per curve of arrivals that was asked for.

    Contacts belong to the interval they arrive in: offered = answered + abandoned (expected contacts), of which
    answered_in_target and abandoned_in_target within the target; answered_wait_seconds and wait_seconds are summed
    waits, of those answered and of all. backlog is the mean over the interval of E[Q], busy that of busy agents;
    backlog_end and backlog_end_sd are at its end. backlog_above[x]: the largest P(Q > x) at any instant looked at in
    the interval. end: the distribution of the number in system at the horizon, shape (rows, states).

    backlog_end is counted when the next interval's agents are there, as is backlog_end_p90, the number not exceeded
    with probability 0.9. all_busy is the mean over the interval of P(nobody is free). Where nobody gives up and nobody
    comes back to serve them, contacts are offered and neither answered nor abandoned, and wait_seconds is infinite.
    unattended, (intervals,): some who arrive in it find no agent from then to the horizon. never_recovers, (rows,):
    nobody gives up, the backlog has grown, and more arrives at the end than its agents can handle. overflowed, (rows,):
    so many would be in the system that those beyond 30,000 were left out, or that some with more than 2,000 ahead wait
    until agents leave, which is not followed for them; it is worse than the figures say.
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
    backlog_end_p90: FloatArray = field(default_factory=_nothing)
    all_busy: FloatArray = field(default_factory=_nothing)
    unattended: BoolArray = field(default_factory=_none)
    never_recovers: BoolArray = field(default_factory=_none)
    overflowed: BoolArray = field(default_factory=_none)


def joined(courses: Sequence[Course]) -> Course:
    """Return the rows of several courses of the same intervals as one."""
    if len(courses) == 1:
        return courses[0]
    states = max(course.end.shape[1] for course in courses)
    ends = [np.pad(course.end, ((0, 0), (0, states - course.end.shape[1]))) for course in courses]
    above = {x: np.concatenate([course.backlog_above[x] for course in courses]) for x in courses[0].backlog_above}
    rows: dict[str, Any] = {
        name: np.concatenate([getattr(course, name) for course in courses])
        for name in (one.name for one in fields(Course))
        if name not in {"interval_seconds", "end", "backlog_above", "unattended"}
    }
    return replace(courses[0], end=np.concatenate(ends), backlog_above=above, **rows)
