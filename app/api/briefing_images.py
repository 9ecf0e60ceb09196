"""/campaigns/{campaign_id}/briefing/images: pictures of what customers get."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from app.api.auth import CampaignWriter, Reader
from app.api.briefings import ImageShape
from app.api.campaigns import CampaignPath
from app.api.deps import ServicesDep, answer
from app.api.problems import MEDIA, Refused
from app.api.schemas import headers, problems, takes
from app.core.campaign.images import EXTENSIONS, LONGEST_ALT, LONGEST_NAME
from app.core.event import Actor
from app.services.briefing_shapes import image_shape
from app.services.pictures import etag, image_headers

router = APIRouter(prefix="/campaigns/{campaign_id}/briefing/images", tags=["campaigns"])
MEDIA_TYPES = tuple(EXTENSIONS)
BINARY = {"type": "string", "format": "binary"}
ImagePath = Annotated[str, Path(max_length=100, description="the image's id", examples=["img_0123456789abcdef0123"])]


@router.post(
    "",
    operation_id="addBriefingImage",
    summary="Add an image to a briefing",
    status_code=201,
    responses={
        200: {"model": ImageShape, "description": "The same image is there already"},
        201: {"model": ImageShape, "headers": headers({"Location": "the image"})},
        **problems(404, 409, 413, 415, 422),
    },
    openapi_extra=takes(*MEDIA_TYPES, schema=BINARY),
)
async def add(
    *,
    campaign_id: CampaignPath,
    request: Request,
    services: ServicesDep,
    caller: CampaignWriter,
    name: Annotated[str, Query(max_length=LONGEST_NAME, description="its file's name", examples=["letter.png"])],
    alt: Annotated[str, Query(max_length=LONGEST_ALT, description="what it shows, for those who cannot see it")],
) -> Response:
    """The body is the file itself: PNG, JPEG or WebP, at most 2 MiB, not animated; at most ten per briefing.

    What it is, is found out from its bytes. It is decoded and written anew, so that place, time and camera in it do
    not get any further. Images do not change the briefing's version. The same image sent again is kept once.
    """
    _refuse_other_forms(request)
    actor = Actor(caller.id, caller.name)
    kept = await services.briefings.add_image(campaign_id, await request.body(), name, alt, actor)
    location = {"Location": f"{request.url.path}/{kept.image.id}"} if kept.is_new else {}
    return answer(image_shape(kept.image), 201 if kept.is_new else 200, location)


@router.get(
    "/{image_id}",
    operation_id="getBriefingImage",
    summary="Get an image of a briefing",
    response_class=Response,
    responses={
        200: {
            "description": "The image's bytes, in the form that Content-Type names",
            "content": {media_type: {"schema": BINARY} for media_type in MEDIA_TYPES},
            "headers": headers({"ETag": "digest of the bytes", "Content-Disposition": "inline, with the name"}),
        },
        304: {"description": "It has not changed"},
        **problems(404, 422),
    },
)
async def image(
    campaign_id: CampaignPath,
    image_id: ImagePath,
    services: ServicesDep,
    _: Reader,
    if_none_match: Annotated[str | None, Header(description="ETag of what the caller has")] = None,
) -> Response:
    """Never anything but an image to a browser: the type is the bytes' own, and nothing in it may run."""
    found, content = await services.briefings.image(campaign_id, image_id)
    if if_none_match is not None and etag(found) in if_none_match:
        return Response(status_code=304, headers=image_headers(found))
    return Response(content, media_type=found.media_type, headers=image_headers(found))


@router.delete(
    "/{image_id}",
    operation_id="removeBriefingImage",
    summary="Take an image away",
    status_code=204,
    responses=problems(404, 422),
)
async def remove(
    campaign_id: CampaignPath, image_id: ImagePath, services: ServicesDep, caller: CampaignWriter
) -> Response:
    """Takes an image away from a briefing; its version stays."""
    await services.briefings.remove_image(campaign_id, image_id, Actor(caller.id, caller.name))
    return Response(status_code=204)


def _refuse_other_forms(request: Request) -> None:
    media_type = request.headers.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() not in MEDIA_TYPES:
        allowed = ", ".join(MEDIA_TYPES)
        detail = f"Content-Type {media_type or '(none)'} is not supported; send the image itself, as one of {allowed}"
        raise Refused(MEDIA, detail)
