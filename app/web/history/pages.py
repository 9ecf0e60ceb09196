"""The charts' figures for the script that draws them, and the same numbers as a table, or a file, for everyone else."""

import gzip
from collections.abc import Hashable
from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.gate.windows import is_zone
from app.services.container import Services
from app.services.published import GateState
from app.web.exports import Format, Sheet
from app.web.format import clock_time, duration, iso, measure
from app.web.history.captions import caption, meanwhile
from app.web.history.chart_data import charts_of
from app.web.history.charts import Chart
from app.web.history.choice import DEFAULT_RANGE, RANGES, Choice, Layer, read_choice
from app.web.history.traces import figure
from app.web.now.boards import present
from app.web.outlook.lookahead import ahead_of
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, Tools, ToolsDep
from app.web.typed import LONGEST
from app.web.visitors import Visitor

LEAST_SECONDS = 5.0
PACKED_LEVEL = 4
SHEET = Sheet("history", ("at", "value", "lowest", "highest", "weight"))

router = APIRouter()


class ChartsQuery(GateQuery):
    """Which queue, how far back, with what behind it and without what; for whom, and in whose colours.

    A choice that does not exist is not an error. zone: a name of the time zone database; "": the center's.
    """

    queue: str = Field(default="", max_length=200)
    range: str = Field(default=DEFAULT_RANGE, max_length=10)
    behind: str | None = Field(default=None, max_length=60)
    hide: str = Field(default="", max_length=120)
    zone: str = Field(default="", max_length=60)
    theme: Literal["dark", "light"] = "dark"
    audience: str = Field(default="", max_length=LONGEST)
    campaign: str = Field(default="", max_length=200)

    def choice(self) -> Choice:
        """Return what is looked at."""
        return read_choice(self.queue, self.range, self.behind, self.hide)


class HistoryQuery(GateQuery):
    """One metric of one queue as a table; format: as a file."""

    queue: str = Field(max_length=200)
    metric: Metric = Metric.BACKLOG
    range: str = Field(default=DEFAULT_RANGE, max_length=10)
    format: Format | None = None


@router.get("/partials/charts")
async def draw_charts(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[ChartsQuery, Query()]
) -> Response:
    """Return {charts: [{metric, figure, caption}], meanwhile, refresh_seconds}: Plotly figures, and them in words."""
    _published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    key: Hashable = ("charts", state.gate, state.policy_version, *query.model_dump().values())
    packed = await tools.answers.once(key, partial(_drawn, services, tools, state, query))
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type="application/json", headers=headers)


async def _drawn(services: Services, tools: Tools, state: GateState, query: ChartsQuery) -> tuple[bytes, float]:
    """Return the answer as gzip, and for how many seconds it is good for others, too."""
    choice, ahead, is_last = query.choice(), None, True
    if choice.chosen.looks_ahead and choice.shows(Layer.OUTLOOK):
        asked = {"audience": query.audience, "campaign": query.campaign}
        ahead, is_last = await ahead_of(services, tools.outlooks, state, choice.queue, **asked)
    zone = ZoneInfo(query.zone) if is_zone(query.zone) else None
    drawn = await charts_of(services, state, choice, ahead=ahead, zone=zone)
    again = services.clock.wall_seconds(choice.chosen.refresh_seconds) if is_last else LEAST_SECONDS
    again = max(LEAST_SECONDS, again)
    body = {
        "charts": [
            {"metric": chart.metric, "figure": figure(chart, query.theme), "caption": caption(chart)}
            for chart in drawn.charts
        ],
        "meanwhile": meanwhile(drawn.spans, drawn.marks),
        "refresh_seconds": again,
    }
    return gzip.compress(msgspec.json.encode(body), PACKED_LEVEL), again / 2


@router.get("/history")
async def show_history(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[HistoryQuery, Query()]
) -> Response:
    """Return a chart's numbers as a table, newest first; or as a file, oldest first."""
    _published, state = present(services, query.gate)
    if state is None:
        return tools.no_gate(request, query.gate)
    choice = read_choice(query.queue, query.range, "", "")
    (chart,) = (await charts_of(services, state, choice, (query.metric,))).charts
    if query.format:
        rows = [(point.at, point.value, point.minimum, point.maximum, point.weight) for point in chart.points]
        return SHEET.answer(query.format, rows, chart.until)
    return tools.page(
        request,
        "pages/history.html",
        gate=state.gate,
        chart=chart,
        choice=choice,
        metrics=list(DEFINITIONS.values()),
        ranges=RANGES,
        step=duration(choice.chosen.step_seconds),
        caption=caption(chart),
        rows=_rows(chart),
    )


def _rows(chart: Chart) -> list[tuple[str, ...]]:
    """Return (machine time, time, value, lowest, highest) per point, newest first."""
    unit = chart.definition.unit
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
