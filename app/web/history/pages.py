"""The chart's figure for the script that draws it, and the same numbers as a table for everyone else."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.core.floor.metric import DEFINITIONS, Metric
from app.web.format import clock_time, iso, measure
from app.web.history.captions import caption
from app.web.history.chart_data import Choice, chart_of
from app.web.history.charts import Chart, figure
from app.web.now.boards import present
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, ToolsDep
from app.web.visitors import Visitor

router = APIRouter()


class ChartQuery(GateQuery):
    """Which queue and metric, how far back, and in whose colours."""

    queue: str = Field(max_length=200)
    metric: Metric = Metric.BACKLOG
    range: Literal["2h", "6h", "24h"] = "2h"
    theme: Literal["dark", "light"] = "dark"

    def choice(self) -> Choice:
        """Return what is looked at."""
        return Choice(self.queue, self.metric, self.range)


@router.get("/partials/chart")
async def draw_chart(_: Visitor, services: ServicesDep, query: Annotated[ChartQuery, Query()]) -> Response:
    """Return {figure, caption, points}: a Plotly figure, and what it shows in words."""
    _published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    chart = await chart_of(services, state, query.choice())
    body = {"figure": figure(chart, query.theme), "caption": caption(chart), "points": len(chart.points)}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.get("/history")
async def show_history(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[ChartQuery, Query()]
) -> Response:
    """Return the chart's numbers as a table, newest first."""
    _published, state = present(services, query.gate)
    if state is None:
        return tools.no_gate(request, query.gate)
    chart = await chart_of(services, state, query.choice())
    return tools.page(
        request,
        "pages/history.html",
        gate=state.gate,
        chart=chart,
        span_start=iso(chart.start),
        span_until=iso(chart.until),
        definition=DEFINITIONS[query.metric],
        caption=caption(chart),
        rows=_rows(chart),
    )


def _rows(chart: Chart) -> list[tuple[str, ...]]:
    """Return (machine time, time, value, lowest, highest) per point, newest first."""
    unit = DEFINITIONS[chart.metric].unit
    return [
        (
            iso(point.at),
            clock_time(point.at, chart.zone, today=chart.until),
            measure(point.value, unit),
            measure(point.minimum, unit),
            measure(point.maximum, unit),
        )
        for point in reversed(chart.points)
    ]
