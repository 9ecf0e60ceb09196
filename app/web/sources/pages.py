"""The sources at `/sources`: how each is doing; and one by one, with its last sample and what was refused of it."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.services.container import Services
from app.web.decisions.filters import shown_zone
from app.web.exports import Format, Sheet
from app.web.format import iso
from app.web.moments import zoned
from app.web.now.boards import present
from app.web.now.views import DEFAULT_STALE_AFTER, stale_after_of, watched_queues, zone_of
from app.web.sources.view import (
    COLUMNS,
    QUEUE_COLUMNS,
    REFUSAL_COLUMNS,
    STANDINGS,
    Reader,
    Watch,
    cells,
    queue_cells,
    refusal_cells,
    source_detail,
    source_row,
)
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, ToolsDep
from app.web.visitors import Visitor

SHEET = Sheet("sources", COLUMNS)

router = APIRouter(prefix="/sources")


class SourceQuery(GateQuery):
    """In which zone, and which table as which file."""

    zone: str = Field("", max_length=40)
    table: str = ""
    format: Format | None = None


@router.get("")
async def show_sources(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[SourceQuery, Query()]
) -> Response:
    """Return all sources in a table, or as a file; how to connect one, where there is none."""
    reader, found = reader_of(services, query), services.sources.all()
    if query.format:
        return SHEET.answer(query.format, [cells(health, reader) for health in found], reader.now)
    return tools.page(
        request,
        "pages/sources.html",
        rows=[source_row(health, reader) for health in found],
        standings=STANDINGS,
        now=iso(reader.now),
        zoned=zoned(reader.now, reader.zone),
        origin=f"{request.url.scheme}://{request.headers.get('host', 'localhost')}",
        auth=services.settings.auth == "on",
        may_make_keys=who.may("admin"),
        may_try=who.may("policies"),
    )


@router.get("/{name:path}")
async def show_source(
    request: Request,
    name: str,
    _: Visitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[SourceQuery, Query()],
) -> Response:
    """Return one source, or its queues, or its rejected rows, as a file."""
    health = services.sources.find(name)
    if health is None:
        said = f"Nothing was heard of a source “{name[:128]}” since holdfire started."
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such source", detail=said)
    reader = reader_of(services, query)
    if query.format and query.table == "queues":
        sheet = Sheet(f"queues of {name}", QUEUE_COLUMNS)
        return sheet.answer(query.format, queue_cells(health, reader), reader.now)
    if query.format:
        return Sheet(f"rejected of {name}", REFUSAL_COLUMNS).answer(query.format, refusal_cells(health), reader.now)
    return tools.page(
        request,
        "pages/source.html",
        source=source_detail(health, reader),
        now=iso(reader.now),
        zoned=zoned(reader.now, reader.zone),
    )


def reader_of(services: Services, query: SourceQuery) -> Reader:
    """Return what sources are read by now: every gate's policy counts for the queues it watches."""
    published, state = present(services, query.gate)
    watched: dict[str, Watch] = {}
    for gate, each in published.gates.items():
        limit = stale_after_of(each)
        for queue in watched_queues(each, published.view):
            known = watched.get(queue, Watch((), limit))
            watched[queue] = Watch((*known.gates, gate), min(known.stale_after_seconds, limit))
    zone = shown_zone(query.zone, zone_of(state) if state else ZoneInfo("UTC"))
    titles = {queue: own.title for queue, own in services.evaluator.floor.targets.items() if own.title}
    return Reader(watched, titles, zone, services.clock.now(), DEFAULT_STALE_AFTER)
