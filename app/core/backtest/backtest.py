"""A policy walked over stored minutes: what its gate would have said, minute by minute, and what that amounts to.

The rules are the live ones (app.core.gate.decide) at one look a minute, and tests hold the two against each other. What
a minute cannot tell: timers and ages are in whole minutes; a window is in whole minutes; a value between two minutes'
ends is not seen; a minute's data counts as of its end. The first look knows nothing of what was before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from app.core.backtest.history import MINUTE, FloorHistory, Looks, QueueMinutes
from app.core.backtest.hysteresis import Episodes, episodes
from app.core.backtest.limits import SHIFTS, as_breach, shifted, without_hysteresis
from app.core.backtest.measures import by_week_hour, calendar, flips_per_day, measured, stretches
from app.core.backtest.report import Gap, QueueSeen, Report, Shift
from app.core.backtest.signals import BLIND, OFF, Codes, Signal, grades, is_off, signal
from app.core.backtest.verdicts import held_by, unmatched, verdicts, watched, within_windows
from app.core.forecast.series import BoolArray
from app.core.gate.policy import Policy
from app.core.gate.rule import Rule

MOST_GAPS = 20

Progress = Callable[[float], None]


def backtest(
    policy: Policy,
    history: FloorHistory,
    looks: Looks,
    breach: Sequence[Rule] = (),
    progress: Progress = lambda _: None,
) -> Report:
    """Return how a policy would have done at these looks, of which there is at least one.

    breach: what a real breach is, each as a rule; (): the policy's own hold limits, passed in any minute. The history
    has to reach back as far as `minutes_before` says. progress is told the share done, 0..1.
    """
    breach = tuple(breach) or tuple(map(as_breach, policy.rules))
    plain = tuple(map(without_hysteresis, policy.rules))
    moved = [(place, factor) for place in range(len(policy.rules)) for factor in SHIFTS]
    courses = [_moved(policy.rules, place, factor) for place, factor in moved]
    study = _studied(policy, history, looks, [*breach, *plain, *policy.rules, *sum(courses, ())], progress)

    def course(rules: Sequence[Rule]) -> Codes:
        """Return the verdict of these rules at each look, a code each."""
        return verdicts(study.of(rules), study.blind, is_open)

    first = history.start + (looks.first + 1) * MINUTE
    is_open = within_windows(policy, history.start, looks)
    dates = calendar(policy.time_zone, first, looks.count)
    breached = held_by(study.of(breach), np.zeros(1, np.int64), looks.count)
    base = course(policy.rules)
    starts, ends = stretches(~study.seen)
    longest = np.sort(np.argsort(starts - ends, kind="stable")[:MOST_GAPS])
    return Report(
        start=first,
        until=first + looks.count * MINUTE,
        minutes=looks.count,
        window_minutes=int(np.count_nonzero(is_open)),
        measures=measured(base, breached, dates.days),
        flips_per_day_without_hysteresis=flips_per_day(course(plain), dates.days),
        week=by_week_hour(base, dates.week_hours),
        shifts=tuple(
            Shift(place, factor, rules[place], measured(course(rules), breached, dates.days))
            for (place, factor), rules in zip(moved, courses, strict=True)
        ),
        breach=breach,
        queues=tuple(study.queues),
        unseen_minutes=int(np.count_nonzero(~study.seen)),
        gaps=tuple(Gap(first + int(starts[at]) * MINUTE, first + int(ends[at]) * MINUTE) for at in longest),
        unmatched=tuple(pattern for pattern in policy.queues if not watched((pattern,), history)),
    )


def course(policy: Policy, history: FloorHistory, looks: Looks) -> Codes:
    """Return the verdict of a policy at each look: OPEN, HELD, UNKNOWN or, outside the send windows, CLOSED."""
    study = _studied(policy, history, looks, policy.rules, lambda _: None)
    return verdicts(study.of(policy.rules), study.blind, within_windows(policy, history.start, looks))


def passed(policy: Policy, limits: Sequence[Rule], history: FloorHistory, looks: Looks) -> BoolArray:
    """Return at which looks any of some limits is passed on any queue that a policy watches."""
    study = _studied(policy, history, looks, limits, lambda _: None)
    return held_by(study.of(limits), np.zeros(1, np.int64), looks.count)


@dataclass(slots=True, eq=False)
class _Study:
    """What was found of all queues, at each look. rules: the episodes of each rule, one per queue.

    blind: the gate cannot know enough. seen: at least something was there to judge by.
    """

    blind: BoolArray
    seen: BoolArray
    rules: dict[Rule, list[Episodes]]
    queues: list[QueueSeen] = field(default_factory=list)

    def of(self, rules: Sequence[Rule]) -> list[Episodes]:
        """Return the episodes of some rules on all queues."""
        return [each for rule in rules for each in self.rules[rule]]


def _studied(policy: Policy, history: FloorHistory, looks: Looks, rules: Sequence[Rule], progress: Progress) -> _Study:
    missing = unmatched(policy, history, looks)
    study = _Study(missing.copy(), np.zeros(looks.count, bool), {rule: [] for rule in rules})
    names = set(watched(policy.queues, history))
    queues = [queue for queue in history.queues if queue.name in names]
    for place, queue in enumerate(queues):
        absent = _Absence(is_off(queue, looks, history.start), missing)
        _study_queue(study, queue, absent, policy, looks)
        progress((place + 1) / len(queues))
    study.blind |= ~study.seen
    return study


class _Absence(NamedTuple):
    """At which looks a queue is off the floor, and at which a pattern finds no queue: then none is taken for gone."""

    off: BoolArray
    unmatched: BoolArray

    def laid_over(self, codes: Codes) -> Codes:
        """Return the codes with those of an absent queue in their place."""
        codes[self.off] = np.where(self.unmatched[self.off], np.int8(BLIND), np.int8(OFF))
        return codes


def _study_queue(study: _Study, queue: QueueMinutes, absent: _Absence, policy: Policy, looks: Looks) -> None:
    """Add what each rule finds on one queue."""
    signals: dict[tuple[object, ...], Signal] = {}
    blind = np.zeros(looks.count, bool)
    for rule, found in study.rules.items():
        eye = (rule.metric, rule.window_seconds, rule.min_samples, rule.on_missing)
        if eye not in signals:
            signals[eye] = signal(queue, rule, looks, policy.stale_after_seconds)
        seen = signals[eye]
        codes = absent.laid_over(grades(seen, rule))
        found.append(episodes(codes, rule.hold_for_seconds, rule.resume_for_seconds))
        if rule in policy.rules:
            blind |= seen.blind
            study.seen |= ~(seen.blind | seen.ignored | absent.off)
    study.blind |= blind & ~absent.off
    study.queues.append(QueueSeen(queue.name, float(np.mean(~(blind | absent.off)))))


def _moved(rules: tuple[Rule, ...], place: int, factor: float) -> tuple[Rule, ...]:
    return (*rules[:place], shifted(rules[place], factor), *rules[place + 1 :])
