"""What the demonstration's page asks for every few seconds: the same day twice, as picture, sentence and table."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from app.core.gate.windows import is_zone, zone
from app.core.simulation.twins import Twins
from app.web.now.boards import present
from app.web.tools import ServicesDep, ToolsDep
from app.web.twins.words import shown_twins
from app.web.visitors import Visitor


def router_of(read: Callable[[], Twins]) -> APIRouter:
    """Return the routes of a demonstration that compares the days that `read` tells."""
    router = APIRouter()

    @router.get("/demo/twins")
    async def show_twins(
        _: Visitor,
        services: ServicesDep,
        tools: ToolsDep,
        asked: Annotated[str, Query(alias="zone", max_length=60)] = "",
    ) -> Response:
        """Return {drawing, verdict, rows, is_over}: an SVG, and what it shows in words and in numbers.

        zone: in whose time, a name of the time zone database; "": the center's.
        """
        twins = read()
        told = replace(twins, zone=zone(asked)) if is_zone(asked) else twins
        _published, state = present(services, None)
        shown = shown_twins(told, state)
        body = {
            "drawing": tools.templates.get_template("partials/twins_drawing.html").render(drawing=shown.drawing),
            "verdict": shown.verdict,
            "rows": shown.rows,
            "is_over": twins.is_over,
        }
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    return router
