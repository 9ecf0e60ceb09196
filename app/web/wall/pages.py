"""A screen on the wall at `/wall/{token}`: whoever has its address sees it, and nothing else of holdfire."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from app.build import build_id
from app.services.shapes import instant
from app.web.now.boards import present
from app.web.rendering import page
from app.web.tools import NOT_FOUND, ServicesDep, ToolsDep
from app.web.wall.walls import face, wall_of

# Nobody is told the address: no site that a link leads to, no search engine, no cache on the way.
PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"}

router = APIRouter()


class Look(BaseModel):
    """How a screen looks: light where theme is "light", dark otherwise."""

    theme: str = ""


@router.get("/wall/{token}")
async def show_wall(
    request: Request, token: str, services: ServicesDep, tools: ToolsDep, look: Annotated[Look, Query()]
) -> Response:
    """Return a screen; for a token that is unknown or revoked one that says so, whichever of both it is."""
    display = services.displays.authenticate(token)
    shown = wall_of(services, tools.templates, display) if display else None
    response = page(
        request,
        tools.templates,
        "pages/wall.html",
        status=200 if shown else NOT_FOUND,
        theme="light" if look.theme == "light" else "dark",
        name=display.name if display else "",
        wall=shown,
        demo=services.settings.demo,
    )
    response.headers.update(PRIVATE)
    return response


@router.get("/wall/{token}/frame")
async def frame_alone(token: str, services: ServicesDep, tools: ToolsDep) -> Response:
    """Return one frame as the live socket sends it, for devices whose sockets do not get through."""
    display = services.displays.authenticate(token)
    published, state = present(services, display.gate) if display else (None, None)
    if display is None or published is None or state is None:
        return Response(status_code=NOT_FOUND, headers=PRIVATE)
    head = {"type": "snapshot", "at": instant(services.clock.now()), "build": build_id(), "gate": state.gate}
    return JSONResponse(head | await face(tools.templates, display)(services, state, published), headers=PRIVATE)
