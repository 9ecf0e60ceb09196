"""/queues/{queue}/staffing and /staffing: how many agents are scheduled, by interval."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from app.api.auth import PolicyWriter, Reader
from app.api.bodies import read_object
from app.api.deps import Instant as InstantGiven
from app.api.deps import QueuePath, ServicesDep, answer
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.problems import MEDIA, Refused
from app.api.schemas import component, headers, problems, takes
from app.api.staffing_shapes import (
    FileQuery,
    ScheduleChanges,
    ScheduleChangeShape,
    ScheduleShape,
    ScheduleStates,
    Zone,
)
from app.core.event import Actor
from app.core.problem import Problem
from app.core.staffing.document import parse_schedule
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.schedule import MOST_DAYS, Span
from app.core.staffing.upload import Understood
from app.errors import Invalid
from app.services.container import Services
from app.services.schedules import NewSchedule
from app.services.shapes import instant
from app.services.staffing_shapes import change_shape, interval_shape, schedule_csv, state_shape
from app.services.uploads import REFUSED, read_for_all, read_for_queue

router = APIRouter(tags=["staffing"])
CSV_TYPES = ("text/csv", "text/tab-separated-values", "text/plain")
CSV_SCHEMA = {"type": "string"}
DEFAULT_SPAN = timedelta(days=14)
MOST_SPAN = timedelta(days=MOST_DAYS)
_ETAG = headers({"ETag": "the revision, which may be sent as If-Match with a change"})
IfMatch = Annotated[
    str | None, Header(description="ETag of the schedule that was read; without it the days are replaced as they are")
]


@router.get(
    "/staffing",
    operation_id="listStaffing",
    summary="List all schedules",
    responses={200: {"model": ScheduleStates}, **problems()},
)
async def listed(services: ServicesDep, _: Reader) -> Response:
    """Every queue that ever had a schedule, with the time it covers."""
    states = await services.schedules.states()
    return answer({"items": [state_shape(queue, state) for queue, state in sorted(states.items())]})


@router.put(
    "/staffing",
    operation_id="saveStaffingOfQueues",
    summary="Upload the schedules of several queues",
    responses={200: {"model": ScheduleChanges}, **problems(413, 415, 422)},
    openapi_extra=takes(*CSV_TYPES, schema=CSV_SCHEMA),
)
async def save_all(
    request: Request, services: ServicesDep, caller: PolicyWriter, query: Annotated[FileQuery, Query()]
) -> Response:
    """One file with a column that names the queue, each by the name that its source gives it here.

    The days that are in it are replaced, of all these queues or, when anything is wrong, of none.
    """
    content = await _csv(request)
    schedules, understood = await read_for_all(services.schedules, content, query.options())
    changes = await services.schedules.save(schedules, Actor(caller.id, caller.name), dry_run=query.dry_run)
    return answer({"items": [change_shape(change, understood) for change in changes]})


@router.get(
    "/queues/{queue:path}/staffing",
    operation_id="getStaffing",
    summary="Read a queue's schedule",
    responses={
        200: {
            "model": ScheduleShape,
            "content": {"text/csv": {"schema": CSV_SCHEMA}},
            "headers": _ETAG,
        },
        **problems(422),
    },
)
async def read(
    *,
    queue: QueuePath,
    services: ServicesDep,
    _: Reader,
    start: Annotated[InstantGiven | None, Query(alias="from", description="start; default: today's first hour")] = None,
    until: Annotated[InstantGiven | None, Query(alias="to", description="end; default: 14 days after from")] = None,
    format_: Annotated[
        Literal["json", "csv"], Query(alias="format", description="csv: a file that can be uploaded again")
    ] = "json",
) -> Response:
    """What is scheduled, from the beginning of the local day unless `from` says otherwise, cut at the span's ends.

    Revision 0 for a queue that never had a schedule.
    """
    start = start or await services.schedules.today(queue)
    until = until or start + DEFAULT_SPAN
    if not timedelta() < until - start <= MOST_SPAN:
        said = f"{instant(until)} must be after from, {instant(start)}, by at most {MOST_DAYS} days"
        raise Invalid("the span was refused", [Problem("/query/to", said)])
    state = await services.schedules.state(queue)
    intervals = await services.schedules.intervals(queue, Span(start, until))
    tag = etag(state.revision if state else 0)
    if format_ == "csv":
        return Response(schedule_csv(intervals), media_type="text/csv", headers=tag)
    shape = state_shape(queue, state)
    kept = {name: shape[name] for name in ("queue", "revision", "time_zone")}
    span = {"from": instant(start), "to": instant(until)}
    return answer(kept | span | {"intervals": [interval_shape(each) for each in intervals]}, headers=tag)


@router.put(
    "/queues/{queue:path}/staffing",
    operation_id="saveStaffing",
    summary="Upload a queue's schedule",
    responses={200: {"model": ScheduleChangeShape, "headers": _ETAG}, **problems(412, 413, 415, 422)},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": component("ScheduleDocument")},
                **{media_type: {"schema": CSV_SCHEMA} for media_type in CSV_TYPES},
            },
        }
    },
)
async def save(
    *,
    queue: QueuePath,
    request: Request,
    services: ServicesDep,
    caller: PolicyWriter,
    query: Annotated[FileQuery, Query()],
    if_match: IfMatch = None,
) -> Response:
    """Replaces the local days that the intervals lie on, whole, and says what that changed; other days stay.

    The body is JSON, or a CSV file as workforce management programs export it: columns, separator, dates and length of
    the intervals are found out, and named in the answer as `understood`; the query settles what could be two things.
    With anything wrong nothing is changed: 422 with each bad line, or interval, and what is allowed.
    """
    state = await services.schedules.state(queue)
    expected = _expected(queue, state.revision if state else 0, if_match)
    new, understood = await _given(queue, request, services, query)
    with refused_when_changed():
        (change,) = await services.schedules.save(
            [new], Actor(caller.id, caller.name), expected=expected, dry_run=query.dry_run
        )
    return answer(change_shape(change, understood), headers=etag(change.revision))


@router.delete(
    "/queues/{queue:path}/staffing",
    operation_id="deleteStaffing",
    summary="Delete days of a queue's schedule",
    responses={200: {"model": ScheduleChangeShape, "headers": _ETAG}, **problems(404, 412, 422)},
)
async def delete(
    *,
    queue: QueuePath,
    services: ServicesDep,
    caller: PolicyWriter,
    first_day: Annotated[date, Query(description="the first local day")],
    last_day: Annotated[date | None, Query(description="the last one, included; default: the first")] = None,
    time_zone: Annotated[Zone | None, Query(description="in which days are; default: the queue's own")] = None,
    if_match: IfMatch = None,
) -> Response:
    """These days are covered no more: what counts then is the same weekday of the week before, or what is usual."""
    state = await services.schedules.state(queue)
    expected = _expected(queue, state.revision if state else 0, if_match)
    actor = Actor(caller.id, caller.name)
    with refused_when_changed():
        change = await services.schedules.delete(
            queue, first_day, last_day or first_day, time_zone, actor, expected=expected
        )
    return answer(change_shape(change), headers=etag(change.revision))


def _expected(queue: str, revision: int, if_match: str | None) -> dict[str, int] | None:
    """Return the revision that must still be there when saving, None for a caller that did not say what they read."""
    if if_match is None:
        return None
    refuse_unread(f"the schedule of {queue!r}", revision, if_match)
    return {queue: revision}


async def _given(
    queue: str, request: Request, services: Services, query: FileQuery
) -> tuple[NewSchedule, Understood | None]:
    if _media_type(request) != "application/json":
        return await read_for_queue(services.schedules, queue, await _csv(request), query.options())
    try:
        document = parse_schedule(await read_object(request))
    except StaffingRefused as refused:
        raise Invalid(REFUSED, refused.problems) from refused
    closed = document.gaps_closed or query.gaps == "closed"
    return NewSchedule(queue, document.placed, document.time_zone or query.time_zone, closed), None


async def _csv(request: Request) -> bytes:
    given: Any = request.headers.get("content-type", "")
    if _media_type(request) not in CSV_TYPES:
        raise Refused(MEDIA, f"Content-Type {given or '(none)'} is not supported; send text/csv, or JSON for one queue")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        said = f"Content-Encoding {request.headers['content-encoding']!r} is not supported; send it plain"
        raise Refused(MEDIA, said, headers={"Accept-Encoding": "identity"})
    return await request.body()


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
