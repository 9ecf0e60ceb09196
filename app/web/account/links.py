"""What a link lets somebody do once: make the first admin, join, or choose a new password; each signs in."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.core.account.invitation import Invitation, Purpose
from app.core.account.password import ADVISED, LEAST
from app.core.problem import Problem
from app.errors import Conflict, Invalid, NotFound
from app.ports.users import User
from app.services.container import Services
from app.web.account.arrival import browser_of, stay
from app.web.account.view import faults_of, sentence
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnSite, session_cookie

SEE_OTHER, CONFLICT, INVALID = 303, 409, 422

router = APIRouter()


class LinkForm(BaseModel):
    """What the form sends. A link to join knows whose it is, one to a new password also what they are called."""

    email: str = Field(default="", max_length=1000)
    name: str = Field(default="", max_length=1000)
    password: str = ""


@router.get("/setup/{token}")
async def show_setup(request: Request, token: str, services: ServicesDep, tools: ToolsDep) -> Response:
    """Return the form that makes the first admin; without a good token, or once there is a user, a refusal."""
    return await _show(request, Purpose.SETUP, token, services, tools)


@router.post("/setup/{token}")
async def set_up(
    request: Request, token: str, _: OwnSite, services: ServicesDep, tools: ToolsDep, form: Annotated[LinkForm, Form()]
) -> Response:
    """Make the first admin, and sign them in."""
    return await _use(request, Purpose.SETUP, token, form, services=services, tools=tools)


@router.get("/join/{token}")
async def show_join(request: Request, token: str, services: ServicesDep, tools: ToolsDep) -> Response:
    """Return the form of who was invited."""
    return await _show(request, Purpose.JOIN, token, services, tools)


@router.post("/join/{token}")
async def join(
    request: Request, token: str, _: OwnSite, services: ServicesDep, tools: ToolsDep, form: Annotated[LinkForm, Form()]
) -> Response:
    """Make who was invited a user, and sign them in."""
    return await _use(request, Purpose.JOIN, token, form, services=services, tools=tools)


@router.get("/reset/{token}")
async def show_reset(request: Request, token: str, services: ServicesDep, tools: ToolsDep) -> Response:
    """Return the form of who may choose a new password."""
    return await _show(request, Purpose.RESET, token, services, tools)


@router.post("/reset/{token}")
async def reset(
    request: Request, token: str, _: OwnSite, services: ServicesDep, tools: ToolsDep, form: Annotated[LinkForm, Form()]
) -> Response:
    """Take the new password, end all sessions that there were, and sign in."""
    return await _use(request, Purpose.RESET, token, form, services=services, tools=tools)


async def _show(request: Request, purpose: Purpose, token: str, services: Services, tools: Tools) -> Response:
    try:
        link = await services.invitations.find(purpose, token)
    except NotFound as fault:
        return _void(request, tools, fault)
    return _form(request, tools, link, LinkForm())


async def _use(
    request: Request, purpose: Purpose, token: str, form: LinkForm, *, services: Services, tools: Tools
) -> Response:
    try:
        link = await services.invitations.find(purpose, token)
        user = await _admitted(services, link, form)
    except NotFound as fault:
        return _void(request, tools, fault)
    except Invalid as fault:
        return _form(request, tools, link, form, problems=fault.problems, status=INVALID)
    except Conflict as fault:
        return _form(request, tools, link, form, problems=[Problem("/email", str(fault))], status=CONFLICT)
    how = f"by a link to {'a new password' if purpose is Purpose.RESET else purpose}"
    cookie = await services.sign_ins.let_in(user, browser_of(request), how, replaces=session_cookie(request))
    response = RedirectResponse("/", SEE_OTHER)
    stay(request, response, cookie)
    return response


async def _admitted(services: Services, link: Invitation, form: LinkForm) -> User:
    if link.user_id is not None:
        user = await services.accounts.find(link.user_id)
        return await services.accounts.set_password(user, form.password, invitation=link)
    return await services.accounts.admit(link, link.email or form.email, form.name, form.password)


def _form(
    request: Request,
    tools: Tools,
    link: Invitation,
    form: LinkForm,
    *,
    problems: Sequence[Problem] = (),
    status: int = 200,
) -> Response:
    faults = faults_of(problems)
    return tools.page(
        request, "pages/link.html", status=status, link=link, form=form, faults=faults, least=LEAST, advised=ADVISED
    )


def _void(request: Request, tools: Tools, fault: NotFound) -> Response:
    detail = f"{sentence(str(fault))} Ask whoever gave it to you for another one."
    return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="This link is void", detail=detail)
