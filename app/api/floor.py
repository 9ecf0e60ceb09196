"""GET /floor: every queue with every metric, as last evaluated; from memory."""

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Reader
from app.api.deps import ServicesDep, answer
from app.api.schemas import Shape, problems, text_at
from app.core.floor.metric import Metric
from app.core.floor.targets import ServiceLevelVariant
from app.services.shapes import instant, queue_shape

router = APIRouter(tags=["floor"])


class ReadingShape(Shape):
    """One value of one metric, with everything needed to trust or distrust it."""

    metric: Metric
    value: float | None = Field(description="null: the source reports, but there is nothing to compute from")
    unit: str = Field(examples=["seconds"])
    window_seconds: float | None = Field(description="the span really covered; null for a gauge")
    source: str
    observed_at: str = text_at()
    age_seconds: float = Field(ge=0, description="by the source's time")
    samples: int | None = Field(description="contacts behind the value; null when the source did not say")
    definition: str = Field(description="the formula or variant used")


class FloorQueue(Shape):
    """One queue: its own settings, and the metrics any source has reported."""

    queue: str
    title: str
    last_heard_at: str | None = text_at()
    service_level_seconds: float
    service_level_variant: ServiceLevelVariant
    metrics: dict[str, ReadingShape] = Field(description="by metric; one that nobody reported is absent, never 0")


class Floor(Shape):
    """The whole floor at one instant."""

    at: str = text_at()
    queues: list[FloorQueue]


@router.get(
    "/floor",
    operation_id="getFloor",
    summary="See every queue now",
    responses={200: {"model": Floor}, **problems()},
)
async def floor(services: ServicesDep, _: Reader) -> Response:
    """Every queue in use with every metric: value, unit, window, source, age, samples and definition."""
    view, targets = services.evaluator.published.view, services.evaluator.floor.targets
    return answer(
        {"at": instant(view.at), "queues": [queue_shape(view, queue, targets) for queue in view.queues()]},
    )
