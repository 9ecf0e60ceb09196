"""GET /sources: how those who bring data are doing."""

from dataclasses import asdict
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
    return answer({"items": [_shape(health) for health in services.sources.all()]})


def _shape(health: SourceHealth) -> dict[str, Any]:
    details = {name: instant(value) if isinstance(value, datetime) else value for name, value in health.details.items()}
    return asdict(health) | {
        "last_success_at": instant(health.last_success_at),
        "last_observed_at": instant(health.last_observed_at),
        "details": details,
    }
