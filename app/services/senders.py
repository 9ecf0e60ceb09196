"""How the email tools that holdfire drives are doing, and whether each is ready for a campaign's next wave."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.campaign.campaign import Campaign
from app.core.campaign.handover import Handover
from app.ports.clock import Clock
from app.ports.senders import Driven, SenderHealth

STILL_TRUE = timedelta(seconds=60)
MOST_DRIVEN = 200  # per sender: those that were looked at longest ago are forgotten


@dataclass(frozen=True, slots=True)
class Readiness:
    """How ready a tool is for a campaign, by a look. why_not None: a wave may open. is_done: it has nobody left.

    handed: what was looked at; it says nothing of a campaign that was handed over otherwise since. gives_back: it could
    only give back the last waves, which were too small for it.
    """

    at: datetime
    handed: Handover | None
    why_not: str | None
    is_done: bool = False
    gives_back: bool = False


class Senders:
    """The registry of senders' health, by name, and what Releases asks before it opens a wave."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._health: dict[str, SenderHealth] = {}
        self._ready: dict[str, Readiness] = {}

    # --- who asks ---

    def all(self) -> Sequence[SenderHealth]:
        """Return the health of every configured sender, sorted by name."""
        return sorted(self._health.values(), key=lambda health: health.name)

    def why_not(self, campaign: Campaign) -> str | None:
        """Return in a sentence why a campaign's tool is not ready for a wave; None when it is, or it has none."""
        if campaign.sender is None:
            return None
        name, ready = campaign.sender.sender, self._of(campaign)
        if name not in self._health:
            return f"no sender is called {name!r} in the configuration"
        if ready is None or abs(self._clock.now() - ready.at) > STILL_TRUE:
            return f"sender {name!r} has not said how the campaign stands there"
        return ready.why_not

    def why_no_wave(self, campaign_id: str) -> str | None:
        """Return why no wave opened for a campaign at the last look at its tool; None when one could, or none was."""
        ready = self._ready.get(campaign_id)
        return None if ready is None else ready.why_not

    def is_done(self, campaign: Campaign) -> bool:
        """Tell whether a campaign's tool said that it has nobody left to send to."""
        ready = self._of(campaign)
        return ready is not None and ready.is_done

    # --- who drives ---

    def employ(self, name: str, kind: str, *, can_pause: bool) -> None:
        """Know a configured sender from now on."""
        self._health.setdefault(name, SenderHealth(name, kind, can_pause))

    def looked(
        self, campaign: Campaign, *, why_not: str | None, is_done: bool = False, gives_back: bool = False
    ) -> None:
        """Note how ready a campaign's tool is for its next wave."""
        self._ready[campaign.id] = Readiness(self._clock.now(), campaign.sender, why_not, is_done, gives_back)
        health = self._health.get(campaign.sender.sender) if campaign.sender is not None else None
        if health is not None and health.driven and not health.consecutive_failures:
            self._describe(health)

    def keep(self, name: str, campaigns: Collection[str]) -> None:
        """Forget how ready a sender is for other campaigns than these."""
        for campaign_id, ready in list(self._ready.items()):
            if ready.handed is not None and ready.handed.sender == name and campaign_id not in campaigns:
                del self._ready[campaign_id]

    def answered(self, name: str, driven: Driven) -> None:
        """Note that a tool said how one of its campaigns stands."""
        health = self._health[name]
        health.last_success_at, health.consecutive_failures = driven.read_at, 0
        health.driven.pop(driven.tool_campaign, None)
        health.driven[driven.tool_campaign] = driven
        for former in list(health.driven)[:-MOST_DRIVEN]:
            del health.driven[former]
        self._describe(health)

    def troubled(self, name: str, tool_campaign: str, why: str) -> None:
        """Note that one of a tool's campaigns sends what it must not."""
        health = self._health[name]
        if (driven := health.driven.get(tool_campaign)) is not None:
            health.driven[tool_campaign] = replace(driven, trouble=why)
            self._describe(health)

    def failed(self, name: str, error: str) -> None:
        """Note that a tool could not be asked or told; `error` is a sentence."""
        health = self._health[name]
        health.consecutive_failures += 1
        health.last_error, health.status = error, "failing"

    def told(self, name: str) -> None:
        """Count a command."""
        self._health[name].commands += 1

    def idle(self, name: str) -> None:
        """Note that a tool has nothing to do for us."""
        health = self._health[name]
        if not health.driven and not health.consecutive_failures:
            health.status = "has no campaign"

    def _of(self, campaign: Campaign) -> Readiness | None:
        """Return how ready the tool is for a campaign as it is handed over now, None where nobody looked yet."""
        ready = self._ready.get(campaign.id)
        return ready if campaign.sender is not None and ready is not None and ready.handed == campaign.sender else None

    def _describe(self, health: SenderHealth) -> None:
        driven = health.driven.values()
        readiness = (self._ready.get(each.campaign) for each in driven)
        sending = sum(each.state == "running" for each in driven)
        if any(each.trouble for each in driven):
            health.status = "sends what it must not"
        elif sending:
            health.status = f"sending {sending}"
        else:
            gives_back = any(ready is not None and ready.gives_back for ready in readiness)
            health.status = "gets waves too small for it" if gives_back else "at rest"
