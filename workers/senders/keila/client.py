"""Drives Keila by its API, which begins campaigns and pauses none: https://www.keila.io/api, read November 2026."""

from collections.abc import Callable

from app.core.sending.standing import Abilities, Standing
from app.ports.senders import Sender, SenderFault
from workers.senders.keila.translate import standing_of
from workers.senders.speaking import Speaker, step
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

TAKES_SECONDS = 90.0  # all messages are put out in one transaction, which may take a minute before it shows


def configured(table: Table) -> Callable[[], Sender]:
    """Return what makes the sender of {type="keila", url, bearer_token}."""
    url, reach = table.url("url"), reach_of(table)
    return lambda: Keila(url, reach)


class Keila:
    """The Sender port on Keila."""

    def __init__(self, url: str, reach: Reach) -> None:
        self._speaker = Speaker(url, reach)

    @property
    def abilities(self) -> Abilities:
        return Abilities(can_pause=False, takes_seconds=TAKES_SECONDS)

    async def status(self, campaign: str) -> Standing:
        return standing_of(await self._speaker.ask(f"/api/v1/campaigns/{step(campaign)}"))

    async def start(self, campaign: str) -> None:
        await self._speaker.tell("POST", f"/api/v1/campaigns/{step(campaign)}/actions/send")

    async def resume(self, campaign: str) -> None:
        await self.start(campaign)

    async def pause(self, campaign: str) -> None:
        raise SenderFault(f"Keila has no way to pause a campaign ({campaign})")

    async def close(self) -> None:
        await self._speaker.close()
