"""/campaigns/{campaign_id}/debrief: what a campaign did to the contact center."""

from fastapi import APIRouter
from starlette.responses import Response

from app.api.auth import Reader
from app.api.campaigns import CampaignPath
from app.api.deps import ServicesDep, answer
from app.api.schemas import Shape, problems
from app.core.debrief.debrief import Debrief

router = APIRouter(prefix="/campaigns/{campaign_id}/debrief", tags=["campaigns"])


class ReplayedDebrief(Shape):
    """A final debrief, made again. is_same: it says what it said when it was written down."""

    is_same: bool
    debrief: Debrief


@router.get(
    "",
    operation_id="getDebrief",
    summary="See what a campaign did",
    responses={200: {"model": Debrief}, **problems(404, 409, 422, 503)},
)
async def debrief(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """While contacts still come as of now, at most a minute old; later for good. What is not known is null.

    `unknown` says in sentences what cannot be said, and why. 409 until five minutes after its first message.
    """
    return answer(dict(await services.debriefs.of(campaign_id)))


@router.get(
    "/replay",
    operation_id="replayDebrief",
    summary="Make a final debrief again",
    responses={200: {"model": ReplayedDebrief}, **problems(404, 422, 503)},
)
async def replay(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """From all that was kept with it. 404 while there is no final debrief."""
    document, is_same = await services.debriefs.again(campaign_id)
    return answer({"is_same": is_same, "debrief": dict(document)})
