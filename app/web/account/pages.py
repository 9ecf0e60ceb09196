"""Signing in with an API key, and out again."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.services.sessions import PLAIN_COOKIE, SECURE_COOKIE, cookie_in
from app.web.tools import ServicesDep, ToolsDep
from app.web.visitors import OwnForm, local_path

SEE_OTHER, FORBIDDEN = 303, 403
REFUSED = "This key is not known, has expired, was revoked, or lacks the scope “read”."

router = APIRouter()


class SignInForm(BaseModel):
    """What the form sends: a key, and where to go on to."""

    key: str = ""
    onward: str = Field(default="/", alias="next")


@router.get("/sign-in")
async def ask_for_key(
    request: Request, services: ServicesDep, tools: ToolsDep, onward: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Return the form; with authentication off there is nothing to sign in to."""
    if services.settings.auth == "off":
        return RedirectResponse("/", SEE_OTHER)
    return tools.page(request, "pages/sign_in.html", onward=local_path(onward), fault=None)


@router.post("/sign-in")
async def sign_in(
    request: Request, _: OwnForm, services: ServicesDep, tools: ToolsDep, form: Annotated[SignInForm, Form()]
) -> Response:
    """Begin a session and go on; with a key that may not read, show the form again and say why."""
    onward = local_path(form.onward)
    begun = await services.sessions.begin(form.key)
    if begun is None:
        return tools.page(request, "pages/sign_in.html", status=FORBIDDEN, onward=onward, fault=REFUSED)
    secure = request.url.scheme == "https"
    response = RedirectResponse(onward, SEE_OTHER)
    response.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE,
        begun[1],
        max_age=int(services.settings.session_hours * 3600),
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.post("/sign-out")
async def sign_out(request: Request, _: OwnForm, services: ServicesDep) -> Response:
    """End the session, here and on its open sockets."""
    if cookie := cookie_in(request.cookies):
        await services.sessions.end(cookie)
    response = RedirectResponse("/sign-in", SEE_OTHER)
    response.delete_cookie(PLAIN_COOKIE, httponly=True, samesite="lax")
    if request.url.scheme == "https":
        response.delete_cookie(SECURE_COOKIE, secure=True, httponly=True, samesite="lax")
    return response
