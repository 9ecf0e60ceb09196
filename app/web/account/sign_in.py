"""Signing in with an email address and a password, and out again."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.services.sign_ins import NotSignedIn
from app.services.throttle import TooManyTries
from app.web.account.arrival import address_of, browser_of, leave, stay
from app.web.account.view import sentence
from app.web.tools import ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, OwnSite, local_path, session_cookie

SEE_OTHER, FORBIDDEN, TOO_MANY = 303, 403, 429

router = APIRouter()


class SignInForm(BaseModel):
    """What the form sends: who, their password, and where to go on to."""

    email: str = Field(default="", max_length=1000)
    password: str = ""
    onward: str = Field(default="/", alias="next")


@router.get("/sign-in")
async def show_sign_in(
    request: Request, services: ServicesDep, tools: ToolsDep, onward: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Return the form; with authentication off there is nothing to sign in to."""
    if services.settings.auth == "off":
        return RedirectResponse("/", SEE_OTHER)
    return await _form(request, tools, SignInForm(next=onward), fault="", status=200)


@router.post("/sign-in")
async def sign_in(
    request: Request, _: OwnSite, services: ServicesDep, tools: ToolsDep, form: Annotated[SignInForm, Form()]
) -> Response:
    """Begin a session and go on; or show the form again and say, in one sentence for every cause, that it is wrong."""
    try:
        _user, cookie = await services.sign_ins.sign_in(
            form.email,
            form.password,
            address=address_of(request),
            browser=browser_of(request),
            replaces=session_cookie(request),
        )
    except NotSignedIn as fault:
        return await _form(request, tools, form, fault=sentence(str(fault)), status=FORBIDDEN)
    except TooManyTries as fault:
        headers = {"Retry-After": str(fault.seconds)}
        return await _form(request, tools, form, fault=sentence(str(fault)), status=TOO_MANY, headers=headers)
    response = RedirectResponse(local_path(form.onward), SEE_OTHER)
    stay(request, response, cookie)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, _: OwnForm, services: ServicesDep) -> Response:
    """End the session, here and on its open sockets."""
    if cookie := session_cookie(request):
        await services.sessions.end(cookie, "signed out")
    response = RedirectResponse("/sign-in", SEE_OTHER)
    leave(request, response)
    return response


async def _form(
    request: Request,
    tools: Tools,
    form: SignInForm,
    *,
    fault: str,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    shown = tools.page(
        request,
        "pages/sign_in.html",
        status=status,
        email=form.email[:254],
        onward=local_path(form.onward),
        fault=fault,
        set_up=await request.state.services.accounts.anybody(),
    )
    shown.headers.update(headers or {})
    return shown
