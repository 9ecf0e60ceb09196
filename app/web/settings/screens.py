"""Screens on the wall at `/settings/screens`: made, their address shown once, taken down in two steps."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.errors import Invalid, NotFound
from app.services.container import Services
from app.services.displays import MAX_NAME, DisplayPlan, wall_path
from app.web.account.arrival import own_address
from app.web.account.center import center_zone
from app.web.exports import Format, Sheet
from app.web.moments import zoned
from app.web.settings.faults import faults_of
from app.web.settings.screen_view import COLUMNS, PATH, cells, screen_row
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import AdminVisitor, OwnForm

SEE_OTHER, CREATED, INVALID = 303, 201, 422
FIELDS = ("name", "gate", "queues", "zone")
SHEET = Sheet("screens", COLUMNS)
DONE = {"revoked": "Taken down. It shows nothing from now on, wherever it hangs."}

router = APIRouter(prefix=PATH)


class ScreenForm(BaseModel):
    """A new screen, as it was typed."""

    name: str = Field("", max_length=1000)
    gate: str = Field("", max_length=100)
    queues: list[str] = Field(default_factory=list, max_length=200)
    clock: str = Field("", max_length=100)  # its zone; `zone` is that of the page


class ScreensQuery(BaseModel):
    """The list's URL. gate: the one that is chosen already for a new screen."""

    gate: str = ""
    format: Format | None = None


class ScreenQuery(BaseModel):
    """What was just done with a screen, and whether somebody is about to take it down."""

    done: str = ""
    sure: str = ""


@router.get("")
async def show_screens(
    request: Request, _: AdminVisitor, services: ServicesDep, tools: ToolsDep, query: Annotated[ScreensQuery, Query()]
) -> Response:
    """Return all screens without their addresses, and the form that makes one."""
    if query.format:
        rows = [cells(display) for display in await services.displays.all()]
        return SHEET.answer(query.format, rows, services.clock.now())
    return await _list(request, services, tools, form=ScreenForm(gate=query.gate))


@router.post("")
async def make_screen(
    request: Request,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[ScreenForm, Form()],
) -> Response:
    """Make a screen and show its address, this once."""
    plan = DisplayPlan(form.name.strip(), form.gate, tuple(form.queues), form.clock.strip() or None)
    try:
        made, token = await services.displays.create(plan, who.actor)
    except Invalid as fault:
        return await _list(request, services, tools, form=form, faults=_faults(fault))
    address = own_address(request) + wall_path(token)
    return await _list(request, services, tools, form=ScreenForm(gate=form.gate), made=(made.name, address))


@router.get("/{display_id}")
async def show_screen(
    *,
    request: Request,
    display_id: str,
    _: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[ScreenQuery, Query()],
) -> Response:
    """Return one screen, and the way to take it down."""
    try:
        display = await services.displays.find(display_id)
    except NotFound:
        return _no_screen(request, tools, display_id)
    zone, now = center_zone(services), services.clock.now()
    return tools.page(
        request,
        "pages/settings_screen.html",
        row=screen_row(display, services.displays.showing(display.id), zone, now),
        done=DONE.get(query.done, ""),
        sure=bool(query.sure),
        zoned=zoned(now, zone),
    )


@router.post("/{display_id}/revoke")
async def revoke(
    request: Request, display_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Take a screen down, for good."""
    try:
        await services.displays.revoke(display_id, who.actor)
    except NotFound:
        return _no_screen(request, tools, display_id)
    return RedirectResponse(f"{PATH}/{display_id}?done=revoked", SEE_OTHER)


def _faults(refused: Invalid) -> dict[str, str]:
    faults = faults_of(refused.problems, FIELDS)
    return {"clock" if name == "zone" else name: sentence for name, sentence in faults.items()}


def _no_screen(request: Request, tools: Tools, display_id: str) -> Response:
    said = f"There is no screen “{display_id[:40]}”."
    return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such screen", detail=said)


async def _list(
    request: Request,
    services: Services,
    tools: Tools,
    *,
    form: ScreenForm,
    faults: dict[str, str] | None = None,
    made: tuple[str, str] | None = None,
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    displays = services.displays
    rows = [screen_row(each, displays.showing(each.id), zone, now) for each in reversed(await displays.all())]
    targets = services.evaluator.floor.targets
    queues = services.evaluator.published.view.queues()
    return tools.page(
        request,
        "pages/settings_screens.html",
        status=INVALID if faults else CREATED if made else 200,
        rows=sorted(rows, key=lambda row: not row.is_good),
        form=form,
        faults=faults or {},
        made=made,
        gates=await services.gates.names(),
        queues=[(queue, targets[queue].title or queue if queue in targets else queue) for queue in queues],
        most_name=MAX_NAME,
        zoned=zoned(now, zone),
    )
