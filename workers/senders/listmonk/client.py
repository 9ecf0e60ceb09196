"""Drives listmonk by its campaign API: https://listmonk.app/docs/apis/campaigns/, read November 2026."""

from collections.abc import Callable
from dataclasses import replace

from app.core.sending.standing import Abilities, SendingState, Standing
from app.ports.senders import Sender
from workers.senders.listmonk.translate import rate_of, standing_of
from workers.senders.speaking import Declined, Speaker, step
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

LAG_SECONDS = 5.0  # it writes `sent` that often
TAKES_SECONDS = 2.0  # a state is stored before it answers; what sends follows within five seconds
_PLEASE_CORRECT = 400


def configured(table: Table) -> Callable[[], Sender]:
    """Return what makes the sender of {type="listmonk", url, username, password, messages_per_second, …}."""
    url, reach = table.url("url"), reach_of(table)
    per_second = table.number("messages_per_second", None, 0.01, 100_000)
    lag_seconds = table.seconds("lag_seconds", LAG_SECONDS, 0, 60)
    return lambda: Listmonk(url, reach, per_second=per_second, lag_seconds=lag_seconds)


class Listmonk:
    """The Sender port on listmonk."""

    def __init__(self, url: str, reach: Reach, *, per_second: float, lag_seconds: float = LAG_SECONDS) -> None:
        self._speaker = Speaker(url, reach)
        self._abilities = Abilities(
            can_pause=True, lag_seconds=lag_seconds, per_second=per_second, takes_seconds=TAKES_SECONDS
        )

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    async def status(self, campaign: str) -> Standing:
        standing = standing_of(await self._speaker.ask(f"/api/campaigns/{step(campaign)}"), campaign)
        if standing.state is not SendingState.RUNNING:
            return standing
        running = await self._speaker.ask("/api/campaigns/running/stats", {"campaign_id": campaign})
        return replace(standing, per_second=rate_of(running, campaign))

    async def start(self, campaign: str) -> None:
        await self._set(campaign, "running")

    async def resume(self, campaign: str) -> None:
        await self._set(campaign, "running")

    async def pause(self, campaign: str) -> None:
        """Pause it; one that waits for its time, which cannot be paused there, becomes a draft again."""
        try:
            await self._set(campaign, "paused")
        except Declined as fault:
            if fault.status != _PLEASE_CORRECT:
                raise
            if (await self.status(campaign)).state is SendingState.SCHEDULED:
                await self._set(campaign, "draft")

    async def close(self) -> None:
        await self._speaker.close()

    async def _set(self, campaign: str, status: str) -> None:
        """Ask for a state. What the answer says of it is not what is stored: it repeats the wish."""
        await self._speaker.tell("PUT", f"/api/campaigns/{step(campaign)}/status", {"status": status})
