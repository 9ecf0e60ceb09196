"""Polls the skills of a Five9 domain."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from workers.sources.figures import by_skill, named_queues
from workers.sources.five9.client import Access, Client
from workers.sources.five9.translate import translate
from workers.sources.lot import Lot
from workers.sources.polling import Poller
from workers.sources.worker import Factory, Surroundings
from workers.systems.table import Table

INTERVAL_SECONDS = 15.0
URL = "https://api.five9.com/wssupervisor/v9_5/SupervisorWebService"

_KIND = "five9"


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="five9", username, password, queues, ...}. Raises Invalid."""
    return partial(
        _worker,
        name=name,
        access=Access(
            url=table.url("url", URL),
            user=table.text("username"),
            password=table.secret("password"),
            force_logout=table.flag("force_logout", default=False),
            timeout_seconds=table.seconds("timeout_seconds", 10, 0.1, 60),
        ),
        queues=by_skill(table, named_queues(table, "the skill's name")),
        interval_seconds=table.seconds("interval_seconds", INTERVAL_SECONDS, 0.05, 3600),
    )


class Five9:
    """One domain and the skills that have a name here."""

    def __init__(self, name: str, client: Client, queues: Mapping[str, str]) -> None:
        self._name, self._client, self._queues = name, client, queues

    async def read(self, asked_at: datetime) -> Lot:
        """Return how the skills stand. Raises SourceFault."""
        return translate(await self._client.statistics(), self._queues, self._name, asked_at)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


def _worker(
    around: Surroundings, *, name: str, access: Access, queues: Mapping[str, str], interval_seconds: float
) -> Poller:
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=Five9(name, Client(access), queues),
        interval_seconds=interval_seconds,
        deadline_seconds=access.timeout_seconds * 3,
    )
