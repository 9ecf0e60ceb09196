"""/hours and /queues/{queue}/hours: when queues are open."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from app.api.auth import PolicyWriter, Reader
from app.api.bodies import read_object
from app.api.deps import QueuePath, ServicesDep, answer
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.schemas import Responses, component, headers, problems, takes
from app.api.staffing_shapes import HoursShape
from app.core.event import Actor
from app.ports.keys import ApiKey
from app.ports.staffing import ALL_QUEUES
from app.services.container import Services
from app.services.staffing_shapes import hours_shape

router = APIRouter(tags=["staffing"])
_ETAG = headers({"ETag": "the revision, to be sent as If-Match with a change"})
_READ: Responses = {200: {"model": HoursShape, "headers": _ETAG}}
IfMatch = Annotated[str | None, Header(description="ETag of the hours that were read; not needed for the first ones")]


@router.get(
    "/hours",
    operation_id="getHoursOfAllQueues",
    summary="Read the opening hours of all queues",
    responses={**_READ, **problems()},
)
async def read_all(services: ServicesDep, _: Reader) -> Response:
    """The hours of every queue that has none of its own."""
    return await _answer(services, ALL_QUEUES)


@router.put(
    "/hours",
    operation_id="saveHoursOfAllQueues",
    summary="Set the opening hours of all queues",
    responses={**_READ, **problems(412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("OpeningHours")),
)
async def save_all(request: Request, services: ServicesDep, caller: PolicyWriter, if_match: IfMatch = None) -> Response:
    """For every queue that has none of its own. With a fault nothing is changed: 422 with a pointer for each."""
    return await _save(request, services, caller, ALL_QUEUES, if_match)


@router.delete(
    "/hours",
    operation_id="deleteHoursOfAllQueues",
    summary="Take the opening hours of all queues away",
    status_code=204,
    responses=problems(404, 412, 428),
)
async def delete_all(services: ServicesDep, caller: PolicyWriter, if_match: IfMatch = None) -> Response:
    """Queues without hours of their own are then open always, as far as anybody has said."""
    return await _delete(services, caller, ALL_QUEUES, if_match)


@router.get(
    "/queues/{queue:path}/hours",
    operation_id="getHours",
    summary="Read a queue's opening hours",
    responses={**_READ, **problems(422)},
)
async def read(queue: QueuePath, services: ServicesDep, _: Reader) -> Response:
    """The hours that count for the queue, and whether they are its own, those of all queues, or none."""
    return await _answer(services, queue)


@router.put(
    "/queues/{queue:path}/hours",
    operation_id="saveHours",
    summary="Set a queue's opening hours",
    responses={**_READ, **problems(412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("OpeningHours")),
)
async def save(
    queue: QueuePath, request: Request, services: ServicesDep, caller: PolicyWriter, if_match: IfMatch = None
) -> Response:
    """Weekly hours in a time zone, closed days, and days with other hours; the queue need not have sent data yet.

    428 without If-Match where the queue has hours of its own, 412 when somebody saved others meanwhile. With a fault
    nothing is changed: 422 with a pointer for each.
    """
    return await _save(request, services, caller, queue, if_match)


@router.delete(
    "/queues/{queue:path}/hours",
    operation_id="deleteHours",
    summary="Take a queue's own opening hours away",
    status_code=204,
    responses=problems(404, 412, 422, 428),
)
async def delete(queue: QueuePath, services: ServicesDep, caller: PolicyWriter, if_match: IfMatch = None) -> Response:
    """Those of all queues count again."""
    return await _delete(services, caller, queue, if_match)


async def _save(request: Request, services: Services, caller: ApiKey, queue: str, if_match: str | None) -> Response:
    revision = await _read_revision(services, queue, if_match)
    document = await read_object(request)
    with refused_when_changed():
        await services.hours.save(queue, document, Actor(caller.id, caller.name), expected=revision)
    return await _answer(services, queue)


async def _delete(services: Services, caller: ApiKey, queue: str, if_match: str | None) -> Response:
    revision = await _read_revision(services, queue, if_match)
    with refused_when_changed():
        await services.hours.delete(queue, Actor(caller.id, caller.name), expected=revision)
    return Response(status_code=204)


async def _read_revision(services: Services, queue: str, if_match: str | None) -> int:
    """Return the revision that a change builds on. Raises Refused unless the caller has read the hours there are."""
    own, _ = await services.hours.saved(queue)
    whose = f"the opening hours of {queue!r}" if queue else "the opening hours of all queues"
    refuse_unread(whose, own.revision if own else 0, if_match)
    return await services.hours.revision(queue)


async def _answer(services: Services, queue: str) -> Response:
    own, counting = await services.hours.saved(queue)
    shape = hours_shape(queue or None, own, counting)
    return answer(shape, headers=etag(shape["revision"]))
