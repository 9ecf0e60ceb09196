"""What who asks for a permit is answered: readiness's answer, with the permit where there is one."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from app.core.client_profile import PLAIN, ClientProfile
from app.core.gate.answer import Answered
from app.core.gate.decision import Reason, ReasonCode, Verdict
from app.core.permit.permit import Permit, Spent
from app.services.answering import Looked
from app.services.reply import OK, Headers, is_go, reply, whole_seconds
from app.services.shapes import Shape, instant

HOUR_SECONDS = 3600.0
ASK_PAUSED_AGAIN = timedelta(seconds=60)
WallSeconds = Callable[[float], float]


class PermitAnswer(NamedTuple):
    """A finished answer: HTTP status, headers, JSON body; the permit where one was given, None for every refusal.

    looked: what it was made from; of a repeat, how the gate stands now. is_repeat: it was given before.
    """

    status: int
    headers: Headers
    body: bytes
    looked: Looked
    permit: Permit | None = None
    is_repeat: bool = False


class _Said(msgspec.Struct):
    """What the headers of an answer say again of its body."""

    decision: str
    decision_id: str


def grant_body(looked: Looked, permit: Permit, wall_seconds: WallSeconds) -> bytes:
    """Return the body of a grant, to be kept and given again word for word."""
    members = {"permit_id": permit.id, "permit_expires_at": instant(permit.expires_at)}
    return reply(looked, permit.decision_id, wall_seconds, members=members).body


def granted(body: bytes, looked: Looked, permit: Permit, rate: Headers, *, is_repeat: bool = False) -> PermitAnswer:
    """Return the answer of a grant, or of its repeat, around its body."""
    said = msgspec.json.decode(body, type=_Said)
    headers: Headers = [
        (b"cache-control", b"no-store"),
        (b"holdfire-decision", said.decision.encode()),
        (b"holdfire-decision-id", said.decision_id.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        *rate,
    ]
    if is_repeat:
        headers.append((b"idempotency-replayed", b"true"))
    return PermitAnswer(OK, headers, body, looked, permit, is_repeat)


def without_permit(
    looked: Looked,
    decision_id: str,
    rate: Headers,
    wall_seconds: WallSeconds,
    *,
    profile: ClientProfile = PLAIN,
    members: Mapping[str, object] | None = None,
) -> PermitAnswer:
    """Return the answer that reserves nothing: a refusal, or what a dry run would get."""
    status, headers, body = reply(looked, decision_id, wall_seconds, profile=profile, members=members)
    return PermitAnswer(status, headers + rate, body, looked)


def rate_limit(looked: Looked, spent: Spent, wall_seconds: WallSeconds) -> Headers:
    """Return RateLimit-Policy and RateLimit where the policy has an hourly cap, nothing without one.

    By draft-ietf-httpapi-ratelimit-headers; messages are no unit it has, so a parameter of ours names them. The time
    is left out of a refusal, where Retry-After says it.
    """
    policy = looked.state.policy
    if policy is None or policy.max_audience_per_hour is None:
        return []
    cap, hour = policy.max_audience_per_hour, whole_seconds(wall_seconds(HOUR_SECONDS))
    shut = looked.answered.verdict in (Verdict.HOLD, Verdict.UNKNOWN)
    left = 0 if shut else max(0, cap - spent.outstanding - spent.sent_last_hour)
    frees = ""
    if is_go(looked) and spent.frees_at is not None:
        frees = f";t={whole_seconds(wall_seconds((spent.frees_at - looked.at).total_seconds()))}"
    return [
        (b"ratelimit-policy", f'"headroom";q={cap};w={hour};holdfire-unit="messages"'.encode()),
        (b"ratelimit", f'"headroom";r={left}{frees}'.encode()),
    ]


def held_while_paused(looked: Looked, permit: Permit) -> Looked:
    """Return the hold that answers a repeat of the ask for a paused permit whose gate says go again."""
    message = f"permit {permit.id!r}, given for this ask, is paused; renew it to go on, or ask under another key"
    reason = Reason(ReasonCode.PERMIT_PAUSED, message, since=permit.changed_at, binding=True)
    return looked._replace(answered=Answered(Verdict.HOLD, 0, (reason,), None, looked.at + ASK_PAUSED_AGAIN))


def permit_shape(permit: Permit, *, must_stop: bool) -> Shape:
    """Return a permit as the API shows it. must_stop: its sender must send no more under it now."""
    shape: dict[str, Any] = {
        "id": permit.id,
        "gate": permit.gate,
        "campaign": permit.campaign,
        "state": permit.state,
        "must_stop": must_stop,
        "requested": permit.requested,
        "allow": permit.allowed,
        "sent": permit.sent,
        "outstanding": permit.outstanding,
        "granted_at": instant(permit.granted_at),
        "expires_at": instant(permit.expires_at),
        "changed_at": instant(permit.changed_at),
        "reason": permit.reason,
        "decision_id": permit.decision_id,
        "asked_by": permit.key_id,
        "wave": permit.wave,
    }
    return shape
