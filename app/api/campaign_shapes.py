"""How campaigns and waves are shown, and what a step is sent with."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.api.schemas import Given, Shape, text_at
from app.core.campaign.campaign import Campaign, CampaignState, ReleaseMode, TrafficClass
from app.core.campaign.machine import CampaignStep, allowed
from app.core.campaign.request import plan_document
from app.ports.campaigns import Wave
from app.services.container import Services
from app.services.shapes import instant

MAX_REASON = 500


class StepGiven(Given):
    """Why somebody takes a step; it is shown to everybody who is told of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "wrong link"}]})

    reason: Annotated[
        str,
        Field(
            max_length=MAX_REASON,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="why; whoever is told of the step reads it",
        ),
    ] = ""


class ReleaseShape(Shape):
    """How a campaign goes out."""

    mode: ReleaseMode
    audience_per_wave: int | None
    wave_gap_seconds: float | None


class SenderShape(Shape):
    """The tool that holdfire drives to send a campaign."""

    name: str = Field(description="as in [[senders]] of holdfire.toml")
    campaigns: list[str | dict[str, Any]] = Field(description="the tool's own campaigns: id, or {id, recipients}")


class WaveShape(Shape):
    """A wave. ended_at null: it is open."""

    number: int
    permit_id: str
    allow: int = Field(description="at most so many people")
    sent: int = Field(description="as reported so far; may exceed `allow`")
    is_probe: bool = Field(description="the small wave after a hold")
    opened_at: str = text_at()
    ended_at: str | None = text_at()
    ending: str | None = Field(description="how it ended: used, released, expired, paused, revoked")


class CampaignShape(Shape):
    """A campaign: its plan, how it stands, and how far it has come."""

    id: str
    title: str
    gate: str
    audience: int
    owner: str
    kind: str
    traffic_class: TrafficClass
    contacts_per_1000: float | None
    earliest_start: str | None = text_at()
    give_up_at: str | None = text_at()
    release: ReleaseShape
    queue_mix: dict[str, float] | None = Field(description="share of its contacts by queue; null: nobody has said")
    holdout_ratio: float = Field(description="share of the audience that is sent nothing, picked at random")
    held_out: int = Field(description="so many of the audience are held out; permits are for the others")
    sender: SenderShape | None = Field(description="null: whoever sends it asks")
    state: CampaignState
    paused_by: str | None = Field(description="gate: it goes on by itself; else who paused it")
    reason: str = Field(description="why it stands as it does")
    steps: list[CampaignStep] = Field(description="what can be done with it now")
    created_at: str = text_at()
    announced_at: str | None = text_at()
    started_at: str | None = text_at()
    ended_at: str | None = text_at()
    sent: int = Field(description="as reported; may exceed the audience")
    outstanding: int = Field(description="may still be sent under live permits")
    left: int = Field(description="neither sent nor under a permit")
    wave: WaveShape | None = Field(description="the last wave, open or over")
    revision: int


class CampaignPage(Shape):
    """A page of campaigns, newest first."""

    items: list[CampaignShape]
    next_cursor: str | None = Field(description="null on the last page")


class WaveList(Shape):
    """All waves of a campaign, in their order."""

    items: list[WaveShape]


def campaign_shape(services: Services, campaign: Campaign) -> dict[str, Any]:
    """Return a campaign as it may be shown, with how far it has come."""
    spent, wave = services.campaigns.progress(campaign)
    sent = spent.sent_last_hour
    return plan_document(campaign) | {
        "state": campaign.state,
        "paused_by": campaign.paused_by,
        "reason": campaign.reason,
        "steps": allowed(campaign),
        "created_at": instant(campaign.created_at),
        "announced_at": instant(campaign.announced_at),
        "started_at": instant(campaign.started_at),
        "ended_at": instant(campaign.ended_at),
        "sent": sent,
        "outstanding": spent.outstanding,
        "held_out": campaign.held_out,
        "left": max(0, campaign.recipients - sent - spent.outstanding),
        "wave": None if wave is None else wave_shape(wave),
        "revision": campaign.revision,
    }


def wave_shape(wave: Wave) -> dict[str, Any]:
    """Return a wave as it may be shown."""
    return {
        "number": wave.number,
        "permit_id": wave.permit_id,
        "allow": wave.allowed,
        "sent": wave.sent,
        "is_probe": wave.is_probe,
        "opened_at": instant(wave.opened_at),
        "ended_at": instant(wave.ended_at),
        "ending": wave.ending or None,
    }
