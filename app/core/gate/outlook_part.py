"""The `outlook` of a policy: the limits that the predicted floor must keep."""

from collections.abc import Sequence

from app.core.floor.metric import Metric
from app.core.forecast.limits import (
    DEFAULT_HORIZON_MINUTES,
    DEFAULT_MAX_BREACH_PROBABILITY,
    DEFAULT_WINDOW_SECONDS,
    OutlookLimits,
)
from app.core.gate.fields import Fields
from app.core.gate.rule import Rule

LIMITS = ("service_level_ratio", "speed_to_answer_seconds", "abandonment_ratio", "backlog")
SHORTEST_HORIZON_MINUTES, LONGEST_HORIZON_MINUTES = 15, 12 * 60
LONGEST_TARGET_SECONDS = 3600
SHORTEST_WINDOW_SECONDS, LONGEST_WINDOW_SECONDS = 300, 3600
WINDOW_STEP_SECONDS = 300


def parse_outlook(fields: Fields, rules: Sequence[Rule]) -> OutlookLimits | None:
    """Return the limits of a policy's outlook, None for a policy without one. Faults go to the fields' problems.

    Where it names none of the limits, they are the hold limits of the rules. Absent: service_level_seconds 20,
    window_seconds 900, max_breach_probability 0.1, horizon_minutes 180.
    """
    if not fields.has("outlook"):
        return None
    part = Fields.of(fields.get("outlook"), fields.at("outlook"), fields.problems)
    if part is None:
        return None
    named = {
        "service_level_ratio": part.number("service_level_ratio", None, 0.01, 1, unit="(a ratio: 0.8 is 80 %)"),
        "speed_to_answer_seconds": part.number("speed_to_answer_seconds", None, 0, LONGEST_TARGET_SECONDS),
        "abandonment_ratio": part.number("abandonment_ratio", None, 0, 1, unit="(a ratio: 0.05 is 5 %)"),
        "backlog": part.number("backlog", None, 0),
    }
    limits = OutlookLimits(
        **(named if any(name in part.value for name in LIMITS) else _limits_of(rules)),
        service_level_seconds=part.number("service_level_seconds", 20.0, 0, LONGEST_TARGET_SECONDS),
        window_seconds=_window(part),
        max_breach_probability=part.number("max_breach_probability", DEFAULT_MAX_BREACH_PROBABILITY, 0.001, 0.9),
        horizon_minutes=part.whole(
            "horizon_minutes", DEFAULT_HORIZON_MINUTES, SHORTEST_HORIZON_MINUTES, LONGEST_HORIZON_MINUTES
        ),
    )
    part.finish()
    if not has_limit(limits):
        part.refuse(f"nothing to keep: name at least one of {', '.join(LIMITS)}, here or as a rule")
    if limits.horizon_minutes * 60 < limits.window_seconds:
        part.refuse("the horizon is shorter than one window", "horizon_minutes")
    return limits


def limits_of_rules(rules: Sequence[Rule]) -> OutlookLimits:
    """Return the limits that rules set on what can be predicted, the rest as it is where nobody says otherwise."""
    found = _limits_of(rules)
    return OutlookLimits(
        service_level_ratio=found["service_level_ratio"],
        speed_to_answer_seconds=found["speed_to_answer_seconds"],
        abandonment_ratio=found["abandonment_ratio"],
        backlog=found["backlog"],
    )


def _limits_of(rules: Sequence[Rule]) -> dict[str, float | None]:
    """Return the hold limit on each metric that can be predicted; of several on one metric the strictest."""
    found: dict[str, float | None] = dict.fromkeys(LIMITS)
    for rule in rules:
        if rule.metric.value not in found:
            continue
        before, limit = found[rule.metric.value], rule.hold_limit
        stricter = max if rule.metric is Metric.SERVICE_LEVEL_RATIO else min
        found[rule.metric.value] = limit if before is None else stricter(before, limit)
    return found


def has_limit(limits: OutlookLimits) -> bool:
    """Tell whether there is anything that could break."""
    return any(getattr(limits, name) is not None for name in LIMITS)


def _window(part: Fields) -> float:
    seconds = part.whole("window_seconds", int(DEFAULT_WINDOW_SECONDS), SHORTEST_WINDOW_SECONDS, LONGEST_WINDOW_SECONDS)
    if seconds % WINDOW_STEP_SECONDS:
        part.refuse(
            f"{seconds} must be a multiple of {WINDOW_STEP_SECONDS}: predictions are per 5 minutes", "window_seconds"
        )
        return DEFAULT_WINDOW_SECONDS
    return float(seconds)
