"""Queues at `/settings/queues`: all of them, and one by one with title, targets, and whether it is retired."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.core.floor.fields import name_fault
from app.core.floor.targets import QueueTargets
from app.errors import Invalid
from app.ports.staffing import ALL_QUEUES
from app.services.container import Services
from app.services.staffing_shapes import hours_shape
from app.web.account.center import center_zone
from app.web.exports import Format, Sheet
from app.web.moments import zoned
from app.web.settings.faults import faults_of, sentence
from app.web.settings.queue_form import FIELDS, QueueForm, read, typed
from app.web.settings.queue_view import COLUMNS, PATH, VARIANTS, Known, cells, links_of, queue_row, state_of
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, PolicyVisitor, Visit, Visitor

SEE_OTHER, INVALID = 303, 422
SAVING = "policies"
SHEET = Sheet("queues", COLUMNS)
DONE = {
    "save": "Saved. It counts from now on.",
    "retire": "Retired. No gate waits for it any more; its history stays, and newer data bring it back.",
    "return": "In use again, as soon as data of it come.",
}

router = APIRouter(prefix=PATH)


class QueuesQuery(BaseModel):
    """The list's URL."""

    format: Format | None = None


class QueueQuery(BaseModel):
    """Which queue, what was just done with it, and whether somebody is about to retire it."""

    queue: str = Field(max_length=200)
    done: str = ""
    sure: str = ""


@router.get("")
async def show_queues(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[QueuesQuery, Query()]
) -> Response:
    """Return all queues that send data or have settings, retired ones too."""
    names = sorted({*services.evaluator.published.view.queues(), *await services.queues.all()})
    found = [await known_of(services, name) for name in names]
    zone, now = center_zone(services), services.clock.now()
    if query.format:
        return SHEET.answer(query.format, [cells(each) for each in found], now)
    shared, _ = await services.hours.saved(ALL_QUEUES)
    return tools.page(
        request,
        "pages/settings_queues.html",
        rows=[queue_row(each, zone, now) for each in found],
        shared_hours=shared is not None,
        may_save=who.may(SAVING),
        zoned=zoned(now, zone),
    )


@router.get("/one")
async def show_queue(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[QueueQuery, Query()]
) -> Response:
    """Return one queue's settings; one that nobody has heard of can be set up before its data come."""
    if fault := name_fault(query.queue):
        return no_queue(request, tools, fault)
    known = await known_of(services, query.queue)
    form = typed(known.targets)
    return await _page(request, who, services, tools, known=known, form=form, done=query.done, sure=bool(query.sure))


@router.post("/one")
async def save_queue(
    *,
    request: Request,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[QueueQuery, Query()],
    form: Annotated[QueueForm, Form()],
) -> Response:
    """Save a queue's settings, retire it, or bring it back."""
    if fault := name_fault(query.queue):
        return no_queue(request, tools, fault)
    known = await known_of(services, query.queue)
    faults = await _done(services, who, known, form)
    if not faults:
        step = form.step if form.step in DONE else "save"
        return RedirectResponse(f"{links_of(known.queue)['settings']}&done={step}", SEE_OTHER)
    return await _page(request, who, services, tools, known=known, form=form, faults=faults)


async def known_of(services: Services, queue: str) -> Known:
    """Return what is known of a queue, also of one that nobody has heard of."""
    view = services.evaluator.published.view
    hours, counting = await services.hours.saved(queue)
    own, heard_at = await services.queues.targets(queue), view.last_heard_at(queue)
    retired_at = own.retired_at if own else None  # as it was saved: the floor learns of it a moment later
    named = {fed.channel for health in services.sources.all() if (fed := health.queues.get(queue)) and fed.channel}
    return Known(
        queue=queue,
        own=own,
        is_in_use=queue in view.queues() and (retired_at is None or (heard_at is not None and heard_at > retired_at)),
        last_heard_at=heard_at,
        channels=tuple(sorted(named)),
        hours=hours_shape(queue, hours, counting)["applies"],
    )


def no_queue(request: Request, tools: Tools, fault: str) -> Response:
    """Return the answer for a name that no queue can have."""
    return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such queue", detail=sentence(fault))


async def _done(services: Services, who: Visit, known: Known, form: QueueForm) -> dict[str, str]:
    """Do what a form says, and return what is wrong with it."""
    if form.step == "retire":
        await services.queues.retire(known.queue, who.actor)
        return {}
    if form.step == "return":
        own = known.own or QueueTargets()
        await services.queues.save(known.queue, replace(own, retired_at=None), who.actor, "brought back")
        return {}
    found = read(form, known.targets.retired_at)
    if found.faults:
        return found.faults
    try:
        await services.queues.save(known.queue, found.targets, who.actor)
    except Invalid as fault:
        return faults_of(fault.problems, FIELDS)
    return {}


async def _page(
    request: Request,
    who: Visit,
    services: Services,
    tools: Tools,
    *,
    known: Known,
    form: QueueForm,
    faults: dict[str, str] | None = None,
    done: str = "",
    sure: bool = False,
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    mark, word = state_of(known)
    return tools.page(
        request,
        "pages/settings_queue.html",
        status=INVALID if faults else 200,
        row=queue_row(known, zone, now),
        is_known=known.own is not None or known.is_in_use,
        is_retired=known.targets.retired_at is not None and not known.is_in_use,
        mark_of=mark,
        word=word,
        form=form,
        faults=faults or {},
        variants=[(variant.value, text) for variant, text in VARIANTS.items()],
        done=DONE.get(done, ""),
        sure=sure,
        may_save=who.may(SAVING),
        zoned=zoned(now, zone),
    )
