"""Writing a campaign's briefing: its words by one form, its images by another. Other words are a new version."""

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from app.core.campaign.images import LONGEST_ALT, LONGEST_NAME, MOST_IMAGES
from app.core.problem import Problem
from app.errors import Conflict, Invalid, NotFound
from app.web.briefing.desk import Desk, desk, no_campaign
from app.web.briefing.form import MOST_FIELDS, BriefingForm, faults_of, form_of, read_form
from app.web.tools import ServicesDep, ToolsDep
from app.web.visitors import CampaignVisitor, OwnForm, Visit

SEE_OTHER, CHANGED, INVALID = 303, 412, 422
IMAGE_FIELDS = 6
NO_FILE = "Choose a picture first: PNG, JPEG or WebP, at most 2 MiB."

router = APIRouter(prefix="/campaigns/{campaign}/briefing")


class Sent(NamedTuple):
    """A file: its bytes, and the name it had where it came from."""

    content: bytes
    name: str | None


class EditQuery(BaseModel):
    """remove: the image that is about to be taken away."""

    remove: str = Field(default="", max_length=60)


@router.get("/edit")
async def show_form(
    request: Request,
    campaign: str,
    _: CampaignVisitor,
    *,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[EditQuery, Query()],
) -> Response:
    """Return the forms: of the words, and of the images where there is a briefing to hang them on."""
    try:
        found = await desk(request, services, tools, campaign)
    except NotFound:
        return no_campaign(request, tools, campaign)
    return _page(found, form_of(found.briefing), remove=query.remove)


@router.post("/edit")
async def save(
    request: Request, campaign: str, _: OwnForm, who: CampaignVisitor, *, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Make what was typed the briefing's next version; lead back to it."""
    try:
        found = await desk(request, services, tools, campaign)
    except NotFound:
        return no_campaign(request, tools, campaign)
    given = await request.form(max_fields=MOST_FIELDS)
    form = read_form({name: value for name, value in given.items() if isinstance(value, str)})
    if form.more:
        return _page(found, form)
    return await _saved(found, who, form)


async def _saved(found: Desk, who: Visit, form: BriefingForm) -> Response:
    try:
        await found.services.briefings.save(found.campaign.id, form.words, who.actor, expected=form.version)
    except Invalid as fault:
        return _page(found, form, INVALID, faults=faults_of(fault.problems, form))
    except Conflict:
        newest = await desk(found.request, found.services, found.tools, found.campaign.id)
        return _page(newest, form, CHANGED, changed=True)
    return RedirectResponse(found.address, SEE_OTHER)


@router.post("/images")
async def add_image(
    request: Request, campaign: str, _: OwnForm, who: CampaignVisitor, *, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Keep a picture with what it shows in words."""
    try:
        found = await desk(request, services, tools, campaign)
    except NotFound:
        return no_campaign(request, tools, campaign)
    async with request.form(max_files=1, max_fields=IMAGE_FIELDS) as given:
        file, alt = given.get("file"), str(given.get("alt", ""))[: 2 * LONGEST_ALT].strip()
        sent = Sent(await file.read(), file.filename) if isinstance(file, UploadFile) else Sent(b"", None)
    return await _illustrated(found, who, sent, alt)


async def _illustrated(found: Desk, who: Visit, sent: Sent, alt: str) -> Response:
    if not sent.content:
        return _page(found, form_of(found.briefing), INVALID, faults={"file": NO_FILE}, alt=alt)
    name = (sent.name or "picture")[-LONGEST_NAME:]
    try:
        await found.services.briefings.add_image(found.campaign.id, sent.content, name, alt, who.actor)
    except Invalid as fault:
        return _page(found, form_of(found.briefing), INVALID, faults=_image_faults(fault.problems), alt=alt)
    except (Conflict, NotFound) as fault:
        return _page(found, form_of(found.briefing), CHANGED, faults={"file": f"{fault}."}, alt=alt)
    return RedirectResponse(f"{found.address}/edit#images", SEE_OTHER)


@router.post("/images/{image_id}/remove")
async def remove_image(
    request: Request,
    campaign: str,
    image_id: str,
    _: OwnForm,
    who: CampaignVisitor,
    *,
    services: ServicesDep,
    tools: ToolsDep,
) -> Response:
    """Take a picture away. One that is gone already is no fault."""
    try:
        found = await desk(request, services, tools, campaign)
    except NotFound:
        return no_campaign(request, tools, campaign)
    if found.briefing and any(image.id == image_id for image in found.briefing.images):
        await services.briefings.remove_image(found.campaign.id, image_id, who.actor)
    return RedirectResponse(f"{found.address}/edit#images", SEE_OTHER)


def _page(found: Desk, form: BriefingForm, status: int = 200, *, remove: str = "", **more: Any) -> Response:
    briefing = found.briefing
    images = briefing.images if briefing else ()
    questions, links = form.rows
    context = {"faults": {}, "changed": False, "alt": ""} | more
    return found.tools.page(
        found.request,
        "pages/briefing_edit.html",
        status=status,
        campaign=found.campaign,
        address=found.address,
        form=form,
        questions=questions,
        links=links,
        present=briefing.version if briefing else 0,
        version=briefing.version if briefing and context["changed"] else form.version,
        images=images,
        remove=next((image for image in images if image.id == remove), None),
        may_add=briefing is not None and len(images) < MOST_IMAGES,
        most_images=MOST_IMAGES,
        queues=found.queues(),
        **context,
    )


def _image_faults(problems: list[Problem] | tuple[Problem, ...]) -> dict[str, str]:
    """Return faults by field: what is said of the file's name or bytes belongs to the file."""
    return {
        "alt" if problem.pointer.endswith("/alt") else "file": f"{problem.detail[:1].upper()}{problem.detail[1:]}."
        for problem in problems
    }
