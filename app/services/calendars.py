"""Calendar feeds: campaigns as events in people's own calendars, by a token that can be revoked."""

from app.ports import Clock
from app.ports.campaigns import FeedTokenStore
from app.services.campaigns import Campaigns


class Calendars:
    """Feed tokens, and the campaigns that a feed shows."""

    def __init__(self, tokens: FeedTokenStore, campaigns: Campaigns, clock: Clock) -> None:
        self._tokens, self._campaigns, self._clock = tokens, campaigns, clock
