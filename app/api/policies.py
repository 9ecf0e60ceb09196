"""/gates/{gate}/policy: the rules of a gate, versioned; nobody overwrites what they have not read."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.api.auth import PolicyWriter, Reader
from app.api.bodies import read_object
from app.api.cursors import key_of
from app.api.deps import CursorQuery, GatePath, LimitQuery, ServicesDep, answer
from app.api.paging import page_of
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.schemas import Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.ports.gates import PolicyVersion
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
    refuse_unread(f"the policy of gate {gate!r}", newest, if_match)
    document = await read_object(request)
    with refused_when_changed():
        saved = await services.gates.save(
            gate, document, author=caller.name, reason=reason, expected=newest, actor=Actor(caller.id, caller.name)
        )
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
    return page_of(request, found, limit, shape=_shape, key=lambda saved: saved.version)


def _bounded(version: int) -> int:
    return max(0, min(version, 2**31))


def _answer(saved: PolicyVersion) -> Response:
    return answer(_shape(saved), headers=etag(saved.version))


def _shape(saved: PolicyVersion) -> dict[str, Any]:
    return {
        "gate": saved.gate,
        "version": saved.version,
        "policy": saved.document,
        "author": saved.author,
        "reason": saved.reason,
        "saved_at": instant(saved.saved_at),
    }
