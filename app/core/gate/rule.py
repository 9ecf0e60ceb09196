"""One rule of a policy: a metric with the limit that holds sends and the limit that lets them resume."""

from dataclasses import dataclass
from enum import StrEnum

from app.core.floor.metric import DEFINITIONS, Metric, MetricDefinition, Worse
from app.core.gate.fields import LARGEST, Fields, listed, shown
from app.core.problem import Problem

# The floor keeps an hour: a longer window would be asked for and not be had.
MAX_WINDOW_SECONDS = 3600
MAX_TIMER_SECONDS = 86_400

_LIMITS = {Worse.HIGHER: ("hold_above", "resume_below"), Worse.LOWER: ("hold_below", "resume_above")}


class OnMissing(StrEnum):
    """What a rule means while no source has ever reported its metric for a queue. Stale data is always unknown."""

    UNKNOWN = "unknown"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Rule:
    """One metric with the limit that holds sends and the limit that lets them resume.

    Exactly one pair is set: hold_above/resume_below where higher is worse, hold_below/resume_above where lower is.
    A hold limit is passed beyond it, not at it; a resume limit is met at it and on the good side of it.
    hold_for_seconds and resume_for_seconds say how long a limit must be passed, or met, without a break.
    min_samples: a window with fewer contacts is not judged. window_seconds None: the floor's default window.
    """

    metric: Metric
    hold_above: float | None = None
    resume_below: float | None = None
    hold_below: float | None = None
    resume_above: float | None = None
    window_seconds: float | None = None
    min_samples: int = 0
    hold_for_seconds: float = 0.0
    resume_for_seconds: float = 0.0
    on_missing: OnMissing = OnMissing.UNKNOWN

    @property
    def key(self) -> str:
        """The rule's name inside its policy: metric, and window where one is set. Stable while limits change."""
        return self.metric if self.window_seconds is None else f"{self.metric}@{self.window_seconds:g}"

    @property
    def hold_limit(self) -> float:
        """The limit that holds sends once passed. Raises ValueError for a rule that has none."""
        return _the_one(self.hold_above, self.hold_below)

    @property
    def resume_limit(self) -> float:
        """The limit to be met before sends resume; the hold limit where the rule names none."""
        resume = self.resume_below if self.hold_above is not None else self.resume_above
        return self.hold_limit if resume is None else resume

    @property
    def op(self) -> str:
        """The relation to a limit that lets sends go: "<=" where higher is worse, ">=" where lower is."""
        return "<=" if self.hold_above is not None else ">="


def _the_one(above: float | None, below: float | None) -> float:
    limit = below if above is None else above
    if limit is None:
        raise ValueError("a rule needs hold_above or hold_below; this one has neither")
    return limit


def parse_rules(values: list[object], pointer: str, problems: list[Problem]) -> tuple[Rule, ...]:
    """Return the rules in order; faults go to `problems`, a second rule of the same metric and window among them."""
    rules: dict[str, Rule] = {}
    for index, value in enumerate(values):
        fields = Fields.of(value, f"{pointer}/{index}", problems)
        rule = _parse_rule(fields) if fields else None
        if rule and rules.setdefault(rule.key, rule) is not rule:
            window = "the default window" if rule.window_seconds is None else f"window_seconds {rule.window_seconds:g}"
            problems.append(
                Problem(
                    f"{pointer}/{index}",
                    f"there is a rule for {rule.metric.value} with {window} already; merge the two",
                )
            )
    return tuple(rules.values())


def _parse_rule(fields: Fields) -> Rule | None:
    """Return the rule; None when its metric or hold limit cannot be known. What is refused is noted anyway."""
    definition = _metric(fields)
    limits = _limits(fields, definition)
    window = fields.whole("window_seconds", None, 1, MAX_WINDOW_SECONDS)
    min_samples = fields.whole("min_samples", 0, 0)
    if definition and not definition.windowed:
        for member in ("window_seconds", "min_samples"):
            if member in fields.value:
                fields.refuse(f"{definition.metric.value} is true at one instant; leave {member} out", member)
    hold_for = fields.number("hold_for_seconds", 0.0, 0, MAX_TIMER_SECONDS, unit="seconds")
    resume_for = fields.number("resume_for_seconds", 0.0, 0, MAX_TIMER_SECONDS, unit="seconds")
    on_missing = OnMissing(fields.choice("on_missing", OnMissing.UNKNOWN, [member.value for member in OnMissing]))
    fields.finish()
    if definition is None or limits is None:
        return None
    return Rule(
        definition.metric,
        **limits,
        window_seconds=None if window is None else float(window),
        min_samples=min_samples,
        hold_for_seconds=hold_for,
        resume_for_seconds=resume_for,
        on_missing=on_missing,
    )


def _metric(fields: Fields) -> MetricDefinition | None:
    allowed = [metric.value for metric in DEFINITIONS]
    if not fields.has("metric"):
        fields.refuse(f"a rule needs a metric: {listed(allowed)}", "metric")
        return None
    value = fields.get("metric")
    if isinstance(value, str) and value in allowed:
        return DEFINITIONS[Metric(value)]
    fields.refuse(f"{shown(value)} is no metric; use {listed(allowed)}", "metric")
    return None


def _limits(fields: Fields, definition: MetricDefinition | None) -> dict[str, float] | None:
    """Return the limits by member name, the resume limit filled in; None without a sound hold limit."""
    ratio = definition is not None and definition.unit == "ratio"
    high, note = (1.0, "(a ratio: 0.8 is 80 %)") if ratio else (LARGEST, "")
    found = {name: fields.number(name, None, 0, high, unit=note) for pair in _LIMITS.values() for name in pair}
    if definition is None:
        return None
    hold_name, resume_name = _LIMITS[definition.worse]
    for name in found:
        if name in fields.value and name not in (hold_name, resume_name):
            fields.refuse(_wrong_side(definition, hold_name, resume_name), name)
    if hold_name not in fields.value:
        fields.refuse(f"a rule for {definition.metric.value} needs this limit: beyond it, sends are held", hold_name)
    hold, resume = found[hold_name], found[resume_name]
    if hold is None:
        return None
    _check_reachable(fields, definition, hold_name, hold)
    if resume is not None and (resume > hold if definition.worse is Worse.HIGHER else resume < hold):
        relation = "at or below" if definition.worse is Worse.HIGHER else "at or above"
        fields.refuse(
            f"{resume:g} must be {relation} {hold_name} ({hold:g}): a hold ends on its good side", resume_name
        )
    return {hold_name: hold, resume_name: hold if resume is None else resume}


def _wrong_side(definition: MetricDefinition, hold_name: str, resume_name: str) -> str:
    return (
        f"{definition.metric.value} gets worse as it gets {definition.worse.value}: "
        f"its limits are {hold_name} and {resume_name}"
    )


def _check_reachable(fields: Fields, definition: MetricDefinition, hold_name: str, hold: float) -> None:
    """Refuse a hold limit that no value can pass: the rule would look like protection and be none."""
    if definition.worse is Worse.LOWER and hold == 0:
        fields.refuse(f"{definition.metric.value} is never below 0, so this rule would never hold", hold_name)
    if definition.worse is Worse.HIGHER and definition.unit == "ratio" and hold == 1:
        fields.refuse(f"{definition.metric.value} is never above 1, so this rule would never hold", hold_name)
