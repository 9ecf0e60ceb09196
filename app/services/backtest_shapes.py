"""A backtest as JSON-ready values: the same for the API, for the command and for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.core.backtest.report import Shift
from app.core.gate.policy import WEEKDAYS
from app.core.gate.rule import Rule
from app.services.backtests import Backtest
from app.services.shapes import instant

NEARLY_ALL = 0.99
MOST_QUEUES_NAMED = 3
_LIMITS = ("hold_above", "resume_below", "hold_below", "resume_above")


def backtest_shape(done: Backtest) -> dict[str, Any]:
    """Return a backtest with all its parts."""
    report = done.report
    return {
        "gate": done.gate,
        "policy_version": done.version,
        "time_zone": done.policy.time_zone,
        "from": instant(report.start),
        "to": instant(report.until),
        "minutes": report.minutes,
        "window_minutes": report.window_minutes,
        **asdict(report.measures),
        "flips_per_day_without_hysteresis": report.flips_per_day_without_hysteresis,
        "week": [asdict(one) | {"weekday": WEEKDAYS[one.weekday]} for one in report.week],
        "shifts": [_shift(one) for one in report.shifts],
        "breach": [_rule(rule) for rule in report.breach],
        "queues": [{"queue": one.name, "known_ratio": one.known_ratio} for one in report.queues],
        "unseen_minutes": report.unseen_minutes,
        "gaps": [{"from": instant(gap.start), "to": instant(gap.until)} for gap in report.gaps],
        "notes": notes(done),
    }


def notes(done: Backtest) -> Sequence[str]:
    """Return, in sentences, what to know before relying on the figures."""
    report, said = done.report, []
    if done.is_cut:
        said.append(f"History ends now: what is asked for after {instant(report.until)} is left out.")
    if report.unseen_minutes == report.minutes:
        said.append("There is no 1-minute history in this span, so the gate would have been unknown throughout.")
    elif report.unseen_minutes:
        said.append(
            f"{report.unseen_minutes:,} of {report.minutes:,} minutes have no data; the gate is unknown in them."
        )
    said += [
        f"Of {one.name!r}, all that is watched was known in {one.known_ratio:.1%} of the minutes."
        for one in sorted(report.queues, key=lambda one: one.known_ratio)[:MOST_QUEUES_NAMED]
        if 0 < one.known_ratio < NEARLY_ALL
    ]
    said += [f"No queue is called {pattern!r}, so the gate would have been unknown." for pattern in report.unmatched]
    if "outlook" in done.policy.document:
        said.append("The policy's outlook is not part of this backtest: it would need the forecasts of that time.")
    if not done.is_own_breach:
        said.append(
            "A breach is here a hold limit of the policy itself; the API takes what really hurts as its member breach."
        )
    return said


def _shift(one: Shift) -> Mapping[str, Any]:
    return {"rule": one.place, "factor": one.factor, **_named(one.rule), **asdict(one.measures)}


def _named(rule: Rule) -> dict[str, Any]:
    return {
        "metric": rule.metric.value,
        "window_seconds": rule.window_seconds,
        "hold_limit": rule.hold_limit,
        "resume_limit": rule.resume_limit,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    """Return a rule as a policy would have it."""
    limits = {name: getattr(rule, name) for name in _LIMITS if getattr(rule, name) is not None}
    window = {} if rule.window_seconds is None else {"window_seconds": rule.window_seconds}
    timers = {"hold_for_seconds": rule.hold_for_seconds, "resume_for_seconds": rule.resume_for_seconds}
    return {"metric": rule.metric.value, **limits, **window, "min_samples": rule.min_samples, **timers}
