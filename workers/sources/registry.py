"""The contact centers holdfire can follow: one folder and one line each."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.errors import Invalid
from app.ports.pushes import PushReader
from workers.sources.amazon_connect import worker as amazon_connect
from workers.sources.asterisk_ami import worker as asterisk_ami
from workers.sources.csv_drop import worker as csv_drop
from workers.sources.five9 import worker as five9
from workers.sources.freeswitch_esl import worker as freeswitch_esl
from workers.sources.genesys_cloud import worker as genesys_cloud
from workers.sources.http_json import worker as http_json
from workers.sources.lot import Lot
from workers.sources.mqtt import worker as mqtt
from workers.sources.nice_cxone import worker as nice_cxone
from workers.sources.prometheus import worker as prometheus
from workers.sources.queue_log import worker as queue_log
from workers.sources.twilio_taskrouter import worker as twilio_taskrouter
from workers.sources.worker import Factory
from workers.sources.zendesk_talk import worker as zendesk_talk
from workers.systems.table import Table

SOURCES: Mapping[str, Callable[[Table, str], Factory]] = {
    "amazon-connect": amazon_connect.configured,
    "asterisk-ami": asterisk_ami.configured,
    "csv-drop": csv_drop.configured,
    "five9": five9.configured,
    "freeswitch-esl": freeswitch_esl.configured,
    "genesys-cloud": genesys_cloud.configured,
    "http-json": http_json.configured,
    "mqtt": mqtt.configured,
    "nice-cxone": nice_cxone.configured,
    "prometheus": prometheus.configured,
    "queue-log": queue_log.configured,
    "twilio-taskrouter": twilio_taskrouter.configured,
    "zendesk-talk": zendesk_talk.configured,
}

TAKEN = frozenset({"try"})  # addresses below /sources that are no source's

# Those whose mapping can be tried on a sample: what their system says, as bytes.
TRIALS: Mapping[str, Callable[[Table, str], Callable[[bytes, datetime], Lot]]] = {
    "csv-drop": csv_drop.trial,
    "http-json": http_json.trial,
    "mqtt": mqtt.trial,
    "prometheus": prometheus.trial,
}

# Those whose systems may push events in their own form; None: not as this table has it.
PUSHES: Mapping[str, Callable[[Table, str], PushReader | None]] = {
    "amazon-connect": amazon_connect.push_reader,
}


def configured(tables: Sequence[Mapping[str, Any]]) -> Mapping[str, Factory]:
    """Return a factory per [[sources]] table of holdfire.toml, by the source's name, in the order they stand there.

    Raises Invalid naming the table and key at fault.
    """
    factories: dict[str, Factory] = {}
    places: dict[str, str] = {}
    for index, values in enumerate(tables):
        place = f"sources[{index}]"
        name, factory = one(place, values)
        if name in places:
            raise Invalid(f"{place}.name: {name!r} is the name of {places[name]} too; each source needs its own")
        factories[name], places[name] = factory, place
    return factories


def one(place: str, values: Mapping[str, Any]) -> tuple[str, Factory]:
    """Return a source's name and factory from its table; place: how errors call the table. Raises Invalid."""
    table = Table(place, values)
    kind = table.choice("type", sorted(SOURCES))
    name = table.name("name", kind.replace("-", "_"))
    if name in TAKEN:
        raise table.fault("name", f"{name!r} would have no page: /sources/{name} is another one", "give another name")
    factory = SOURCES[kind](table, name)
    table.done()
    return name, factory
