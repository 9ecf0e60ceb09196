"""A campaign's briefing as a page to print, and its images for whoever is signed in."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from app.core.gate.windows import zone
from app.errors import NotFound
from app.services.container import Services
from app.services.pictures import etag, image_headers
from app.web.briefing.view import briefing_page
from app.web.tools import NOT_FOUND, ServicesDep, ToolsDep
from app.web.visitors import Visitor

NOT_MODIFIED = 304
UTC = "UTC"

router = APIRouter(prefix="/campaigns/{campaign}/briefing")


@router.get("")
async def show_briefing(
    request: Request, campaign: str, _: Visitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Return the briefing, printable; the campaign alone where nobody has written one yet."""
    try:
        found = await services.campaigns.find(campaign)
        briefing = await services.briefings.find(campaign)
    except NotFound:
        detail = f"There is no campaign “{campaign[:100]}”."
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such campaign", detail=detail)
    shown = briefing_page(found, briefing, zone(_time_zone(services, found.gate)), services.clock.now())
    return tools.page(request, "pages/briefing.html", page=shown)


@router.get("/images/{image_id}")
async def show_image(
    campaign: str,
    image_id: str,
    _: Visitor,
    services: ServicesDep,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return an image of a briefing, under headers that let nothing in it run."""
    try:
        image, content = await services.briefings.image(campaign, image_id)
    except NotFound:
        return Response(status_code=NOT_FOUND)
    if if_none_match is not None and etag(image) in if_none_match:
        return Response(status_code=NOT_MODIFIED, headers=image_headers(image))
    return Response(content, media_type=image.media_type, headers=image_headers(image))


def _time_zone(services: Services, gate: str) -> str:
    """Return the name of the zone of a gate's policy, UTC where it has none."""
    state = services.evaluator.published.gates.get(gate)
    return state.policy.time_zone if state and state.policy else UTC
