"""A gate's policy tried on stored history: dials for its limits, and what they would have done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from app.core.gate.policy import Policy, parse_policy
from app.errors import Invalid, NotComputed, NotFound
from app.services.backtests import RETRY_SECONDS, Busy, Question
from app.services.container import Services
from app.web.backtest.form import SPANS, RuleDials, chosen_days, dials, turned_policy
from app.web.backtest.view import BacktestView, backtest_view
from app.web.now.pages import NO_STORE
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, Tools, ToolsDep
from app.web.visitors import Visit, Visitor

INVALID, TOO_MANY, UNAVAILABLE = 422, 429, 503

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Dialed:
    """What the form says: the gate with its saved policy, its limits as they were turned, and how far back."""

    gate: str
    version: int
    policy: Policy
    rules: list[RuleDials]
    days: int

    @classmethod
    async def of(cls, services: Services, gate: str, turned: Mapping[str, str]) -> "Dialed":
        """Return what a query says of a gate. Raises NotFound for one that is not there, or has no policy."""
        saved = await services.gates.policy(gate)
        policy = parse_policy(saved.document)
        return cls(gate, saved.version, policy, dials(policy, turned), chosen_days(turned.get("days")))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the page shows below its dials: a backtest, or why there is none."""

    view: BacktestView | None = None
    faults: tuple[str, ...] = ()
    status: int = 200


@router.get("/gates/{gate}/backtest")
async def show_backtest(request: Request, gate: str, who: Visitor, services: ServicesDep, tools: ToolsDep) -> Response:
    """Return the whole page; with an outcome where the form was sent, as it is by a browser without scripts."""
    try:
        dialed = await Dialed.of(services, gate, request.query_params)
    except NotFound:
        return _nothing_to_try(request, gate, tools)
    outcome = await _outcome(services, who, dialed) if "days" in request.query_params else None
    return tools.page(
        request,
        "pages/backtest.html",
        dialed=dialed,
        spans=SPANS,
        outcome=outcome,
        may_edit=who.may("policies"),
        status=outcome.status if outcome else 200,
    )


@router.get("/partials/backtest")
async def show_outcome(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[GateQuery, Query()]
) -> Response:
    """Return what the dials' limits would have done, as one piece of HTML."""
    try:
        dialed = await Dialed.of(services, query.gate or "default", request.query_params)
    except NotFound:
        return Response(status_code=NOT_FOUND)
    outcome = await _outcome(services, who, dialed)
    html = tools.templates.get_template("partials/backtest.html").render(outcome=outcome)
    retry = {"Retry-After": str(RETRY_SECONDS)} if outcome.status in (TOO_MANY, UNAVAILABLE) else {}
    return HTMLResponse(html, status_code=outcome.status, headers=NO_STORE | retry)


async def _outcome(services: Services, who: Visit, dialed: Dialed) -> Outcome:
    start = services.clock.now() - timedelta(days=dialed.days)
    question = Question(dialed.gate, start, document=turned_policy(dialed.policy, dialed.rules))
    try:
        done = await services.backtests.run(question, who.actor.id)
    except Invalid as fault:
        return Outcome(faults=tuple(problem.detail for problem in fault.problems) or (str(fault),), status=INVALID)
    except Busy as busy:
        return Outcome(faults=(f"{str(busy).capitalize()}.",), status=TOO_MANY if busy.is_own else UNAVAILABLE)
    except NotComputed as fault:
        return Outcome(faults=(f"{str(fault).capitalize()}; try a shorter span.",), status=UNAVAILABLE)
    return Outcome(backtest_view(done))


def _nothing_to_try(request: Request, gate: str, tools: Tools) -> Response:
    detail = f"There is no gate “{gate[:63]}” with a policy, so there is nothing to try."
    return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No policy", detail=detail)
