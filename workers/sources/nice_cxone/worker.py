"""Polls the skills of a NICE CXone tenant."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from workers.sources.figures import by_skill, named_queues
from workers.sources.lot import Lot
from workers.sources.nice_cxone.client import Access, Client
from workers.sources.nice_cxone.translate import translate
from workers.sources.polling import Poller
from workers.sources.worker import Factory, Surroundings
from workers.systems.table import Table

INTERVAL_SECONDS = 15.0

_KIND = "nice-cxone"
_AREA, _VERSION = re.compile("[a-z]{2,4}[0-9]{1,2}"), re.compile(r"v[0-9]{1,3}\.[0-9]")
_SKILL = re.compile("[0-9]{1,18}")


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="nice-cxone", area, api_version, access_key_id, ...}. Raises Invalid."""
    return partial(
        _worker,
        name=name,
        access=_access(table),
        queues=_queues(table),
        interval_seconds=table.seconds("interval_seconds", INTERVAL_SECONDS, 0.05, 3600),
    )


class Cxone:
    """One tenant and the skills that have a name here."""

    def __init__(self, name: str, client: Client, queues: Mapping[str, str]) -> None:
        self._name, self._client, self._queues = name, client, queues

    async def read(self, asked_at: datetime) -> Lot:
        """Return how the skills stand. Raises SourceFault."""
        return translate(await self._client.activity(), self._queues, self._name, asked_at)

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
        asking=Cxone(name, Client(access), queues),
        interval_seconds=interval_seconds,
        deadline_seconds=access.timeout_seconds * 4,
    )


def _access(table: Table) -> Access:
    area, version = table.text("area"), table.text("api_version")
    if not _AREA.fullmatch(area):
        raise table.fault("area", f"{area!r} is no area", "write for example na1")
    if not _VERSION.fullmatch(version):
        raise table.fault("api_version", f"{version!r} is no version", "write for example v30.0")
    api = table.url("api_url", f"https://api-{area}.niceincontact.com").rstrip("/")
    return Access(
        token_url=table.url("token_url", f"https://{area}.nice-incontact.com/authentication/v1/token/access-key"),
        activity_url=f"{api}/incontactAPI/services/{version}/skills/activity",
        key_id=table.text("access_key_id"),
        key_secret=table.secret("access_key_secret"),
        timeout_seconds=table.seconds("timeout_seconds", 10, 0.1, 60),
    )


def _queues(table: Table) -> Mapping[str, str]:
    """Return our names by skillId."""
    queues = named_queues(table, "4711")
    for name, skill in queues.items():
        if not _SKILL.fullmatch(skill):
            raise table.fault(f"queues.{name}", f"{skill!r} is no skill's id", "write its digits, in quotes")
    return by_skill(table, queues)
