"""The audit log at `/decisions/events`: everything that happened, who did it and why; and whether it is whole."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from app.core.event import EventType
from app.errors import HoldfireError, NotFound
from app.services.container import Services
from app.web.decisions.around import SHOWN, Leaf, every_page, reader_of
from app.web.decisions.events_view import COLUMNS, PATH, Finding, event_cells, event_detail, event_line, finding
from app.web.decisions.filters import LAST_PLACE, EventQuery, SpanQuery, events_asked
from app.web.exports import Sheet
from app.web.moments import zoned
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, Visitor

INVALID = 422
SHEET = Sheet("events", COLUMNS)

router = APIRouter(prefix=PATH)


@router.get("")
async def show_events(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[EventQuery, Query()]
) -> Response:
    """Return a page of the log, or all that its filters let through as a file."""
    return await _page(request, services, tools, query)


@router.post("/verification")
async def verify(request: Request, _: OwnForm, __: Visitor, services: ServicesDep, tools: ToolsDep) -> Response:
    """Check the whole chain now, and say what was found above the newest events."""
    try:
        found = finding(await services.events.verify())
    except HoldfireError as fault:
        found = Finding("unknown", f"It could not be checked: {fault}.", "")
    return await _page(request, services, tools, EventQuery.model_validate({}), found)


@router.get("/{seq}")
async def show_event(
    request: Request,
    seq: Annotated[int, Path(ge=1, le=LAST_PLACE)],
    _: Visitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[SpanQuery, Query()],
) -> Response:
    """Return one event with what it changed."""
    try:
        written = await services.events.get(seq)
    except NotFound:
        said = f"There is no event {seq:,} yet."
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such event", detail=said)
    query.gate = query.gate or written.event.gate
    reader = await reader_of(services, query)
    shown = event_detail(written, reader.zone)
    return tools.page(request, "pages/event.html", event=shown, zoned=zoned(written.event.at, reader.zone))


async def _page(
    request: Request, services: Services, tools: Tools, query: EventQuery, found: Finding | None = None
) -> Response:
    reader = await reader_of(services, query)
    asked = events_asked(query, reader.names, reader.zone)
    if query.format and not asked.faults:
        read = partial(services.events.page, **asked.narrowed)
        pages = every_page(read, event_cells, lambda written: written.seq)
        return await SHEET.stream(query.format, pages, reader.now)
    events = await services.events.page(**asked.narrowed, **asked.place, limit=SHOWN + 1)
    leaf = Leaf.of(request, PATH, events, asked, lambda written: str(written.seq))
    return tools.page(
        request,
        "pages/events.html",
        status=INVALID if asked.faults else 200,
        query=query,
        asked=asked,
        found=found,
        leaf=leaf,
        lines=[event_line(written, reader) for written in leaf.rows],
        gates=sorted({*await services.gates.names(), *([query.gate] if query.gate else [])}),
        types=[each.value for each in EventType],
        names=sorted(set(reader.names.values())),
        zoned=zoned(reader.now, reader.zone),
    )
