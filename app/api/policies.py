"""/gates/{gate}/policy: the rules of a gate, versioned; nobody overwrites what they have not read."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.api.auth import PolicyWriter, Reader
from app.api.bodies import read_object
from app.api.cursors import cursor_of, key_of, next_link
from app.api.deps import CursorQuery, GatePath, LimitQuery, ServicesDep, answer
from app.api.problems import CHANGED, IF_MATCH, Refused
from app.api.schemas import Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.errors import Conflict
from app.ports import PolicyVersion
from app.services.shapes import instant

router = APIRouter(prefix="/gates/{gate}/policy", tags=["policies"])
_ETAG = headers({"ETag": "the version, to be sent as If-Match when saving the next one"})


class SavedPolicy(Shape):
    """One saved version of a gate's policy; the document is word for word as it was saved."""

    gate: str
    version: int
    policy: dict[str, Any]
    author: str = Field(description="name of the key that saved it")
    reason: str
    saved_at: str = text_at()


class PolicyVersions(Shape):
    """A page of versions, newest first."""

    items: list[SavedPolicy]
    next_cursor: str | None = Field(description="null on the last page")


@router.get(
    "",
    operation_id="getPolicy",
    summary="Read a gate's policy",
    responses={200: {"model": SavedPolicy, "headers": _ETAG}, **problems(404, 422)},
)
async def policy(
    gate: GatePath,
    services: ServicesDep,
    _: Reader,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="default: the newest")] = None,
) -> Response:
    """The newest version, or the one asked for; 404 while the gate has none (it is unknown then)."""
    return _answer(await services.gates.policy(gate, version))


@router.put(
    "",
    operation_id="savePolicy",
    summary="Save a gate's policy",
    responses={200: {"model": SavedPolicy, "headers": _ETAG}, **problems(404, 412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("PolicyDocument")),
)
async def save(
    *,
    gate: GatePath,
    request: Request,
    services: ServicesDep,
    caller: PolicyWriter,
    reason: Annotated[str, Query(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$", description="why, for the log")] = "",
    if_match: Annotated[str | None, Header(description="ETag of the version read; not needed for the first")] = None,
) -> Response:
    """Saves a new version, in force from the next evaluation on (within a second).

    428 without If-Match where a policy exists, 412 when somebody saved another one meanwhile. A policy with faults
    changes nothing: 422 with a pointer for each.
    """
    newest = await services.gates.newest_version(gate)
    _refuse_unread(gate, newest, if_match)
    document = await read_object(request)
    try:
        saved = await services.gates.save(
            gate, document, author=caller.name, reason=reason, expected=newest, actor=Actor(caller.id, caller.name)
        )
    except Conflict as fault:
        raise Refused(CHANGED, str(fault)) from fault
    return _answer(saved)


@router.get(
    "/versions",
    operation_id="listPolicyVersions",
    summary="List a policy's versions",
    responses={200: {"model": PolicyVersions, "headers": headers({"Link": "the next page"})}, **problems(404, 422)},
)
async def versions(
    gate: GatePath,
    request: Request,
    services: ServicesDep,
    _: Reader,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> Response:
    """All versions, newest first, in pages."""
    before = None if cursor is None else _bounded(key_of(cursor, int))
    found = await services.gates.versions(gate, before, limit + 1)
    page = found[:limit]
    following = cursor_of(page[-1].version) if len(found) > limit else None
    shape = {"items": [_shape(saved) for saved in page], "next_cursor": following}
    return answer(shape, headers=next_link(request, following))


def _bounded(version: int) -> int:
    return max(0, min(version, 2**31))


def _refuse_unread(gate: str, newest: int, if_match: str | None) -> None:
    """Raise Refused unless the caller has shown that they read the newest version."""
    if if_match is None:
        if newest:
            raise Refused(IF_MATCH, f'gate {gate!r} has policy version {newest}; read it and send If-Match: "{newest}"')
        return
    given = {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}
    if not newest or not given & {"*", str(newest)}:
        now = f'it is at version {newest}; read it and send If-Match: "{newest}"' if newest else "it has no policy yet"
        raise Refused(CHANGED, f"If-Match {if_match!r} does not fit gate {gate!r}: {now}")


def _answer(saved: PolicyVersion) -> Response:
    return answer(_shape(saved), headers={"ETag": f'"{saved.version}"'})


def _shape(saved: PolicyVersion) -> dict[str, Any]:
    return {
        "gate": saved.gate,
        "version": saved.version,
        "policy": saved.document,
        "author": saved.author,
        "reason": saved.reason,
        "saved_at": instant(saved.saved_at),
    }
