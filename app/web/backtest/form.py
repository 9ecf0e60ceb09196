"""The limits of a policy as dials, and the policy that turned dials make. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from app.core.floor.metric import DEFINITIONS
from app.core.gate.policy import Policy
from app.core.gate.rule import Rule
from app.web.format import duration, measure

SPANS = {7: "7 days", 28: "28 days", 90: "90 days", 365: "a year"}
DEFAULT_DAYS = 28
_LEAST_TOP = {"seconds": 120.0, "ratio": 0.99}
_LEAST_TOP_OF_COUNTS = 20.0
_TIMES = 4  # a dial goes so many times as far as the limit it starts from


@dataclass(frozen=True, slots=True)
class Dial:
    """One limit: its name in the form and in the policy, its range, and how it is said."""

    name: str
    member: str
    value: float
    least: float
    most: float
    step: float
    text: str


@dataclass(frozen=True, slots=True)
class RuleDials:
    """A rule's two limits. worse: the direction, `higher` or `lower`, in which its metric gets worse."""

    title: str
    detail: str
    unit: str
    worse: str
    hold: Dial
    resume: Dial


def dials(policy: Policy, turned: Mapping[str, str]) -> list[RuleDials]:
    """Return the dials of a policy's rules, at what was turned where that is a number."""
    return [_rule(place, rule, turned) for place, rule in enumerate(policy.rules)]


def turned_policy(policy: Policy, rules: Sequence[RuleDials]) -> dict[str, Any] | None:
    """Return the policy's document with the dials' limits, None where these are the policy's own."""
    limits = [(each.hold.value, each.resume.value) for each in rules]
    if limits == [(rule.hold_limit, rule.resume_limit) for rule in policy.rules]:
        return None
    document: dict[str, Any] = dict(policy.document)
    document["rules"] = [
        {**written, each.hold.member: each.hold.value, each.resume.member: each.resume.value}
        for written, each in zip(document["rules"], rules, strict=True)
    ]
    return document


def chosen_days(value: str | None) -> int:
    """Return how many days back are looked at; the usual number for anything that is no choice."""
    return next((days for days in SPANS if str(days) == value), DEFAULT_DAYS)


def _rule(place: int, rule: Rule, turned: Mapping[str, str]) -> RuleDials:
    definition = DEFINITIONS[rule.metric]
    higher = rule.hold_above is not None
    hold = _dial(f"hold-{place}", "hold_above" if higher else "hold_below", rule.hold_limit, definition.unit)
    resume = _dial(f"resume-{place}", "resume_below" if higher else "resume_above", rule.resume_limit, definition.unit)
    top = max(hold.most, resume.most)
    return RuleDials(
        title=definition.title,
        detail=_detail(rule),
        unit=definition.unit,
        worse=definition.worse.value,
        hold=_turned(replace(hold, most=top), turned, definition.unit),
        resume=_turned(replace(resume, most=top), turned, definition.unit),
    )


def _dial(name: str, member: str, limit: float, unit: str) -> Dial:
    whole = float(limit).is_integer()
    least_top = _LEAST_TOP.get(unit, _LEAST_TOP_OF_COUNTS)
    most = max(least_top, limit) if unit == "ratio" else max(least_top, ceil(limit * _TIMES))
    step = 0.01 if unit == "ratio" else 1.0 if whole else 0.1
    return Dial(name, member, limit, step if unit == "ratio" else 0.0, most, step, "")


def _turned(dial: Dial, turned: Mapping[str, str], unit: str) -> Dial:
    try:
        value = float(turned.get(dial.name, dial.value))
    except ValueError:
        value = dial.value
    return replace(dial, value=value, text=measure(value, unit))


def _detail(rule: Rule) -> str:
    """Return what stands beside a rule's limits, in words."""
    parts = [
        f"over {duration(rule.window_seconds)}" if rule.window_seconds else "",
        f"from {rule.min_samples} contacts on" if rule.min_samples else "",
        f"holds after {duration(rule.hold_for_seconds)}" if rule.hold_for_seconds else "",
        f"resumes after {duration(rule.resume_for_seconds)}" if rule.resume_for_seconds else "",
    ]
    return ", ".join(part for part in parts if part)
