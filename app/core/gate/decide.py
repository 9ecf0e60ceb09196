"""The gate's decision: a floor, a policy and what was remembered go in; a verdict and what to remember come out.

Theory of operation
===================
`decide` is called at least once a second for each gate. It is pure: the same arguments give the same answer, nothing
passed in is changed, and the only time it knows is `now`.

1. *Select* (survey.py). The policy's patterns pick queues from the floor. A pattern that finds none is missing data.
2. *Grade* (rules.py). For each queue and rule the reading is graded: ignored, missing, stale, too few contacts, good
   (within the resume limit), between, bad (past the hold limit). Only data that can be trusted meets a limit.
3. *Remember* (rules.py). Each (rule, queue) has its own hysteresis:

       open -- bad for hold_for without a break --> holding -- good for resume_for without a break --> open

   `between` breaks off both timers. Missing and stale data move neither state nor timer. A gate that was unknown
   does not wait for hold_for, nor does one with a new policy: what is bad when somebody first looks may have been
   bad for long.
4. *Conclude*, in this order, first match wins:

       outside the send windows               hold      a fact, whatever the data says
       any (rule, queue) holds on usable data hold      what is known to be bad outweighs what is not known
       the outlook holds (foresight.py)       hold      a limit is too likely to break, whatever is sent
       missing or stale data, no queue,
         nothing at all to judge by,
         or no outlook where one is wanted    unknown
       otherwise                              send

5. *Explain* (explain.py), when somebody looks. Reasons come in this order; the first is the binding one:
   the send window; rules that hold; the outlook; data reasons, the outlook's last.
   Rules: those still out of limits before those that recover, then
   as DEFINITIONS trusts their metrics, then the furthest past its limit relative to the limit, then by queue and key.
   Data: patterns without a queue, then by trust, missing before stale, then by queue and key. A verdict of unknown
   has data reasons only.

Memory is kept per (rule key, queue). Entries of rules and queues that are gone are dropped; while some pattern finds
no queue, the floor is incomplete, and queues that are not on it are not taken to be gone. Without a policy nothing is
dropped. When nothing moved, the memory passed in is passed out, the very object.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.floor.view import FloorView
from app.core.gate.decision import Decision, GateMemory, RuleMemory, Verdict
from app.core.gate.explain import Findings, NoPolicy
from app.core.gate.foresight import BLIND as BLIND_OUTLOOK
from app.core.gate.foresight import HELD, Foresight, OutlookMemory, Standing, ask_again, judge
from app.core.gate.policy import Mode, Policy
from app.core.gate.rules import BLIND, Finding, look, seconds, timer_ends_at
from app.core.gate.survey import Survey, Surveying, survey
from app.core.gate.survey import select as select
from app.core.gate.windows import Hours, hours

VALID_FOR = timedelta(seconds=30)
# Data can be back with the next report of a source; asking more often than this only costs.
RETRY_UNKNOWN = timedelta(seconds=30)
RETRY_AT_LEAST = timedelta(seconds=10)

_SEND, _HOLD, _UNKNOWN = Verdict.SEND, Verdict.HOLD, Verdict.UNKNOWN


class _Outlook(NamedTuple):
    """How the policy's outlook stands, None: it has none; what to remember of it, and what was known of it."""

    standing: Standing | None
    memory: OutlookMemory | None
    foresight: Foresight | None


def decide(
    view: FloorView,
    policy: Policy | None,
    memory: GateMemory,
    now: datetime,
    *,
    is_new_policy: bool = False,
    foresight: Foresight | None = None,
    surveying: Surveying = survey,
) -> tuple[Decision, GateMemory]:
    """Return what the gate says at `now` (aware UTC), and the memory to pass in next time.

    The memory returned is the one passed in, the same object, when nothing changed. policy None: the gate is unknown.
    is_new_policy: this is the first decision by this policy. foresight: the newest outlook made for this policy; only
    looked at where the policy has an outlook. surveying: how the floor is looked at; a Surveyor that is kept for a gate
    finds the same at less cost.
    """
    if policy is None:
        return _without_policy(memory, now)
    unsure = is_new_policy or memory.verdict is None or memory.verdict is _UNKNOWN
    seen = surveying(view, policy, memory.rules, look(now, policy.stale_after_seconds, unsure=unsure))
    open_hours = hours(policy.send_windows, policy.time_zone, now) if policy.send_windows else None
    outlook = _outlook(policy, foresight, memory, now)
    verdict = _verdict(seen, seen.remembering, open_hours, outlook)
    after = _next_memory(memory, verdict, seen.rules, now, outlook.memory)
    fresh_until = _fresh_until(seen, policy, outlook)
    decision = Decision.explained_by(
        Findings(
            policy,
            now,
            seen.found,
            seen.remembering,
            seen.blind,
            seen.unmatched,
            open_hours,
            unjudged=_is_unjudged(seen),
            outlook=outlook.standing,
            outlook_since=outlook.memory.changed_at if outlook.memory else None,
            foresight=foresight,
        ),
        verdict=verdict,
        at=now,
        since=_began(after, now),
        mode=policy.mode,
        data_as_of=seen.as_of,
        valid_until=_valid_until(now, fresh_until, open_hours),
        retry_at=None if verdict is _SEND else _retry_at(verdict, seen.remembering, open_hours, outlook, now),
        next_review_at=_next_review_at(now, fresh_until, seen.remembering, open_hours),
    )
    return decision, after


def _without_policy(memory: GateMemory, now: datetime) -> tuple[Decision, GateMemory]:
    after = _next_memory(memory, _UNKNOWN, memory.rules, now, memory.outlook)
    decision = Decision.explained_by(
        NoPolicy(),
        verdict=_UNKNOWN,
        at=now,
        since=_began(after, now),
        mode=Mode.ENFORCE,
        data_as_of=None,
        valid_until=now + VALID_FOR,
        retry_at=now + RETRY_UNKNOWN,
        next_review_at=None,
    )
    return decision, after


def _is_unjudged(survey: Survey) -> bool:
    """Tell whether no reading at all was there: a send must stand on at least one."""
    return survey.fresh_since is None and not survey.blind and not survey.unmatched


def _outlook(policy: Policy, foresight: Foresight | None, memory: GateMemory, now: datetime) -> _Outlook:
    if policy.outlook is None:
        return _NO_OUTLOOK
    standing, remembered = judge(policy.outlook, foresight, memory.outlook, now)
    return _Outlook(standing, remembered, foresight)


_NO_OUTLOOK = _Outlook(None, None, None)


def _fresh_until(survey: Survey, policy: Policy, outlook: _Outlook) -> datetime | None:
    """Return when the oldest thing a go stands on is too old; None when nothing fresh is there."""
    until = survey.fresh_since and survey.fresh_since + seconds(policy.stale_after_seconds)
    if until is None or outlook.standing is not Standing.OPEN or outlook.foresight is None:
        return until
    return min(until, outlook.foresight.stale_at)


def _verdict(survey: Survey, remembering: Sequence[Finding], open_hours: Hours | None, outlook: _Outlook) -> Verdict:
    if open_hours is not None and not open_hours.is_open:
        return _HOLD
    for finding in remembering:
        if finding.memory is not None and finding.memory.holding and finding.grade not in BLIND:
            return _HOLD
    if outlook.standing in HELD:
        return _HOLD
    is_blind = survey.blind or survey.unmatched or survey.fresh_since is None or outlook.standing in BLIND_OUTLOOK
    return _UNKNOWN if is_blind else _SEND


def _next_memory(
    memory: GateMemory,
    verdict: Verdict,
    rules: Mapping[tuple[str, str], RuleMemory],
    now: datetime,
    outlook: OutlookMemory | None,
) -> GateMemory:
    if memory.verdict is verdict and memory.since is not None:
        if rules is memory.rules and outlook == memory.outlook:
            return memory
        return GateMemory(verdict, memory.since, rules, outlook=outlook)
    return GateMemory(verdict, now, rules, outlook=outlook)


def _began(memory: GateMemory, now: datetime) -> datetime:
    """Return when the verdict began; not later than now, should the clock have been set back."""
    return now if memory.since is None else min(memory.since, now)


def _valid_until(now: datetime, fresh_until: datetime | None, open_hours: Hours | None) -> datetime:
    """Return the instant from which the answer must not be used: in half a minute, or when a change is known to come.

    Never before now: usable data is not stale yet, and a window's next change lies ahead. Data that is stale already
    makes the answer unknown, and does not end that answer.
    """
    until = now + VALID_FOR
    if fresh_until is not None and fresh_until < until:
        until = fresh_until
    if open_hours is not None and open_hours.changes_at is not None and open_hours.changes_at < until:
        until = open_hours.changes_at
    return until


def _retry_at(
    verdict: Verdict,
    remembering: Sequence[Finding],
    open_hours: Hours | None,
    outlook: _Outlook,
    now: datetime,
) -> datetime:
    """Return the earliest instant at which everything known to hold could have ended."""
    soonest = now + (RETRY_UNKNOWN if verdict is _UNKNOWN else RETRY_AT_LEAST)
    if open_hours is not None and not open_hours.is_open and open_hours.changes_at is not None:
        soonest = max(soonest, open_hours.changes_at)
    if outlook.standing in HELD:
        soonest = max(soonest, ask_again(outlook.foresight, None, now))
    return max([soonest, *(_release_at(finding, now) for finding in remembering)])


def _release_at(finding: Finding, now: datetime) -> datetime:
    """Return the earliest instant at which a rule could let go, were its value good from now on."""
    memory = finding.memory
    if memory is None or not memory.holding:
        return now
    ends_at = timer_ends_at(finding)
    if ends_at is None:
        return now + seconds(finding.rule.resume_for_seconds)
    return ends_at if memory.frozen_at is None else now + (ends_at - memory.frozen_at)


def _next_review_at(
    now: datetime, fresh_until: datetime | None, remembering: Sequence[Finding], open_hours: Hours | None
) -> datetime | None:
    """Return when the verdict could change by time alone: a timer, staleness, a window's edge; None: only by data."""
    candidates = [
        fresh_until,
        open_hours and open_hours.changes_at,
        *(timer_ends_at(f) for f in remembering if f.memory is not None and f.memory.frozen_at is None),
    ]
    return min((at for at in candidates if at is not None and at > now), default=None)
