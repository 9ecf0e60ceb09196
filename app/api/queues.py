"""/queues: what people set per queue."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import PolicyWriter, Reader
from app.api.bodies import read
from app.api.deps import QueuePath, ServicesDep, answer
from app.api.schemas import Given, Shape, component, problems, takes, text_at
from app.core.event import Actor
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.errors import NotFound
from app.services.container import Services
from app.services.shapes import instant

router = APIRouter(prefix="/queues", tags=["queues"])
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class QueueTargetsGiven(Given):
    """A queue's own settings; what is left out is set to its default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"service_level_seconds": 20, "title": "Orders (voice)"}]}
    )

    service_level_seconds: Annotated[float, Field(gt=0, le=86_400, description="answered within this is in target")] = (
        20
    )
    service_level_variant: Annotated[
        ServiceLevelVariant, Field(description="what the service level is a share of, and how short abandons count")
    ] = ServiceLevelVariant.OFFERED
    short_abandon_seconds: Annotated[
        Seconds, Field(description="who gives up sooner is a short abandon; 0: nobody")
    ] = 0
    title: Annotated[
        Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")] | None,
        Field(description="what people call it; default: its name"),
    ] = None
    concurrency: Annotated[
        float, Field(ge=1, le=100, description="how many contacts one agent handles at once: 1 by phone, more in chat")
    ] = 1


class Queue(Shape):
    """One queue with its settings. in_use: data comes, and it is not retired."""

    queue: str
    title: str | None
    service_level_seconds: float
    service_level_variant: ServiceLevelVariant
    short_abandon_seconds: float
    concurrency: float
    retired_at: str | None = text_at()
    in_use: bool
    last_heard_at: str | None = text_at()


class Queues(Shape):
    """All queues, sorted by name."""

    items: list[Queue]


@router.get(
    "",
    operation_id="listQueues",
    summary="List all queues",
    responses={200: {"model": Queues}, **problems()},
)
async def queues(services: ServicesDep, _: Reader) -> Response:
    """All queues that send data or have settings, retired ones too."""
    targets = await services.queues.all()
    names = sorted({*services.evaluator.published.view.queues(), *targets})
    return answer({"items": [_shape(services, name, targets.get(name)) for name in names]})


@router.get(
    "/{queue:path}",
    operation_id="getQueue",
    summary="See one queue's settings",
    responses={200: {"model": Queue}, **problems(404, 422)},
)
async def queue(queue: QueuePath, services: ServicesDep, _: Reader) -> Response:
    """The queue's settings; the defaults where nobody set any."""
    return answer(_shape(services, queue, await _existing(services, queue)))


@router.put(
    "/{queue:path}",
    operation_id="setQueueTargets",
    summary="Set a queue's targets",
    responses={200: {"model": Queue}, **problems(404, 413, 415, 422)},
    openapi_extra=takes("application/json", schema=component("QueueTargetsGiven")),
)
async def save(queue: QueuePath, request: Request, services: ServicesDep, caller: PolicyWriter) -> Response:
    """Replaces all settings of the queue, which need not have sent data yet. A retired queue is in use again."""
    given = await read(request, QueueTargetsGiven)
    targets = QueueTargets(**dict(given))
    await services.queues.save(queue, targets, Actor(caller.id, caller.name))
    return answer(_shape(services, queue, targets))


@router.delete(
    "/{queue:path}",
    operation_id="retireQueue",
    summary="Retire a queue",
    status_code=204,
    responses=problems(404, 422),
)
async def retire(queue: QueuePath, services: ServicesDep, caller: PolicyWriter) -> Response:
    """Leaves the queue out of floor and gates from now on; its history stays. Newer data brings it back."""
    await _existing(services, queue)
    await services.queues.retire(queue, Actor(caller.id, caller.name))
    return Response(status_code=204)


async def _existing(services: Services, queue: str) -> QueueTargets | None:
    targets = await services.queues.targets(queue)
    if targets is None and queue not in services.evaluator.published.view.queues():
        raise NotFound(f"there is no queue {queue!r}: it never sent data and nobody set targets for it")
    return targets


def _shape(services: Services, queue: str, targets: QueueTargets | None) -> dict[str, Any]:
    view = services.evaluator.published.view
    own = targets or QueueTargets()
    return {
        "queue": queue,
        **asdict(own),
        "retired_at": instant(own.retired_at),
        "in_use": queue in view.queues(),
        "last_heard_at": instant(view.last_heard_at(queue)),
    }
