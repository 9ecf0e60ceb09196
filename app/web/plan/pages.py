"""The planning page at /plan: what a send would do, how it can go within the limits of the floor, what is in its way.

The question stands in the URL. What takes seconds is fetched by the page itself; what is in the way is known at once.
"""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.core.campaign.campaign import ENDED, Campaign, CampaignState
from app.core.floor.metric import DEFINITIONS
from app.core.permit.request import DEFAULT_TTL_SECONDS
from app.errors import NotFound
from app.services.container import Services
from app.services.published import GateState
from app.web.campaigns.desk import WRITING, Desk, DeskDep, zone_of_gate
from app.web.campaigns.form import MODES
from app.web.campaigns.gate import GateSays
from app.web.format import zone_name
from app.web.instants import moment
from app.web.now.boards import present
from app.web.now.views import zone_of
from app.web.outlook.chart import METRICS
from app.web.outlook.sendings import reader_of
from app.web.plan.conflicts import Asked, Conflict, conflicts
from app.web.plan.form import PlanForm, PlanQuery, read_form
from app.web.plan.others import others_on
from app.web.plan.permit import TTLS, PermitPanel, permit_panel
from app.web.plan.result import Result, audience_of, result_of, title_of
from app.web.visitors import Visit, Visitor

PLANNABLE = tuple(state for state in CampaignState if state not in ENDED)
TAKING = "permits"
LISTED = 100

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Question:
    """A question that can be looked into: whose gate, of which campaign (None: any mail), what was typed and read."""

    state: GateState
    campaign: Campaign | None
    query: PlanQuery
    form: PlanForm

    @property
    def is_whole(self) -> bool:
        """Whether there is something to work out."""
        return not self.form.faults and (self.campaign is not None or self.form.audience is not None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an ask for a permit: the permit, or why there is none. faults: of its form, by field."""

    permit: PermitPanel | None = None
    refused: GateSays | None = None
    faults: tuple[str, ...] = ()


@router.get("/plan")
async def show_plan(desk: DeskDep, who: Visitor, query: Annotated[PlanQuery, Query()]) -> Response:
    """Return the form with the plan of what it asks for; who opens the page gets one that fetches it."""
    question = await ask(desk, query)
    return question if isinstance(question, Response) else await plan_page(desk, who, question)


async def ask(desk: Desk, query: PlanQuery) -> Question | Response:
    """Return what is asked, or the answer for a campaign or gate that is not there."""
    campaign = None
    if query.campaign:
        try:
            campaign = await desk.services.campaigns.find(query.campaign)
        except NotFound:
            return desk.no_campaign(query.campaign)
    _published, state = present(desk.services, campaign.gate if campaign else query.gate)
    if state is None:
        return desk.tools.no_gate(desk.request, query.gate)
    return Question(state, campaign, query, read_form(query, zone_of(state)))


async def plan_page(
    desk: Desk, who: Visit, question: Question, taken: Taken | None = None, *, status: int = 200
) -> Response:
    """Return the page of a question; taken: what came of an ask for a permit that was sent from it."""
    services, query, form = desk.services, question.query, question.form
    is_patient = bool(query.wait) or desk.request.headers.get("hx-request") == "true"
    result = Result(title_of(question.campaign, form.kind) if question.is_whole else "")
    if question.is_whole and is_patient:
        result = await result_of(services, desk.tools.outlooks, question.state, question.campaign, form)
    reader = reader_of(services, question.state)
    return desk.page(
        "pages/plan.html",
        status=422 if form.faults else status,
        gate=question.state.gate,
        gates=sorted(services.evaluator.published.gates),
        campaigns=await services.campaigns.page(gate=question.state.gate, states=PLANNABLE, limit=LISTED),
        kinds=services.learning.kinds(),
        campaign=question.campaign,
        query=query,
        form=form,
        result=result,
        in_the_way=await _in_the_way(services, question) if question.is_whole else None,
        taken=taken or await _shown_permit(services, query),
        asks=query.url() if question.is_whole and not is_patient else None,
        metrics=[DEFINITIONS[metric] for metric in METRICS],
        modes=MODES,
        ttls=TTLS,
        usual_ttl=str(DEFAULT_TTL_SECONDS),
        key=secrets.token_urlsafe(18),
        left=audience_of(services, question.campaign, form),
        may_write=who.may(WRITING),
        may_take=who.may(TAKING),
        owner=who.name or "",
        zone=zone_name(reader.now, reader.zone),
        zone_key=reader.zone.key,
        begins=moment(form.start_at, reader.zone) if form.start_at else "",
    )


async def _in_the_way(services: Services, question: Question) -> tuple[Conflict, ...]:
    state, campaign, reader = question.state, question.campaign, reader_of(services, question.state)
    asked = Asked(
        gate=state.gate,
        policy=state.policy,
        overrides=state.overrides,
        campaign=campaign,
        briefing=await services.briefings.find(campaign.id) if campaign else None,
        audience=audience_of(services, campaign, question.form),
        start_at=max(question.form.start_at or reader.now, reader.now),
        reader=reader,
        plan_for=lambda at: question.query.starting(at, reader.zone),
    )
    return conflicts(asked, others_on(services, state, campaign, but=question.query.permit))


async def _shown_permit(services: Services, query: PlanQuery) -> Taken:
    if not query.permit:
        return Taken()
    try:
        permit = await services.permits.find(query.permit)
    except NotFound:
        return Taken(faults=(f"There is no permit “{query.permit}”.",))
    zone = zone_of_gate(services, permit.gate)
    return Taken(permit_panel(permit, zone, must_stop=services.permits.must_stop(permit)))
