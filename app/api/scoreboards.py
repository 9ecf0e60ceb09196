"""/scoreboard: what the sends of a span cost the floor, and what the floor cost the sends."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Reader
from app.api.deps import FromQuery, Name, ServicesDep, ToQuery, answer
from app.api.schemas import Shape, problems, text_at
from app.core.problem import Problem
from app.errors import Invalid
from app.services.scoreboard_shapes import board_shape
from app.services.shapes import instant

DEFAULT_SPAN = timedelta(days=90)
router = APIRouter(prefix="/scoreboard", tags=["campaigns"])


class Known(Shape):
    """A sum over those campaigns of which it is known: of how many."""

    of: int
    total: float


class RateShape(Shape):
    """The mean of contacts per 1,000, weighed by messages, with its 90 % interval; null while none is known."""

    of: int
    per_1000: float | None
    low: float | None
    high: float | None
    is_distinguishable: bool = Field(description="zero is not in the interval")


class DelaysShape(Shape):
    """Sends that waited more than a minute for their first permit, of those of which that is known."""

    of: int
    delayed: int
    seconds: float
    longest_seconds: float
    never_went: int = Field(description="given up before their gate let them")


class ShareShape(Shape):
    """How many did, of those that could."""

    did: int
    of: int


class NetShape(Shape):
    """Net customer value in one currency, and of how many campaigns."""

    currency: str
    amount: float
    of: int


class TotalsShape(Shape):
    """What the campaigns come to together. What is not known of a campaign is in no sum."""

    campaigns: int
    waiting: int
    messages: int
    contacts_per_1000: RateShape
    avoided_minutes: Known
    slam_minutes: Known
    delays: DelaysShape
    notice_kept: ShareShape
    briefed: ShareShape
    complaints: Known
    new: Known
    lost: Known
    kept: Known
    net: list[NetShape]


class LineShape(Shape):
    """One campaign. null is not known, never 0."""

    campaign: str
    title: str
    gate: str
    kind: str
    began_at: str = text_at()
    is_final: bool
    is_waiting: bool
    never_went: bool
    messages: int
    contacts: float | None
    per_1000: float | None
    per_1000_low: float | None
    per_1000_high: float | None
    is_distinguishable: bool
    slam_minutes: float | None
    avoided_minutes: float | None
    wanted_at: str | None = text_at()
    granted_at: str | None = text_at()
    delay_seconds: float | None
    notice_asked_minutes: float | None
    notice_minutes: float | None
    keeps_notice: bool | None
    is_briefed: bool | None
    complaints: int | None
    new: int | None
    lost: int | None
    kept: int | None
    net: float | None
    currency: str | None


class BoardShape(Shape):
    """The scoreboard of [from, to): every campaign that began in it, and the sums."""

    start: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    until: str = Field(alias="to", json_schema_extra={"format": "date-time"})
    totals: TotalsShape
    items: list[LineShape]


@router.get(
    "",
    operation_id="getScoreboard",
    summary="Read the scoreboard",
    responses={200: {"model": BoardShape}, **problems(422)},
)
async def scoreboard(
    *,
    services: ServicesDep,
    _: Reader,
    gate: Annotated[Name | None, Query(description="of this gate's campaigns only")] = None,
    start: FromQuery = None,
    until: ToQuery = None,
) -> Response:
    """Campaigns whose first message went in the span (default: the last 90 days), and those that were to go and wait.

    Read from finished debriefs and, while contacts still come, from those of the last minutes: nothing is made anew.
    """
    end = until or services.clock.now()
    begin = start or end - DEFAULT_SPAN
    if begin >= end:
        said = f"{instant(end)} must be after from, {instant(begin)}"
        raise Invalid("the span was refused", [Problem("/query/to", said)])
    shape: dict[str, Any] = board_shape(await services.scoreboards.board(begin, end, gate))
    return answer(shape)
