"""What people do with a campaign: announce, start, pause, resume; and, after a second look, cancel or delete it.

Each goes by the revision that was seen, but for a pause: whoever must stop a send stops it, whatever happened since.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.campaign.machine import CampaignStep, allowed
from app.core.campaign.request import MAX_TEXT
from app.errors import Conflict, NotFound
from app.services.campaigns import Impossible
from app.web.campaigns.desk import SEE_OTHER, Desk, DeskDep, known_of, to_campaign
from app.web.campaigns.view import campaign_page
from app.web.visitors import CampaignVisitor, OwnForm, Visit

CONFLICT, CHANGED, INVALID = 409, 412, 422
AT_ONCE = (CampaignStep.SCHEDULE, CampaignStep.START, CampaignStep.PAUSE, CampaignStep.RESUME)
Ending = Literal["cancel", "delete"]

router = APIRouter(prefix="/campaigns/{campaign}")


class StepForm(BaseModel):
    """A button: the revision that whoever pressed it saw, and why."""

    revision: int = 0
    reason: str = Field(default="", max_length=MAX_TEXT * 2)

    @property
    def why(self) -> str:
        """The reason in one line."""
        return " ".join(self.reason.split())


StepGiven = Annotated[StepForm, Form()]


def _step_route(what: CampaignStep) -> None:
    """Add POST /campaigns/{campaign}/<step>."""

    async def take(desk: DeskDep, campaign: str, _: OwnForm, who: CampaignVisitor, given: StepGiven) -> Response:
        return await _take(desk, who, campaign, what, given)

    router.add_api_route(f"/{what.value}", take, methods=["POST"])


for _step in AT_ONCE:
    _step_route(_step)


@router.get("/cancel")
async def ask_to_cancel(desk: DeskDep, campaign: str, who: CampaignVisitor) -> Response:
    """Return the second look before a campaign is ended for good."""
    return await _sure(desk, who, campaign, "cancel")


@router.get("/delete")
async def ask_to_delete(desk: DeskDep, campaign: str, who: CampaignVisitor) -> Response:
    """Return the second look before a draft is deleted."""
    return await _sure(desk, who, campaign, "delete")


@router.post("/cancel")
async def cancel(desk: DeskDep, campaign: str, _: OwnForm, who: CampaignVisitor, given: StepGiven) -> Response:
    """End a campaign for good; the reason is told to everybody."""
    if not given.why:
        return await _sure(desk, who, campaign, "cancel", fault="Say why: everybody who is told of it reads this.")
    return await _take(desk, who, campaign, CampaignStep.CANCEL, given)


@router.post("/delete")
async def delete(desk: DeskDep, campaign: str, _: OwnForm, who: CampaignVisitor, given: StepGiven) -> Response:
    """Delete a draft; its events stay."""
    try:
        await desk.services.campaigns.delete(campaign, who.actor, given.why, expected=given.revision)
    except NotFound:
        return desk.no_campaign(campaign)
    except Conflict as fault:
        return await _not_done(desk, who, campaign, fault)
    return RedirectResponse("/campaigns", SEE_OTHER)


async def _take(desk: Desk, who: Visit, campaign: str, what: CampaignStep, given: StepForm) -> Response:
    expected = None if what is CampaignStep.PAUSE else given.revision
    try:
        await desk.services.campaigns.take(campaign, what, who.actor, given.why, expected=expected)
    except NotFound:
        return desk.no_campaign(campaign)
    except Conflict as fault:
        return await _not_done(desk, who, campaign, fault)
    return to_campaign(campaign)


async def _not_done(desk: Desk, who: Visit, campaign: str, fault: Conflict) -> Response:
    """Return the campaign as it is by now, with why nothing was done."""
    present = await desk.services.campaigns.find(campaign)
    if isinstance(fault, Impossible):
        return await desk.campaign(who, present, status=CONFLICT, notice=f"Nothing was done: {fault}.")
    by = await desk.services.events.page(campaign=campaign, limit=1)
    name = by[0].event.actor.name if by else "Somebody"
    notice = f"Nothing was done: {name} changed it meanwhile. This is how it stands now; look again, then decide."
    return await desk.campaign(who, present, status=CHANGED, notice=notice)


async def _sure(desk: Desk, who: Visit, campaign: str, ending: Ending, fault: str = "") -> Response:
    """Return the page that asks again, or the campaign's where that cannot be done with it."""
    try:
        present = await desk.services.campaigns.find(campaign)
    except NotFound:
        return desk.no_campaign(campaign)
    if not _is_possible(present, ending):
        return await desk.campaign(who, present, status=CONFLICT, notice=_IMPOSSIBLE[ending])
    page = campaign_page(await known_of(desk.services, present))
    status = INVALID if fault else 200
    return desk.page("pages/campaign_sure.html", status=status, page=page, ending=ending, fault=fault)


_IMPOSSIBLE: dict[Ending, str] = {
    "cancel": "There is nothing to cancel: it is a draft, or has ended.",
    "delete": "Only a draft can be deleted. Cancel what was announced, so that everybody is told.",
}


def _is_possible(campaign: Campaign, ending: Ending) -> bool:
    if ending == "cancel":
        return CampaignStep.CANCEL in allowed(campaign)
    return campaign.state is CampaignState.DRAFT
