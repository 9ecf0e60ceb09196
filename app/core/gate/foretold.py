"""The sentences of the outlook: what is predicted to break, why no more may go, and what would change that."""

from datetime import datetime
from itertools import accumulate

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.gate import wording
from app.core.gate.decision import Check, CheckStatus, Reason, ReasonCode
from app.core.gate.foresight import STALE_AFTER_SECONDS, Foresight, Predicted, Room, Standing
from app.core.gate.policy import Policy

_CODES = {
    Metric.SERVICE_LEVEL_RATIO: ReasonCode.PREDICTED_SERVICE_LEVEL_LOW,
    Metric.SPEED_TO_ANSWER_SECONDS: ReasonCode.PREDICTED_SPEED_TO_ANSWER_HIGH,
    Metric.ABANDONMENT_RATIO: ReasonCode.PREDICTED_ABANDONMENT_HIGH,
    Metric.BACKLOG: ReasonCode.PREDICTED_BACKLOG_HIGH,
}
_STATUS = {
    Standing.OPEN: CheckStatus.PASS,
    Standing.HOLDING: CheckStatus.HOLDING,
    Standing.RECOVERING: CheckStatus.RECOVERING,
    Standing.MISSING: CheckStatus.MISSING,
    Standing.STALE: CheckStatus.STALE,
    Standing.UNKNOWN: CheckStatus.MISSING,
}
_BLIND_CODES = {
    Standing.MISSING: ReasonCode.DATA_OUTLOOK_MISSING,
    Standing.STALE: ReasonCode.DATA_OUTLOOK_STALE,
    Standing.UNKNOWN: ReasonCode.DATA_OUTLOOK_MISSING,
}


def held(foresight: Foresight, policy: Policy, standing: Standing, since: datetime | None, now: datetime) -> Reason:
    """Return why the gate holds though nothing more is sent: the limit that is likeliest to break."""
    breaks = foresight.breaks
    if standing is Standing.RECOVERING or breaks is None:
        code = _CODES[breaks.metric] if breaks else ReasonCode.PREDICTED_SERVICE_LEVEL_LOW
        message = f"{_chance(foresight.breach_probability)} that a limit breaks anyway, {_accepted(policy)}"
        if standing is Standing.RECOVERING:
            message = "predicted within limits again, releasing with the next outlook if it stays so"
        return Reason(code, message, observed=foresight.breach_probability, op="<=", limit=_most(policy), since=since)
    chance = f"{_chance(foresight.breach_probability)} that a limit breaks even if nothing is sent"
    return _reason(breaks, f"{_broken(breaks, policy, now)}; {chance}, {_accepted(policy)}", since)


def blind(foresight: Foresight | None, standing: Standing, now: datetime) -> Reason:
    """Return why the outlook leaves the gate unknown."""
    return Reason(_BLIND_CODES[standing], _blind_sentence(foresight, standing, now))


def unreckoned(campaign: str) -> Reason:
    """Return why nothing of a campaign may go that was announced after the outlook was made."""
    return Reason(ReasonCode.DATA_OUTLOOK_MISSING, f"the outlook does not reckon with campaign {campaign!r} yet")


def no_more(room: Room, policy: Policy, left: int, asked: int | None, now: datetime) -> Reason:
    """Return why only `left` may go now, when the rest may, and how many agents would change that."""
    rest = None if asked is None else asked - left
    parts = [_forbidden(room, policy, left, now), _later(room, policy, rest, now), _more_agents(room, asked)]
    message = "; ".join(part for part in parts if part)
    if room.forbids is None:
        return Reason(ReasonCode.HEADROOM_SPENT, message, observed=asked, op="<=", limit=left, unit="recipients")
    return _reason(room.forbids, message, None)


def check(
    foresight: Foresight | None, policy: Policy, standing: Standing, since: datetime | None, now: datetime
) -> Check:
    """Return the outlook's row among the checks: the probability that a limit breaks though nothing more is sent."""
    is_known = foresight is not None and not foresight.unknown
    value = foresight.breach_probability if foresight is not None and is_known else None
    return Check(
        None,
        None,
        _STATUS[standing],
        value=value,
        op="<=",
        limit=_most(policy),
        margin=None if value is None else _most(policy) - value,
        unit="ratio",
        as_of=foresight.at if foresight else None,
        since=since,
        detail=_detail(foresight, policy, standing, since, now=now),
    )


def _detail(
    foresight: Foresight | None, policy: Policy, standing: Standing, since: datetime | None, *, now: datetime
) -> str:
    if foresight is None or standing in _BLIND_CODES:
        return _blind_sentence(foresight, standing, now)
    if standing is not Standing.OPEN:
        return held(foresight, policy, standing, since, now).message
    horizon = wording.span((policy.outlook.horizon_minutes if policy.outlook else 0) * 60)
    return f"{_chance(foresight.breach_probability)} that a limit breaks in the next {horizon} if nothing is sent"


def _blind_sentence(foresight: Foresight | None, standing: Standing, now: datetime) -> str:
    if foresight is None:
        return "there is no outlook for this policy yet"
    if standing is Standing.UNKNOWN:
        return f"the outlook is unknown: {foresight.unknown}"
    age = (now - foresight.at).total_seconds()
    if age < 0:
        return f"the outlook is dated {-age:.0f} s in the future"
    said = f"the outlook is {wording.age_said(age)} old, limit "
    if foresight.good_for_seconds < STALE_AFTER_SECONDS:
        return f"{said}{round(foresight.good_for_seconds)} s, because the floor it started from was older"
    return f"{said}{wording.span(foresight.good_for_seconds)}"


def _broken(predicted: Predicted, policy: Policy, now: datetime) -> str:
    """Return what is predicted to break: "orders-voice: service level 71 % from 15:20 to 15:35, limit 80 %"."""
    when = f"from {wording.clock_time(predicted.starts_at, now, policy.time_zone)} to {_end(predicted, policy, now)}"
    if predicted.metric is Metric.BACKLOG:
        return f"{predicted.queue}: more than {predicted.limit:g} waiting predicted {when}"
    if predicted.expected is None:
        return f"{predicted.queue}: nobody to answer {when}"
    unit = DEFINITIONS[predicted.metric].unit
    value, bound = wording.pair(predicted.expected, predicted.limit, unit)
    return f"{predicted.queue}: {wording.phrase(predicted.metric, value, None)} predicted {when}, limit {bound}"


def _end(predicted: Predicted, policy: Policy, now: datetime) -> str:
    return wording.moment(predicted.ends_at, now, policy.time_zone)


def _forbidden(room: Room, policy: Policy, left: int, now: datetime) -> str:
    if room.forbids is None:
        return f"{left:,} are left of what was found safe"
    return f"more than {left:,} now would break a limit: {_broken(room.forbids, policy, now)}"


def _later(room: Room, policy: Policy, rest: int | None, now: datetime) -> str:
    """Return when more may go: first so many, and by when the rest, or how many of it as far as was looked."""
    coming = [portion for portion in room.next_portions if portion.starts_at > now]
    if not coming:
        return ""
    first, last = coming[0], coming[-1]
    from_first = wording.moment(first.starts_at, now, policy.time_zone)
    if rest is not None and first.audience >= rest:
        return f"the rest may go from {from_first}"
    said = f"{first.audience:,} may go from {from_first}"
    if rest is None or first is last:
        return said
    added_up = list(accumulate(portion.audience for portion in coming))
    done = next((at for at, total in zip(coming, added_up, strict=True) if total >= rest), None)
    if done is not None:
        return f"{said}, the last of the rest from {wording.moment(done.starts_at, now, policy.time_zone)}"
    return f"{said}, {added_up[-1]:,} in parts up to {wording.moment(last.starts_at, now, policy.time_zone)}"


def _more_agents(room: Room, asked: int | None) -> str:
    """Return how many agents more would make safe what was asked about; where none are enough, what most would."""
    if asked is None or not room.reinforcements:
        return ""
    enough = next((each for each in room.reinforcements if each.audience >= asked), None)
    if enough is not None:
        return f"{_agents(enough.agents)} would make {asked:,} safe now"
    most = room.reinforcements[-1]
    return f"even {_agents(most.agents)} would make no more than {most.audience:,} safe now"


def _agents(more: int) -> str:
    return f"{more} more agent{'' if more == 1 else 's'}"


def _reason(predicted: Predicted, message: str, since: datetime | None) -> Reason:
    return Reason(
        _CODES[predicted.metric],
        message,
        metric=predicted.metric,
        queue=predicted.queue,
        observed=predicted.expected,
        op=">=" if predicted.metric is Metric.SERVICE_LEVEL_RATIO else "<=",
        limit=predicted.limit,
        unit=DEFINITIONS[predicted.metric].unit,
        window_seconds=(predicted.ends_at - predicted.starts_at).total_seconds(),
        since=since,
    )


def _chance(probability: float) -> str:
    """Return a probability in words that do not promise what nobody knows: never 0 %, never 100 %."""
    if probability != probability:  # noqa: PLR0124  # not a number
        return "an unknown chance"
    percent = min(99, max(1, round(probability * 100)))
    return f"{percent} % chance"


def _accepted(policy: Policy) -> str:
    return f"{_most(policy):.0%} accepted".replace("%", " %")


def _most(policy: Policy) -> float:
    return policy.outlook.max_breach_probability if policy.outlook else 0.0
