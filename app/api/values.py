"""/campaigns/{campaign_id}/value: customers a campaign won, lost and kept, and what they are worth."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import CampaignWriter, Reader
from app.api.bodies import read_object
from app.api.campaigns import CampaignPath
from app.api.deps import ServicesDep, answer
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.campaign.value import MOST_CUSTOMERS, MOST_MONEY, CampaignValue, Figures, Source
from app.core.event import Actor
from app.services.shapes import instant
from app.services.values import figures_shape

router = APIRouter(prefix="/campaigns/{campaign_id}/value", tags=["campaigns"])
IfMatch = Annotated[str | None, Header(description="ETag of the figures as read; not needed for the first ones")]
_ETAG = headers({"ETag": "the revision, to be sent as If-Match with a change"})
_MOST = float(MOST_MONEY)


class ValueGiven(Given):
    """What a campaign was worth. A member that is missing or null is not known, which is not 0."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"new": 1200, "lost": 310, "kept": 90, "value_per_customer": 42.5, "currency": "EUR"}]
        }
    )

    new: Annotated[int | None, Field(ge=0, le=MOST_CUSTOMERS, description="customers won")] = None
    lost: Annotated[int | None, Field(ge=0, le=MOST_CUSTOMERS, description="customers lost")] = None
    kept: Annotated[int | None, Field(ge=0, le=MOST_CUSTOMERS, description="customers kept who would have left")] = None
    value_per_customer: Annotated[float | None, Field(ge=0, le=_MOST, description="what one is worth")] = None
    net_value: Annotated[
        float | None, Field(ge=-_MOST, le=_MOST, description="the net amount, where you reckon it yourself")
    ] = None
    currency: Annotated[str | None, Field(pattern="^[A-Za-z]{3}$", description="of both amounts")] = None


class Reporter(Shape):
    """Who reported it."""

    id: str
    name: str


class ValueShape(Shape):
    """A campaign's figures; null is not known. revision 0: nobody has reported any.

    net: net_value where that was given, else (new + kept) x value_per_customer - lost x value_per_customer.
    """

    campaign: str
    revision: int
    new: int | None
    lost: int | None
    kept: int | None
    value_per_customer: float | None
    net_value: float | None
    currency: str | None
    net_customers: int | None
    net: float | None
    source: Source | None
    by: Reporter | None
    at: str | None = text_at()


class ValueList(Shape):
    """All revisions of a campaign's figures, newest first."""

    items: list[ValueShape]


@router.get(
    "",
    operation_id="getCampaignValue",
    summary="Read what a campaign was worth",
    responses={200: {"model": ValueShape, "headers": _ETAG}, **problems(404, 422)},
)
async def value(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """The newest figures, with their net."""
    found = await services.values.find(campaign_id)
    return answer(value_shape(campaign_id, found), headers=etag(found.revision if found else 0))


@router.get(
    "/revisions",
    operation_id="listCampaignValues",
    summary="List all that was reported of a campaign's worth",
    responses={200: {"model": ValueList}, **problems(404, 422)},
)
async def revisions(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """Every revision, with who reported it, when and how."""
    found = await services.values.revisions(campaign_id)
    return answer({"items": [value_shape(campaign_id, each) for each in found]})


@router.put(
    "",
    operation_id="putCampaignValue",
    summary="Report what a campaign was worth",
    responses={200: {"model": ValueShape, "headers": _ETAG}, **problems(404, 412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("ValueGiven")),
)
async def put(
    *,
    campaign_id: CampaignPath,
    request: Request,
    services: ServicesDep,
    caller: CampaignWriter,
    if_match: IfMatch = None,
) -> Response:
    """In place of all that was reported; the same again changes nothing.

    412 when somebody changed it since it was read.
    """
    present = await services.values.find(campaign_id)
    revision = present.revision if present else 0
    refuse_unread(f"the value of campaign {campaign_id!r}", revision, if_match)
    document, actor = await read_object(request), Actor(caller.id, caller.name)
    with refused_when_changed():
        saved = await services.values.save(campaign_id, document, actor, Source.API, expected=revision)
    return answer(value_shape(campaign_id, saved), headers=etag(saved.revision))


def value_shape(campaign_id: str, value: CampaignValue | None) -> dict[str, Any]:
    """Return figures as the API shows them; None: nobody has reported any."""
    figures = value.figures if value else Figures()
    return {
        "campaign": campaign_id,
        "revision": value.revision if value else 0,
        **figures_shape(figures),
        "net_customers": figures.net_customers,
        "net": None if figures.net is None else float(figures.net),
        "source": value.source if value else None,
        "by": {"id": value.by.id, "name": value.by.name} if value else None,
        "at": instant(value.at) if value else None,
    }
