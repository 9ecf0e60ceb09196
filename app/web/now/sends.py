"""What people do to a send from the board: pause, resume or cancel a campaign, revoke a permit; after a second look.

Every one goes through the same services as the API does, with who did it and why.
"""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.core.campaign.campaign import Campaign
from app.core.campaign.machine import CampaignStep, allowed
from app.errors import Conflict, HoldfireError, NotFound
from app.web.format import number
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import CampaignVisitor, OwnForm, PolicyVisitor

SEE_OTHER, CONFLICT, INVALID = 303, 409, 422
MAX_REASON = 400
NO_REASON = "Say why: everybody who is told of it reads this."
Step = Literal["pause", "resume", "cancel"]

router = APIRouter(prefix="/sends")


class ReasonForm(BaseModel):
    """The second look's form."""

    reason: str = Field(default="", max_length=4 * MAX_REASON)

    @property
    def why(self) -> str:
        """The reason in one line, no longer than the log keeps it."""
        return " ".join(self.reason.split())[:MAX_REASON]


@dataclass(frozen=True, slots=True)
class Asked:
    """A second look: what is about to be done to what, and what that means. action: where the form is sent."""

    action: str
    title: str
    verb: str
    means: str
    gate: str
    is_stop: bool


STOPS = "whoever sends under one must stop, and is told so at once."
MEANS = {
    "pause": f"Nothing more of it goes until somebody resumes it. Its permits are paused: {STOPS}",
    "resume": "It goes on as soon as its gate lets it, by the same rules as before.",
    "cancel": f"Nothing more of it goes, for good. Its permits are revoked: {STOPS}",
}
REVOKES = "Whoever sends under it must stop, and is told so at once. What was not sent is free for others."


@router.get("/campaigns/{campaign}/{step}")
async def ask_about_campaign(
    request: Request, campaign: str, step: Step, _: CampaignVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Return the second look before a step of a campaign."""
    try:
        found = await services.campaigns.find(campaign)
    except NotFound as fault:
        return _not_done(request, tools, fault, NOT_FOUND)
    if CampaignStep(step) not in allowed(found):
        return _not_done(
            request, tools, Conflict(f"campaign {campaign!r} cannot be {_done(step)} as it stands"), CONFLICT
        )
    return _look(request, tools, _asked(found, step))


@router.post("/campaigns/{campaign}/{step}")
async def step_campaign(
    *,
    request: Request,
    campaign: str,
    step: Step,
    _: OwnForm,
    who: CampaignVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[ReasonForm, Form()],
) -> Response:
    """Let the step happen, then show the board."""
    try:
        found = await services.campaigns.find(campaign)
        if not form.why:
            return _look(request, tools, _asked(found, step), fault=NO_REASON)
        await services.campaigns.take(campaign, CampaignStep(step), who.actor, form.why)
    except NotFound as fault:
        return _not_done(request, tools, fault, NOT_FOUND)
    except Conflict as fault:
        return _not_done(request, tools, fault, CONFLICT)
    return _to_board(found.gate)


@router.get("/permits/{permit_id}/revoke")
async def ask_about_permit(
    request: Request, permit_id: str, _: PolicyVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Return the second look before a permit is revoked."""
    try:
        found = await services.permits.find(permit_id)
    except NotFound as fault:
        return _not_done(request, tools, fault, NOT_FOUND)
    return _look(request, tools, _asked_permit(found.id, found.gate, found.sent, found.allowed))


@router.post("/permits/{permit_id}/revoke")
async def revoke_permit(
    *,
    request: Request,
    permit_id: str,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[ReasonForm, Form()],
) -> Response:
    """Withdraw a live permit, then show the board."""
    try:
        found = await services.permits.find(permit_id)
        if not form.why:
            asked = _asked_permit(found.id, found.gate, found.sent, found.allowed)
            return _look(request, tools, asked, fault=NO_REASON)
        await services.permits.revoke(permit_id, who.actor, form.why)
    except NotFound as fault:
        return _not_done(request, tools, fault, NOT_FOUND)
    except Conflict as fault:
        return _not_done(request, tools, fault, CONFLICT)
    return _to_board(found.gate)


def _asked(campaign: Campaign, step: str) -> Asked:
    action = f"/sends/campaigns/{quote(campaign.id, safe='')}/{step}"
    title = f"{step.capitalize()} “{campaign.title}”?"
    return Asked(action, title, f"{step.capitalize()} it", MEANS[step], campaign.gate, step != "resume")


def _asked_permit(permit_id: str, gate: str, sent: int, allowed_: int) -> Asked:
    means = f"{number(sent)} of {number(allowed_)} were reported as sent. {REVOKES}"
    return Asked(
        f"/sends/permits/{quote(permit_id, safe='')}/revoke",
        "Revoke this permit?",
        "Revoke it",
        means,
        gate,
        is_stop=True,
    )


def _look(request: Request, tools: Tools, asked: Asked, fault: str = "") -> Response:
    status = INVALID if fault else 200
    return tools.page(request, "pages/send_sure.html", status=status, asked=asked, fault=fault, longest=MAX_REASON)


def _not_done(request: Request, tools: Tools, fault: HoldfireError, status: int) -> Response:
    return tools.page(request, "pages/problem.html", status=status, title="Nothing was done", detail=f"{fault}.")


def _done(step: str) -> str:
    return {"pause": "paused", "resume": "resumed", "cancel": "cancelled"}[step]


def _to_board(gate: str) -> Response:
    return RedirectResponse(f"/?gate={quote(gate, safe='')}", SEE_OTHER)
