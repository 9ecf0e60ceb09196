"""/permits: so many may go, until then, unless told to stop."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from app.api.auth import PermitTaker, PolicyWriter, Reader
from app.api.bodies import read, read_object
from app.api.cursors import place_of
from app.api.deps import CursorQuery, LimitQuery, Name, ServicesDep, answer
from app.api.paging import page_of
from app.api.permit_requests import PREFER, WAITS, told_later
from app.api.permits_reference import (
    ANSWERS,
    REPORT,
    TAKE,
    TTL,
    PermitPage,
    PermitShape,
    RevocationGiven,
    idempotency_parameters,
)
from app.api.schemas import component, headers, problems, takes
from app.core.event import Actor
from app.core.permit.permit import Permit, PermitState
from app.core.permit.request import RequestRefused, parse_request, parse_sent, parse_ttl
from app.core.problem import Problem
from app.errors import Invalid
from app.ports.keys import ApiKey
from app.services.container import Services
from app.services.permit_answers import PermitAnswer, permit_shape

router = APIRouter(prefix="/permits", tags=["permits"])
PermitPath = Annotated[str, Path(description="`permit_id` of an answer", max_length=64)]
Parsed = TypeVar("Parsed")

IDEMPOTENCY_HEADERS = ("idempotency-key", "x-cio-idempotency-key")
MAX_IDEMPOTENCY_KEY = 255


@router.post(
    "",
    operation_id="takePermit",
    summary="May this send go now? If so, reserve it",
    responses={**problems(404, 409, 413, 415, 422), **ANSWERS, **WAITS},
    openapi_extra=takes("application/json", schema=TAKE) | {"parameters": [*idempotency_parameters(), PREFER]},
)
async def take(request: Request, services: ServicesDep, caller: PermitTaker) -> Response:
    """Readiness plus a reservation: **200 is a permit for `allow` messages, nothing else is**.

    With an Idempotency-Key an ask can be sent again without fear: the same key and request give the same permit for 24
    hours. A refusal reserves nothing; ask again after Retry-After, under the same key or another. Report what was
    sent: until then, and until the permit expires, everything it allows counts as given away.

    With a callback_url a refused ask waits, for ttl_seconds: the URL is told once it may go, with its permit, or that
    it gave up. Sent again meanwhile it is the same ask.
    """
    key = idempotency_key(request)
    asked = parsed(parse_request, await read_object(request))
    await services.callbacks.check(asked)
    given = await services.permits.take(caller, asked, services.callbacks.key_of(caller, asked, key))
    return await told_later(services, request, caller, asked, key=key, given=given) or _finished(given)


@router.get(
    "",
    operation_id="listPermits",
    summary="List permits",
    responses={200: {"model": PermitPage, "headers": headers({"Link": "the next page"})}, **problems(422)},
)
async def permits(
    *,
    request: Request,
    services: ServicesDep,
    _: Reader,
    gate: Annotated[Name | None, Query(description="of this gate only")] = None,
    campaign: Annotated[Name | None, Query(description="of this campaign only")] = None,
    state: Annotated[list[PermitState] | None, Query(description="any of these; default: all")] = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> Response:
    """Permits, newest first, in pages."""
    found = await services.permits.page(
        gate=gate,
        campaign=campaign,
        states=state or (),
        before=None if cursor is None else place_of(cursor),
        limit=limit + 1,
    )
    return page_of(
        request,
        found,
        limit,
        shape=lambda permit: _shape(services, permit),
        key=lambda permit: (permit.granted_at, permit.id),
    )


@router.get(
    "/{permit_id}",
    operation_id="getPermit",
    summary="Read a permit: may its sender go on?",
    responses={200: {"model": PermitShape}, **problems(404)},
)
async def permit(permit_id: PermitPath, services: ServicesDep, _: PermitTaker) -> Response:
    """One permit. `must_stop` is as of this instant, from how the gate stands: poll it between batches."""
    return _answer(services, await services.permits.find(permit_id))


@router.post(
    "/{permit_id}/report",
    operation_id="reportPermit",
    summary="Report what was sent",
    responses={200: {"model": PermitShape}, **problems(404, 413, 415, 422)},
    openapi_extra=takes("application/json", schema=REPORT),
)
async def report(permit_id: PermitPath, request: Request, services: ServicesDep, caller: PermitTaker) -> Response:
    """Books the total sent under the permit so far; it never shrinks, and a repeat changes nothing.

    All that was allowed: the permit is used. More than that is booked as it is. An ended permit takes reports, too.
    """
    sent = parsed(parse_sent, await read_object(request))
    return _answer(services, await services.permits.report(permit_id, sent, _actor(caller)))


@router.post(
    "/{permit_id}/renew",
    operation_id="renewPermit",
    summary="Extend a permit, and go on after a pause",
    responses={**problems(404, 409, 413, 415, 422), **ANSWERS, 200: {"model": PermitShape}},
    openapi_extra={"requestBody": takes("application/json", schema=TTL)["requestBody"] | {"required": False}},
)
async def renew(permit_id: PermitPath, request: Request, services: ServicesDep, caller: PermitTaker) -> Response:
    """While the gate says go, the permit lives on for `ttl_seconds` from now; a paused one may be used again.

    Otherwise the answer is the present hold, with `must_stop`, and the permit stays as it is. 409 once it has ended,
    and for the paused permit of a campaign's wave: what is left of it comes with a later wave.
    """
    ttl_seconds = parsed(parse_ttl, await _optional(request))
    renewed = await services.permits.renew(caller, permit_id, ttl_seconds)
    return _finished(renewed) if isinstance(renewed, PermitAnswer) else _answer(services, renewed)


@router.post(
    "/{permit_id}/release",
    operation_id="releasePermit",
    summary="Give back what was not sent",
    responses={200: {"model": PermitShape}, **problems(404, 409)},
)
async def release(permit_id: PermitPath, services: ServicesDep, caller: PermitTaker) -> Response:
    """Ends the permit: what was not reported as sent may be given to others at once. 409 when it has ended already."""
    return _answer(services, await services.permits.release(permit_id, _actor(caller)))


@router.post(
    "/{permit_id}/revoke",
    operation_id="revokePermit",
    summary="Withdraw a permit",
    responses={200: {"model": PermitShape}, **problems(404, 409, 413, 415, 422)},
    openapi_extra=takes("application/json", schema=component("RevocationGiven")),
)
async def revoke(permit_id: PermitPath, request: Request, services: ServicesDep, caller: PolicyWriter) -> Response:
    """Its sender must stop, and is told so by webhook at once. 409 when it has ended already."""
    given = await read(request, RevocationGiven)
    return _answer(services, await services.permits.revoke(permit_id, _actor(caller), given.reason))


def idempotency_key(request: Request) -> str | None:
    """Return the key a request may be repeated under, None without one.

    By draft-ietf-httpapi-idempotency-key it stands in quotes; bare is understood. Raises Invalid for one that is no
    key, and for two that differ.
    """
    given = {_unquoted(value) for name in IDEMPOTENCY_HEADERS for value in request.headers.getlist(name)}
    if len(given) > 1:
        raise _bad_key(f"{' and '.join(map(repr, sorted(given)))} are two keys for one request; send one")
    key = next(iter(given), None)
    if key is not None and not (1 <= len(key) <= MAX_IDEMPOTENCY_KEY and key.isascii() and key.isprintable()):
        raise _bad_key(f"must be 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters, in quotes or bare")
    return key


def parsed(parse: Callable[[Mapping[str, object]], Parsed], document: Mapping[str, object]) -> Parsed:
    """Return what the core reads in a document. Raises Invalid with the core's problems."""
    try:
        return parse(document)
    except RequestRefused as fault:
        raise Invalid(str(fault), fault.problems) from fault


def _unquoted(value: str) -> str:
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text


def _bad_key(detail: str) -> Invalid:
    return Invalid("the idempotency key cannot be used", [Problem("/header/idempotency-key", detail)])


async def _optional(request: Request) -> Mapping[str, object]:
    """Return the body's object, an empty one for no body at all."""
    return await read_object(request) if await request.body() else {}


def _actor(caller: ApiKey) -> Actor:
    return Actor(caller.id, caller.name)


def _shape(services: Services, permit: Permit) -> dict[str, Any]:
    return permit_shape(permit, must_stop=services.permits.must_stop(permit))


def _answer(services: Services, permit: Permit) -> Response:
    return answer(_shape(services, permit))


def _finished(finished: PermitAnswer) -> Response:
    response = Response(finished.body, finished.status)
    response.raw_headers = list(finished.headers)
    return response
