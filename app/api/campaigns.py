"""/campaigns: what is to be sent, and how its release stands."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from app.api.auth import CampaignWriter, Reader
from app.api.bodies import read, read_object
from app.api.campaign_shapes import (
    MAX_REASON,
    CampaignPage,
    CampaignShape,
    StepGiven,
    WaveList,
    campaign_shape,
    wave_shape,
)
from app.api.cursors import place_of
from app.api.deps import CursorQuery, FromQuery, LimitQuery, Name, ServicesDep, ToQuery, answer
from app.api.paging import page_of
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.schemas import component, headers, problems, takes
from app.core.campaign.campaign import Campaign, CampaignState
from app.core.campaign.machine import CampaignStep
from app.core.event import Actor
from app.ports.keys import ApiKey
from app.services.campaigns import Impossible
from app.services.container import Services

router = APIRouter(prefix="/campaigns", tags=["campaigns"])
CampaignPath = Annotated[Name, Path(description="the campaign's id", examples=["spring"])]
ReasonQuery = Annotated[
    str, Query(max_length=MAX_REASON, pattern=r"^[^\x00-\x1f\x7f]*$", description="why, for the log")
]
IfMatch = Annotated[str | None, Header(description="ETag of the campaign as read")]
_ETAG = headers({"ETag": "the revision, to be sent as If-Match with a change"})
_NEW = headers({"Location": "the campaign", "ETag": "the revision, to be sent as If-Match with a change"})


@router.get(
    "",
    operation_id="listCampaigns",
    summary="List campaigns",
    responses={200: {"model": CampaignPage, "headers": headers({"Link": "the next page"})}, **problems(422)},
)
async def campaigns(
    *,
    request: Request,
    services: ServicesDep,
    _: Reader,
    gate: Annotated[Name | None, Query(description="of this gate only")] = None,
    state: Annotated[list[CampaignState] | None, Query(description="may be repeated")] = None,
    start: FromQuery = None,
    until: ToQuery = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> Response:
    """Campaigns, newest first, in pages; `from` and `to` bound their earliest_start."""
    found = await services.campaigns.page(
        gate=gate,
        states=state or (),
        start=start,
        until=until,
        before=None if cursor is None else place_of(cursor),
        limit=limit + 1,
    )
    return page_of(
        request,
        found,
        limit,
        shape=lambda each: campaign_shape(services, each),
        key=lambda each: (each.created_at, each.id),
    )


@router.post(
    "",
    operation_id="createCampaign",
    summary="Draft a campaign",
    status_code=201,
    responses={201: {"model": CampaignShape, "headers": _NEW}, **problems(409, 413, 415, 422)},
    openapi_extra=takes("application/json", schema=component("CampaignPlan")),
)
async def create(request: Request, services: ServicesDep, caller: CampaignWriter, reason: ReasonQuery = "") -> Response:
    """A draft sends nothing and tells nobody; schedule it to announce it. 409 when its id is taken."""
    made = await services.campaigns.create(await read_object(request), _actor(caller), reason)
    return _answer(services, made, 201, {"Location": f"{request.url.path}/{made.id}"})


@router.get(
    "/{campaign_id}",
    operation_id="getCampaign",
    summary="Read a campaign",
    responses={200: {"model": CampaignShape, "headers": _ETAG}, **problems(404, 422)},
)
async def campaign(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """One campaign, ended or not, with how far it has come."""
    return _answer(services, await services.campaigns.find(campaign_id))


@router.patch(
    "/{campaign_id}",
    operation_id="changeCampaign",
    summary="Change a campaign's plan",
    responses={200: {"model": CampaignShape, "headers": _ETAG}, **problems(404, 409, 412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("CampaignChange")),
)
async def change(
    *,
    campaign_id: CampaignPath,
    request: Request,
    services: ServicesDep,
    caller: CampaignWriter,
    reason: ReasonQuery = "",
    if_match: IfMatch = None,
) -> Response:
    """Changes the members that are given; null takes one away. 412 when somebody changed it since it was read.

    More people, more contacts or an earlier start are announced anew, and the contact center's notice runs again.
    What has started keeps its gate, start and traffic class. 409 once it has ended.
    """
    present = await services.campaigns.find(campaign_id)
    refuse_unread(f"campaign {present.id!r}", present.revision, if_match)
    changes = await read_object(request)
    with refused_when_changed(but=(Impossible,)):
        saved = await services.campaigns.change(campaign_id, changes, _actor(caller), reason, expected=present.revision)
    return _answer(services, saved)


@router.delete(
    "/{campaign_id}",
    operation_id="deleteCampaign",
    summary="Delete a draft",
    status_code=204,
    responses=problems(404, 409, 412, 422, 428),
)
async def delete(
    *,
    campaign_id: CampaignPath,
    services: ServicesDep,
    caller: CampaignWriter,
    reason: ReasonQuery = "",
    if_match: IfMatch = None,
) -> Response:
    """A draft goes with its briefing; its events stay. 409 for what was announced: cancel that."""
    present = await services.campaigns.find(campaign_id)
    refuse_unread(f"campaign {present.id!r}", present.revision, if_match)
    with refused_when_changed(but=(Impossible,)):
        await services.campaigns.delete(campaign_id, _actor(caller), reason, expected=present.revision)
    return Response(status_code=204)


def _step_route(what: CampaignStep, summary: str, description: str) -> None:
    """Add POST /campaigns/{campaign_id}/<step>."""

    async def take(
        campaign_id: CampaignPath, request: Request, services: ServicesDep, caller: CampaignWriter
    ) -> Response:
        reason = (await read(request, StepGiven)).reason if await request.body() else ""
        return _answer(services, await services.campaigns.take(campaign_id, what, _actor(caller), reason))

    router.add_api_route(
        f"/{{campaign_id}}/{what.value}",
        take,
        methods=["POST"],
        operation_id=f"{what.value}Campaign",
        summary=summary,
        description=description,
        responses={200: {"model": CampaignShape, "headers": _ETAG}, **problems(404, 409, 413, 415, 422)},
        openapi_extra={
            "requestBody": {"required": False, "content": {"application/json": {"schema": component("StepGiven")}}}
        },
    )


_step_route(
    CampaignStep.SCHEDULE,
    "Announce a campaign",
    "The contact center's notice runs from now on. It goes out from its earliest start on: when its gate lets it, or, "
    "where it is released by hand, when somebody starts it. 409 where it stands elsewhere; the detail says what is "
    "possible.",
)
_step_route(
    CampaignStep.START,
    "Let a campaign go by hand",
    "For one that is released by hand and whose time has come. Its gate is asked all the same, before each wave.",
)
_step_route(
    CampaignStep.PAUSE,
    "Stop a campaign now",
    "When this answers, its permits are paused: whoever sends under one must stop. Only a person lets it go on.",
)
_step_route(
    CampaignStep.RESUME,
    "Let a paused campaign go on",
    "For one that a person paused; what its gate paused goes on by itself. Its gate is asked before the next wave.",
)
_step_route(
    CampaignStep.CANCEL,
    "End a campaign for good",
    "When this answers, its permits are revoked: whoever sends under one must stop. Nothing more of it may go.",
)


@router.get(
    "/{campaign_id}/waves",
    operation_id="listWaves",
    summary="List a campaign's waves",
    responses={200: {"model": WaveList}, **problems(404, 422)},
)
async def waves(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """All waves in their order, the open one last."""
    return answer({"items": [wave_shape(wave) for wave in await services.campaigns.waves(campaign_id)]})


def _actor(caller: ApiKey) -> Actor:
    return Actor(caller.id, caller.name)


def _answer(services: Services, campaign: Campaign, status: int = 200, more: dict[str, str] | None = None) -> Response:
    return answer(campaign_shape(services, campaign), status, {**etag(campaign.revision), **(more or {})})
