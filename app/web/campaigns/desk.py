"""What every handler of these pages works with, who it works for, and what it answers about campaigns."""

from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from app.core.campaign.campaign import Campaign
from app.core.gate.policy import Policy
from app.services.container import Services
from app.web.campaigns.gate import may_go
from app.web.campaigns.view import Known, campaign_page
from app.web.format import zone_name
from app.web.tools import NOT_FOUND, ServicesDep, ToolsDep
from app.web.visitors import Visit

SEE_OTHER = 303
LOGGED, PERMITS = 30, 20
WRITING = "campaigns"
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Desk:
    """One request with the services and the page tools."""

    request: Request
    services: ServicesDep
    tools: ToolsDep

    def page(self, template: str, *, status: int = 200, **context: object) -> Response:
        """Return a page."""
        return self.tools.page(self.request, template, status=status, **context)

    def no_campaign(self, name: str) -> Response:
        """Return the answer for a campaign that is not there."""
        detail = f"There is no campaign “{name[:100]}”."
        return self.page("pages/problem.html", status=NOT_FOUND, title="No such campaign", detail=detail)

    async def campaign(self, who: Visit, campaign: Campaign, *, status: int = 200, notice: str = "") -> Response:
        """Return a campaign's page; notice: what came of something that was asked for."""
        known = await known_of(self.services, campaign)
        return self.page(
            "pages/campaign.html",
            status=status,
            page=campaign_page(known),
            gate_says=may_go(self.services, campaign),
            notice=notice,
            may_write=who.may(WRITING),
            zone=zone_name(known.now, known.zone),
        )


DeskDep = Annotated[Desk, Depends()]


def to_campaign(campaign_id: str) -> Response:
    """Return the way to a campaign's page after something was done."""
    return RedirectResponse(f"/campaigns/{campaign_id}", SEE_OTHER)


async def known_of(services: Services, campaign: Campaign) -> Known:
    """Return all that a campaign's page is made of."""
    return Known(
        campaign=campaign,
        spent=services.campaigns.progress(campaign).spent,
        waves=await services.campaigns.waves(campaign.id),
        permits=await services.permits.page(campaign=campaign.id, limit=PERMITS),
        briefing=await services.briefings.find(campaign.id),
        policy=policy_of(services, campaign.gate),
        events=await services.events.page(campaign=campaign.id, limit=LOGGED),
        must_stop=services.permits.must_stop,
        titles={queue: own.title for queue, own in services.evaluator.floor.targets.items() if own.title},
        now=services.clock.now(),
        zone=zone_of_gate(services, campaign.gate),
        not_ready=services.senders.why_not(campaign),
    )


def policy_of(services: Services, gate: str) -> Policy | None:
    """Return the policy of a gate, None without one."""
    state = services.evaluator.published.gates.get(gate)
    return state.policy if state else None


def zone_of_gate(services: Services, gate: str) -> ZoneInfo:
    """Return the zone of a gate's policy, UTC without one."""
    policy = policy_of(services, gate)
    return ZoneInfo(policy.time_zone) if policy else UTC
