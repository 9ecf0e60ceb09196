"""Drives Dittofeed by its admin API, as in packages/api/src/controllers of its repository, March 2026."""

from collections.abc import Callable

from app.core.sending.standing import Abilities, Standing
from app.ports.senders import Sender
from workers.senders.dittofeed.translate import standing_of
from workers.senders.speaking import Speaker
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

LAG_SECONDS = 10.0  # deliveries are counted in a database of their own, which they reach in batches
TAKES_SECONDS = 30.0  # commands are signals, taken between two batches
_BROADCASTS = "/api/admin/broadcasts"


def configured(table: Table) -> Callable[[], Sender]:
    """Return what makes the sender of {type="dittofeed", url, workspace_id, bearer_token, messages_per_second, …}."""
    url, reach, workspace = table.url("url"), reach_of(table), table.text("workspace_id")
    per_second = table.number("messages_per_second", None, 0.01, 100_000)
    lag_seconds = table.seconds("lag_seconds", LAG_SECONDS, 0, 60)
    return lambda: Dittofeed(url, reach, workspace=workspace, per_second=per_second, lag_seconds=lag_seconds)


class Dittofeed:
    """The Sender port on Dittofeed."""

    def __init__(
        self, url: str, reach: Reach, *, workspace: str, per_second: float, lag_seconds: float = LAG_SECONDS
    ) -> None:
        self._speaker, self._workspace = Speaker(url, reach), workspace
        self._abilities = Abilities(
            can_pause=True, lag_seconds=lag_seconds, per_second=per_second, takes_seconds=TAKES_SECONDS
        )

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    async def status(self, campaign: str) -> Standing:
        workspace = {"workspaceId": self._workspace}
        broadcasts = await self._speaker.ask(_BROADCASTS, workspace | {"ids": campaign})
        deliveries = await self._speaker.ask("/api/admin/deliveries/count", workspace | {"broadcastId": campaign})
        return standing_of(broadcasts, deliveries, campaign)

    async def start(self, campaign: str) -> None:
        await self._command("start", campaign)

    async def resume(self, campaign: str) -> None:
        await self._command("resume", campaign)

    async def pause(self, campaign: str) -> None:
        await self._command("pause", campaign)

    async def close(self) -> None:
        await self._speaker.close()

    async def _command(self, word: str, campaign: str) -> None:
        """Send a command. Dittofeed answers 200 also when there was nothing that could take it."""
        body = {"workspaceId": self._workspace, "broadcastId": campaign}
        await self._speaker.tell("POST", f"{_BROADCASTS}/{word}", body)
