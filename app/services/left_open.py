"""The contacts that a source began and did not end, for one that must know after a start what it said before."""

from collections.abc import Sequence
from datetime import datetime

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.ports.stream import Stream

_BEGUN = frozenset({ContactEventKind.QUEUED, ContactEventKind.ANSWERED})


async def left_open(stream: Stream, source: str, since: datetime) -> Sequence[ContactEvent]:
    """Return the last event of each contact of `source` that was written down since then and is not over."""
    begun: dict[str, ContactEvent] = {}
    over: set[str] = set()
    position = await stream.position_before(since)
    while records := await stream.read(position):
        position = records[-1].position
        for event in (record.payload for record in records):
            if not isinstance(event, ContactEvent) or event.source != source:
                continue
            if event.event not in _BEGUN:
                over.add(event.contact_id)
            elif event.contact_id not in begun or event.event == ContactEventKind.ANSWERED:
                begun[event.contact_id] = event
    return [event for contact_id, event in begun.items() if contact_id not in over]
