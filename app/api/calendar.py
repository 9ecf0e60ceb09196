"""/campaigns.ics and /calendar-tokens: campaigns in people's own calendars."""

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import Admin
from app.api.bodies import read
from app.api.deps import ServicesDep, answer
from app.api.problems import UNAUTHENTICATED, Refused
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.ports.campaigns import FeedToken
from app.services.calendars import MAX_NAME
from app.services.shapes import instant

router = APIRouter(prefix="", tags=["calendar"])
TokenPath = Annotated[str, Path(max_length=100, description="the token's id")]
MEDIA_TYPE = "text/calendar"
_FEED_PATH = "/campaigns.ics"
_TOKENS_PATH = "/calendar-tokens"


class CalendarTokenGiven(Given):
    """A new token for one calendar program."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Outlook of workforce planning"}]})

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME, description="whose calendar it is for")]


class CalendarToken(Shape):
    """A token without its secret."""

    id: str
    name: str
    created_at: str = text_at()
    revoked_at: str | None = text_at()
    last_used_at: str | None = Field(
        description="to the minute; null: never", json_schema_extra={"format": "date-time"}
    )


class NewCalendarToken(CalendarToken):
    """A token with its secret, this once."""

    token: str = Field(description="it cannot be shown again")
    url: str = Field(description="what to subscribe to in the calendar program; whoever has it sees all campaigns")


class CalendarTokens(Shape):
    """All tokens, oldest first, revoked ones too."""

    items: list[CalendarToken]


async def require_feed_token(
    services: ServicesDep,
    token: Annotated[str | None, Query(description="a calendar token, `hfc_…`; no API key")] = None,
) -> None:
    """Let only those in who have a token that is known and not revoked; the refusal does not say which it lacks."""
    if services.settings.auth == "off":
        return
    if token is None or await services.calendars.authenticate(token) is None:
        detail = "a calendar needs ?token=hfc_…, known and not revoked; POST /api/v1/calendar-tokens makes one"
        raise Refused(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": 'Calendar-Token realm="holdfire"'})


@router.get(
    _FEED_PATH,
    operation_id="getCalendar",
    summary="Subscribe to the campaigns in a calendar",
    response_class=Response,
    dependencies=[Depends(require_feed_token)],
    responses={
        200: {
            "description": "An iCalendar file (RFC 5545), one event per campaign that was announced",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
            "headers": headers({"ETag": "digest of the file"}),
        },
        304: {"description": "It has not changed"},
        **problems(422),
    },
)
async def feed(
    request: Request,
    services: ServicesDep,
    if_none_match: Annotated[str | None, Header(description="ETag of what the caller has")] = None,
) -> Response:
    """All campaigns from their announcement until 90 days after their end; cancelled ones are marked as such."""
    content = await services.calendars.file(str(request.base_url).rstrip("/"))
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    kept = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="campaigns.ics"',
    }
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=304, headers=kept)
    return Response(content, media_type=MEDIA_TYPE, headers=kept)


@router.get(
    _TOKENS_PATH,
    operation_id="listCalendarTokens",
    summary="List all calendar tokens",
    responses={200: {"model": CalendarTokens}, **problems()},
)
async def tokens(services: ServicesDep, _: Admin) -> Response:
    """All tokens without their secrets, oldest first, revoked ones too."""
    return answer({"items": [_shape(token) for token in await services.calendars.all()]})


@router.post(
    _TOKENS_PATH,
    operation_id="createCalendarToken",
    summary="Make a calendar token",
    status_code=201,
    responses={
        201: {"model": NewCalendarToken, "headers": headers({"Location": "the token"})},
        **problems(413, 415, 422),
    },
    openapi_extra=takes("application/json", schema=component("CalendarTokenGiven")),
)
async def create(request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Makes a token and shows it, this once: only a hash of it is kept. Make one per calendar, so that each can go."""
    given = await read(request, CalendarTokenGiven)
    made, text = await services.calendars.create(given.name, Actor(caller.id, caller.name))
    path = request.url.path.removesuffix(_TOKENS_PATH) + _FEED_PATH
    url = request.url.replace(path=path, query=f"token={text}")
    return answer(_shape(made) | {"token": text, "url": str(url)}, 201, {"Location": f"{request.url.path}/{made.id}"})


@router.get(
    f"{_TOKENS_PATH}/{{token_id}}",
    operation_id="getCalendarToken",
    summary="Read a calendar token",
    responses={200: {"model": CalendarToken}, **problems(404, 422)},
)
async def token(token_id: TokenPath, services: ServicesDep, _: Admin) -> Response:
    """One token without its secret, also a revoked one."""
    return answer(_shape(await services.calendars.find(token_id)))


@router.delete(
    f"{_TOKENS_PATH}/{{token_id}}",
    operation_id="revokeCalendarToken",
    summary="Revoke a calendar token",
    status_code=204,
    responses=problems(404, 422),
)
async def revoke(token_id: TokenPath, services: ServicesDep, caller: Admin) -> Response:
    """Its calendar is refused from now on. Revoking it again changes nothing."""
    await services.calendars.revoke(token_id, Actor(caller.id, caller.name))
    return Response(status_code=204)


def _shape(token: FeedToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "created_at": instant(token.created_at),
        "revoked_at": instant(token.revoked_at),
        "last_used_at": instant(token.last_used_at),
    }
