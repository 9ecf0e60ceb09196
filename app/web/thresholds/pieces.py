"""What the thresholds page asks for while somebody types or drags: what changes, what it would have done, a curve."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.core.floor.metric import Metric
from app.core.gate.policy import Policy
from app.errors import NotComputed
from app.services.backtests import RETRY_SECONDS, Busy
from app.services.container import Services
from app.web.thresholds.course import SPAN, Told, told
from app.web.thresholds.curve import POINTS, Curve, drawn
from app.web.thresholds.desk import Desk, open_desk, queues
from app.web.thresholds.form import draft
from app.web.thresholds.pages import typed_in
from app.web.thresholds.view import policy_of, review
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, ToolsDep
from app.web.visitors import OwnForm, PolicyVisitor, Visit, Visitor

INVALID, TOO_MANY, UNAVAILABLE = 422, 429, 503
NO_STORE = {"Cache-Control": "no-store"}
MOST_LIMITS, LARGEST = 2, 1e9

router = APIRouter(prefix="/partials/thresholds")


class CurveQuery(GateQuery):
    """Which curve, in whose colours; limits: what must fit on it, in the metric's unit, apart by commas."""

    queue: str = Field(max_length=200)
    metric: Metric
    theme: Literal["dark", "light"] = "dark"
    limits: str = Field(default="", max_length=100)


@router.post("/review")
async def show_review(
    request: Request,
    _: OwnForm,
    __: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[GateQuery, Query()],
) -> Response:
    """Return what saving the form would change, as one piece of HTML."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return Response(status_code=NOT_FOUND)
    shown = review(desk.saved, draft(typed_in(await request.form())))
    html = tools.templates.get_template("partials/thresholds_review.html").render(review=shown, version=desk.version)
    return HTMLResponse(html, headers=NO_STORE)


@router.post("/preview")
async def show_preview(
    request: Request,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[GateQuery, Query()],
) -> Response:
    """Return what the limits that are typed would have done to the last week, beside those that are saved."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return Response(status_code=NOT_FOUND)
    drafted = draft(typed_in(await request.form()))
    if drafted.policy is None:
        return Response(status_code=INVALID, headers=NO_STORE)
    return await _preview(services, tools, desk, who, drafted.policy)


@router.get("/preview")
async def show_saved(
    who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[GateQuery, Query()]
) -> Response:
    """Return what the saved limits would have done to the last week."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return Response(status_code=NOT_FOUND)
    return await _preview(services, tools, desk, who, None)


@router.get("/curve")
async def draw_curve(_: Visitor, services: ServicesDep, query: Annotated[CurveQuery, Query()]) -> Response:
    """Return {figure, caption, top, step}: the last week of one metric of one queue that the gate watches."""
    desk = await open_desk(services, query.gate)
    title = dict(queues(services, desk)).get(query.queue) if desk else None
    if desk is None or title is None:
        return Response(status_code=NOT_FOUND)
    start = desk.now - SPAN
    series = await services.history.points(query.queue, query.metric, start, desk.now, POINTS)
    curve = Curve(query.queue, title, query.metric, start, desk.now, series.step_seconds, series.points, desk.zone)
    return JSONResponse(drawn(curve, _limits(query.limits), query.theme), headers=NO_STORE)


async def _preview(services: Services, tools: ToolsDep, desk: Desk, who: Visit, tried: Policy | None) -> Response:
    try:
        shown, fault, status = await _told(services, desk, who, tried), "", 200
    except Busy as busy:
        status = TOO_MANY if busy.is_own else UNAVAILABLE
        shown, fault = None, "Another backtest is running; this one follows in a moment."
    except NotComputed as failed:
        shown, fault, status = None, f"{str(failed).capitalize()}.", UNAVAILABLE
    html = tools.templates.get_template("partials/thresholds_told.html").render(told=shown, fault=fault)
    retry = {} if status == 200 else {"Retry-After": str(RETRY_SECONDS)}  # noqa: PLR2004
    return HTMLResponse(html, status_code=status, headers=NO_STORE | retry)


async def _told(services: Services, desk: Desk, who: Visit, tried: Policy | None) -> Told | None:
    """Return both courses; None where there is no policy at all. A policy that changes nothing is not told twice."""
    saved = policy_of(desk.saved)
    is_tried = tried is not None and tried != saved
    policies = [policy for policy in (saved, tried if is_tried else None) if policy]
    if not policies:
        return None
    judge = saved or policies[0]
    found = await services.backtests.compare(policies, judge, SPAN, who.actor.id)
    version = desk.version if saved else 0
    return told(found, version, is_tried=is_tried, by_outlook=judge.outlook is not None)


def _limits(text: str) -> list[float]:
    found = []
    for part in text.split(",")[:MOST_LIMITS]:
        try:
            value = float(part)
        except ValueError:
            continue
        if 0 <= value <= LARGEST:
            found.append(value)
    return found
