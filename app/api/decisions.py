"""GET /decisions: every change of every gate, and every answer given, with what it rested on."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from app.api.auth import Reader
from app.api.cursors import place_of
from app.api.deps import CursorQuery, FromQuery, LimitQuery, Name, ServicesDep, ToQuery, answer
from app.api.paging import page_of
from app.api.schemas import Shape, headers, problems, text_at
from app.core.gate.decision import Verdict
from app.services.decision_shapes import decision_shape
from app.services.replaying import replay_shape

router = APIRouter(prefix="/decisions", tags=["decisions"])
Kind = Literal["transition", "asked"]
Asker = Annotated[str, StringConstraints(max_length=100)]


class LoggedDecision(Shape):
    """One line of the log. transition: the gate changed by itself. asked: somebody asked, `count` times the same."""

    id: str
    kind: Kind
    gate: str
    at: str = text_at()
    state: Verdict
    before: Verdict | None = Field(description="transition: what it said before")
    policy_version: int
    summary: str
    reasons: list[dict[str, Any]]
    inputs: list[dict[str, Any]] = Field(description="how every rule stood on every queue; in a list [], read the one")
    asked_by: str | None = Field(description="id of the key")
    campaign: str | None
    requested: int | None = Field(description="audience asked for")
    accept_partial: bool
    allow: int | None
    status: int | None = Field(description="HTTP status answered")
    count: int = Field(ge=0, description="how often this same answer went to the same key")
    last_at: str | None = text_at()
    override_id: str | None = Field(description="the override that took part in the answer")


class Replay(Shape):
    """What comes out when the same code decides again by what was kept. same: everything does as it was written."""

    same: bool
    state: Verdict
    allow: int | None
    summary: str
    reasons: list[dict[str, Any]]
    differs: list[str] = Field(description="members that come out differently; `inputs`: what was kept was changed")


class ReviewedDecision(LoggedDecision):
    """One line of the log, decided again."""

    replay: Replay | None = Field(description="null where it cannot be decided again")
    not_replayed: str | None = Field(description="why not")


class DecisionPage(Shape):
    """A page of the log, newest first."""

    items: list[LoggedDecision]
    next_cursor: str | None = Field(description="null on the last page")


@router.get(
    "",
    operation_id="listDecisions",
    summary="Read the decision log",
    responses={200: {"model": DecisionPage, "headers": headers({"Link": "the next page"})}, **problems(422)},
)
async def decisions(
    *,
    request: Request,
    services: ServicesDep,
    _: Reader,
    gate: Annotated[Name | None, Query(description="of this gate only")] = None,
    kind: Annotated[Kind | None, Query(description="transition: when held, when released; asked: who was told")] = None,
    state: Annotated[Verdict | None, Query(description="only those in this state")] = None,
    asked_by: Annotated[list[Asker] | None, Query(description="only answers to these keys or people, by id")] = None,
    campaign: Annotated[Name | None, Query(description="only answers about this campaign")] = None,
    overridden: Annotated[bool, Query(description="true: only those that an override touched")] = False,
    start: FromQuery = None,
    until: ToQuery = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> Response:
    """The log, newest first, in pages. Answers given are written a moment after they were given."""
    found = await services.decisions.page(
        gate=gate,
        kind=kind,
        verdict=state,
        asked_by=asked_by or (),
        campaign=campaign,
        overridden=overridden,
        start=start,
        until=until,
        before=None if cursor is None else place_of(cursor),
        limit=limit + 1,
    )
    return page_of(request, found, limit, shape=decision_shape, key=lambda row: (row.at, row.id))


@router.get(
    "/{decision_id}",
    operation_id="getDecision",
    summary="Read one decision, and decide it again",
    responses={200: {"model": ReviewedDecision}, **problems(404)},
)
async def decision(
    decision_id: Annotated[str, Path(description="`decision_id` of an answer")], services: ServicesDep, _: Reader
) -> Response:
    """One decision with its reasons and inputs, decided again from what was kept of it.

    `replay` says whether it comes out the same.
    """
    row, replayed, why_not = await services.decisions.get(decision_id)
    return answer(decision_shape(row) | {"replay": replayed and replay_shape(replayed), "not_replayed": why_not})
