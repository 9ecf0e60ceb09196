"""Opening hours at `/settings/queues/hours`: of one queue, or of all that have none of their own."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.core.floor.fields import name_fault
from app.core.gate.policy import WEEKDAYS
from app.errors import Conflict, Invalid, NotFound
from app.ports.staffing import ALL_QUEUES
from app.services.container import Services
from app.services.staffing_shapes import hours_shape
from app.web.account.center import center_zone
from app.web.settings.hours_form import DAY_NAMES, HoursForm, read, typed
from app.web.settings.queue_view import PATH, links_of
from app.web.settings.queues import SAVING, no_queue
from app.web.staffing.view import hours_lines
from app.web.tools import ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, PolicyVisitor, Visit, Visitor

SEE_OTHER, CHANGED, INVALID = 303, 412, 422
OTHERS = "Somebody else changed these hours meanwhile. What you typed is still here: compare, then save again."
DONE = {
    "save": "Saved. They count from now on.",
    "delete": "Taken away. Those of all queues count again, if there are any.",
}

router = APIRouter(prefix=f"{PATH}/hours")


class HoursQuery(BaseModel):
    """Whose hours; of all queues where no queue is named."""

    queue: str = Field(ALL_QUEUES, max_length=200)
    done: str = ""
    sure: str = ""


@router.get("")
async def show_hours(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[HoursQuery, Query()]
) -> Response:
    """Return the hours that count, and the form for a queue's own."""
    if query.queue and (fault := name_fault(query.queue)):
        return no_queue(request, tools, fault)
    return await _page(request, who, services, tools, query=query)


@router.post("")
async def save_hours(
    *,
    request: Request,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[HoursQuery, Query()],
    form: Annotated[HoursForm, Form()],
) -> Response:
    """Save hours, or take them away so that those of all queues count."""
    if query.queue and (fault := name_fault(query.queue)):
        return no_queue(request, tools, fault)
    try:
        faults = await _done(services, who, query.queue, form)
    except Conflict:
        return await _page(request, who, services, tools, query=query, form=form, faults={"": OTHERS}, status=CHANGED)
    except NotFound:
        faults = {}  # somebody else took them away already
    if faults:
        return await _page(request, who, services, tools, query=query, form=form, faults=faults, status=INVALID)
    step = form.step if form.step in DONE else "save"
    return RedirectResponse(f"{links_of(query.queue)['hours']}&done={step}", SEE_OTHER)


async def _done(services: Services, who: Visit, queue: str, form: HoursForm) -> dict[str, str]:
    """Do what a form says, and return what is wrong with it. Raises Conflict, NotFound."""
    saw = int(form.revision) if form.revision.isascii() and form.revision.isdigit() else 0
    if form.step == "delete":
        await services.hours.delete(queue, who.actor, expected=saw)
        return {}
    found = read(form)
    if found.faults:
        return found.faults
    try:
        await services.hours.save(queue, found.document, who.actor, expected=saw)
    except Invalid as fault:
        return found.refused(fault.problems)
    return {}


async def _page(
    request: Request,
    who: Visit,
    services: Services,
    tools: Tools,
    *,
    query: HoursQuery,
    form: HoursForm | None = None,
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    own, counting = await services.hours.saved(query.queue)
    revision = await services.hours.revision(query.queue)
    if form is None:
        form = typed(own.document if own else None, revision, center_zone(services).key)
    elif status == CHANGED:
        form = form.model_copy(update={"revision": str(revision)})
    targets = services.evaluator.floor.targets.get(query.queue)
    return tools.page(
        request,
        "pages/settings_hours.html",
        status=status,
        queue=query.queue,
        title=targets.title if targets and targets.title else query.queue,
        links=links_of(query.queue),
        applies=hours_shape(query.queue or None, own, counting)["applies"],
        lines=hours_lines(await services.hours.of(query.queue)),
        form=form,
        days=list(zip(WEEKDAYS, DAY_NAMES, strict=True)),
        faults=faults or {},
        done=DONE.get(query.done, ""),
        sure=bool(query.sure),
        may_save=who.may(SAVING),
    )
