"""What stands beside the floor when gates decide, gathered from the services that know."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from app.core.gate.answer import CampaignFacts
from app.core.gate.foresight import Foresight
from app.core.gate.override import Override
from app.core.permit.permit import Spent
from app.ports.clock import Clock
from app.services.campaigns import Campaigns
from app.services.overrides import Overrides
from app.services.permits import Permits

Foresights = Callable[[str, int], Foresight | None]


class GateSurroundings:
    """Overrides, permits, campaigns and outlooks as the evaluator sees them."""

    def __init__(
        self, overrides: Overrides, permits: Permits, campaigns: Campaigns, clock: Clock, outlooks: Foresights
    ) -> None:
        self._overrides, self._permits, self._campaigns, self._clock = overrides, permits, campaigns, clock
        self._outlooks = outlooks

    def overrides(self, gate: str) -> Sequence[Override]:
        return self._overrides.of(gate)

    def spent(self, gate: str, now: datetime) -> Spent:
        return self._permits.spent(gate, now)

    def campaigns(self, now: datetime) -> Mapping[str, CampaignFacts]:
        return self._campaigns.facts(now)

    def foresight(self, gate: str, policy_version: int) -> Foresight | None:
        return self._outlooks(gate, policy_version)
