"""GET /history and /contacts/totals: what was."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Reader
from app.api.deps import FromQuery, Name, ServicesDep, ToQuery, answer
from app.api.schemas import Shape, problems, text_at
from app.core.floor.metric import DEFINITIONS, Metric
from app.ports.history import ContactTotals
from app.services.container import Services
from app.services.history import MAX_POINTS, ratio
from app.services.shapes import instant

router = APIRouter(tags=["history"])
DEFAULT_SPAN = timedelta(hours=6)


class Point(Shape):
    """One step of a series. weight: readings of a gauge, or contacts behind an average."""

    at: str = text_at()
    value: float | None
    minimum: float | None
    maximum: float | None
    weight: float


class Series(Shape):
    """One metric of one queue over a span; steps without data are absent."""

    queue: str
    metric: Metric
    unit: str
    start: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    until: str = Field(alias="to", json_schema_extra={"format": "date-time"})
    step_seconds: int
    points: list[Point]


class Totals(Shape):
    """Exact sums over the contacts queued in a span. Averages are null when there is nothing to divide by."""

    queue: str | None = Field(description="null: all queues together")
    offered: int
    answered: int
    abandoned: int
    answered_within_target: int
    handled: int
    wait_seconds_sum: float
    handle_seconds_sum: float
    speed_to_answer_seconds: float | None
    handle_time_seconds: float | None
    service_level_ratio: float | None = Field(description="answered within the target / offered")
    abandonment_ratio: float | None = Field(description="abandoned / (answered + abandoned)")
    first_at: str | None = text_at()
    last_at: str | None = text_at()


class TotalsAnswer(Shape):
    """Totals per queue and of all together."""

    start: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    until: str = Field(alias="to", json_schema_extra={"format": "date-time"})
    service_level_seconds: float
    queues: list[Totals]
    total: Totals


@router.get(
    "/history",
    operation_id="getHistory",
    summary="See a metric's course",
    responses={200: {"model": Series}, **problems(422)},
)
async def history(
    *,
    queue: Annotated[Name, Query(description="the queue's name")],
    metric: Annotated[Metric, Query(description="what was measured")],
    services: ServicesDep,
    _: Reader,
    start: FromQuery = None,
    until: ToQuery = None,
    points: Annotated[int, Query(ge=1, le=MAX_POINTS, description="at most so many steps of whole minutes")] = 360,
) -> Response:
    """The metric's course in equal steps of whole minutes; by default the last six hours. `points=1`: one average."""
    start, until = _span(services, start, until)
    series = await services.history.points(queue, metric, start, until, points)
    return answer(
        {
            "queue": queue,
            "metric": metric,
            "unit": DEFINITIONS[metric].unit,
            "from": instant(series.start),
            "to": instant(series.until),
            "step_seconds": series.step_seconds,
            "points": [point._asdict() | {"at": instant(point.at)} for point in series.points],
        }
    )


@router.get(
    "/contacts/totals",
    operation_id="getContactTotals",
    summary="Count the contacts of a span exactly",
    responses={200: {"model": TotalsAnswer}, **problems(422)},
)
async def totals(
    services: ServicesDep,
    _: Reader,
    start: FromQuery = None,
    until: ToQuery = None,
    service_level_seconds: Annotated[float, Query(gt=0, le=86_400, description="target of the service level")] = 20.0,
) -> Response:
    """Exact sums from the raw contact events, as far back as those are kept; by default the last six hours."""
    start, until = _span(services, start, until)
    found = await services.history.totals(start, until, service_level_seconds)
    return answer(
        {
            "from": instant(found.start),
            "to": instant(found.until),
            "service_level_seconds": service_level_seconds,
            "queues": [totals_shape(one) for one in found.queues],
            "total": totals_shape(found.total),
        }
    )


def totals_shape(totals: ContactTotals) -> dict[str, Any]:
    """Return sums with the averages that follow from them."""
    return {
        "queue": totals.queue or None,
        "offered": totals.offered,
        "answered": totals.answered,
        "abandoned": totals.abandoned,
        "answered_within_target": totals.answered_within_target,
        "handled": totals.handled,
        "wait_seconds_sum": totals.wait_seconds_sum,
        "handle_seconds_sum": totals.handle_seconds_sum,
        "speed_to_answer_seconds": ratio(totals.wait_seconds_sum, totals.answered),
        "handle_time_seconds": ratio(totals.handle_seconds_sum, totals.handled),
        "service_level_ratio": ratio(totals.answered_within_target, totals.offered),
        "abandonment_ratio": ratio(totals.abandoned, totals.answered + totals.abandoned),
        "first_at": instant(totals.first_at),
        "last_at": instant(totals.last_at),
    }


def _span(services: Services, start: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    until = until or services.clock.now()
    return start or _next_minute(until - DEFAULT_SPAN), until


def _next_minute(at: datetime) -> datetime:
    """Return the first whole minute not before `at`, so that six hours make 360 steps of one minute, not 361."""
    return at + timedelta(microseconds=-int(at.timestamp() * 1_000_000) % 60_000_000)
