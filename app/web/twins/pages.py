"""What the demonstration's page asks for every few seconds: the same day twice, as a figure, a sentence and a table."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from app.core.simulation.twins import Twins
from app.web.twins.charts import figure
from app.web.twins.words import rows, verdict
from app.web.visitors import Visitor


def router_of(read: Callable[[], Twins]) -> APIRouter:
    """Return the routes of a demonstration that compares the days that `read` tells."""
    router = APIRouter()

    @router.get("/demo/twins")
    async def show_twins(_: Visitor, theme: Annotated[Literal["dark", "light"], Query()] = "dark") -> Response:
        """Return {figure, verdict, rows, is_over}: a Plotly figure, and what it shows in words and in numbers."""
        twins = read()
        body = {
            "figure": figure(twins, theme),
            "verdict": verdict(twins),
            "rows": rows(twins),
            "is_over": twins.is_over,
        }
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    return router
