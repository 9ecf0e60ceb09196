"""/users: people who sign in, and links that let them in. A link is shown once, when it is made."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import Admin
from app.api.bodies import read
from app.api.deps import ServicesDep, answer
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.access import Role
from app.core.account.email import LONGEST
from app.core.account.invitation import Invitation, Purpose, link_path
from app.core.event import Actor
from app.ports.keys import ApiKey
from app.ports.users import LastAdmin, User
from app.services.people_shapes import invitation_shape, user_shape

router = APIRouter(prefix="/users", tags=["users"])
_ETAG = headers({"ETag": "their revision, to be sent as If-Match when changing them"})
UserPath = Annotated[str, Path(description="the user's id", examples=["usr_0123456789abcdef"])]
InvitationPath = Annotated[str, Path(description="the invitation's id", examples=["inv_0123456789abcdef"])]
IfMatch = Annotated[str | None, Header(description="ETag of the revision read")]


class InvitationGiven(Given):
    """Who is to be invited, as what."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "mia@example.com", "role": "marketer"}]})

    email: Annotated[str, Field(min_length=3, max_length=LONGEST, description="with which they will sign in")]
    role: Annotated[Role, Field(strict=False, description="what they may do")]


class UserChange(Given):
    """What is to be changed of a user: the members that are given."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "workforce"}, {"disabled": True}]})

    role: Annotated[Role | None, Field(strict=False, description="what they may do; signs them out everywhere")] = None
    disabled: Annotated[bool | None, Field(description="true signs them out everywhere and lets them in no more")] = (
        None
    )


class UserShape(Shape):
    """Somebody who may sign in, or was disabled."""

    id: str
    email: str
    name: str
    role: Role
    created_at: str = text_at()
    signed_in_at: str | None = text_at()
    disabled_at: str | None = text_at()


class InvitationShape(Shape):
    """A link that was handed out and not used yet, without its token."""

    id: str
    purpose: Purpose
    email: str
    role: Role
    made_by: str
    created_at: str = text_at()
    expires_at: str = text_at()


class NewInvitation(InvitationShape):
    """A link that was just made."""

    link: str = Field(description="hand it over; it works once and cannot be shown again")


class UserList(Shape):
    """Everybody, by email."""

    items: list[UserShape]


class InvitationList(Shape):
    """All links that nobody used yet, newest first."""

    items: list[InvitationShape]


@router.get("", operation_id="listUsers", summary="List all users", responses={200: {"model": UserList}, **problems()})
async def users(services: ServicesDep, _: Admin) -> Response:
    """Everybody who may sign in, or was disabled, by email."""
    return answer({"items": [user_shape(user) for user in await services.accounts.all()]})


@router.get(
    "/invitations",
    operation_id="listInvitations",
    summary="List links that nobody used yet",
    responses={200: {"model": InvitationList}, **problems()},
)
async def invitations(services: ServicesDep, _: Admin) -> Response:
    """Invitations and links to new passwords that are still good, newest first, without their tokens."""
    return answer({"items": [invitation_shape(link) for link in await services.invitations.all()]})


@router.post(
    "/invitations",
    operation_id="inviteUser",
    summary="Invite somebody",
    status_code=201,
    responses={201: {"model": NewInvitation}, **problems(409, 413, 415, 422)},
    openapi_extra=takes("application/json", schema=component("InvitationGiven")),
)
async def invite(request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Makes a link by which somebody joins, once and within 7 days. No mail is sent: hand it over."""
    given = await read(request, InvitationGiven)
    made, token = await services.invitations.invite(given.email, given.role, _actor(caller))
    return _made(request, made, token)


@router.delete(
    "/invitations/{invitation_id}",
    operation_id="withdrawInvitation",
    summary="Make a link void",
    status_code=204,
    responses=problems(404),
)
async def withdraw(invitation_id: InvitationPath, services: ServicesDep, caller: Admin) -> Response:
    """The link lets nobody in any more."""
    await services.invitations.withdraw(invitation_id, _actor(caller))
    return Response(status_code=204)


@router.get(
    "/{user_id}",
    operation_id="getUser",
    summary="Read a user",
    responses={200: {"model": UserShape, "headers": _ETAG}, **problems(404)},
)
async def user(user_id: UserPath, services: ServicesDep, _: Admin) -> Response:
    """One user, also a disabled one."""
    return _answer(await services.accounts.find(user_id))


@router.patch(
    "/{user_id}",
    operation_id="changeUser",
    summary="Change a user's role, disable or enable them",
    responses={200: {"model": UserShape, "headers": _ETAG}, **problems(404, 409, 412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("UserChange")),
)
async def change(
    user_id: UserPath, request: Request, services: ServicesDep, caller: Admin, if_match: IfMatch = None
) -> Response:
    """Changes the members that are sent; their sessions and open sockets end. 409 where no admin would be left."""
    present = await services.accounts.find(user_id)
    refuse_unread(f"user {user_id!r}", present.revision, if_match)
    given, by = await read(request, UserChange), _actor(caller)
    with refused_when_changed(but=(LastAdmin,)):
        changed = await services.accounts.change(present, by, role=given.role, disabled=given.disabled)
    return _answer(changed)


@router.post(
    "/{user_id}/reset",
    operation_id="resetPassword",
    summary="Make a link to a new password",
    status_code=201,
    responses={201: {"model": NewInvitation}, **problems(404, 409)},
)
async def reset(user_id: UserPath, request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Makes a link by which somebody chooses a new password, once and within 24 hours. 409 for who is disabled."""
    made, token = await services.invitations.reset(await services.accounts.find(user_id), _actor(caller))
    return _made(request, made, token)


def _actor(key: ApiKey) -> Actor:
    return Actor(key.id, key.name)


def _answer(found: User) -> Response:
    return answer(user_shape(found), headers=etag(found.revision))


def _made(request: Request, made: Invitation, token: str) -> Response:
    address = request.state.services.settings.public_url or str(request.base_url).rstrip("/")
    shape: dict[str, Any] = invitation_shape(made) | {"link": address + link_path(made.purpose, token)}
    return answer(shape, 201)
