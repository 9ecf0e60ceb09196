"""/keys: API keys and how their holders are answered. A key's secret is shown once, when it is made."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import Admin
from app.api.bodies import read
from app.api.deps import Instant, ServicesDep, answer
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.client_profile import PLAIN, RetryUnit
from app.core.event import Actor
from app.ports.keys import SCOPES
from app.services.key_shapes import key_shape
from app.services.keys import MAX_NAME
from app.services.profiles import LEAST_RPS, MOST_RPS, changed_profile

router = APIRouter(prefix="/keys", tags=["keys"])
KeyPath = Annotated[str, Path(description="the key's id")]
_SCOPES = f"any of {', '.join(SCOPES)}; admin includes all"


class ProfileGiven(Given):
    """How the key's holder is answered. The body says the same whatever the status is; max_rps null: no limit."""

    hold_status: Literal[429, 503, 404, 200] = Field(
        default=429, description="of hold, and of a throttle that was not asked for"
    )
    unknown_status: Literal[503, 429, 404, 200] = Field(default=503, description="of what cannot be known")
    retry_after_unit: Literal["s", "ms"] = Field(default="s", description="what the number in Retry-After counts")
    max_rps: float | None = Field(default=None, ge=LEAST_RPS, le=MOST_RPS, description="requests per second at most")


class KeyGiven(Given):
    """A new key. expires_at: when it ends; never when left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "spring campaign tool",
                    "scopes": ["readiness", "permits"],
                    "expires_at": "2030-01-01T00:00:00Z",
                }
            ]
        }
    )

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME, description="who will use it")]
    scopes: Annotated[list[str], Field(min_length=1, max_length=20, description=_SCOPES)]
    env: Annotated[str, Field(pattern="^[a-z0-9]{1,16}$", description="shown in the key, like live or test")] = "live"
    expires_at: Annotated[Instant | None, Field(description="when it ends; default: never")] = None
    profile: ProfileGiven = Field(default_factory=ProfileGiven, description="how its holder is answered")


class KeyChange(Given):
    """What is to be changed of a key: the members of its profile that are given."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"profile": {"hold_status": 404, "max_rps": 5}}]})

    profile: ProfileGiven = Field(description="members left out stay as they are")


class Profile(Shape):
    """How the key's holder is answered."""

    hold_status: int
    unknown_status: int
    retry_after_unit: RetryUnit
    max_rps: float | None


class Key(Shape):
    """A key without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str = text_at()
    expires_at: str | None = text_at()
    revoked_at: str | None = text_at()
    profile: Profile


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
    profile = changed_profile(PLAIN, given.profile.model_dump())
    made, token = await services.keys.create(
        given.name, given.scopes, given.env, given.expires_at, profile=profile, actor=actor
    )
    return answer(key_shape(made) | {"key": token}, 201, {"Location": f"{request.url.path}/{made.id}"})


@router.get(
    "/{key_id}",
    operation_id="getKey",
    summary="Read a key",
    responses={200: {"model": Key}, **problems(404)},
)
async def key(key_id: KeyPath, services: ServicesDep, _: Admin) -> Response:
    """One key without its secret, also a revoked one."""
    return answer(key_shape(await services.keys.find(key_id)))


@router.patch(
    "/{key_id}",
    operation_id="changeKey",
    summary="Change how a key's holder is answered",
    responses={200: {"model": Key}, **problems(404, 413, 415, 422)},
    openapi_extra=takes("application/json", schema=component("KeyChange")),
)
async def change(key_id: KeyPath, request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Replaces the members of the profile that are given; they count from now on."""
    changes = (await read(request, KeyChange)).profile.model_dump(exclude_unset=True)
    changed = await services.keys.change_profile(key_id, changes, actor=Actor(caller.id, caller.name))
    return answer(key_shape(changed))


@router.delete(
    "/{key_id}",
    operation_id="revokeKey",
    summary="Revoke a key",
    status_code=204,
    responses=problems(404),
)
async def revoke(key_id: KeyPath, services: ServicesDep, caller: Admin) -> Response:
    """The key is refused from now on. Revoking it again changes nothing."""
    await services.keys.revoke(key_id, actor=Actor(caller.id, caller.name))
    return Response(status_code=204)
