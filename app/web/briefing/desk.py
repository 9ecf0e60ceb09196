"""A campaign's briefing at hand: what every page of it begins from."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response

from app.core.campaign.briefing import Briefing
from app.core.campaign.campaign import Campaign
from app.core.gate.windows import zone
from app.services.container import Services
from app.web.briefing.view import briefing_page
from app.web.tools import NOT_FOUND, Tools
from app.web.visitors import Visit

UTC = "UTC"


@dataclass(frozen=True, slots=True)
class Desk:
    """For one request. briefing None: nobody has written one."""

    request: Request
    services: Services
    tools: Tools
    campaign: Campaign
    briefing: Briefing | None

    @property
    def address(self) -> str:
        """Where its page is."""
        return f"/campaigns/{quote(self.campaign.id, safe='')}/briefing"

    def page(self, who: Visit, status: int = 200, **more: Any) -> Response:
        """Return the briefing, printable; the campaign alone where nobody has written one."""
        time_zone = _time_zone(self.services, self.campaign.gate)
        shown = briefing_page(self.campaign, self.briefing, zone(time_zone), self.services.clock.now())
        context = {"typed": {"by": "", "name": ""}, "faults": {}, "changed": False, "thanks": ""} | more
        is_named = self.briefing is not None and bool(self.briefing.acknowledge_by)
        return self.tools.page(
            self.request,
            "pages/briefing.html",
            status=status,
            page=shown,
            may_write=who.may("campaigns"),
            reader=who.name,
            is_named=is_named,
            asked=self.briefing.missing if self.briefing is not None and is_named else (),
            suggested=() if is_named else self.queues(),
            **context,
        )

    def queues(self) -> tuple[str, ...]:
        """Return the queues that the campaign's gate watches: who may have to read it."""
        return self.services.workloads.queues_of([self.campaign.gate])


async def desk(request: Request, services: Services, tools: Tools, campaign_id: str) -> Desk:
    """Return a campaign's briefing as it is now. Raises NotFound for an unknown campaign."""
    campaign = await services.campaigns.find(campaign_id)
    return Desk(request, services, tools, campaign, await services.briefings.find(campaign_id))


def no_campaign(request: Request, tools: Tools, campaign_id: str) -> Response:
    """Return the answer for a campaign that is not there."""
    detail = f"There is no campaign “{campaign_id[:100]}”."
    return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such campaign", detail=detail)


def _time_zone(services: Services, gate: str) -> str:
    """Return the name of the zone of a gate's policy, UTC where it has none."""
    state = services.evaluator.published.gates.get(gate)
    return state.policy.time_zone if state and state.policy else UTC
