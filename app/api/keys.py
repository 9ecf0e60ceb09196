"""/keys: API keys. A key's secret is shown once, when it is made."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Admin
from app.api.bodies import read
from app.api.deps import Instant, ServicesDep, answer
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.ports import SCOPES, ApiKey
from app.services.keys import MAX_NAME
from app.services.shapes import instant

router = APIRouter(prefix="/keys", tags=["keys"])
_SCOPES = f"any of {', '.join(SCOPES)}; admin includes all"


class KeyGiven(Given):
    """A new key. expires_at: when it ends; never when left out."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME, examples=["spring campaign tool"])]
    scopes: Annotated[list[str], Field(min_length=1, max_length=20, description=_SCOPES, examples=[["readiness"]])]
    env: Annotated[str, Field(pattern="^[a-z0-9]{1,16}$", description="shown in the key, like live or test")] = "live"
    expires_at: Instant | None = None


class Key(Shape):
    """A key without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str = text_at()
    expires_at: str | None = text_at()
    revoked_at: str | None = text_at()


class NewKey(Key):
    """A key with its secret, this once."""

    key: str = Field(description="send it as `Authorization: Bearer …`; it cannot be shown again")


class Keys(Shape):
    """All keys, oldest first, revoked ones too."""

    items: list[Key]


@router.get(
    "",
    operation_id="listKeys",
    summary="List all keys",
    responses={200: {"model": Keys}, **problems()},
)
async def keys(services: ServicesDep, _: Admin) -> Response:
    """All keys without their secrets, oldest first, revoked ones too."""
    return answer({"items": [key_shape(key) for key in await services.keys.all()]})


@router.post(
    "",
    operation_id="createKey",
    summary="Make a key",
    status_code=201,
    responses={201: {"model": NewKey, "headers": headers({"Location": "the key"})}, **problems(413, 415, 422)},
    openapi_extra=takes("application/json", schema=component("KeyGiven")),
)
async def create(request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Makes a key and shows its secret, this once: only a hash of it is kept."""
    given = await read(request, KeyGiven)
    actor = Actor(caller.id, caller.name)
    key, token = await services.keys.create(given.name, given.scopes, given.env, given.expires_at, actor=actor)
    return answer(key_shape(key) | {"key": token}, 201, {"Location": f"{request.url.path}/{key.id}"})


@router.delete(
    "/{key_id}",
    operation_id="revokeKey",
    summary="Revoke a key",
    status_code=204,
    responses=problems(404),
)
async def revoke(
    key_id: Annotated[str, Path(description="the key's id")], services: ServicesDep, caller: Admin
) -> Response:
    """The key is refused from now on. Revoking it again changes nothing."""
    await services.keys.revoke(key_id, actor=Actor(caller.id, caller.name))
    return Response(status_code=204)


def key_shape(key: ApiKey) -> dict[str, Any]:
    """Return a key as it may be shown, scopes sorted."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(map(str, key.scopes)),  # plain text: a store may hand out subclasses of it
        "created_at": instant(key.created_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
    }
