"""A rule's limits moved up and down, so that one sees what a little more or less of it would have cost."""

from dataclasses import replace

from app.core.floor.metric import DEFINITIONS
from app.core.gate.rule import Rule

SHIFTS = (0.8, 1.2)
DIGITS = 9  # 0.75 x 0.8 is 0.6 to whoever reads it


def shifted(rule: Rule, factor: float) -> Rule:
    """Return a rule with both limits multiplied by a factor; those of a ratio stay within 0..1."""
    is_ratio = DEFINITIONS[rule.metric].unit == "ratio"

    def moved(limit: float | None) -> float | None:
        """Return the limit multiplied and rounded, in its own unit, of a ratio 1 at most; None for none."""
        if limit is None:
            return None
        moved_limit = round(limit * factor, DIGITS)
        return min(1.0, moved_limit) if is_ratio else moved_limit

    return replace(
        rule,
        hold_above=moved(rule.hold_above),
        resume_below=moved(rule.resume_below),
        hold_below=moved(rule.hold_below),
        resume_above=moved(rule.resume_above),
    )


def without_hysteresis(rule: Rule) -> Rule:
    """Return a rule that holds exactly while its hold limit is passed: one limit, no timers."""
    return replace(rule, resume_below=None, resume_above=None, hold_for_seconds=0.0, resume_for_seconds=0.0)


def as_breach(rule: Rule) -> Rule:
    """Return what a breach is where nobody said: a rule's hold limit passed in any minute, until it would resume."""
    return replace(rule, hold_for_seconds=0.0)
