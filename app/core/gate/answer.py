"""What one caller is told: the gate's decision, seen by who asks, for which campaign, how many, and by whose override.

`decide` says how the floor stands; it is the same for everybody. `answer` adds what depends on the ask, in this order;
the first that holds decides:

1. Nothing was evaluated that can be relied on (starting, late): unknown, whatever anybody said.
2. An override that holds, holds: also what the policy exempts, and what nothing is known about.
3. The campaign itself may not send now (campaign.py): another gate's, ended, paused, not begun. No override lifts this.
4. A campaign of a traffic class that the policy exempts goes, as far as its own audience reaches.
5. The gate's decision: hold or unknown; and what the contact center was not told in time (notice.py): hold. An override
   that allows lifts both. Where data is missing, even beside a known hold, only one that says even_without_data does;
   where there is no policy, none does, because then nobody knows the caps.
6. What may go is cut to what is left of every cap (caps.py): the policy's, the campaign's audience, its probing wave,
   and what the outlook found safe. An override that allows lifts the last of these only.

Pure: the same arguments give the same answer, so that a stored ask can be answered again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.core.gate.ask import Answered, CampaignFacts, Request
from app.core.gate.campaign import stopped
from app.core.gate.caps import Limit, campaign_limits, gate_limit, outlook_limit
from app.core.gate.decision import Decision, Reason, ReasonCode, Verdict
from app.core.gate.foresight import Foresight
from app.core.gate.notice import untold
from app.core.gate.override import Effect, Override
from app.core.gate.policy import Policy
from app.core.gate.wording import moment
from app.core.permit.permit import NOTHING_SPENT, Spent

__all__ = ["Answered", "CampaignFacts", "Request", "answer", "applying", "reason_of"]

# Somebody may end an override before its time; who waits for it asks again at least this often.
ASK_OVERRIDDEN_AGAIN = timedelta(minutes=5)
UNSURE = frozenset({ReasonCode.DATA_STARTING, ReasonCode.DATA_EVALUATION_LATE})


def answer(
    decision: Decision,
    policy: Policy | None,
    request: Request,
    *,
    gate: str,
    overrides: Iterable[Override] = (),
    spent: Spent = NOTHING_SPENT,
    now: datetime,
    foresight: Foresight | None = None,
) -> Answered:
    """Return what who asks this gate is told at `now`.

    overrides: the gate's, whether they apply or not. foresight: the outlook that the decision was made with.
    """
    if is_unsure(decision):
        return Answered(Verdict.UNKNOWN, 0, decision.reasons, None, decision.retry_at)
    holding, allowing = applying(overrides, request.labels, now)
    if holding is not None:
        return _held(reason_of(holding, policy, now), holding_ends(holding, now), decision, holding)
    if (stop := stopped(request, policy, gate, now)) is not None:
        return _held(*stop, decision)
    if (exempt := _exempt(policy, request)) is not None:
        return _cut(campaign_limits(request, now), request, (exempt, *_beside(decision.reasons)))
    return _by_gate(decision, policy, request, allowing, spent=spent, now=now, foresight=foresight)


def _by_gate(
    decision: Decision,
    policy: Policy | None,
    request: Request,
    allowing: Override | None,
    *,
    spent: Spent,
    now: datetime,
    foresight: Foresight | None,
) -> Answered:
    """Return the answer where neither a person nor the campaign settles it."""
    verdict, reasons, retry_at = _judged(decision, policy, request, now)
    limits = [*gate_limit(policy, request, spent, now), *campaign_limits(request, now)]
    if verdict is Verdict.SEND:
        foreseen = [
            each
            for each in outlook_limit(policy, foresight, request, spent, now)
            if each.left < (request.audience or 1) or request.audience is None
        ]
        return _cut_by_outlook(limits, foreseen, policy, request, allowing, now=now)
    if allowing is not None and policy is not None and lifts(allowing, reasons):
        return _cut(limits, request, (reason_of(allowing, policy, now), *_beside(reasons)), allowing)
    return Answered(verdict, 0, reasons, None, retry_at)


def _cut_by_outlook(
    limits: list[Limit],
    foreseen: list[Limit],
    policy: Policy | None,
    request: Request,
    allowing: Override | None,
    *,
    now: datetime,
) -> Answered:
    """Return a go cut to what the outlook found safe, too, unless an override that allows lifts that."""
    reasons = [each.reason for each in foreseen]
    if allowing is None or not reasons or not lifts(allowing, reasons):
        return _cut([*limits, *foreseen], request)
    return _cut(limits, request, (reason_of(allowing, policy, now), *_beside(reasons)), allowing)


def is_unsure(decision: Decision) -> bool:
    """Tell whether nothing was evaluated that could be relied on: then overrides and exemptions are not looked at."""
    return decision.verdict is Verdict.UNKNOWN and any(reason.code in UNSURE for reason in decision.reasons)


def applying(
    overrides: Iterable[Override], labels: dict[str, str], now: datetime
) -> tuple[Override | None, Override | None]:
    """Return the override that holds and the one that allows, of each the one that ends last.

    Of those that allow, one that stands even without data goes before one that does not.
    """
    holding = allowing = None
    for each in overrides:
        if not each.applies(labels, now):
            continue
        if each.effect is Effect.HOLD:
            holding = each if holding is None else max(holding, each, key=_reach)
        else:
            allowing = each if allowing is None else max(allowing, each, key=_reach)
    return holding, allowing


def _reach(override: Override) -> tuple[bool, datetime, str]:
    return override.even_without_data, override.ends_at, override.id


def lifts(allowing: Override, reasons: Sequence[Reason]) -> bool:
    """Tell whether an override that allows lifts these reasons: missing data only when it says so."""
    return allowing.even_without_data or not any(reason.code.is_data for reason in reasons)


def reason_of(override: Override, policy: Policy | None, now: datetime) -> Reason:
    """Return the reason an override gives: who, until when, and why."""
    until = moment(override.ends_at, now, policy.time_zone if policy else "UTC")
    if override.effect is Effect.HOLD:
        code, said = ReasonCode.OVERRIDE_HOLD, "held"
    else:
        code, said = ReasonCode.OVERRIDE_ALLOW, "allowed"
    message = f"{said} by {override.created_by} until {until}: {override.comment}"
    return Reason(code, message, since=override.starts_at, binding=True)


def holding_ends(override: Override, now: datetime) -> datetime:
    """Return when who is held by an override should ask again."""
    return min(override.ends_at, now + ASK_OVERRIDDEN_AGAIN)


def _held(reason: Reason, retry_at: datetime, decision: Decision, override: Override | None = None) -> Answered:
    """Return a hold for this reason before those of the gate; whoever waits for both waits for the later one."""
    later = retry_at if decision.retry_at is None else max(retry_at, decision.retry_at)
    reasons = (replace(reason, binding=True), *_beside(decision.reasons))
    return Answered(Verdict.HOLD, 0, reasons, override, later)


def _beside(reasons: Iterable[Reason]) -> Iterable[Reason]:
    """Return reasons that did not decide."""
    return (replace(reason, binding=False) for reason in reasons)


def _exempt(policy: Policy | None, request: Request) -> Reason | None:
    """Return why a campaign goes whatever the gate says; None where the policy exempts no such mail."""
    facts = request.facts
    if policy is None or facts is None or facts.traffic_class not in policy.exempt_traffic_classes:
        return None
    message = f"campaign {facts.id!r} is {facts.traffic_class.value} mail, which this gate does not hold"
    return Reason(ReasonCode.EXEMPT_TRAFFIC_CLASS, message, binding=True)


def _judged(
    decision: Decision, policy: Policy | None, request: Request, now: datetime
) -> tuple[Verdict, tuple[Reason, ...], datetime | None]:
    """Return the gate's decision with what the contact center was not told added to what it holds for."""
    missing = [] if policy is None else list(untold(policy, request, now))
    if not missing:
        return decision.verdict, decision.reasons, decision.retry_at
    retry_at = max(at for at in (*(at for _, at in missing), decision.retry_at) if at is not None)
    verdict = Verdict.UNKNOWN if decision.verdict is Verdict.UNKNOWN else Verdict.HOLD
    reasons = (*decision.reasons, *(reason for reason, _ in missing))
    return verdict, (replace(reasons[0], binding=True), *reasons[1:]), retry_at


def _cut(
    limits: Iterable[Limit], request: Request, because: tuple[Reason, ...] = (), override: Override | None = None
) -> Answered:
    """Return a go cut to what is left of every limit; hold when nothing is. because: what lets it go."""
    tightest = min(limits, key=lambda limit: limit.left, default=None)
    if tightest is None:
        return Answered(Verdict.SEND, request.audience, because, override)
    reasons = (replace(tightest.reason, binding=True), *_beside(because))
    if tightest.left <= 0:
        return Answered(Verdict.HOLD, 0, reasons, override, tightest.retry_at)
    if request.audience is not None and request.audience > tightest.left:
        return Answered(Verdict.THROTTLE, tightest.left, reasons, override, tightest.retry_at)
    allow = tightest.left if request.audience is None else request.audience
    return Answered(Verdict.SEND, allow, because, override)
