"""Whether a case can be planned for at all: nothing that is wrong with it may come out as "send"."""

from collections.abc import Iterator

import numpy as np

from app.core.forecast.case import Case, QueueCase, Rate, is_number
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.series import MINUTE_SECONDS, FloatArray
from app.core.problem import InputRefused, Problem

MOST_PEOPLE = 8_000_000_000
MOST_PER_1000 = 1_000_000.0
MOST_CV = 10.0
ONE_CONTACT = 1.0 + 1e-6


class CaseRefused(InputRefused):
    """The case cannot be planned for; `problems` has every fault found, its pointer naming the member."""

    what = "case"


def check_case(case: Case) -> None:
    """Pass, or raise CaseRefused with every fault found."""
    problems = [*_limits(case.limits), *rate_problems(case.contacts_per_1000), *_starts(case)]
    if not case.queues:
        problems.append(Problem("/queues", "is empty; a gate guards at least one queue"))
    for index, queue in enumerate(case.queues):
        problems += [Problem(f"/queues/{index}{problem.pointer}", problem.detail) for problem in _queue(queue, case)]
    if problems:
        raise CaseRefused(problems)


def check_audience(audience: float) -> None:
    """Pass, or raise CaseRefused: an audience is a number of people, and there are not more than 8 billion."""
    if not is_number(audience, 0, MOST_PEOPLE):
        raise CaseRefused([Problem("/audience", f"{audience} must be 0 to {MOST_PEOPLE} people")])


def rate_problems(rate: Rate) -> Iterator[Problem]:
    """Yield what is wrong with a rate of contacts."""
    if not is_number(rate.mean, 0, MOST_PER_1000):
        yield Problem("/contacts_per_1000/mean", f"{rate.mean} must be 0 to {MOST_PER_1000:g} contacts per 1,000")
    if not is_number(rate.cv, 0, MOST_CV):
        yield Problem("/contacts_per_1000/cv", f"{rate.cv} must be 0 to {MOST_CV:g}, the standard deviation / mean")


def _limits(limits: OutlookLimits) -> Iterator[Problem]:
    ratios = (limits.service_level_ratio, limits.abandonment_ratio)
    amounts = (limits.speed_to_answer_seconds, limits.backlog)
    if all(limit is None for limit in ratios + amounts):
        yield Problem("/limits", "has no limit; name at least one, for without any every send would count as safe")
    for name, ratio in zip(("service_level_ratio", "abandonment_ratio"), ratios, strict=True):
        if ratio is not None and not is_number(ratio, 0, 1):
            yield Problem(f"/limits/{name}", f"{ratio} must be 0 to 1")
    for name, amount in zip(("speed_to_answer_seconds", "backlog"), amounts, strict=True):
        if amount is not None and not is_number(amount, 0):
            yield Problem(f"/limits/{name}", f"{amount} must be >= 0")
    if not is_number(limits.max_breach_probability, 0, 1):
        yield Problem("/limits/max_breach_probability", f"{limits.max_breach_probability} must be 0 to 1")
    if limits.horizon_minutes < 1:
        yield Problem("/limits/horizon_minutes", f"{limits.horizon_minutes} must be at least 1")
    elif not is_number(limits.window_seconds, MINUTE_SECONDS, MINUTE_SECONDS * limits.horizon_minutes):
        allowed = f"{MINUTE_SECONDS:g} s to the horizon of {limits.horizon_minutes} minutes"
        yield Problem("/limits/window_seconds", f"{limits.window_seconds} must be {allowed}")


def _starts(case: Case) -> Iterator[Problem]:
    starts = case.starts
    if starts.ndim != 1 or not len(starts) or starts[0] != 0 or bool(np.any(np.diff(starts) <= 0)):
        yield Problem("/starts", "must be minutes in ascending order, the first one 0")


def _queue(queue: QueueCase, case: Case) -> Iterator[Problem]:
    scenario = queue.scenario
    minutes = len(scenario.agents) if scenario.agents.ndim == 1 else 0
    if minutes < case.limits.horizon_minutes or minutes != case.minutes:
        needed = f"at least {case.limits.horizon_minutes}, the horizon, and as many for each queue"
        yield Problem("/scenario/agents", f"has {minutes} minutes; {needed}, are needed")
        return
    for name, values in (
        ("scenario/arrivals_per_second", scenario.arrivals_per_second),
        ("in_flight", queue.in_flight),
    ):
        yield from _per_minute(name, values, minutes)
    yield from _per_minute("arrivals_cv", queue.arrivals_cv, minutes, MOST_CV)
    if not is_number(queue.in_flight_cv, 0, MOST_CV):
        yield Problem("/in_flight_cv", f"{queue.in_flight_cv} must be 0 to {MOST_CV:g}")
    if not is_number(queue.share, 0, 1):
        yield Problem("/share", f"{queue.share} must be 0 to 1, the queue's part of the campaign's contacts")
    yield from _curves(queue.curves, (len(case.starts), minutes))


def _per_minute(name: str, values: FloatArray, minutes: int, most: float = np.inf) -> Iterator[Problem]:
    if values.shape != (minutes,):
        yield Problem(f"/{name}", f"has the shape {values.shape}; one value for each of {minutes} minutes is needed")
    elif (wrong := np.flatnonzero(~((values >= 0) & (values <= most) & (values < np.inf)))).size:
        allowed = "a number >= 0" if most == np.inf else f"0 to {most:g}"
        yield Problem(f"/{name}/{wrong[0]}", f"{values[wrong[0]]} in minute {wrong[0]} must be {allowed}")


def _curves(curves: FloatArray, shape: tuple[int, int]) -> Iterator[Problem]:
    if curves.shape != shape:
        yield Problem("/curves", f"has the shape {curves.shape}; {shape[0]} starts of {shape[1]} minutes are needed")
    elif not bool(np.all(curves >= 0)):
        yield Problem("/curves", "has values below 0 or NaN; contacts per second are needed")
    elif bool(np.any(curves.sum(axis=1) * MINUTE_SECONDS > ONE_CONTACT)):
        yield Problem("/curves", "has a row that brings more than one contact for each contact expected")
