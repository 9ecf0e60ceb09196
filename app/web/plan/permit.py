"""A permit as its panel shows it, and the form that asks for one. Pure."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.core.permit.permit import LIVE, Permit, PermitState
from app.web.campaigns.words import Instant, shown
from app.web.format import number

TTLS = (
    ("900", "15 minutes"),
    ("3600", "1 hour"),
    ("14400", "4 hours"),
    ("43200", "12 hours"),
    ("86400", "24 hours"),
)
_SAYS = {
    PermitState.ACTIVE: "So many may be sent now",
    PermitState.PAUSED: "Nothing more may be sent under it now",
    PermitState.USED: "All of it was sent",
    PermitState.RELEASED: "What was not sent was given back",
    PermitState.EXPIRED: "Its time is over",
    PermitState.REVOKED: "It was withdrawn",
}


@dataclass(frozen=True, slots=True)
class PermitPanel:
    """A permit. state: whose shape it wears; is_live: it can be reported on, and given back."""

    id: str
    state: str
    says: str
    allowed: str
    requested: str
    is_part: bool
    sent: str
    outstanding: str
    campaign: str
    gate: str
    until: Instant
    reason: str
    must_stop: bool
    is_live: bool


def permit_panel(permit: Permit, zone: ZoneInfo, *, must_stop: bool) -> PermitPanel:
    """Return a permit's panel. must_stop: whether its sender must send no more under it now."""
    is_live = permit.state in LIVE
    stops = is_live and must_stop
    return PermitPanel(
        id=permit.id,
        state="none" if not is_live else "hold" if stops else "send",
        says=_SAYS[PermitState.PAUSED] if stops else _SAYS[permit.state],
        allowed=number(permit.allowed),
        requested=number(permit.requested),
        is_part=permit.allowed < permit.requested,
        sent=number(permit.sent),
        outstanding=number(permit.outstanding),
        campaign=permit.campaign or "",
        gate=permit.gate,
        until=shown(permit.expires_at, zone),
        reason=permit.reason,
        must_stop=stops,
        is_live=is_live,
    )
