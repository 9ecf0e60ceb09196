"""What stands beside the floor when gates decide, gathered from the services that know."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.core.gate.answer import CampaignFacts
from app.core.gate.override import Override
from app.core.permit.permit import Spent
from app.ports import Clock
from app.services.campaigns import Campaigns
from app.services.overrides import Overrides
from app.services.permits import Permits


class GateSurroundings:
    """Overrides, permits and campaigns as the evaluator sees them."""

    def __init__(self, overrides: Overrides, permits: Permits, campaigns: Campaigns, clock: Clock) -> None:
        self._overrides, self._permits, self._campaigns, self._clock = overrides, permits, campaigns, clock

    def overrides(self, gate: str) -> Sequence[Override]:
        return self._overrides.of(gate)

    def spent(self, gate: str, now: datetime) -> Spent:
        return self._permits.spent(gate, now)

    def campaigns(self, now: datetime) -> Mapping[str, CampaignFacts]:
        return self._campaigns.facts(now)
