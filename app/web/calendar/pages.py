"""The calendar at /calendar: campaigns of a week or a month, with the work they bring beside who is there."""

from datetime import date
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.core.campaign.campaign import Campaign
from app.errors import NotFound
from app.services.container import Services
from app.services.workloads import Workload
from app.web.calendar.entries import Entry, entries
from app.web.calendar.files import CAMPAIGNS, HOURS, campaign_rows, hour_rows
from app.web.calendar.gathering import (
    PATIENTLY_SECONDS,
    QUICKLY_SECONDS,
    around,
    campaigns_of,
    load_of,
    next_of,
    queues_shown,
    titles,
    without_a_time,
)
from app.web.calendar.loads import hours
from app.web.calendar.period import Period, period_of
from app.web.calendar.view import Place, calendar_page
from app.web.campaigns.words import Instant, shown
from app.web.exports import Format
from app.web.format import zone_name
from app.web.now.boards import present
from app.web.now.views import zone_of
from app.web.tools import ServicesDep, ToolsDep
from app.web.visitors import Visitor

router = APIRouter(prefix="/calendar")


class CalendarQuery(BaseModel):
    """The page's address. wait: answer with the work of the hours, however long that takes.

    moved: a campaign that was moved just now.
    """

    view: str = Field(default="week", max_length=20)
    day: str = Field(default="", max_length=20)
    gate: str = Field(default="", max_length=63)
    moved: str = Field(default="", max_length=63)
    zone: str = Field(default="", max_length=20)
    wait: str = Field(default="", max_length=10)
    format: Format | None = None
    table: str = Field(default="campaigns", max_length=20)


@router.get("")
async def show_calendar(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[CalendarQuery, Query()]
) -> Response:
    """Return the calendar; where the work of its hours takes longer to tell, the page fetches it by itself."""
    published, state = present(services, query.gate or None)
    if state is None:
        return tools.no_gate(request, query.gate)
    zone, now = zone_of(state), services.clock.now()
    period = period_of("month" if query.view == "month" else "week", _day(query.day, now.astimezone(zone).date()), zone)
    found = await campaigns_of(services, period, query.gate or None)
    listed = entries(found, around(services, found, period))
    if query.format and query.table == "campaigns":
        return CAMPAIGNS.answer(query.format, campaign_rows(found, listed), now)
    is_patient = bool(query.wait or query.format) or request.headers.get("hx-request") == "true"
    load = await _load(services, query, period, is_patient=is_patient)
    if query.format:
        return HOURS.answer(query.format, hour_rows(load), now)
    names = titles(services)
    told = hours(load, names, zone) if load else ()
    place = Place(period.view, query.gate or None, query.zone)
    page = calendar_page(period, place, listed, told, now)
    return tools.page(
        request,
        "pages/calendar.html",
        page=page,
        gates=sorted(published.gates),
        gate=query.gate,
        load=load,
        has_hours=bool(told),
        titles=names,
        asks="" if load else _again(request),
        next_one=None if listed else await _next(services, place, period),
        undated=await without_a_time(services, query.gate or None),
        may_plan=who.may("campaigns"),
        may_subscribe=who.may("admin"),
        moved=await _moved(services, query.moved, listed),
        now=shown(now, zone),
        zone=zone_name(now, zone),
    )


class Next(NamedTuple):
    """The first campaign after days without any, when it begins, and where the calendar shows it."""

    title: str
    at: Instant
    href: str


async def _next(services: Services, place: Place, period: Period) -> Next | None:
    found = await next_of(services, period.edges[-1], place.gate)
    if found is None or found.earliest_start is None:
        return None
    day = found.earliest_start.astimezone(period.zone).date()
    return Next(found.title, shown(found.earliest_start, period.zone), place.at(day))


async def _load(services: Services, query: CalendarQuery, period: Period, *, is_patient: bool) -> Workload | None:
    queues = queues_shown(services, query.gate or None)
    seconds = PATIENTLY_SECONDS if is_patient else QUICKLY_SECONDS
    load = await load_of(services, queues, period.edges, seconds=seconds)
    if load is None and is_patient:
        return Workload(
            services.clock.now(), period.edges, unknown="it takes too long to work out; try again in a minute"
        )
    return load


async def _moved(services: Services, campaign_id: str, listed: tuple[Entry, ...]) -> Entry | Campaign | None:
    """Return the campaign that was moved just now: as it is shown, or, where it went out of sight, as it is."""
    entry = next((each for each in listed if each.id == campaign_id), None)
    if entry is not None or not campaign_id:
        return entry
    try:
        return await services.campaigns.find(campaign_id)
    except NotFound:
        return None


def _again(request: Request) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in ("wait", "moved")]
    return f"/calendar?{urlencode([*asked, ('wait', 'yes')])}"


def _day(text: str, today: date) -> date:
    """Return the day an address names, today where it names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return today
