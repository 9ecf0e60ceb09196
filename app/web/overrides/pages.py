"""A gate's overrides at /overrides: who holds or allows it by hand, until when, why. Made and ended with a reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from app.core.campaign.campaign import TrafficClass
from app.core.gate.policy import DEFAULT_OVERRIDE_MINUTES
from app.errors import Invalid, NotFound
from app.services.container import Services
from app.web.exports import Format
from app.web.format import duration, iso, zone_name
from app.web.instants import typed
from app.web.now.views import Instant
from app.web.overrides.form import NOTHING_READ, OverrideForm, Read, empty_form, placed, read, sent_form
from app.web.overrides.view import SHEET, sheet_row, standing
from app.web.thresholds.desk import Desk, open_desk
from app.web.thresholds.view import policy_of
from app.web.tools import GateQuery, ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, PolicyVisitor, Visit, Visitor

SEE_OTHER, INVALID = 303, 422
LISTED, MOST_IN_FILE = 50, 1000
LONGEST_REASON = 500
NO_REASON = f"Say why it ends now, in 1 to {LONGEST_REASON} characters."

router = APIRouter(prefix="/overrides")


class OverridesQuery(GateQuery):
    """The page's URL. made, ended: the override that this was done to a moment ago.

    before: past ones older than this one; one: past ones from this one on, for who wants to see it.
    """

    made: str = Field(default="", max_length=64)
    ended: str = Field(default="", max_length=64)
    before: str = Field(default="", max_length=64)
    one: str = Field(default="", max_length=64)
    format: Format | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent and refused; ending: the override that was to end, without a reason for it."""

    form: OverrideForm
    read: Read = NOTHING_READ
    ending: str = ""


@router.get("")
async def show_overrides(
    request: Request,
    who: Visitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[OverridesQuery, Query()],
) -> Response:
    """Return the page, or with `format` the overrides as a file."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return tools.no_gate(request, query.gate)
    if query.format:
        listed = await services.overrides.overrides(desk.gate, limit=MOST_IN_FILE)
        return SHEET.answer(query.format, [sheet_row(each, desk.now) for each in listed], desk.now)
    return await _page(
        request, who, services, tools, desk=desk, sent=Sent(empty_form(desk.now, desk.zone)), query=query
    )


@router.post("")
async def make_override(
    request: Request,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[OverridesQuery, Query()],
) -> Response:
    """Hold or allow by hand, in the visitor's own name."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return tools.no_gate(request, query.gate)
    sent = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    form = sent_form(sent)
    found = read(form, desk.zone, desk.now)
    if found.draft:
        try:
            made = await services.overrides.create(desk.gate, found.draft, who.actor)
            return RedirectResponse(f"/overrides?gate={quote(desk.gate, safe='')}&made={made.id}", SEE_OTHER)
        except Invalid as fault:
            found = Read(None, placed(fault.problems, form) or {"reason": f"{str(fault).capitalize()}."})
    shown = Sent(form, found)
    return await _page(request, who, services, tools, desk=desk, sent=shown, query=query, status=INVALID)


@router.post("/{override_id}/end")
async def end_override(
    *,
    request: Request,
    override_id: str,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[OverridesQuery, Query()],
) -> Response:
    """End one now, with a reason."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return tools.no_gate(request, query.gate)
    given = (await request.form()).get("reason")
    reason = given.strip() if isinstance(given, str) else ""
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        sent = Sent(empty_form(desk.now, desk.zone), Read(None, {f"end-{override_id}": NO_REASON}), override_id)
        return await _page(request, who, services, tools, desk=desk, sent=sent, query=query, status=INVALID)
    try:
        await services.overrides.end(desk.gate, override_id, who.actor, reason)
    except NotFound as fault:
        title = "No such override"
        return tools.page(request, "pages/problem.html", status=404, title=title, detail=f"{str(fault).capitalize()}.")
    return RedirectResponse(f"/overrides?gate={quote(desk.gate, safe='')}&ended={override_id}", SEE_OTHER)


async def _page(
    request: Request,
    who: Visit,
    services: Services,
    tools: Tools,
    *,
    desk: Desk,
    sent: Sent,
    query: OverridesQuery,
    status: int = 200,
) -> Response:
    before = await _place(services, desk, query)
    listed = await services.overrides.overrides(desk.gate, before=before, limit=LISTED + 1)
    policy = policy_of(desk.saved)
    minutes = policy.max_override_minutes if policy else DEFAULT_OVERRIDE_MINUTES
    campaigns = services.campaigns.on_their_way(desk.gate)
    return tools.page(
        request,
        "pages/overrides.html",
        status=status,
        gate=desk.gate,
        gates=desk.gates,
        may_edit=who.may("policies"),
        standing=standing(services.overrides.of(desk.gate), listed[:LISTED], desk.now, desk.zone),
        older=listed[LISTED - 1].id if len(listed) > LISTED else None,
        form=sent.form,
        faults=dict(sent.read.faults),
        twice=dict(sent.read.twice),
        ending=sent.ending,
        notice=_notice(query),
        zone=zone_name(desk.now, desk.zone),
        now=Instant(iso(desk.now), ""),
        wall_now=typed(desk.now, desk.zone),
        longest=duration(minutes * 60),
        campaigns=[(each.id, each.title) for each in campaigns],
        classes=[each.value for each in TrafficClass],
    )


async def _place(services: Services, desk: Desk, query: OverridesQuery) -> tuple[datetime, str] | None:
    """Return what a page of older ones is before; None for the newest."""
    wanted = query.before or query.one
    try:
        found = await services.overrides.override(desk.gate, wanted) if wanted else None
    except NotFound:
        return None
    if found is None:
        return None
    return (found.created_at, found.id) if query.before else (found.created_at + timedelta.resolution, "")


def _notice(query: OverridesQuery) -> str:
    if query.made:
        return "It is written down, and every answer from now on follows it while it is in force."
    return "It has ended. It stays in the list below." if query.ended else ""
