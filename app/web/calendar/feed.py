"""Campaigns in people's own calendars: who manages holdfire makes an address for each, and takes it back."""

from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.errors import Invalid, NotFound
from app.ports.campaigns import FeedToken
from app.services.calendars import MAX_NAME
from app.services.container import Services
from app.web.campaigns.words import Instant, shown
from app.web.format import zone_name
from app.web.now.boards import present
from app.web.now.views import zone_of
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import AdminVisitor, OwnForm, Visit, Visitor

SEE_OTHER, INVALID = 303, 422
FEED = "/api/v1/campaigns.ics"

router = APIRouter(prefix="/calendar/feed")


class FeedQuery(BaseModel):
    """revoke: the address that is about to be taken back."""

    revoke: str = Field(default="", max_length=60)


class NewFeed(BaseModel):
    """Whose calendar a new address is for. Cut off only where it is long beyond all names."""

    name: str = Field(default="", max_length=10 * MAX_NAME)


@dataclass(frozen=True, slots=True)
class Feed:
    """An address that was given out, without its secret. at: None where it never happened."""

    id: str
    name: str
    made: Instant
    used: Instant | None
    revoked: Instant | None


@router.get("")
async def show_feeds(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[FeedQuery, Query()]
) -> Response:
    """Return how to subscribe, and to who manages holdfire the addresses that were given out."""
    return await _page(request, who, services, tools, revoke=query.revoke)


@router.post("")
async def make_feed(
    request: Request,
    _: OwnForm,
    who: AdminVisitor,
    *,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[NewFeed, Form()],
) -> Response:
    """Make an address and show it, this once."""
    name = form.name.strip()
    try:
        token, text = await services.calendars.create(name, who.actor)
    except Invalid as fault:
        detail = fault.problems[0].detail
        faults = {"name": f"{detail[:1].upper()}{detail[1:]}."}
        return await _page(request, who, services, tools, typed=name, faults=faults, status=INVALID)
    url = str(request.url.replace(path=FEED, query=f"token={text}", fragment=""))
    return await _page(request, who, services, tools, made=token, url=url)


@router.post("/{token_id}/revoke")
async def revoke_feed(
    request: Request, token_id: str, _: OwnForm, who: AdminVisitor, *, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Take an address back: its calendar is refused from now on."""
    try:
        await services.calendars.revoke(token_id, who.actor)
    except NotFound:
        detail = f"There is no calendar address “{token_id[:60]}”."
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such address", detail=detail)
    return RedirectResponse("/calendar/feed", SEE_OTHER)


async def _page(
    request: Request,
    who: Visit,
    services: Services,
    tools: Tools,
    *,
    made: FeedToken | None = None,
    url: str = "",
    revoke: str = "",
    typed: str = "",
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    may_manage, now = who.may("admin"), services.clock.now()
    _, state = present(services, None)
    zone = zone_of(state) if state else ZoneInfo("UTC")
    tokens = await services.calendars.all() if may_manage else ()
    return tools.page(
        request,
        "pages/calendar_feed.html",
        status=status,
        may_manage=may_manage,
        is_open=services.settings.auth == "off",
        open_url=str(request.url.replace(path=FEED, query="", fragment="")),
        feeds=[_feed(token, zone) for token in reversed(tokens)],
        made=made,
        url=url,
        revoke=next((token for token in tokens if token.id == revoke and token.revoked_at is None), None),
        typed=typed,
        faults=faults or {},
        zone=zone_name(now, zone),
        now=shown(now, zone),
    )


def _feed(token: FeedToken, zone: ZoneInfo) -> Feed:
    used, revoked = (None if at is None else shown(at, zone) for at in (token.last_used_at, token.revoked_at))
    return Feed(token.id, token.name, shown(token.created_at, zone), used, revoked)
