"""/outlook and /campaigns/{id}/plan: what a send would do to the floor, and how it can be sent safely."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.api.auth import Reader
from app.api.campaigns import CampaignPath
from app.api.deps import Instant, Name, ServicesDep, answer
from app.api.outlook_shapes import OutlookAnswer, PlanAnswer, ReplayedOutlook
from app.api.schemas import problems
from app.core.campaign.campaign import ENDED
from app.core.campaign.request import MAX_AUDIENCE, MAX_TEXT
from app.core.forecast.plan import LEAD_MINUTES, WAVE_EVERY_MINUTES, WAVES
from app.errors import Conflict
from app.services.outlook_shapes import outlook_shape, plan_shape
from app.services.shapes import instant

router = APIRouter(tags=["outlook"])
GateQuery = Annotated[Name, Query(description="the gate's name")]


@router.get(
    "/outlook",
    operation_id="getOutlook",
    summary="See what a send would do",
    responses={200: {"model": OutlookAnswer}, **problems(404, 422)},
)
async def outlook(
    *,
    services: ServicesDep,
    _: Reader,
    gate: GateQuery = "default",
    audience: Annotated[int | None, Query(ge=1, le=MAX_AUDIENCE, description="none: without a send")] = None,
    start_at: Annotated[Instant | None, Query(description="when it would begin; default: now")] = None,
    campaign: Annotated[Name | None, Query(description="whose contacts to reckon with")] = None,
    kind: Annotated[str, Query(max_length=MAX_TEXT, description="of mail that is of no campaign, as theirs")] = "",
) -> Response:
    """Each queue per 5 minutes until the horizon, as expected and as a band, without and with a send."""
    minute = services.outlook_questions.start_minute(gate, start_at)
    made, seen = await services.outlook_questions.outlook(gate, audience, minute, campaign, kind=kind)
    foresight = services.foresights.of(gate, made.policy_version)
    room = foresight.room(campaign) if foresight is not None and not foresight.unknown else None
    asked = audience, start_at, campaign
    return answer(outlook_shape(made, seen, now=services.clock.now(), asked=asked, room=room))


@router.get(
    "/outlook/replay",
    operation_id="replayOutlook",
    summary="Make a past outlook again",
    responses={200: {"model": ReplayedOutlook}, **problems(404, 422)},
)
async def replay(
    services: ServicesDep,
    _: Reader,
    at: Annotated[Instant, Query(description="the newest outlook made then or before is taken")],
    gate: GateQuery = "default",
) -> Response:
    """What came out when it was made, made again from all that it was made from."""
    again = await services.outlook_questions.again(gate, at)
    return answer(
        {
            "gate": gate,
            "at": instant(again.kept.at),
            "policy_version": again.kept.policy_version,
            "same": again.is_same,
            "found": again.found,
        }
    )


@router.get(
    "/campaigns/{campaign_id}/plan",
    operation_id="getCampaignPlan",
    summary="Plan a campaign's send",
    responses={200: {"model": PlanAnswer}, **problems(404, 409, 422)},
)
async def plan(
    *,
    campaign_id: CampaignPath,
    services: ServicesDep,
    _: Reader,
    wave_gap_minutes: Annotated[int, Query(ge=5, le=240, description="between two waves")] = WAVE_EVERY_MINUTES,
    waves: Annotated[int, Query(ge=1, le=48, description="at most so many")] = WAVES,
    lead_minutes: Annotated[int, Query(ge=0, le=720, description="until more agents could be at work")] = LEAD_MINUTES,
) -> Response:
    """How much of it may go now, in which waves, when the rest may, and how many agents would change that."""
    campaign = await services.campaigns.find(campaign_id)
    if campaign.state in ENDED:
        raise Conflict(f"campaign {campaign_id!r} is {campaign.state.replace('_', ' ')}, so there is nothing to plan")
    spent = services.campaigns.progress(campaign).spent
    left = campaign.recipients - spent.sent_last_hour - spent.outstanding  # of a campaign, all that it ever sent
    if left <= 0:
        raise Conflict(f"campaign {campaign_id!r} has nobody left to send to, so there is nothing to plan")
    made, found = await services.outlook_questions.plan(
        campaign.gate, campaign.id, left, every_minutes=wave_gap_minutes, waves=waves, lead_minutes=lead_minutes
    )
    return answer(plan_shape(made, found, campaign, services.clock.now()))
