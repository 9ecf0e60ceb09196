"""What people ask for when they make an override, and everything that can be wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.campaign.campaign import TrafficClass
from app.core.gate.fields import listed, shown
from app.core.gate.override import MATCHED, Effect, Matcher, Override
from app.core.gate.pattern import LONGEST_VALUE, pattern_fault
from app.core.problem import Problem
from app.errors import Invalid

MAX_COMMENT, MAX_NAME, MAX_MATCHERS = 500, 100, 10
# Clocks of people's machines differ from ours; what began a moment ago begins now.
CLOCK_SLACK = timedelta(minutes=1)
FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class OverrideDraft:
    """An override as asked for. starts_at None: now. One of ends_at and duration_minutes is given.

    created_by: a person's name; None: the name of the key.
    """

    effect: Effect
    comment: str
    ends_at: datetime | None = None
    duration_minutes: float | None = None
    starts_at: datetime | None = None
    matchers: Sequence[Matcher] = ()
    created_by: str | None = None
    even_without_data: bool = False


def override_of(
    draft: OverrideDraft, override_id: str, gate: str, key_name: str, now: datetime, *, most_minutes: float
) -> Override:
    """Return the override that a draft asks for. Raises Invalid with everything that is wrong with it."""
    starts_at = max(now, draft.starts_at or now)
    ends_at = draft.ends_at
    if ends_at is None and draft.duration_minutes is not None:
        ends_at = starts_at + timedelta(minutes=draft.duration_minutes)
    created_by = key_name if draft.created_by is None else draft.created_by.strip()
    problems = [
        *_time_problems(draft, starts_at, ends_at, now, most_minutes),
        *_word_problems(draft, created_by),
        *_matcher_problems(draft.matchers),
    ]
    if problems or ends_at is None:
        raise Invalid("the override was refused; nothing was changed", problems)
    return Override(
        id=override_id,
        gate=gate,
        effect=draft.effect,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=created_by,
        comment=draft.comment.strip(),
        created_at=now,
        matchers=tuple(draft.matchers),
        even_without_data=draft.even_without_data,
    )


def _time_problems(
    draft: OverrideDraft, starts_at: datetime, ends_at: datetime | None, now: datetime, most_minutes: float
) -> list[Problem]:
    """Return what is wrong with the times: the first thing, because the others follow from it."""
    if draft.starts_at is not None and draft.starts_at < now - CLOCK_SLACK:
        return [Problem("/starts_at", f"{draft.starts_at.isoformat()} is past; leave it out to begin now")]
    if starts_at > now + FURTHEST:
        return [Problem("/starts_at", f"{starts_at.isoformat()} is more than {FURTHEST.days} days ahead")]
    if ends_at is None:
        return [Problem("/ends_at", "an override must end: give ends_at, or duration_minutes")]
    if draft.ends_at is not None and draft.duration_minutes is not None:
        return [Problem("/duration_minutes", "give either ends_at or duration_minutes, not both")]
    fault = _end_fault(starts_at, ends_at, now, most_minutes)
    return [Problem("/duration_minutes" if draft.ends_at is None else "/ends_at", fault)] if fault else []


def _end_fault(starts_at: datetime, ends_at: datetime, now: datetime, most_minutes: float) -> str | None:
    if ends_at <= now:
        return f"{ends_at.isoformat()} is past; now is {now.isoformat()}"
    if ends_at <= starts_at:
        return f"it would end at {ends_at.isoformat()}, not after it begins at {starts_at.isoformat()}"
    minutes = (ends_at - starts_at) / timedelta(minutes=1)
    if minutes > most_minutes:
        longer = f"{minutes:,.10g} minutes are longer than the {most_minutes:,.10g} that the gate's policy allows"
        return f"{longer} (max_override_minutes)"
    return None


def _word_problems(draft: OverrideDraft, created_by: str) -> list[Problem]:
    problems = []
    comment = draft.comment.strip()
    if not 1 <= len(comment) <= MAX_COMMENT or not comment.isprintable():
        problems.append(Problem("/comment", f"say why, in 1 to {MAX_COMMENT} printable characters; everybody sees it"))
    if not 1 <= len(created_by) <= MAX_NAME or not created_by.isprintable():
        problems.append(Problem("/created_by", f"a person's name is 1 to {MAX_NAME} printable characters"))
    if draft.even_without_data and draft.effect is Effect.HOLD:
        problems.append(
            Problem("/even_without_data", "belongs to an override that allows; one that holds always holds")
        )
    return problems


def _matcher_problems(matchers: Sequence[Matcher]) -> list[Problem]:
    if len(matchers) > MAX_MATCHERS:
        return [Problem("/matchers", f"{len(matchers)} matchers are too many; {MAX_MATCHERS} are allowed")]
    problems = []
    for index, matcher in enumerate(matchers):
        if matcher.name not in MATCHED:
            known = f"{shown(matcher.name)} cannot be matched; use {listed(MATCHED)}"
            problems.append(Problem(f"/matchers/{index}/name", known))
        elif fault := _value_fault(matcher):
            problems.append(Problem(f"/matchers/{index}/value", fault))
    return problems


def _value_fault(matcher: Matcher) -> str | None:
    if matcher.is_regex:
        return pattern_fault(matcher.value)
    if matcher.name == "traffic_class" and matcher.value not in set(TrafficClass):
        return f"{shown(matcher.value)} is no traffic class; use {listed(list(TrafficClass))}"
    if len(matcher.value) > LONGEST_VALUE or not matcher.value.isprintable():
        return f"a campaign's name is up to {LONGEST_VALUE} printable characters"
    return None
