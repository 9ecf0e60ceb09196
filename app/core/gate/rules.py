"""One rule on one queue: what its reading is worth now, and what the rule remembers from one look to the next.

A timer (hold_for, resume_for) counts only time through which the value was seen to stay on its side. Time is not
counted while the data is missing or stale, nor between two looks that are further apart than data may be old,
because nobody knows what the value did meanwhile. When the clock is set back a little, a timer stands still until the
clock has passed where it stood; when it is set back further, the timer starts anew. So neither a gap nor a clock
can end a hold early. Where the gate was unknown before, or judged by another policy, a limit that is passed holds at
once: nobody saw since when.
"""

from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from math import inf
from typing import NamedTuple

from app.core.floor.view import Reading
from app.core.gate.decision import RuleMemory
from app.core.gate.rule import OnMissing, Rule

# A source's clock may run ahead of ours by as much as ingest accepts; a reading dated later than that proves nothing.
MAX_AHEAD = timedelta(minutes=5)
# Two looks this close have no gap between them, however short a policy's stale_after_seconds is.
MIN_GAP = timedelta(seconds=10)


class Grade(Enum):
    """What a reading says to a rule. Only GOOD, BETWEEN and BAD are judged by the limits."""

    IGNORED = "ignored"  # never reported, and the rule says to ignore that
    MISSING = "missing"  # not reported, not a number, or dated in the future
    STALE = "stale"  # too old by its source's time
    TOO_FEW = "too_few"  # fewer contacts than min_samples; as good as within limits
    GOOD = "good"  # within the resume limit
    BETWEEN = "between"  # past the resume limit, not past the hold limit
    BAD = "bad"  # past the hold limit


BLIND = frozenset({Grade.MISSING, Grade.STALE})
# Bound once: looking a member up on an Enum costs as much as the rest of a comparison.
_IGNORED, _MISSING, _STALE, _TOO_FEW = Grade.IGNORED, Grade.MISSING, Grade.STALE, Grade.TOO_FEW
_GOOD, _BETWEEN, _BAD = Grade.GOOD, Grade.BETWEEN, Grade.BAD


class Look(NamedTuple):
    """One evaluation: its instant, and the three spans by which readings and timers are measured."""

    now: datetime
    stale_at: datetime  # a reading observed then or earlier is stale
    ahead_at: datetime  # a reading observed later than this is a lie
    gap: timedelta  # two looks further apart than this have a gap between them
    unsure: bool = False  # until now the gate was unknown, or had other limits: nobody saw on which side anything was


class Finding(NamedTuple):
    """How one rule was found to stand on one queue; memory None: not holding, no timer runs."""

    rule: Rule
    queue: str
    reading: Reading | None
    grade: Grade
    memory: RuleMemory | None


def look(now: datetime, stale_after_seconds: float, *, unsure: bool = False) -> Look:
    """Return the spans of an evaluation at `now` under a policy's stale_after_seconds."""
    stale_after = seconds(stale_after_seconds)
    return Look(now, now - stale_after, now + MAX_AHEAD, max(stale_after, MIN_GAP), unsure)


@lru_cache(maxsize=1024)
def seconds(count: float) -> timedelta:
    """Return so many seconds as a span; kept, because the same few are asked for without end."""
    return timedelta(seconds=count)


def grade(rule: Rule, reading: Reading | None, remembered: RuleMemory | None, at: Look) -> Grade:
    """Return what a reading is worth to a rule now. Nothing that cannot be trusted is ever graded by the limits.

    `ignore` covers a metric that was never reported, and only that: where the rule remembers something of this
    queue, the metric was there once.
    """
    if reading is None:
        return _IGNORED if rule.on_missing is OnMissing.IGNORE and remembered is None else _MISSING
    if not _is_plausible(reading, at):
        return _MISSING
    if reading.observed_at <= at.stale_at:
        return _STALE
    if reading.value is None or (reading.samples is not None and reading.samples < rule.min_samples):
        return _TOO_FEW
    return _side(rule, reading.value)


def _is_plausible(reading: Reading, at: Look) -> bool:
    """Tell whether a reading can mean anything: not from the future, and a number, or none for want of contacts."""
    if reading.observed_at > at.ahead_at:
        return False
    return reading.samples == 0 if reading.value is None else -inf < reading.value < inf


def _side(rule: Rule, value: float) -> Grade:
    """Return on which side of the rule's limits a value is."""
    if rule.hold_above is not None:
        if value > rule.hold_above:
            return _BAD
        return _GOOD if rule.resume_below is None or value <= rule.resume_below else _BETWEEN
    if value < rule.hold_limit:
        return _BAD
    return _GOOD if rule.resume_above is None or value >= rule.resume_above else _BETWEEN


def remember(rule: Rule, graded: Grade, before: RuleMemory | None, at: Look) -> RuleMemory | None:
    """Return what the rule remembers after this look: `before` itself when nothing moved, None when it is all clear."""
    if graded is _BAD and at.unsure and (before is None or not before.holding):
        return RuleMemory(holding=True, changed_at=at.now)
    if before is None:
        return _tripped(rule, _ALL_CLEAR, at) if graded is _BAD else None
    if graded in BLIND:
        return _frozen(before, at)
    if before.holding:
        return _recovered(rule, before, at) if graded is _GOOD or graded is _TOO_FEW else _unwound(before)
    return _tripped(rule, before, at) if graded is _BAD else None


def _tripped(rule: Rule, before: RuleMemory, at: Look) -> RuleMemory:
    """Return the memory of a rule that is past its limit: holding once hold_for has run out."""
    timed = _timed(before, at)
    if _elapsed(timed, at) >= seconds(rule.hold_for_seconds):
        return RuleMemory(holding=True, changed_at=at.now)
    return timed


def _recovered(rule: Rule, before: RuleMemory, at: Look) -> RuleMemory | None:
    """Return the memory of a holding rule that is within its resume limit: None once resume_for has run out."""
    timed = _timed(before, at)
    return None if _elapsed(timed, at) >= seconds(rule.resume_for_seconds) else timed


def _unwound(before: RuleMemory) -> RuleMemory:
    """Return the memory of a holding rule whose recovery broke off."""
    return before if before.pending_since is None else RuleMemory(before.holding, before.changed_at)


def _timed(before: RuleMemory, at: Look) -> RuleMemory:
    """Return the memory with its timer running up to now, begun now if it did not run; gaps are left out."""
    now, since, seen = at.now, before.pending_since, before.seen_at
    if since is None or seen is None or seen - now > at.gap:
        return RuleMemory(before.holding, before.changed_at, pending_since=now, seen_at=now)
    if now <= seen:
        return before
    if before.frozen_at is not None:
        since += max(timedelta(), now - before.frozen_at)
    elif now - seen > at.gap:
        since += now - seen
    return RuleMemory(before.holding, before.changed_at, pending_since=since, seen_at=now)


def _elapsed(timed: RuleMemory, at: Look) -> timedelta:
    return timedelta() if timed.pending_since is None else at.now - timed.pending_since


def _frozen(before: RuleMemory, at: Look) -> RuleMemory:
    """Return the memory with its timer, if one runs, stopped where the value was last known to stand."""
    seen = before.seen_at
    if before.pending_since is None or before.frozen_at is not None or seen is None:
        return before
    stopped_at = at.now if seen <= at.now <= seen + at.gap else seen
    return RuleMemory(before.holding, before.changed_at, before.pending_since, stopped_at, seen)


def timer_ends_at(finding: Finding) -> datetime | None:
    """Return when the rule's running timer runs out if the value stays on its side; None when none runs."""
    memory = finding.memory
    if memory is None or memory.pending_since is None:
        return None
    rule = finding.rule
    return memory.pending_since + seconds(rule.resume_for_seconds if memory.holding else rule.hold_for_seconds)


_ALL_CLEAR = RuleMemory()
