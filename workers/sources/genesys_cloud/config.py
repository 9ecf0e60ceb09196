"""What a [[sources]] table says of an organisation in Genesys Cloud."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import SecretStr

from app.core.floor.fields import name_fault
from workers.systems.table import Table

TOPICS_PER_CHANNEL = 1_000
MOST_CHANNELS = 20
MEDIA = ("voice", "callback", "chat", "message", "email")

_REGION = re.compile(r"(?:[a-z0-9-]{1,40}\.){1,4}[a-z]{2,20}")
_QUEUE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """Where an organisation is and how to be let in. Holds a secret: never printed."""

    login_url: str
    api_url: str
    stream_host: str
    client_id: str
    client_secret: SecretStr
    timeout_seconds: float


class Wanted(NamedTuple):
    """What is asked for. queues: our names by Genesys's ids; least_contacts: fewer make no average."""

    queues: Mapping[str, str]
    media: frozenset[str]
    interval_seconds: float
    resync_seconds: float
    least_contacts: int


def access_of(table: Table) -> Access:
    """Return what a table says of reaching an organisation. Raises Invalid."""
    region = table.text("region")
    if not _REGION.fullmatch(region):
        raise table.fault("region", f"{region!r} is no region's domain", "write for example mypurecloud.de")
    api = table.url("api_url", f"https://api.{region}")
    return Access(
        login_url=table.url("login_url", f"https://login.{region}").rstrip("/"),
        api_url=api.rstrip("/"),
        stream_host="" if "api_url" in table.keys else region,
        client_id=table.text("client_id"),
        client_secret=table.secret("client_secret"),
        timeout_seconds=table.seconds("timeout_seconds", 10, 0.1, 60),
    )


def wanted_of(table: Table) -> Wanted:
    """Return what a table says is wanted. Raises Invalid."""
    media = table.texts("media", MEDIA)
    if unknown := [each for each in media if each not in MEDIA]:
        raise table.fault("media", f"{unknown[0]!r} is not known", f"known are {', '.join(MEDIA)}")
    return Wanted(
        queues=_queues(table),
        media=frozenset(media),
        interval_seconds=table.seconds("interval_seconds", 5, 0.05, 3600),
        resync_seconds=table.seconds("resync_seconds", 60, 0.05, 3600),
        least_contacts=table.whole("least_contacts", 10, 1, 1000),
    )


def _queues(table: Table) -> Mapping[str, str]:
    queues: dict[str, str] = {}
    for name, given in table.mapping("queues").items():
        place, queue = f"queues.{name}", given.lower()
        if fault := name_fault(name):
            raise table.fault(place, fault, "")
        if not _QUEUE.fullmatch(queue):
            raise table.fault(place, f"{given!r} is no queue's id", "give the UUID in the address of the queue's page")
        if queue in queues:
            raise table.fault(place, f"is the queue of {queues[queue]!r} too", "give each queue one name")
        queues[queue] = name
    if not queues:
        raise table.fault("queues", "names no queue", 'write for example { orders-voice = "the queue\'s id" }')
    if len(queues) > TOPICS_PER_CHANNEL * MOST_CHANNELS:
        raise table.fault("queues", f"has {len(queues):,} queues", f"at most {TOPICS_PER_CHANNEL * MOST_CHANNELS:,}")
    return queues
