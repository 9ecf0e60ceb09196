"""/events: everything that happened, who did it and why, in the order in which it was written down."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Reader
from app.api.cursors import key_of
from app.api.deps import CursorQuery, FromQuery, LimitQuery, Name, ServicesDep, ToQuery, answer
from app.api.paging import page_of
from app.api.schemas import Shape, headers, problems, text_at
from app.core.event import EventType
from app.ports.events import WrittenEvent
from app.services.shapes import instant

router = APIRouter(prefix="/events", tags=["events"])
LAST_PLACE = 2**63 - 1
Text = Annotated[str | None, Query(min_length=1, max_length=300)]


class By(Shape):
    """Who did it."""

    id: str = Field(description="id of the key; `cli` for the command line, `holdfire` for holdfire itself")
    name: str


class LoggedEvent(Shape):
    """One thing that happened. before and after: what was changed, null where there is no such side."""

    seq: int = Field(description="its place: 1, 2, … without gaps")
    type: EventType
    at: str = text_at()
    actor: By
    subject: str = Field(description="what it happened to", examples=["gate/default"])
    reason: str
    gate: str | None
    campaign: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    sha256: str = Field(description="chains it to all before it")


class EventPage(Shape):
    """A page of events, newest first."""

    items: list[LoggedEvent]
    next_cursor: str | None = Field(description="null on the last page")


@router.get(
    "",
    operation_id="listEvents",
    summary="Read what happened",
    responses={200: {"model": EventPage, "headers": headers({"Link": "the next page"})}, **problems(422)},
)
async def events(
    *,
    request: Request,
    services: ServicesDep,
    _: Reader,
    type: Annotated[EventType | None, Query(description="what happened")] = None,  # noqa: A002  the word of the outside contract
    subject: Annotated[Text, Query(description="like `gate/default` or `permit/prm_…`")] = None,
    gate: Annotated[Name | None, Query(description="of this gate only")] = None,
    campaign: Annotated[Name | None, Query(description="of this campaign only")] = None,
    actor: Annotated[Text, Query(description="id of a key, `cli` or `holdfire`")] = None,
    start: FromQuery = None,
    until: ToQuery = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> Response:
    """What happened, newest first, in pages. What is written stays as it is; `holdfire audit verify` proves it."""
    found = await services.events.page(
        type=type,
        subject=subject,
        gate=gate,
        campaign=campaign,
        actor=actor,
        start=start,
        until=until,
        before=None if cursor is None else _bounded(key_of(cursor, int)),
        limit=limit + 1,
    )
    return page_of(request, found, limit, shape=event_shape, key=lambda written: written.seq)


@router.get(
    "/{seq}",
    operation_id="getEvent",
    summary="Read one event",
    responses={200: {"model": LoggedEvent}, **problems(404, 422)},
)
async def event(
    seq: Annotated[int, Path(ge=1, le=LAST_PLACE, description="its place")], services: ServicesDep, _: Reader
) -> Response:
    """The event at a place."""
    return answer(event_shape(await services.events.get(seq)))


def event_shape(written: WrittenEvent) -> dict[str, Any]:
    """Return an event as the API shows it."""
    happened = written.event
    return {
        "seq": written.seq,
        "type": happened.type,
        "at": instant(happened.at),
        "actor": {"id": happened.actor.id, "name": happened.actor.name},
        "subject": happened.subject,
        "reason": happened.reason,
        "gate": happened.gate,
        "campaign": happened.campaign,
        "before": happened.before,
        "after": happened.after,
        "sha256": written.sha256,
    }


def _bounded(seq: int) -> int:
    return max(0, min(seq, LAST_PLACE))
