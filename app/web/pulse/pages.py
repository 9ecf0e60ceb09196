"""The pulse of a gate, and the same frames that the live socket sends for who cannot open one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from app.build import build_id
from app.services.shapes import instant
from app.web.now.boards import present
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, ToolsDep
from app.web.visitors import Visitor

NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter()


class FrameQuery(GateQuery):
    """Which gate, and how much of it: its pulse, or the whole board."""

    view: Literal["pulse", "page"] = "pulse"


@router.get("/partials/live")
async def frame_alone(
    _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[FrameQuery, Query()]
) -> Response:
    """Return one frame as the live socket sends it."""
    published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    head = {"type": "snapshot", "at": instant(services.clock.now()), "build": build_id(), "gate": state.gate}
    return JSONResponse(head | await tools.views[query.view].members(services, state, published), headers=NO_STORE)
