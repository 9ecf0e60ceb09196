"""/gates: named decisions over sets of queues, and what they say now."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import PolicyWriter, Reader
from app.api.bodies import read
from app.api.deps import GatePath, ServicesDep, answer
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.core.floor.metric import Metric
from app.core.gate.decision import CheckStatus, Decision, Reason, ReasonCode, Verdict
from app.core.gate.policy import Mode
from app.errors import NotFound
from app.services.container import Services
from app.services.gates import NAME_RULE
from app.services.published import GateState
from app.services.shapes import check_shape, decision_shape
from app.services.standing import standing

router = APIRouter(prefix="/gates", tags=["gates"])


class GateGiven(Given):
    """A new gate."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "orders"}]})

    name: Annotated[str, Field(description=NAME_RULE, examples=["default"], min_length=1, max_length=63)]


class ReasonShape(Shape):
    """One cause of a hold. binding: the one that decides."""

    code: ReasonCode
    metric: Metric | None
    queue: str | None
    observed: float | None
    op: str | None = Field(description="the relation that would let the send go")
    limit: float | None
    unit: str | None
    window_seconds: float | None
    as_of: str | None = text_at()
    since: str | None = text_at()
    binding: bool
    message: str


class GateShape(Shape):
    """What a gate says now, whoever asks."""

    gate: str
    state: Verdict
    decision: Verdict = Field(description="what callers are told: unknown reads hold, a gate in shadow mode send")
    proceed: bool
    would_decide: Verdict | None = Field(description="in shadow mode: what it would say")
    mode: Mode
    policy_version: int = Field(description="0: it has no policy and is unknown")
    since: str | None = text_at()
    evaluated_at: str | None = text_at()
    valid_until: str | None = text_at()
    next_review_at: str | None = text_at()
    retry_at: str | None = text_at()
    data_as_of: str | None = text_at()
    data_age_seconds: float | None
    summary: str
    reasons: list[ReasonShape]


class CheckShape(Shape):
    """How one rule stands on one queue. margin: how far on the good side of the limit, in the metric's unit."""

    metric: Metric | None
    title: str | None
    queue: str | None
    status: CheckStatus
    value: float | None
    op: str | None
    limit: float | None
    resume_limit: float | None
    margin: float | None
    unit: str | None
    window_seconds: float | None
    samples: int | None
    as_of: str | None = text_at()
    since: str | None = text_at()
    clears_at: str | None = text_at()
    detail: str


class GateDetail(GateShape):
    """What a gate says now, with every rule's standing."""

    checks: list[CheckShape]


class Gates(Shape):
    """All gates, sorted by name."""

    items: list[GateShape]


@router.get(
    "",
    operation_id="listGates",
    summary="List all gates and what they say",
    responses={200: {"model": Gates}, **problems()},
)
async def gates(services: ServicesDep, _: Reader) -> Response:
    """All gates with their present decisions."""
    now = services.clock.now()
    return answer({"items": [decision_shape(_state(services, name), now) for name in await services.gates.names()]})


@router.post(
    "",
    operation_id="createGate",
    summary="Make a gate",
    status_code=201,
    responses={
        201: {"model": GateDetail, "headers": headers({"Location": "the gate"})},
        **problems(409, 413, 415, 422),
    },
    openapi_extra=takes("application/json", schema=component("GateGiven")),
)
async def create(request: Request, services: ServicesDep, caller: PolicyWriter) -> Response:
    """A new gate is unknown, and so holds, until it has a policy."""
    name = (await read(request, GateGiven)).name
    await services.gates.create(name, Actor(caller.id, caller.name))
    return answer(_detail(services, name), 201, {"Location": f"{request.url.path}/{name}"})


@router.get(
    "/{gate}",
    operation_id="getGate",
    summary="See what a gate says and why",
    responses={200: {"model": GateDetail}, **problems(404, 422)},
)
async def gate(gate: GatePath, services: ServicesDep, _: Reader) -> Response:
    """The gate's present decision with its reasons, and how every rule stands on every queue."""
    names = await services.gates.names()
    if gate not in names:
        raise NotFound(f"there is no gate {gate!r}; known: {', '.join(names) or 'none yet'}")
    return answer(_detail(services, gate))


@router.delete(
    "/{gate}",
    operation_id="deleteGate",
    summary="Take a gate away",
    status_code=204,
    responses=problems(404, 422),
)
async def delete(gate: GatePath, services: ServicesDep, caller: PolicyWriter) -> Response:
    """Whoever asks this gate from now on is told 404, which is no go. Its decisions stay in the log."""
    await services.gates.delete(gate, Actor(caller.id, caller.name))
    return Response(status_code=204)


def _detail(services: Services, name: str) -> dict[str, Any]:
    state = _state(services, name)
    return {
        **decision_shape(state, services.clock.now()),
        "checks": [check_shape(check) for check in state.decision.checks],
    }


def _state(services: Services, name: str) -> GateState:
    """Return how the gate stands for who asks now; one made a moment ago is unknown."""
    now = services.clock.now()
    if state := standing(services.evaluator.published, name, now, time.monotonic()):
        return state
    reason = Reason(
        ReasonCode.DATA_STARTING, "the gate is new; its first evaluation comes within a second", binding=True
    )
    fresh = Decision(Verdict.UNKNOWN, now, now, (reason,), (), Mode.ENFORCE, None, now, None, None)
    return GateState(name, None, 0, fresh, fresh)
