"""A campaign's briefing as a page to print, its images, and the button of those who have read it.

Who may read may acknowledge here, though a key needs the scope “campaigns” for that over the API. “I have read this” is
said by those who answer customers, and they need no right to plan campaigns; keys cannot sign in, so here it is always
a person, under their own name, in the audit log. It lets a send go only where a policy waits for it, and past nothing
else that a gate holds for.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Header, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.errors import Conflict, Invalid, NotFound
from app.services.pictures import etag, image_headers
from app.web.briefing.desk import Desk, desk, no_campaign
from app.web.tools import NOT_FOUND, ServicesDep, ToolsDep
from app.web.visitors import OwnForm, Visit, Visitor

NOT_MODIFIED, SEE_OTHER, CHANGED, INVALID = 304, 303, 412, 422
LONGEST = 200
LONGEST_VERSION = 12

router = APIRouter(prefix="/campaigns/{campaign}/briefing")


class BriefingQuery(BaseModel):
    """read: the queue or team for which it was acknowledged just now."""

    read: str = Field(default="", max_length=LONGEST)


class Acknowledging(BaseModel):
    """Who has read it, and which version. name: typed only where nobody signs in; by and team: one of the two."""

    by: str = Field(default="", max_length=LONGEST)
    name: str = Field(default="", max_length=LONGEST)
    version: str = Field(default="", max_length=LONGEST_VERSION)


@router.get("")
async def show_briefing(
    request: Request,
    campaign: str,
    who: Visitor,
    *,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[BriefingQuery, Query()],
) -> Response:
    """Return the briefing, printable; the campaign alone where nobody has written one yet."""
    try:
        found = await desk(request, services, tools, campaign)
    except NotFound:
        return no_campaign(request, tools, campaign)
    thanks = query.read if found.briefing and found.briefing.acknowledged(query.read) else ""
    return found.page(who, thanks=thanks)


@router.post("/acknowledgements")
async def acknowledge(
    request: Request,
    campaign: str,
    _: OwnForm,
    who: Visitor,
    *,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[Acknowledging, Form()],
) -> Response:
    """Note that whoever is signed in has read it for a queue or team; the very version that they saw."""
    try:
        found = await desk(request, services, tools, campaign)
    except NotFound:
        return no_campaign(request, tools, campaign)
    return await _acknowledged(found, who, form)


async def _acknowledged(found: Desk, who: Visit, form: Acknowledging) -> Response:
    by, name = form.by.strip(), who.name or form.name.strip()
    typed = {"by": by, "name": name}
    version = int(form.version) if form.version.isascii() and form.version.isdigit() else 0
    if found.briefing is None or version != found.briefing.version:
        return found.page(who, CHANGED, typed=typed, changed=True)
    try:
        await found.services.briefings.acknowledge(found.campaign.id, by, name, version, who.actor)
    except Invalid as fault:
        faults = {
            problem.pointer.strip("/"): f"{problem.detail[:1].upper()}{problem.detail[1:]}."
            for problem in fault.problems
        }
        return found.page(who, CHANGED if "version" in faults else INVALID, typed=typed, faults=faults)
    except Conflict as fault:
        return found.page(who, CHANGED, typed=typed, faults={"by": f"{fault}."})
    return RedirectResponse(f"{found.address}?read={quote(by, safe='')}#read-by", SEE_OTHER)


@router.get("/images/{image_id}")
async def show_image(
    campaign: str,
    image_id: str,
    _: Visitor,
    services: ServicesDep,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return an image of a briefing, under headers that let nothing in it run."""
    try:
        image, content = await services.briefings.image(campaign, image_id)
    except NotFound:
        return Response(status_code=NOT_FOUND)
    if if_none_match is not None and etag(image) in if_none_match:
        return Response(status_code=NOT_MODIFIED, headers=image_headers(image))
    return Response(content, media_type=image.media_type, headers=image_headers(image))
