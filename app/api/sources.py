"""GET /sources: how those who bring data are doing."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Reader
from app.api.deps import ServicesDep, answer
from app.api.schemas import Shape, problems, text_at
from app.ports.sources import SourceHealth
from app.services.shapes import instant

router = APIRouter(tags=["sources"])


class Refused(Shape):
    """One fault of an item that was refused."""

    at: str = text_at()
    pointer: str = Field(description="JSON pointer into the item")
    detail: str = Field(description="why; texts of the item are cut out")
    value: str | None = Field(description="what stood there; only numbers and times are kept")


class Source(Shape):
    """One source's health; counts since this process started."""

    name: str
    kind: str = Field(description="push: it sends to us; else the worker that reads it")
    accepted: int
    duplicates: int
    rejected: int = Field(description="items, whatever the number of their faults")
    last_success_at: str | None = text_at()
    last_observed_at: str | None = text_at()
    consecutive_failures: int
    last_error: str | None
    status: str
    details: dict[str, Any]
    per_minute: float = Field(description="items over the last five minutes")
    lag_seconds: float | None = Field(description="how long after its instant a batch comes, usually")
    clock_ahead_seconds: float | None = Field(
        description="how far its clock is ahead of ours, below 0: behind; by what it shows of it, else at least, by "
        "data from the future; null: not known"
    )
    queues: list[str] = Field(description="those it spoke of")
    refusals: list[Refused] = Field(description="the last ones, newest first")


class Sources(Shape):
    """All sources heard of since this process started, sorted by name."""

    items: list[Source]


@router.get(
    "/sources",
    operation_id="listSources",
    summary="See how the sources are doing",
    responses={200: {"model": Sources}, **problems()},
)
async def sources(services: ServicesDep, _: Reader) -> Response:
    """Every source that sent data or is followed: counts, last good word, last error."""
    now = services.clock.now()
    return answer({"items": [_shape(health, now) for health in services.sources.all()]})


def _shape(health: SourceHealth, now: datetime) -> dict[str, Any]:
    details = {name: instant(value) if isinstance(value, datetime) else value for name, value in health.details.items()}
    pace = health.pace
    return {
        "name": health.name,
        "kind": health.kind,
        "accepted": health.accepted,
        "duplicates": health.duplicates,
        "rejected": health.rejected,
        "last_success_at": instant(health.last_success_at),
        "last_observed_at": instant(health.last_observed_at),
        "consecutive_failures": health.consecutive_failures,
        "last_error": health.last_error,
        "status": health.status,
        "details": details,
        "per_minute": pace.per_minute(now),
        "lag_seconds": pace.lag_seconds,
        "clock_ahead_seconds": health.clock_ahead_seconds,
        "queues": sorted(health.queues),
        "refusals": [refused._asdict() | {"at": instant(refused.at)} for refused in reversed(health.refusals)],
    }
