"""Who may sign in, as what: the admin's page. A link is shown once, to be handed over; holdfire sends no mail."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.core.access import Role
from app.core.account.invitation import Invitation, link_path
from app.errors import Conflict, Invalid, NotFound
from app.services.container import Services
from app.web.account.arrival import own_address
from app.web.account.center import center_zone
from app.web.account.view import ROLES, faults_of, handover, invitation_rows, sentence, user_rows
from app.web.moments import zoned
from app.web.tools import ServicesDep, Tools, ToolsDep
from app.web.visitors import AdminVisitor, OwnForm, Visit

SEE_OTHER, CREATED, CONFLICT, INVALID = 303, 201, 409, 422
PATH = "/settings/users"
DONE = {
    "role": "The role is changed. Its holder was signed out everywhere and has it from the next sign-in on.",
    "disabled": "Disabled, and signed out everywhere.",
    "enabled": "They may sign in again, with the password they had.",
    "withdrawn": "The link is void.",
}

router = APIRouter(prefix=PATH)


@router.get("")
async def show_users(
    request: Request, who: AdminVisitor, services: ServicesDep, tools: ToolsDep, done: Annotated[str, Query()] = ""
) -> Response:
    """Return all users, all open links, and the form that invites."""
    return await _page(request, who, services, tools, done=DONE.get(done, ""))


@router.post("/invite")
async def invite(
    *,
    request: Request,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    email: Annotated[str, Form(max_length=1000)] = "",
    role: Annotated[Role, Form()] = Role.VIEWER,
) -> Response:
    """Make a link by which somebody joins, and show it, this once."""
    typed = {"email": email, "role": role.value}
    try:
        made, token = await services.invitations.invite(email, role, who.actor)
    except Invalid as fault:
        return await _page(request, who, services, tools, faults=faults_of(fault.problems), typed=typed, status=INVALID)
    except Conflict as fault:
        faults = {"email": sentence(str(fault))}
        return await _page(request, who, services, tools, faults=faults, typed=typed, status=CONFLICT)
    return await _page(request, who, services, tools, made=(made, token), status=CREATED)


@router.post("/invitations/{invitation_id}/withdraw")
async def withdraw(
    request: Request, invitation_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Make a link void that nobody used yet."""
    try:
        await services.invitations.withdraw(invitation_id, who.actor)
    except NotFound:
        return await _refused(request, who, services, tools, "That link was used meanwhile, or is void already.")
    return RedirectResponse(f"{PATH}?done=withdrawn", SEE_OTHER)


@router.post("/{user_id}/role")
async def set_role(
    *,
    request: Request,
    user_id: str,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    role: Annotated[Role, Form()],
) -> Response:
    """Give somebody another role; their sessions and sockets end."""
    try:
        await services.accounts.change(await services.accounts.find(user_id), who.actor, role=role)
    except (Conflict, NotFound) as fault:
        return await _refused(request, who, services, tools, sentence(str(fault)))
    return RedirectResponse(f"{PATH}?done=role", SEE_OTHER)


@router.post("/{user_id}/disable")
async def disable(
    request: Request, user_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Let somebody in no more; their sessions and sockets end."""
    try:
        await services.accounts.change(await services.accounts.find(user_id), who.actor, disabled=True)
    except (Conflict, NotFound) as fault:
        return await _refused(request, who, services, tools, sentence(str(fault)))
    return RedirectResponse(f"{PATH}?done=disabled", SEE_OTHER)


@router.post("/{user_id}/enable")
async def enable(
    request: Request, user_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Let somebody in again."""
    try:
        await services.accounts.change(await services.accounts.find(user_id), who.actor, disabled=False)
    except (Conflict, NotFound) as fault:
        return await _refused(request, who, services, tools, sentence(str(fault)))
    return RedirectResponse(f"{PATH}?done=enabled", SEE_OTHER)


@router.post("/{user_id}/reset")
async def reset(
    request: Request, user_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Make a link by which somebody chooses a new password, and show it, this once."""
    try:
        made = await services.invitations.reset(await services.accounts.find(user_id), who.actor)
    except (Conflict, NotFound) as fault:
        return await _refused(request, who, services, tools, sentence(str(fault)))
    return await _page(request, who, services, tools, made=made, status=CREATED)


async def _refused(request: Request, who: Visit, services: Services, tools: Tools, refusal: str) -> Response:
    return await _page(request, who, services, tools, refusal=refusal, status=CONFLICT)


async def _page(
    request: Request,
    who: Visit,
    services: Services,
    tools: Tools,
    *,
    made: tuple[Invitation, str] | None = None,
    faults: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    refusal: str = "",
    done: str = "",
    status: int = 200,
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    you = who.signed_in.user.id if who.signed_in else None
    link = None
    if made:
        invitation, token = made
        link = handover(invitation, own_address(request), link_path(invitation.purpose, token), zone, now)
    return tools.page(
        request,
        "pages/users.html",
        status=status,
        users=user_rows(await services.accounts.all(), you, zone, now),
        invitations=invitation_rows(await services.invitations.all(), zone, now),
        roles=ROLES,
        link=link,
        faults=faults or {},
        typed=typed or {},
        refusal=refusal,
        done=done,
        auth=services.settings.auth == "on",
        zoned=zoned(now, zone),
    )
