"""/gates/{gate}/policy/backtest: what a policy would have done over stored history. Nothing is changed by it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.api.auth import Reader
from app.api.backtest_shapes import Backtest, BacktestGiven
from app.api.bodies import read
from app.api.deps import FromQuery, GatePath, ServicesDep, ToQuery, answer
from app.api.problems import CLIENT_RATE, UNAVAILABLE, Refused
from app.api.schemas import component, problems, takes
from app.ports.keys import ApiKey
from app.services.backtest_shapes import backtest_shape
from app.services.backtests import RETRY_SECONDS, Busy, Question
from app.services.container import Services

router = APIRouter(prefix="/gates/{gate}/policy/backtest", tags=["policies"])
_RETRY = {"Retry-After": str(RETRY_SECONDS)}


@router.get(
    "",
    operation_id="getBacktest",
    summary="See what a gate's policy would have done",
    responses={200: {"model": Backtest}, **problems(404, 422, 429)},
)
async def backtest(
    *,
    gate: GatePath,
    services: ServicesDep,
    caller: Reader,
    start: FromQuery = None,
    until: ToQuery = None,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="default: the newest")] = None,
) -> Response:
    """The policy in force, or a stored version, over at most 400 days; by default the last 28.

    429 while another backtest of the same key runs, 503 while several others do.
    """
    return await _answer(services, caller, Question(gate, start, until, version=version))


@router.post(
    "",
    operation_id="runBacktest",
    summary="Try a policy on stored history",
    responses={200: {"model": Backtest}, **problems(404, 413, 415, 422, 429)},
    openapi_extra=takes("application/json", schema=component("BacktestGiven")),
)
async def try_policy(gate: GatePath, request: Request, services: ServicesDep, caller: Reader) -> Response:
    """A policy document that need not be saved, or a stored version, over at most 400 days; by default the last 28.

    A document is refused as saving it would be. 429 while another backtest of the same key runs, 503 while several
    others do.
    """
    given = await read(request, BacktestGiven)
    question = Question(gate, given.start, given.until, given.policy, given.version, given.breach)
    return await _answer(services, caller, question)


async def _answer(services: Services, caller: ApiKey, question: Question) -> Response:
    try:
        done = await services.backtests.run(question, caller.id)
    except Busy as busy:
        raise Refused(CLIENT_RATE if busy.is_own else UNAVAILABLE, str(busy), headers=_RETRY) from busy
    return answer(backtest_shape(done))
