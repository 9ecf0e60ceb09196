"""Everybody's own page: what others call them, their password, and the browsers in which they are signed in."""

from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.core.account.password import ADVISED, LEAST
from app.errors import Conflict, Invalid
from app.services.container import Services
from app.services.sessions import SignedIn
from app.services.sign_ins import NotSignedIn
from app.services.throttle import TooManyTries
from app.web.account.arrival import address_of, browser_of, stay
from app.web.account.center import center_zone
from app.web.account.view import SessionRow, faults_of, sentence, session_rows
from app.web.moments import zoned
from app.web.tools import ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, Visit, Visitor

SEE_OTHER, CONFLICT, INVALID, TOO_MANY = 303, 409, 422, 429
PATH = "/settings/me"
DONE = {
    "name": "Your name is changed.",
    "password": "Your password is changed. All other browsers are signed out.",
    "ended": "That browser is signed out.",
    "others": "All other browsers are signed out.",
}

router = APIRouter(prefix=PATH)


@router.get("")
async def show_me(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, done: Annotated[str, Query()] = ""
) -> Response:
    """Return the page; with authentication off there is nobody to show, which it says."""
    return await _page(request, who, services, tools, done=DONE.get(done, ""))


@router.post("/name")
async def rename(
    *,
    request: Request,
    _: OwnForm,
    who: Visitor,
    services: ServicesDep,
    tools: ToolsDep,
    name: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Call the visitor something else from now on."""
    if who.signed_in is None:
        return _nobody()
    try:
        await services.accounts.rename(who.signed_in.user, name, who.actor)
    except (Invalid, Conflict) as fault:
        faults = faults_of(fault.problems) if isinstance(fault, Invalid) else {"name": sentence(str(fault))}
        return await _page(request, who, services, tools, faults=faults, name=name, status=INVALID)
    return RedirectResponse(f"{PATH}?done=name", SEE_OTHER)


@router.post("/password")
async def change_password(
    *,
    request: Request,
    _: OwnForm,
    who: Visitor,
    services: ServicesDep,
    tools: ToolsDep,
    password: Annotated[str, Form()] = "",
    new_password: Annotated[str, Form()] = "",
) -> Response:
    """Take a new password from who knows the present one; sign all their browsers out, and this one in again."""
    if who.signed_in is None:
        return _nobody()
    user = who.signed_in.user
    try:
        await services.sign_ins.confirm(user, password, address=address_of(request))
        changed = await services.accounts.set_password(user, new_password)
    except NotSignedIn:
        faults, status = {"password": "This is not your present password."}, INVALID
    except TooManyTries as fault:
        faults, status = {"password": sentence(str(fault))}, TOO_MANY
    except Invalid as fault:
        faults, status = {"new_password": sentence(fault.problems[0].detail)}, INVALID
    except Conflict as fault:
        faults, status = {"new_password": sentence(str(fault))}, CONFLICT
    else:
        cookie = await services.sign_ins.let_in(changed, browser_of(request), "by a new password")
        response = RedirectResponse(f"{PATH}?done=password", SEE_OTHER)
        stay(request, response, cookie)
        return response
    return await _page(request, who, services, tools, faults=faults, status=status)


@router.post("/sessions/{name}/end")
async def end_session(name: str, _: OwnForm, who: Visitor, services: ServicesDep) -> Response:
    """Sign one of the visitor's browsers out; this one too, if it is the one."""
    if who.signed_in is not None:
        await services.sessions.end_one(who.signed_in.user, name, who.actor)
    return RedirectResponse(f"{PATH}?done=ended", SEE_OTHER)


@router.post("/sessions/end-others")
async def end_others(_: OwnForm, who: Visitor, services: ServicesDep) -> Response:
    """Sign all of the visitor's browsers out but this one."""
    if who.signed_in is not None:
        await services.sessions.end_others(who.signed_in, "ended from another browser")
    return RedirectResponse(f"{PATH}?done=others", SEE_OTHER)


def _nobody() -> Response:
    """Return to the page, which says that nobody is signed in here."""
    return RedirectResponse(PATH, SEE_OTHER)


async def _sessions(services: Services, signed_in: SignedIn | None, zone: ZoneInfo) -> list[SessionRow]:
    if signed_in is None:
        return []
    found = await services.sessions.of(signed_in.user.id)
    return session_rows(found, signed_in.session.name, zone, services.clock.now())


async def _page(
    request: Request,
    who: Visit,
    services: Services,
    tools: Tools,
    *,
    done: str = "",
    faults: Mapping[str, str] | None = None,
    name: str | None = None,
    status: int = 200,
) -> Response:
    zone = center_zone(services)
    return tools.page(
        request,
        "pages/me.html",
        status=status,
        user=who.signed_in.user if who.signed_in else None,
        name=name if name is not None else who.name or "",
        sessions=await _sessions(services, who.signed_in, zone),
        faults=faults or {},
        done=done,
        least=LEAST,
        advised=ADVISED,
        zoned=zoned(services.clock.now(), zone),
    )
