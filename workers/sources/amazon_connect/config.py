"""What a [[sources]] table says of an instance of Amazon Connect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import SecretStr

from app.core.floor.fields import name_fault
from workers.systems.table import Table

MOST_QUEUES = 1_000
CHANNELS = ("VOICE", "CHAT", "TASK")

_ARN = re.compile(r"arn:aws[a-z-]{0,20}:connect:([a-z]{2}[a-z0-9-]{4,30}):(\d{12}):instance/([A-Za-z0-9-]{1,100})")
_QUEUE = re.compile(r"[A-Za-z0-9-]{1,256}")


class Instance(NamedTuple):
    """An instance: its ARN and the parts of it."""

    arn: str
    region: str
    account: str
    id: str


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """How to be let in; where no key is given, as boto3 finds credentials by itself. May hold secrets: never printed.

    endpoint: another address than Amazon's own, "" for that.
    """

    instance: Instance
    profile: str | None
    access_key_id: SecretStr | None
    secret_access_key: SecretStr | None
    session_token: SecretStr | None
    endpoint: str
    timeout_seconds: float
    requests_per_second: float


def access_of(table: Table, default_rate: float) -> Access:
    """Return what a table says of reaching an instance. Raises Invalid."""
    key, secret = table.optional_secret("access_key_id"), table.optional_secret("secret_access_key")
    if (key is None) != (secret is None):
        raise table.fault("access_key_id", "and secret_access_key go together", "give both, or none")
    return Access(
        instance=_instance(table),
        profile=table.optional_text("profile"),
        access_key_id=key,
        secret_access_key=secret,
        session_token=table.optional_secret("session_token"),
        endpoint=table.url("endpoint_url") if "endpoint_url" in table.keys else "",
        timeout_seconds=table.seconds("timeout_seconds", 10, 0.1, 60),
        requests_per_second=table.number("requests_per_second", default_rate, 0.1, 1000),
    )


def queues_of(table: Table, key: str, instance_arn: str) -> Mapping[str, str]:
    """Return our names of queues by Amazon's ids, from a table {our name: id or ARN}; {} where it is absent."""
    queues: dict[str, str] = {}
    for name, given in table.mapping(key).items():
        place = f"{key}.{name}"
        if fault := name_fault(name):
            raise table.fault(place, fault, "")
        queue = given.removeprefix(f"{instance_arn}/queue/")
        if not _QUEUE.fullmatch(queue):
            raise table.fault(place, f"{given!r} is no queue of this instance", "give its id, or its ARN")
        if queue in queues:
            raise table.fault(place, f"is the queue of {queues[queue]!r} too", "give each queue one name")
        queues[queue] = name
    if len(queues) > MOST_QUEUES:
        raise table.fault(key, f"has {len(queues):,} queues", f"give at most {MOST_QUEUES:,}")
    return queues


def channels_of(table: Table) -> tuple[str, ...]:
    """Return the channels that count. Raises Invalid."""
    channels = tuple(dict.fromkeys(each.upper() for each in table.texts("channels", CHANNELS)))
    if unknown := [each for each in channels if each not in CHANNELS]:
        raise table.fault("channels", f"{unknown[0]!r} is not known", f"known are {', '.join(CHANNELS)}")
    return channels


def _instance(table: Table) -> Instance:
    arn = table.text("instance_arn")
    match = _ARN.fullmatch(arn)
    if match is None:
        raise table.fault(
            "instance_arn",
            f"{arn!r} is no ARN of an instance",
            "copy it from the console: arn:aws:connect:…:instance/…",
        )
    return Instance(arn, *match.groups())
