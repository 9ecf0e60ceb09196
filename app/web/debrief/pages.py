"""A campaign's debrief as a page to print."""

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.core.debrief.debrief import Debrief
from app.core.gate.windows import zone
from app.errors import NotComputed, NotFound
from app.services.campaigns import Impossible
from app.web.debrief.view import debrief_page
from app.web.tools import NOT_FOUND, ServicesDep, ToolsDep
from app.web.visitors import Visitor

CONFLICT, UNAVAILABLE = 409, 503

router = APIRouter(prefix="/campaigns/{campaign}/debrief")


@router.get("")
async def show_debrief(request: Request, campaign: str, _: Visitor, services: ServicesDep, tools: ToolsDep) -> Response:
    """Return the debrief, printable; why there is none yet while nothing of the campaign was sent."""

    def instead(status: int, title: str, detail: str) -> Response:
        return tools.page(request, "pages/problem.html", status=status, title=title, detail=detail)

    try:
        found = msgspec.convert(await services.debriefs.of(campaign), Debrief)
    except NotFound:
        return instead(NOT_FOUND, "No such campaign", f"There is no campaign “{campaign[:100]}”.")
    except Impossible as fault:
        return instead(CONFLICT, "No debrief yet", f"{str(fault)[:1].upper()}{str(fault)[1:]}.")
    except NotComputed as fault:
        return instead(UNAVAILABLE, "Not computed", f"{str(fault)[:1].upper()}{str(fault)[1:]}; try again.")
    return tools.page(request, "pages/debrief.html", page=debrief_page(found, zone(found.time_zone)))
