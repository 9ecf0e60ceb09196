"""A campaign's debrief: a page to read, to watch while its contacts come, and to print; its tables as files."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from app.core.debrief.debrief import Debrief, State
from app.core.floor.metric import DEFINITIONS
from app.core.gate.windows import is_zone, zone
from app.errors import NotComputed, NotFound
from app.services.campaigns import Impossible
from app.services.container import Services
from app.web.campaigns.desk import Desk, DeskDep
from app.web.debrief.learned import Belief, learned
from app.web.debrief.outcome import METRICS, caption, compared, outcome_of, predicted_of, predicted_queues, rows
from app.web.debrief.outcome_chart import figure
from app.web.debrief.sheets import TABLES, sheet
from app.web.debrief.view import debrief_page
from app.web.exports import Format
from app.web.format import iso, zone_name
from app.web.rendering import HEADERS
from app.web.tools import NOT_FOUND
from app.web.visitors import Visitor

CONFLICT, UNAVAILABLE = 409, 503
NO_STORE = {"Cache-Control": "no-store"}
VALUING = "campaigns"

router = APIRouter()


class DebriefQuery(BaseModel):
    """What of it is looked at: queue and metric of the chart; a table as a file, "" for the whole as JSON."""

    queue: str = Field(default="", max_length=200)
    metric: str = Field(default="", max_length=60)
    zone: str = Field(default="", max_length=60)
    theme: Literal["dark", "light"] = "dark"
    table: str = Field(default="", max_length=20)
    format: Format | None = None


DebriefGiven = Annotated[DebriefQuery, Query()]


@router.get("/campaigns/{campaign}/debrief")
async def show_debrief(desk: DeskDep, campaign: str, who: Visitor, query: DebriefGiven) -> Response:
    """Return the debrief, or a table of it as a file; why there is none yet while nothing of the campaign was sent."""
    services = desk.services
    found = await _found(desk, campaign)
    if isinstance(found, Response):
        return found
    if query.format:
        return _file(found, query, services)
    own, titles = zone(found.time_zone), _titles(services)
    shown = outcome_of(found, query.queue, query.metric, own, titles)
    return desk.page(
        "pages/debrief.html",
        page=debrief_page(found, own, titles, services.settings.complaint_reasons),
        learned=await _learned(services, found),
        outcome=shown,
        predicted=predicted_of(found, own),
        compared=list(compared(shown)) if shown else [],
        intervals=rows(shown) if shown else [],
        caption=caption(shown) if shown else "",
        queues=[(name, titles.get(name) or name) for name in predicted_queues(found)],
        metrics=[DEFINITIONS[metric] for metric in METRICS],
        zone=(zone_name(found.at, own), iso(found.at)),
        may_value=who.may(VALUING),
    )


@router.get("/partials/debrief/{campaign}")
async def draw_outcome(desk: DeskDep, campaign: str, _: Visitor, query: DebriefGiven) -> Response:
    """Return {figure, caption}: what was predicted and what happened, in the zone and the colours asked for."""
    found = await _found(desk, campaign)
    if isinstance(found, Response):
        return Response(status_code=found.status_code)
    own = zone(query.zone) if is_zone(query.zone) else zone(found.time_zone)
    shown = outcome_of(found, query.queue, query.metric, own, _titles(desk.services))
    if shown is None:
        return Response(status_code=NOT_FOUND)
    return JSONResponse({"figure": figure(shown, query.theme), "caption": caption(shown)}, headers=NO_STORE)


async def _found(desk: Desk, campaign: str) -> Debrief | Response:
    """Return the debrief, or the page that is shown in its place."""
    try:
        document = await desk.services.debriefs.of(campaign)
    except NotFound:
        return desk.no_campaign(campaign)
    except Impossible as fault:
        known = await desk.services.campaigns.find(campaign)
        return desk.page("pages/no_debrief.html", status=CONFLICT, campaign=known, said=_sentence(fault))
    except NotComputed as fault:
        detail = f"{_sentence(fault)} Try again."
        return desk.page("pages/problem.html", status=UNAVAILABLE, title="Not computed", detail=detail)
    return msgspec.convert(document, Debrief)


def _sentence(fault: Exception) -> str:
    return f"{str(fault)[:1].upper()}{str(fault)[1:]}."


def _file(found: Debrief, query: DebriefQuery, services: Services) -> Response:
    form = query.format or "json"
    if not query.table and form == "json":
        return Response(msgspec.json.encode(found), media_type="application/json", headers=HEADERS)
    own, lines = sheet(found, query.table if query.table in TABLES else "floor")
    return own.answer(form, lines, services.clock.now())


def _titles(services: Services) -> dict[str, str]:
    return {queue: own.title for queue, own in services.evaluator.floor.targets.items() if own.title}


async def _learned(services: Services, found: Debrief) -> tuple[Belief, ...]:
    learning = services.learning
    if found.state is State.FINAL:
        kind = found.campaign.kind
        return learned(found, learning.rate_of_kind(kind), learning.said_of_kind(kind))
    campaign = await services.campaigns.find(found.campaign.id)
    return learned(found, learning.rate_for(campaign), f"{learning.said_of(campaign)}, and what it has shown so far")
