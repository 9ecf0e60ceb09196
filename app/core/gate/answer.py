"""What one caller is told: the gate's decision, seen by who asks, for which campaign, how many, and by whose override.

`decide` says how the floor stands; it is the same for everybody. `answer` adds what depends on the ask, in this order:

1. A gate that is unknown because nothing was evaluated stays unknown, whatever else is said.
2. A campaign of a traffic class that the policy exempts is sent.
3. An override that holds, holds; it is a fact whatever the data says.
4. The campaign must be one that may send now: started, not paused, not ended, announced early enough, its briefing
   acknowledged. Where the policy asks for notice or a briefing, an ask about a number of people must name its campaign.
5. Otherwise the gate's decision stands. An override that allows turns a hold of 4 (for notice and briefing) or 5 into a
   send; an unknown only when it says even_without_data.
6. What may go is cut to the headroom: the caps of the policy less what is given away already (headroom.py).

Pure: the same arguments give the same answer, so that a stored ask can be answered again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.campaign.campaign import ENDED, CampaignState, TrafficClass
from app.core.gate.decision import Decision, Reason, ReasonCode, Verdict
from app.core.gate.headroom import Headroom, headroom
from app.core.gate.override import Effect, Override
from app.core.gate.policy import Policy
from app.core.permit.permit import NOTHING_SPENT, Spent

RETRY_CAMPAIGN = timedelta(seconds=60)
UNSURE = frozenset({ReasonCode.DATA_STARTING, ReasonCode.DATA_EVALUATION_LATE})


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What an answer needs to know of a campaign. missing_acknowledgements None: there is no briefing at all.

    wave_limit: the most its next wave may have, while it probes; None: no limit of its own.
    """

    id: str
    gate: str
    audience: int
    state: CampaignState
    traffic_class: TrafficClass = TrafficClass.PROMOTIONAL
    announced_at: datetime | None = None
    earliest_start: datetime | None = None
    give_up_at: datetime | None = None
    paused_by: str | None = None
    missing_acknowledgements: tuple[str, ...] | None = None
    wave_limit: int | None = None
    spent: Spent = NOTHING_SPENT
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: may so many go (None: is the gate open), for this campaign.

    campaign is the name that was given; facts what is known of it, None for a name that no campaign has.
    """

    audience: int | None = None
    accept_partial: bool = False
    campaign: str | None = None
    facts: CampaignFacts | None = None

    @property
    def labels(self) -> dict[str, str]:
        """What overrides match on."""
        named = {"campaign": self.campaign} if self.campaign else {}
        return named | ({"traffic_class": self.facts.traffic_class.value} if self.facts else {})


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer: verdict, how many may go (None: no limit and no number asked), reasons with the binding one first.

    override: the one that decided, None when none did. retry_at: the earliest instant worth asking again.
    """

    verdict: Verdict
    allow: int | None
    reasons: tuple[Reason, ...]
    override: Override | None = None
    retry_at: datetime | None = None


def answer(
    decision: Decision,
    policy: Policy | None,
    request: Request,
    *,
    overrides: Iterable[Override] = (),
    spent: Spent = NOTHING_SPENT,
    now: datetime,
) -> Answered:
    """Return what who asks is told at `now`. overrides: the gate's; those that do not apply are left aside."""
    if _is_blind(decision):
        return Answered(Verdict.UNKNOWN, 0, decision.reasons, None, decision.retry_at)
    if policy is not None and request.facts and request.facts.traffic_class in policy.exempt_traffic_classes:
        return Answered(Verdict.SEND, request.audience, ())
    holding, allowing = _applying(overrides, request, now)
    if holding is not None:
        return Answered(Verdict.HOLD, 0, (_held_by(holding),), holding, holding.ends_at)
    if stopped := _stopped(request, now):
        return _held(stopped, decision, None)
    verdict, reasons, retry_at = _judged(decision, policy, request, now)
    if verdict not in (Verdict.HOLD, Verdict.UNKNOWN):
        return _cut(verdict, policy, request, spent, None, now)
    if allowing is not None and (verdict is Verdict.HOLD or allowing.even_without_data):
        return _cut(Verdict.SEND, policy, request, spent, allowing, now)
    return Answered(verdict, 0, reasons, None, retry_at)


def _is_blind(decision: Decision) -> bool:
    """Tell whether nothing was evaluated that could be relied on: then no override and no exemption was looked at."""
    return decision.verdict is Verdict.UNKNOWN and any(reason.code in UNSURE for reason in decision.reasons)


def _applying(
    overrides: Iterable[Override], request: Request, now: datetime
) -> tuple[Override | None, Override | None]:
    """Return the override that holds and the one that allows, of each the one that ends last."""
    labels = request.labels
    found = sorted((each for each in overrides if each.applies(labels, now)), key=lambda each: (each.ends_at, each.id))
    holding = [each for each in found if each.effect is Effect.HOLD]
    allowing = [each for each in found if each.effect is Effect.ALLOW]
    allowing.sort(key=lambda each: each.even_without_data)
    return (holding[-1] if holding else None), (allowing[-1] if allowing else None)


def _held_by(override: Override) -> Reason:
    message = f"{override.created_by} holds this gate until {override.ends_at:%H:%M} UTC: {override.comment}"
    return Reason(ReasonCode.OVERRIDE_HOLD, message, since=override.starts_at, binding=True)


def _stopped(request: Request, now: datetime) -> tuple[Reason, datetime | None] | None:
    """Return why the campaign itself may not send now, and when it may; None when it may. No override lifts this."""
    facts = request.facts
    if facts is None:
        return None
    if facts.state in ENDED:
        word = facts.state.replace("_", " ")
        return Reason(ReasonCode.CAMPAIGN_ENDED, f"campaign {facts.id!r} is {word}; nothing of it may go"), None
    if facts.give_up_at is not None and now >= facts.give_up_at:
        message = f"campaign {facts.id!r} was to be given up at {facts.give_up_at:%Y-%m-%d %H:%M} UTC"
        return Reason(ReasonCode.CAMPAIGN_ENDED, message), None
    if facts.state is CampaignState.PAUSED and facts.paused_by is not None and facts.paused_by != "gate":
        message = f"campaign {facts.id!r} was paused by {facts.paused_by}; somebody has to resume it"
        return Reason(ReasonCode.CAMPAIGN_PAUSED, message), now + RETRY_CAMPAIGN
    if facts.state is CampaignState.DRAFT:
        message = f"campaign {facts.id!r} is a draft; schedule it first"
        return Reason(ReasonCode.CAMPAIGN_NOT_STARTED, message), now + RETRY_CAMPAIGN
    if facts.earliest_start is not None and now < facts.earliest_start:
        message = f"campaign {facts.id!r} may not begin before {facts.earliest_start:%Y-%m-%d %H:%M} UTC"
        return Reason(ReasonCode.CAMPAIGN_NOT_STARTED, message), facts.earliest_start
    return None


def _held(stopped: tuple[Reason, datetime | None], decision: Decision, override: Override | None) -> Answered:
    reason, retry_at = stopped
    others = tuple(replace(other, binding=False) for other in decision.reasons)
    return Answered(Verdict.HOLD, 0, (replace(reason, binding=True), *others), override, retry_at)


def _judged(
    decision: Decision, policy: Policy | None, request: Request, now: datetime
) -> tuple[Verdict, tuple[Reason, ...], datetime | None]:
    """Return the gate's decision with notice and briefing added to what it holds for."""
    untold = tuple(_untold(policy, request, now)) if policy is not None else ()
    if not untold:
        return decision.verdict, decision.reasons, decision.retry_at
    retry_at = max(at for at in (*(at for _, at in untold), decision.retry_at) if at is not None)
    verdict = Verdict.UNKNOWN if decision.verdict is Verdict.UNKNOWN else Verdict.HOLD
    reasons = (*decision.reasons, *(reason for reason, _ in untold))
    return verdict, (replace(reasons[0], binding=True), *reasons[1:]), retry_at


def _untold(policy: Policy, request: Request, now: datetime) -> Iterable[tuple[Reason, datetime]]:
    """Yield what the contact center has not been told yet."""
    if request.audience is None and request.campaign is None:
        return
    facts = request.facts
    if policy.notice_minutes:
        notice = timedelta(minutes=policy.notice_minutes)
        if facts is None or facts.announced_at is None:
            message = f"this gate needs {policy.notice_minutes:g} minutes of notice; {_name_it(request)}"
            yield Reason(ReasonCode.NOTICE_TOO_SHORT, message), now + notice
        elif now < facts.announced_at + notice:
            ends_at = facts.announced_at + notice
            message = (
                f"campaign {facts.id!r} was announced {facts.announced_at:%Y-%m-%d %H:%M} UTC; "
                f"{policy.notice_minutes:g} minutes of notice end {ends_at:%Y-%m-%d %H:%M} UTC"
            )
            yield Reason(ReasonCode.NOTICE_TOO_SHORT, message, since=facts.announced_at), ends_at
    if policy.briefing_required:
        if facts is None or facts.missing_acknowledgements is None:
            message = f"this gate needs an acknowledged briefing; {_name_it(request, 'that has one')}"
            yield Reason(ReasonCode.BRIEFING_NOT_ACKNOWLEDGED, message), now + RETRY_CAMPAIGN
        elif facts.missing_acknowledgements:
            names = ", ".join(facts.missing_acknowledgements)
            message = f"the briefing of campaign {facts.id!r} is not acknowledged yet by {names}"
            yield Reason(ReasonCode.BRIEFING_NOT_ACKNOWLEDGED, message), now + RETRY_CAMPAIGN


def _name_it(request: Request, which: str = "that was announced") -> str:
    if request.facts is not None:
        return f"campaign {request.facts.id!r} has none"
    if request.campaign:
        return f"there is no campaign {request.campaign!r}: make it and schedule it"
    return f"name the campaign {which}"


def _cut(
    verdict: Verdict, policy: Policy | None, request: Request, spent: Spent, override: Override | None, now: datetime
) -> Answered:
    """Return a go cut to what is left of every cap; hold when nothing is."""
    limits = [_gate_limit(policy, spent, now), *_campaign_limits(request, now)]
    binding = min((limit for limit in limits if limit is not None), key=lambda limit: limit.left, default=None)
    if binding is None:
        return Answered(verdict, request.audience, (), override)
    if binding.left <= 0:
        return Answered(Verdict.HOLD, 0, (replace(binding.reason, binding=True),), override, binding.retry_at)
    if request.audience is None:
        return Answered(verdict, binding.left, (), override)
    if request.audience > binding.left:
        reason = replace(binding.reason, binding=True)
        return Answered(Verdict.THROTTLE, binding.left, (reason,), override, binding.retry_at)
    return Answered(verdict, request.audience, (), override)


@dataclass(frozen=True, slots=True)
class _Limit:
    """What is left of one cap, what to say where it binds, and when to ask again."""

    left: int
    reason: Reason
    retry_at: datetime


def _gate_limit(policy: Policy | None, spent: Spent, now: datetime) -> _Limit | None:
    room: Headroom = headroom(policy, spent)
    if room.left is None or room.cap is None:
        return None
    retry_at = spent.frees_at if spent.frees_at is not None and spent.frees_at > now else now + RETRY_CAMPAIGN
    if room.left == room.cap:
        message = f"the policy allows {room.cap:,} at once ({room.capped_by})"
        return _Limit(room.left, Reason(ReasonCode.AUDIENCE_ABOVE_WAVE_LIMIT, message, limit=room.cap), retry_at)
    message = f"{room.left:,} of {room.cap:,} are left ({room.capped_by}); {room.cap - room.left:,} are given away"
    return _Limit(room.left, Reason(ReasonCode.HEADROOM_SPENT, message, limit=room.cap), retry_at)


def _campaign_limits(request: Request, now: datetime) -> Iterable[_Limit]:
    facts, retry_at = request.facts, now + RETRY_CAMPAIGN
    if facts is None:
        return
    left = max(0, facts.audience - facts.sent - facts.spent.outstanding)
    message = f"{left:,} of the {facts.audience:,} people of campaign {facts.id!r} are left"
    yield _Limit(left, Reason(ReasonCode.CAMPAIGN_AUDIENCE_SPENT, message, limit=facts.audience), retry_at)
    if facts.wave_limit is not None:
        message = f"the next wave of campaign {facts.id!r} may have {facts.wave_limit:,}, to see what it does first"
        yield _Limit(facts.wave_limit, Reason(ReasonCode.CAMPAIGN_PROBING, message, limit=facts.wave_limit), retry_at)
