"""The email tools holdfire can drive: one folder and one line each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Invalid
from app.ports.senders import Sender
from workers.senders.dittofeed import client as dittofeed
from workers.senders.http_template import client as http_template
from workers.senders.keila import client as keila
from workers.senders.listmonk import client as listmonk
from workers.senders.mailman import client as mailman
from workers.systems.table import Table

SENDERS: Mapping[str, Callable[[Table], Callable[[], Sender]]] = {
    "dittofeed": dittofeed.configured,
    "http": http_template.configured,
    "keila": keila.configured,
    "listmonk": listmonk.configured,
    "mailman": mailman.configured,
}
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Configured:
    """One [[senders]] table. make returns the tool's sender, without speaking to it yet."""

    name: str
    kind: str
    look_seconds: float
    make: Callable[[], Sender]


def configured(tables: Sequence[Mapping[str, Any]]) -> Mapping[str, Configured]:
    """Return the senders of these [[senders]] tables by name. Raises Invalid naming the table and key at fault."""
    found: dict[str, Configured] = {}
    for index, values in enumerate(tables):
        place = f"senders[{index}]"
        one = _one(Table(place, values))
        if one.name in found:
            raise Invalid(f"{place}.name: {one.name!r} is the name of another sender; each needs its own")
        found[one.name] = one
    return found


def _one(table: Table) -> Configured:
    kind = table.choice("type", sorted(SENDERS))
    name = table.name("name", kind)
    look_seconds = table.seconds("look_seconds", LOOK_SECONDS, 0.05, 10)
    make = SENDERS[kind](table)
    table.done()
    return Configured(name, kind, look_seconds, make)
