"""/campaigns/{campaign_id}/briefing: what the contact center must know of a campaign, and who has read it."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response

from app.api.auth import CampaignWriter, Reader
from app.api.bodies import read
from app.api.campaigns import CampaignPath
from app.api.deps import ServicesDep, answer
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.campaign import wording
from app.core.campaign.briefing import Briefing, Link, Question, Words
from app.core.event import Actor
from app.services.briefing_shapes import acknowledgements_shape, briefing_shape

router = APIRouter(prefix="/campaigns/{campaign_id}/briefing", tags=["campaigns"])
_EXAMPLE: JsonDict = {
    "offer": "20 % off everything until Sunday midnight, code SPRING20",
    "recipients": "everybody who bought in the last two years",
    "questions": [{"question": "Does the code work on sale items?", "answer": "Yes, on top of the lower price."}],
    "links": [{"title": "The offer as customers see it", "url": "https://shop.example/spring"}],
    "acknowledge_by": ["orders-voice", "retention team"],
}
_ETAG = headers({"ETag": "the version, to be sent as If-Match when saving the next one"})


class QuestionText(Given):
    """What customers will ask, and what to answer."""

    question: Annotated[str, Field(min_length=1, max_length=wording.LONGEST_QUESTION)]
    answer: Annotated[str, Field(min_length=1, max_length=wording.LONGEST_ANSWER)]


class LinkText(Given):
    """Something to look at."""

    title: Annotated[str, Field(min_length=1, max_length=wording.LONGEST_TITLE)]
    url: Annotated[str, Field(min_length=1, max_length=wording.LONGEST_URL, description="http or https, absolute")]


class BriefingGiven(Given):
    """A briefing's words. When, how many and through which gate is said by the campaign."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    offer: Annotated[
        str, Field(min_length=1, max_length=wording.LONGEST_OFFER, description="what is offered; line breaks stay")
    ]
    recipients: Annotated[
        str, Field(min_length=1, max_length=wording.LONGEST_RECIPIENTS, description="who gets the mail")
    ]
    questions: list[QuestionText] = Field(
        default_factory=list, max_length=wording.MOST_QUESTIONS, description="what customers will ask"
    )
    links: list[LinkText] = Field(default_factory=list, max_length=wording.MOST_LINKS, description="what to look at")
    acknowledge_by: list[str] = Field(
        default_factory=list,
        max_length=wording.MOST_NAMES,
        description="queues and teams that must have read it; none named: any one will do",
        examples=[["orders-voice", "retention team"]],
    )

    def words(self) -> Words:
        """Return the same in the core's terms, lines ended as everywhere."""
        return Words(
            _lines(self.offer),
            _lines(self.recipients),
            tuple(Question(_lines(item.question), _lines(item.answer)) for item in self.questions),
            tuple(Link(item.title, item.url) for item in self.links),
            tuple(self.acknowledge_by),
        )


class AcknowledgementGiven(Given):
    """Somebody has read it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"by": "orders-voice", "name": "Dana Reyes", "version": 1}]}
    )

    by: Annotated[str, Field(description="the queue or team, one of acknowledge_by where that names any")]
    name: Annotated[str, Field(description="who has read it", examples=["Dana Reyes"])]
    version: Annotated[
        int | None, Field(ge=1, description="the version that was read; refused when there is a newer one")
    ] = None


class AcknowledgementShape(Shape):
    """Who has read which version. counts: that is the present one."""

    by: str
    name: str
    at: str = text_at()
    version: int
    counts: bool


class Acknowledgements(Shape):
    """Who has acknowledged, newest first, and who has not."""

    is_acknowledged: bool = Field(description="nobody is missing: the gate does not hold for the briefing")
    missing: list[str] = Field(description='whose acknowledgement of this version is missing; "anybody" when none is')
    acknowledgements: list[AcknowledgementShape]


class CampaignAcknowledgements(Acknowledgements):
    """The acknowledgements of one briefing."""

    campaign: str
    version: int


class ImageShape(Shape):
    """An image without its bytes."""

    id: str
    name: str
    media_type: str
    size: int = Field(description="bytes")
    sha256: str
    width: int
    height: int
    alt: str = Field(description="what it shows, for those who cannot see it")
    added_at: str = text_at()


class BriefingShape(Acknowledgements):
    """A briefing, whole."""

    campaign: str
    version: int = Field(description="grows with every change of its words; acknowledgements are of one version")
    offer: str
    recipients: str
    questions: list[QuestionText]
    links: list[LinkText]
    acknowledge_by: list[str]
    author: str = Field(description="name of the key that saved this version")
    saved_at: str = text_at()
    images: list[ImageShape]


@router.get(
    "",
    operation_id="getBriefing",
    summary="Read a campaign's briefing",
    responses={200: {"model": BriefingShape, "headers": _ETAG}, **problems(404, 422)},
)
async def briefing(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """The briefing with its images and acknowledgements; 404 while the campaign has none."""
    return _answer(await services.briefings.of(campaign_id))


@router.put(
    "",
    operation_id="saveBriefing",
    summary="Write a campaign's briefing",
    responses={200: {"model": BriefingShape, "headers": _ETAG}, **problems(404, 412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("BriefingGiven")),
)
async def save(
    campaign_id: CampaignPath,
    request: Request,
    services: ServicesDep,
    caller: CampaignWriter,
    if_match: Annotated[str | None, Header(description="ETag of the version read; not needed for the first")] = None,
) -> Response:
    """Replaces all words. Other words are a new version, which has to be acknowledged anew; the same ones are not.

    428 without If-Match where there is a briefing, 412 when somebody saved another version meanwhile.
    """
    present = await services.briefings.find(campaign_id)
    version = present.version if present else 0
    refuse_unread(f"the briefing of {campaign_id!r}", version, if_match)
    given = await read(request, BriefingGiven)
    actor = Actor(caller.id, caller.name)
    with refused_when_changed():
        kept = await services.briefings.save(campaign_id, given.words(), actor, expected=version)
    return _answer(kept.briefing)


@router.get(
    "/acknowledgements",
    operation_id="listAcknowledgements",
    summary="See who has read a briefing",
    responses={200: {"model": CampaignAcknowledgements}, **problems(404, 422)},
)
async def acknowledgements(campaign_id: CampaignPath, services: ServicesDep, _: Reader) -> Response:
    """Newest first. Those of former versions are listed, and do not count."""
    return _acknowledgements(await services.briefings.of(campaign_id))


@router.post(
    "/acknowledgements",
    operation_id="acknowledgeBriefing",
    summary="Acknowledge a briefing",
    status_code=201,
    responses={
        200: {"model": CampaignAcknowledgements, "description": "It was acknowledged by them before"},
        201: {"model": CampaignAcknowledgements},
        **problems(404, 409, 413, 415, 422),
    },
    openapi_extra=takes("application/json", schema=component("AcknowledgementGiven")),
)
async def acknowledge(
    campaign_id: CampaignPath, request: Request, services: ServicesDep, caller: CampaignWriter
) -> Response:
    """Says that a queue or team has read the present version; the gate knows within a second.

    Once per queue or team and version: again, it changes nothing. Name the `version` that was read, so that nobody
    acknowledges what was changed meanwhile.
    """
    given = await read(request, AcknowledgementGiven)
    actor = Actor(caller.id, caller.name)
    kept = await services.briefings.acknowledge(campaign_id, given.by, given.name, given.version, actor)
    return _acknowledgements(kept.briefing, 201 if kept.is_new else 200)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _answer(found: Briefing) -> Response:
    return answer(briefing_shape(found), headers=etag(found.version))


def _acknowledgements(found: Briefing, status: int = 200) -> Response:
    shape = {"campaign": found.campaign, "version": found.version, **acknowledgements_shape(found)}
    return answer(shape, status)
