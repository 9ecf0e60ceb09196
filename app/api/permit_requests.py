"""/permits/requests: asks that were refused, and wait until they may go; their askers are told by callback."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from app.api.auth import PermitTaker
from app.api.deps import ServicesDep, answer
from app.api.problems import CONFLICT, Refused
from app.api.schemas import Responses, Shape, headers, problems, text_at
from app.core.permit.request import PermitRequest
from app.ports.callbacks import WaitingAsk, WaitState
from app.ports.keys import ApiKey
from app.services.container import Services
from app.services.permit_answers import PermitAnswer
from app.services.shapes import instant

router = APIRouter(prefix="/permits/requests", tags=["permits"])
LOOK_AGAIN_SECONDS = 5


class PermitRequestShape(Shape):
    """An ask that waits, or was granted."""

    permit_request_id: str
    state: WaitState
    decision: str = Field(description="send once it is granted, hold until then", examples=["hold"])
    proceed: bool
    gate: str
    campaign: str | None
    requested: int
    created_at: str = text_at()
    gives_up_at: str = text_at()
    permit_id: str | None


class WaitingPermitRequest(PermitRequestShape):
    """An ask that waits, with the secret that signs what its callback_url is told."""

    callback_secret: str = Field(description="verify the callback with it", examples=["whsec_…"])


WAITS: Responses = {
    202: {
        "model": WaitingPermitRequest,
        "description": "Refused for now; it waits, and `callback_url` is told. Only with `Prefer: respond-async`.",
        "headers": headers({"Location": "the ask that waits", "Preference-Applied": "respond-async"}),
    }
}
PREFER: dict[str, Any] = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`respond-async`: with a callback_url, 202 in place of a refusal",
    "schema": {"type": "string"},
}


@router.get(
    "/{permit_request_id}",
    operation_id="getPermitRequest",
    summary="May an ask that waited go now?",
    responses={
        200: {"model": PermitRequestShape, "description": "It was granted, and its permit may be used now."},
        202: {
            "model": PermitRequestShape,
            "description": "It waits until the gate lets it go, or until `gives_up_at`.",
            "headers": headers({"Retry-After": "when to look again, in seconds"}),
        },
        **problems(404, 409),
    },
)
async def permit_request(
    permit_request_id: Annotated[str, Path(description="`permit_request_id` of an answer", max_length=64)],
    services: ServicesDep,
    _: PermitTaker,
) -> Response:
    """200 exactly while its permit may be used, 202 while it waits, 409 when it gave up or its permit must stop."""
    ask = await services.callbacks.find(permit_request_id)
    if ask.state is WaitState.WAITING:
        return answer(_shape(ask), 202, {"Retry-After": str(LOOK_AGAIN_SECONDS)})
    if not await services.callbacks.may_go(ask):
        stands = (
            "was granted, but its permit must not be used now" if ask.permit_id else f"waits no longer: {ask.reason}"
        )
        raise Refused(CONFLICT, f"permit request {ask.id!r} {stands}; see the permit, or ask anew")
    return answer(_shape(ask))


async def told_later(
    services: Services, request: Request, caller: ApiKey, asked: PermitRequest, *, key: str | None, given: PermitAnswer
) -> Response | None:
    """Return the answer to an ask with a callback_url that was refused, and waits now; None for every other one.

    202 for who prefers that (RFC 7240); for everybody else the refusal as it is, with the secret of the callback.
    """
    if asked.callback_url is None or asked.dry_run:
        return None
    if given.permit is not None:
        await services.callbacks.answered(caller, asked, key)
        return None
    ask = await services.callbacks.wait(caller, asked, key)
    if prefers_async(request):
        where = {"Location": f"{request.url.path}/requests/{ask.id}", "Preference-Applied": "respond-async"}
        return answer(_shape(ask) | {"callback_secret": ask.secret}, 202, where | {"Cache-Control": "no-store"})
    body = msgspec.json.decode(given.body, type=dict[str, Any])
    whole = msgspec.json.encode(body | {"permit_request_id": ask.id, "callback_secret": ask.secret})
    response = Response(whole, given.status)
    kept = [(name, value) for name, value in given.headers if name != b"content-length"]
    response.raw_headers = [*kept, (b"content-length", b"%d" % len(whole))]
    return response


def prefers_async(request: Request) -> bool:
    """Tell whether the caller asked for 202 in place of a refusal: nobody else gets one."""
    given = ",".join(request.headers.getlist("prefer"))
    return any(item.partition(";")[0].strip().lower() == "respond-async" for item in given.split(","))


def _shape(ask: WaitingAsk) -> dict[str, Any]:
    is_granted = ask.state is WaitState.GRANTED
    return {
        "permit_request_id": ask.id,
        "state": ask.state,
        "decision": "send" if is_granted else "hold",
        "proceed": is_granted,
        "gate": ask.asked.gate,
        "campaign": ask.asked.campaign,
        "requested": ask.asked.audience,
        "created_at": instant(ask.created_at),
        "gives_up_at": instant(ask.gives_up_at),
        "permit_id": ask.permit_id,
    }
