"""Moving a campaign: a plain form, which the calendar's script also opens after a drag or keys."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.core.campaign.campaign import Campaign
from app.core.campaign.request import text_of
from app.core.problem import Problem
from app.errors import Conflict, Invalid, NotFound
from app.services.campaigns import Impossible
from app.services.container import Services
from app.services.workloads import Moved
from app.web.calendar.entries import Warned, may_move
from app.web.calendar.gathering import around, campaigns_of, load_of, titles
from app.web.calendar.loads import hours
from app.web.calendar.moving import MoveForm, Read, consequences, form_of, read, work_said
from app.web.calendar.period import period_of
from app.web.campaigns.words import WORDS, shown
from app.web.format import zone_name
from app.web.now.boards import present
from app.web.now.views import zone_of
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import CampaignVisitor, OwnForm, Visit

SEE_OTHER, REFUSED, CHANGED, INVALID = 303, 409, 412, 422
WORK_SECONDS = 4.0
LOOKED_AT_HOURS = 24
LONGEST_REVISION = 12

router = APIRouter(prefix="/calendar/move/{campaign_id}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form of one campaign, for one request."""

    request: Request
    services: Services
    tools: Tools
    campaign: Campaign
    form: MoveForm
    zone: ZoneInfo

    def read(self) -> Read:
        """Return the start that was typed."""
        return read(self.form, self.zone, self.services.clock.now())

    async def page(self, found: Read, status: int = 200, changed: str = "") -> Response:
        """Return the form as it was typed, with what is wrong with it, or what it would mean.

        changed: what became of the campaign since the form was opened.
        """
        start = found.known_start
        typed = self.form.model_dump() | ({} if self.form.start else form_of(self.campaign, self.zone))
        before, now = self.campaign.earliest_start, self.services.clock.now()
        return self.tools.page(
            self.request,
            "pages/move.html",
            status=status,
            campaign=self.campaign,
            word=WORDS[self.campaign.state],
            starts=None if before is None else shown(before, self.zone),
            may_move=may_move(self.campaign),
            form=typed,
            faults=found.faults,
            twice=found.twice,
            said=await self._said(start) if start else (),
            seen=self.form.chosen if start else "",
            changed=changed,
            zone=zone_name(now, self.zone),
            back=calendar_of(self.form, self.form.day),
        )

    async def _said(self, start: datetime) -> tuple[Warned, ...]:
        week = period_of("week", start.astimezone(self.zone).date(), self.zone)
        found = await campaigns_of(self.services, week, None)
        others = [each for each in found if each.id != self.campaign.id]
        told = consequences(self.campaign, start, others, around(self.services, [*others, self.campaign], week))
        return (*told, await self._work(start))

    async def _work(self, start: datetime) -> Warned:
        """Return what the move does to the hours of the day after the new start."""
        first = start.replace(minute=0, second=0, microsecond=0)
        edges = tuple(first + timedelta(hours=number) for number in range(LOOKED_AT_HOURS + 1))
        queues = self.services.workloads.queues_of([self.campaign.gate])
        moved = Moved(self.campaign.id, start)
        after = await load_of(self.services, queues, edges, seconds=WORK_SECONDS, moved=moved)
        before = await load_of(self.services, queues, edges, seconds=WORK_SECONDS)
        if after is None or before is None or after.unknown or before.unknown:
            why = after.unknown if after and after.unknown else "it takes too long to work out now"
            return Warned("unknown", "work not known", f"The work of the day after it is not known: {why}.")
        names = titles(self.services)
        return work_said(hours(after, names, self.zone), hours(before, names, self.zone))


async def sheet(request: Request, campaign_id: str, form: MoveForm, services: Services, tools: Tools) -> Sheet:
    """Return the form of a campaign as it stands now. Raises NotFound for it, or for the gate whose zone is shown."""
    _, state = present(services, form.gate or None)
    if state is None:
        raise NotFound(f"there is no gate {form.gate!r}")
    campaign = await services.campaigns.find(campaign_id)
    return Sheet(request, services, tools, campaign, form, zone_of(state))


@router.get("")
async def show_form(
    request: Request,
    campaign_id: str,
    _: CampaignVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[MoveForm, Query()],
) -> Response:
    """Return the form, and what the start that is asked about would mean."""
    try:
        asked = await sheet(request, campaign_id, form, services, tools)
    except NotFound as fault:
        return _nothing(request, tools, fault)
    if not form.start:
        return await asked.page(Read(None))
    found = asked.read()
    return await asked.page(found, INVALID if found.faults else 200)


@router.post("")
async def move(
    request: Request,
    campaign_id: str,
    _: OwnForm,
    who: CampaignVisitor,
    *,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[MoveForm, Form()],
) -> Response:
    """Move it, if what that means was seen; then lead back to the calendar."""
    try:
        asked = await sheet(request, campaign_id, form, services, tools)
    except NotFound as fault:
        return _nothing(request, tools, fault)
    found = asked.read()
    if found.faults or found.start is None:
        return await asked.page(found, INVALID)
    if form.seen != form.chosen:
        return await asked.page(found)
    if not form.reason.strip() or not form.reason.strip().isprintable():
        return await asked.page(
            found.with_fault("reason", "Say why, in one line: the contact center reads it."), INVALID
        )
    return await _moved(asked, found, found.start, who)


async def _moved(asked: Sheet, found: Read, start: datetime, who: Visit) -> Response:
    form, campaigns = asked.form, asked.services.campaigns
    changes, reason = {"earliest_start": text_of(start)}, form.reason.strip()
    try:
        await campaigns.change(asked.campaign.id, changes, who.actor, reason, expected=_revision(form.revision))
    except Invalid as fault:
        refused = Read(start, {_field(problem): _sentence(problem.detail) for problem in fault.problems})
        return await asked.page(refused, INVALID)
    except Impossible as fault:
        return await asked.page(Read(start, {"": _sentence(str(fault))}), REFUSED)
    except Conflict:
        newest = replace(asked, campaign=await campaigns.find(asked.campaign.id))
        return await newest.page(found, CHANGED, "Somebody changed this campaign meanwhile, and nothing was moved.")
    location = calendar_of(form, f"{start.astimezone(asked.zone):%Y-%m-%d}", moved=asked.campaign.id)
    if asked.request.headers.get("hx-request") == "true":
        return Response(headers={"HX-Redirect": location})
    return RedirectResponse(location, SEE_OTHER)


def calendar_of(form: MoveForm, day: str, **more: str) -> str:
    """Return the address of the calendar that a form was opened from, around a day."""
    said = {"view": form.view, "day": day, "gate": form.gate, "zone": form.zone} | more
    return f"/calendar?{urlencode({name: value for name, value in said.items() if value})}"


def _nothing(request: Request, tools: Tools, fault: NotFound) -> Response:
    return tools.page(
        request, "pages/problem.html", status=NOT_FOUND, title="Not there", detail=_sentence(str(fault)[:200])
    )


def _revision(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_REVISION else 0


def _field(problem: Problem) -> str:
    return "start" if problem.pointer in ("/earliest_start", "/give_up_at") else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
