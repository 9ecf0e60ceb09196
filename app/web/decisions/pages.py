"""The decision log at `/decisions`: every change of every gate and every answer given; each leads to its own page."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.core.gate.decision import Verdict
from app.errors import NotFound
from app.web.decisions.around import SHOWN, Leaf, every_page, reader_of
from app.web.decisions.detail import INPUT_COLUMNS, REASON_COLUMNS, detail, input_cells, reason_cells
from app.web.decisions.filters import DecisionQuery, SpanQuery, decisions_asked, place_text
from app.web.decisions.view import COLUMNS, cells, line
from app.web.exports import Sheet
from app.web.moments import zoned
from app.web.tools import NOT_FOUND, ServicesDep, ToolsDep
from app.web.visitors import Visitor

PATH, INVALID = "/decisions", 422
SHEET = Sheet("decisions", COLUMNS)

router = APIRouter()


class DetailQuery(SpanQuery):
    """Which zone a decision is shown in, and which of its tables is wanted as a file."""

    table: str = ""


@router.get("/decisions")
async def show_log(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[DecisionQuery, Query()]
) -> Response:
    """Return a page of the log, or all that its filters let through as a file."""
    reader = await reader_of(services, query)
    asked = decisions_asked(query, reader.names, reader.zone)
    if query.format and not asked.faults:
        read = partial(services.decisions.page, **asked.narrowed)
        pages = every_page(read, lambda row: cells(row, reader.names), lambda row: (row.at, row.id))
        return await SHEET.stream(query.format, pages, reader.now)
    found = await services.decisions.page(**asked.narrowed, **asked.place, limit=SHOWN + 1)
    leaf = Leaf.of(request, PATH, found, asked, lambda row: place_text(row.at, row.id))
    return tools.page(
        request,
        "pages/decisions.html",
        status=INVALID if asked.faults else 200,
        query=query,
        asked=asked,
        leaf=leaf,
        lines=[line(row, reader) for row in leaf.rows],
        gates=sorted({*await services.gates.names(), *([query.gate] if query.gate else [])}),
        states=list(Verdict),
        names=sorted(set(reader.names.values())),
        zoned=zoned(reader.now, reader.zone),
    )


@router.get("/decisions/{decision_id}")
async def show_decision(
    request: Request,
    decision_id: str,
    _: Visitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[DetailQuery, Query()],
) -> Response:
    """Return one decision, decided again; or its reasons, or its inputs, as a file."""
    try:
        reviewed = await services.decisions.get(decision_id)
    except NotFound:
        said = f"There is no decision “{decision_id[:80]}”. Its log is kept as long as the database is."
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such decision", detail=said)
    row = reviewed.row
    if query.format and query.table == "inputs":
        return Sheet(f"inputs of {row.id}", INPUT_COLUMNS).answer(query.format, input_cells(row), services.clock.now())
    if query.format:
        sheet = Sheet(f"reasons of {row.id}", REASON_COLUMNS)
        return sheet.answer(query.format, reason_cells(row), services.clock.now())
    query.gate = query.gate or row.gate
    reader = await reader_of(services, query)
    return tools.page(
        request,
        "pages/decision.html",
        decision=detail(reviewed, reader),
        zoned=zoned(row.at, reader.zone),
    )
