"""What an MQTT message says, by a [sources.mapping] table. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.services.trials import Rejected
from workers.sources.lot import Lot
from workers.sources.mapping.rowmap import BadField, RowMap, queue_name
from workers.systems.web import LARGEST_BYTES, json_of

NOTHING = Lot(())


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a message. queue_level: the level of the topic (1, 2, ...) that names the queue; None: none does."""

    row_map: RowMap
    queue_level: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """One message as it came. retained: the broker kept it since some earlier time, which it does not tell."""

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False


def translate(message: Message, layout: Layout) -> Lot:
    """Return what a message says; an empty one, which clears a topic, says nothing. Raises TranslateError.

    A retained message whose mapping names no instant is rejected: it may be of any age.
    """
    if not message.payload:
        return NOTHING
    if len(message.payload) > LARGEST_BYTES:
        return Lot((), [Rejected(1, "", f"a message of more than {LARGEST_BYTES:,} bytes")])
    if message.retained and layout.row_map.at is None:
        return Lot((), [Rejected(1, "observed_at", "a retained message that does not say since when it is true")])
    row_map = layout.row_map
    if layout.queue_level is not None:
        levels = message.topic.split("/")
        if len(levels) < layout.queue_level or not (name := levels[layout.queue_level - 1].strip()):
            return Lot((), [Rejected(1, "queue", f"the topic has no level {layout.queue_level}")])
        try:
            row_map = replace(row_map, queue=queue_name(name))
        except BadField as fault:
            return Lot((), [Rejected(1, fault.field, str(fault))])
    return row_map.read(json_of(message.payload, "a message"), message.received_at)
