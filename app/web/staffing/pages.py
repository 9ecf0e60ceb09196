"""A queue's schedule as a page: what is known, and a form that shows what it understood before anything is saved."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.core.floor.fields import name_fault
from app.core.staffing.schedule import MOST_DAYS, Span
from app.core.staffing.upload import Understood
from app.errors import Conflict, Invalid
from app.services.container import Services
from app.services.schedules import ScheduleChange
from app.services.staffing_shapes import schedule_csv
from app.services.uploads import read_for_queue
from app.web.staffing.form import UploadForm, read_form
from app.web.staffing.view import (
    ChangeRow,
    change_rows,
    hours_lines,
    schedule_rows,
    shown_span,
    understood_lines,
)
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, Visit, Visitor

FORBIDDEN, CHANGED, INVALID = 403, 412, 422
SAVING = "policies"
NOT_ALLOWED = "You may look at schedules and not change them: saving needs the scope “policies”."
SHOWN_FAULTS = 50
FILE_SPAN = timedelta(days=MOST_DAYS)

router = APIRouter(prefix="/queues/{queue:path}/staffing")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an upload: faults; or how it was read and what it changes, saved or not yet."""

    faults: tuple[str, ...] = ()
    understood: tuple[str, ...] = ()
    rows: tuple[ChangeRow, ...] = ()
    saved: bool = False
    same: bool = False
    status: int = 200


@router.get("")
async def show_staffing(request: Request, queue: str, who: Visitor, services: ServicesDep, tools: ToolsDep) -> Response:
    """Return the schedule of the next days, the opening hours, and the form."""
    if fault := name_fault(queue):
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such queue", detail=fault)
    return await _page(request, queue, who, services=services, tools=tools)


@router.get("/file")
async def show_file(queue: str, _: Visitor, services: ServicesDep) -> Response:
    """Return the schedule from today on as a CSV file that can be uploaded again."""
    start = await services.schedules.today(queue)
    intervals = await services.schedules.intervals(queue, Span(start, start + FILE_SPAN))
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="staffing.csv"'}
    return Response(
        schedule_csv(intervals), media_type="text/csv", headers=headers | {"X-Content-Type-Options": "nosniff"}
    )


@router.post("")
async def take_file(
    request: Request, queue: str, _: OwnForm, who: Visitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Say what a file would change, or save it; to a script, that piece of the page alone."""
    if fault := name_fault(queue):
        return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such queue", detail=fault)
    form = await read_form(request)
    result = await _result(services, queue, who, form)
    if request.headers.get("hx-request") != "true":
        zone = form.options.time_zone
        return await _page(request, queue, who, services=services, tools=tools, result=result, zone=zone)
    context = await _context(services, queue, result)
    return tools.page(request, "partials/staffing_result.html", status=result.status, alone=True, **context)


async def _page(
    request: Request,
    queue: str,
    who: Visit,
    *,
    services: Services,
    tools: Tools,
    result: Result | None = None,
    zone: str | None = None,
) -> Response:
    context = await _context(services, queue, result)
    context["own_zone"] = zone or context["own_zone"]
    status = result.status if result else 200
    return tools.page(request, "pages/staffing.html", status=status, alone=False, may_save=who.may(SAVING), **context)


async def _context(services: Services, queue: str, result: Result | None) -> dict[str, Any]:
    own_zone = await services.schedules.time_zone(queue)
    local, now = own_zone or "UTC", services.clock.now()
    state = await services.schedules.state(queue)
    intervals = await services.schedules.intervals(queue, shown_span(now, local))
    targets = services.evaluator.floor.targets.get(queue)
    is_known = targets is not None or queue in services.evaluator.published.view.queues()
    return {
        "queue": queue,
        "title": targets.title if targets and targets.title else queue,
        "is_known": is_known,
        "zone": local,
        "own_zone": own_zone or "",
        "revision": state.revision if state else 0,
        "rows": schedule_rows(intervals, now, local),
        "hours": hours_lines(await services.hours.of(queue)),
        "result": result,
    }


async def _result(services: Services, queue: str, who: Visit, form: UploadForm) -> Result:
    if form.saves and not who.may(SAVING):
        return Result((NOT_ALLOWED,), status=FORBIDDEN)
    if form.faults:
        return Result(form.faults, status=INVALID)
    try:
        change, understood = await _read(services, queue, who, form)
    except Invalid as fault:
        said = tuple(problem.detail for problem in fault.problems) or (str(fault),)
        more = (f"… and {len(said) - SHOWN_FAULTS} more.",) if len(said) > SHOWN_FAULTS else ()
        return Result((*said[:SHOWN_FAULTS], *more), status=INVALID)
    except Conflict:
        return Result(
            ("Somebody else changed this schedule meanwhile. Look at it below, then save again.",), status=CHANGED
        )
    same = not any(each.changed for each in change.days)
    lines = tuple(understood_lines(understood, change.time_zone))
    return Result((), lines, tuple(change_rows(change)), saved=change.saved, same=same)


async def _read(services: Services, queue: str, who: Visit, form: UploadForm) -> tuple[ScheduleChange, Understood]:
    new, understood = await read_for_queue(services.schedules, queue, form.content, form.options)
    expected = None if form.revision is None else {queue: form.revision}
    (change,) = await services.schedules.save([new], who.actor, expected=expected, dry_run=not form.saves)
    return change, understood
