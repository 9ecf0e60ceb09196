"""Campaigns and briefings for tests over a whole holdfire."""

from typing import Any

from app.core.campaign.campaign import Campaign
from app.core.campaign.machine import CampaignStep
from app.core.event import Actor
from tests.support.whole import Whole

KIM = Actor("key_kim", "Kim")
BRIEFING: dict[str, Any] = {
    "offer": "20 % off everything\nuntil Sunday midnight",
    "recipients": "everybody who bought in the last two years",
    "questions": [{"question": "Does it include sale items?", "answer": "Yes, on top of the lower price."}],
    "links": [{"title": "The offer", "url": "https://shop.example/spring"}],
    "acknowledge_by": ["orders-voice", "retention team"],
}
READ = {"by": "orders-voice", "name": "Dana Reyes"}


async def draft(whole: Whole, campaign_id: str = "spring", **members: object) -> Campaign:
    """Draft a campaign to 500,000 people that goes out as soon as its gate lets it."""
    plan = {"id": campaign_id, "title": "Spring sale", "audience": 500_000, "release": {"mode": "when-ready"}}
    document: dict[str, object] = plan | members
    return await whole.services.campaigns.create(document, KIM)


async def announce(whole: Whole, campaign_id: str = "spring", **members: object) -> Campaign:
    """Draft and schedule one."""
    await draft(whole, campaign_id, **members)
    return await schedule(whole, campaign_id)


async def schedule(whole: Whole, campaign_id: str = "spring") -> Campaign:
    """Announce a draft: the contact center has notice of it from now on."""
    return await whole.services.campaigns.take(campaign_id, CampaignStep.SCHEDULE, KIM)
