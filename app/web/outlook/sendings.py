"""Who may send through a gate, as its pages name them; and for whom a page's words are made."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from app.core.campaign.campaign import Campaign
from app.services.container import Services
from app.services.published import GateState
from app.web.now.flights import ON_THEIR_WAY
from app.web.now.views import zone_of
from app.web.outlook.view import ANY_MAIL, Sending
from app.web.outlook.words import Reader


def sendings(services: Services, gate: str) -> Sequence[Sending]:
    """Return the campaigns on their way through a gate that have somebody left, the furthest first; then other mail."""
    going = sorted(services.campaigns.on_their_way(gate), key=_place)
    left = [sending_of(services, campaign) for campaign in going]
    return [*(each for each in left if each.left), ANY_MAIL]


def sending_of(services: Services, campaign: Campaign) -> Sending:
    """Return a campaign with how many it has left to send to."""
    spent = services.campaigns.progress(campaign).spent
    given = spent.sent_last_hour + spent.outstanding  # of a campaign: all that it ever sent
    return Sending(campaign.id, campaign.title, max(0, campaign.recipients - given))


def reader_of(services: Services, state: GateState, zone: ZoneInfo | None = None) -> Reader:
    """Return for whom a gate's words are made: its zone, or another one, and the queues as people named them."""
    titles = {queue: own.title for queue, own in services.evaluator.floor.targets.items() if own.title}
    return Reader(services.clock.now(), zone or zone_of(state), titles)


def _place(campaign: Campaign) -> tuple[int, str]:
    return ON_THEIR_WAY.index(campaign.state), campaign.id
