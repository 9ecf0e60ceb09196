"""/gates/{gate}/overrides: a gate's answer set by hand, for a time and a reason."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import PolicyWriter, Reader
from app.api.bodies import read
from app.api.cursors import cursor_of, next_link, place_of
from app.api.deps import CursorQuery, GatePath, Instant, LimitQuery, ServicesDep, answer
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.core.gate.override import MATCHED, Effect, Matcher, Override, OverrideState
from app.services.override_draft import MAX_COMMENT, MAX_MATCHERS, MAX_NAME, OverrideDraft
from app.services.shapes import instant

router = APIRouter(prefix="/gates/{gate}/overrides", tags=["overrides"])
OverridePath = Annotated[str, Path(description="the override's id", max_length=64, examples=["ovr_5f0c1d2e3a4b5c6d"])]
_MATCHED = f"one of {', '.join(MATCHED)}"


class MatcherGiven(Given):
    """Narrows an override to some asks: the label's value must equal, or wholly match, or (is_equal false) not."""

    name: Annotated[str, Field(description=_MATCHED, examples=["campaign"])]
    value: Annotated[str, Field(examples=["spring-.*"])]
    is_regex: bool = False
    is_equal: bool = True


class OverrideGiven(Given):
    """A new override. Give ends_at or duration_minutes; none lasts longer than the policy's max_override_minutes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"effect": "hold", "comment": "phones are down", "duration_minutes": 60}]}
    )

    effect: Annotated[Literal["hold", "allow"], Field(description="hold, or let go, what it is for")]
    comment: Annotated[str, Field(description="why; everybody who is held or let go by it reads this", examples=[
        "phones are down"], max_length=2 * MAX_COMMENT)]  # fmt: skip
    matchers: list[MatcherGiven] = Field(
        default_factory=list, max_length=MAX_MATCHERS, description="all must fit; none: the override is for all asks"
    )
    starts_at: Annotated[Instant | None, Field(description="default: now")] = None
    ends_at: Annotated[Instant | None, Field(description="when it ends; or give duration_minutes")] = None
    duration_minutes: Annotated[
        float | None, Field(gt=0, le=1_000_000, description="how long from its start; or give ends_at")
    ] = None
    created_by: Annotated[str | None, Field(max_length=2 * MAX_NAME, description="who; default: the key's name")] = None
    even_without_data: Annotated[bool, Field(description="an allow that stands though nothing can be known")] = False


class MatcherShape(Shape):
    """A matcher of an override."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool


class OverrideStatus(Shape):
    """Where an override stands in time."""

    state: OverrideState


class OverrideShape(Shape):
    """An override. used_count: answers it took part in, as written down some seconds ago."""

    id: str
    gate: str
    effect: Effect
    status: OverrideStatus
    matchers: list[MatcherShape]
    starts_at: str = text_at()
    ends_at: str = text_at()
    comment: str
    created_by: str
    created_at: str = text_at()
    even_without_data: bool
    used_count: int
    last_used_at: str | None = text_at()


class Overrides(Shape):
    """A page of overrides, newest first."""

    items: list[OverrideShape]
    next_cursor: str | None = Field(description="null on the last page")


@router.get(
    "",
    operation_id="listOverrides",
    summary="List a gate's overrides",
    responses={
        200: {"model": Overrides, "headers": headers({"Link": 'the next page, rel="next"'})},
        **problems(404, 422),
    },
)
async def overrides(
    *,
    gate: GatePath,
    request: Request,
    services: ServicesDep,
    _: Reader,
    is_open: Annotated[bool, Query(alias="open", description="leave out those that have ended")] = False,
    cursor: CursorQuery = None,
    limit: LimitQuery = 50,
) -> Response:
    """Newest first; ended ones stay in the list."""
    before = place_of(cursor) if cursor else None
    page = await services.overrides.overrides(gate, before=before, limit=limit + 1, only_open=is_open)
    last = page[limit - 1] if len(page) > limit else None
    next_cursor = cursor_of((last.created_at, last.id)) if last else None
    now = services.clock.now()
    items = [override_shape(each, now) for each in page[:limit]]
    return answer({"items": items, "next_cursor": next_cursor}, headers=next_link(request, next_cursor))


@router.post(
    "",
    operation_id="createOverride",
    summary="Hold or allow by hand",
    status_code=201,
    responses={
        201: {"model": OverrideShape, "headers": headers({"Location": "the override"})},
        **problems(404, 413, 415, 422),
    },
    openapi_extra=takes("application/json", schema=component("OverrideGiven")),
)
async def create(gate: GatePath, request: Request, services: ServicesDep, caller: PolicyWriter) -> Response:
    """Answers follow it when this one comes, or from `starts_at` on, until it ends. Every one it touches names it."""
    draft = _draft(await read(request, OverrideGiven))
    made = await services.overrides.create(gate, draft, Actor(caller.id, caller.name))
    return answer(override_shape(made, services.clock.now()), 201, {"Location": f"{request.url.path}/{made.id}"})


@router.get(
    "/{override_id}",
    operation_id="getOverride",
    summary="Read an override",
    responses={200: {"model": OverrideShape}, **problems(404, 422)},
)
async def override(gate: GatePath, override_id: OverridePath, services: ServicesDep, _: Reader) -> Response:
    """One override, ended or not."""
    return answer(override_shape(await services.overrides.override(gate, override_id), services.clock.now()))


@router.delete(
    "/{override_id}",
    operation_id="endOverride",
    summary="End an override now",
    responses={200: {"model": OverrideShape}, **problems(404, 422)},
)
async def end(
    *,
    gate: GatePath,
    override_id: OverridePath,
    services: ServicesDep,
    caller: PolicyWriter,
    reason: Annotated[str, Query(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$", description="why, for the log")] = "",
) -> Response:
    """It stays in the list with its end set to now. Ending it again changes nothing."""
    ended = await services.overrides.end(gate, override_id, Actor(caller.id, caller.name), reason)
    return answer(override_shape(ended, services.clock.now()))


def override_shape(override: Override, now: datetime) -> dict[str, Any]:
    """Return an override as the API shows it."""
    return {
        "id": override.id,
        "gate": override.gate,
        "effect": override.effect,
        "status": {"state": override.state(now)},
        "matchers": override.matchers,
        "starts_at": instant(override.starts_at),
        "ends_at": instant(override.ends_at),
        "comment": override.comment,
        "created_by": override.created_by,
        "created_at": instant(override.created_at),
        "even_without_data": override.even_without_data,
        "used_count": override.used_count,
        "last_used_at": instant(override.last_used_at),
    }


def _draft(given: OverrideGiven) -> OverrideDraft:
    matchers = tuple(Matcher(each.name, each.value, each.is_regex, each.is_equal) for each in given.matchers)
    return OverrideDraft(
        effect=Effect(given.effect),
        comment=given.comment,
        ends_at=given.ends_at,
        duration_minutes=given.duration_minutes,
        starts_at=given.starts_at,
        matchers=matchers,
        created_by=given.created_by,
        even_without_data=given.even_without_data,
    )
