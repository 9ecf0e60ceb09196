"""The planning page at /plan: how a campaign, or any mail, can be sent so that the floor keeps its limits."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.core.campaign.campaign import Campaign, CampaignState
from app.errors import NotFound
from app.services.container import Services
from app.web.format import zone_name
from app.web.now.boards import present
from app.web.outlook.sendings import reader_of
from app.web.plan.form import PlanQuery, read_form
from app.web.plan.result import Result, result_of, title_of
from app.web.tools import NOT_FOUND, ServicesDep, ToolsDep
from app.web.visitors import Visitor

PLANNABLE = (
    CampaignState.RELEASING,
    CampaignState.PAUSED,
    CampaignState.WAITING,
    CampaignState.SCHEDULED,
    CampaignState.DRAFT,
)
LISTED = 100

router = APIRouter()


@router.get("/plan")
async def show_plan(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[PlanQuery, Query()]
) -> Response:
    """Return the form with the plan of what it asks for; who opens the page gets one that fetches it."""
    campaign = await _campaign(services, query.campaign)
    if query.campaign and campaign is None:
        detail = f"There is no campaign “{query.campaign}”."
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such campaign", detail=detail)
    published, state = present(services, campaign.gate if campaign else query.gate)
    if state is None:
        return tools.no_gate(request, query.gate)
    form = read_form(query)
    is_asked = not form.faults and (campaign is not None or form.audience is not None)
    is_patient = bool(query.wait) or request.headers.get("hx-request") == "true"
    result = Result(title_of(campaign) if is_asked else "")
    if is_asked and is_patient:
        result = await result_of(services, tools.outlooks, state, campaign, form)
    reader = reader_of(services, state)
    return tools.page(
        request,
        "pages/plan.html",
        status=422 if form.faults else 200,
        gate=state.gate,
        gates=sorted(published.gates),
        campaigns=await services.campaigns.page(gate=state.gate, states=PLANNABLE, limit=LISTED),
        campaign=campaign,
        query=query,
        form=form,
        result=result,
        asks=f"/plan?{request.url.query}" if is_asked and not is_patient else None,
        zone=zone_name(reader.now, reader.zone),
    )


async def _campaign(services: Services, campaign_id: str) -> Campaign | None:
    try:
        return await services.campaigns.find(campaign_id) if campaign_id else None
    except NotFound:
        return None
