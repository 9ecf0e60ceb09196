"""The TallyStore port, on SQL.

What a contact was last counted as is kept beside the tallies. On news of it, that is taken back and what is known now
is counted: exactly once, however often and in whatever order its events come.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, update

from app.core.debrief.tagging import Place, TaggedContact, tagged_contacts
from app.core.floor.contact import ContactEvent
from app.ports.learning import Tally
from app.store.engine import Database
from app.store.learning_tables import CONTACT_TALLIES, TAGGED_CONTACTS, TALLY_CHECKPOINT
from app.store.upsert import Insert, insert
from app.stream.rows import contact_record
from app.stream.tables import CONTACT_EVENTS

_AT_ONCE = 500
_Key = tuple[str, str]  # contact_id and campaign


class SqlTallies:
    """The TallyStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self) -> int:
        query = select(TALLY_CHECKPOINT.c.position)
        return await self._database.read(lambda connection: connection.execute(query).scalar() or 0)

    async def has_tagged(self) -> bool:
        query = select(TAGGED_CONTACTS.c.contact_id).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).first() is not None)

    async def tagged_among(self, contact_ids: Collection[str]) -> set[str]:
        if not contact_ids:
            return set()
        known = await self._database.read(lambda connection: _counted(connection, contact_ids))
        return {contact_id for contact_id, _ in known}

    async def count(self, events: Sequence[ContactEvent], position: int, at: datetime) -> None:
        await self._database.write_leading(lambda connection: _count(connection, events, position, at))

    async def tallies(self, campaigns: Collection[str]) -> Sequence[Tally]:
        wanted = CONTACT_TALLIES.c.campaign.in_(list(campaigns))
        query = select(CONTACT_TALLIES).where(wanted).order_by(*CONTACT_TALLIES.primary_key.columns)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Tally(*row) for row in rows]

    async def forget_contacts(self, seen_before: datetime) -> int:
        old = delete(TAGGED_CONTACTS).where(TAGGED_CONTACTS.c.seen_at < seen_before)
        return await self._database.write(lambda connection: connection.execute(old).rowcount)


def _count(connection: Connection, events: Sequence[ContactEvent], position: int, at: datetime) -> None:
    told = _told(connection, events)
    before = _counted(connection, told)
    named: defaultdict[str, list[str]] = defaultdict(list)
    for contact_id, campaign in before:
        named[contact_id].append(campaign)
    now = {
        (contact_id, contact.campaign): contact.after(before.get((contact_id, contact.campaign)))
        for contact_id, each in told.items()
        for contact in tagged_contacts(each, named[contact_id])
    }
    if now:
        connection.execute(_PUT_CONTACTS, [_row(contact, at) for contact in now.values()])
        _move(connection, before, now)
    connection.execute(_PUT_POSITION, {"id": 1, "position": position})


def _told(connection: Connection, events: Sequence[ContactEvent]) -> Mapping[str, list[ContactEvent]]:
    """Return all that is known to have happened to the contacts of these events, by contact."""
    told: dict[tuple[str, str], ContactEvent] = {(event.contact_id, event.event): event for event in events}
    for some in _some({event.contact_id for event in events}):
        found = connection.execute(select(CONTACT_EVENTS).where(CONTACT_EVENTS.c.contact_id.in_(some)))
        for row in found:
            event = contact_record(tuple(row)).payload
            if isinstance(event, ContactEvent):  # what else could be in a table of them
                told[event.contact_id, event.event] = event
    by_contact: defaultdict[str, list[ContactEvent]] = defaultdict(list)
    for (contact_id, _), event in told.items():
        by_contact[contact_id].append(event)
    return by_contact


def _counted(connection: Connection, contact_ids: Collection[str]) -> Mapping[_Key, TaggedContact]:
    """Return as what the contacts were last counted."""
    found = {}
    for some in _some(contact_ids):
        rows = connection.execute(select(TAGGED_CONTACTS).where(TAGGED_CONTACTS.c.contact_id.in_(some)))
        for row in rows:
            contact = TaggedContact(row.contact_id, row.campaign, row.queue, row.channel, row.reason, row.bucket_at)
            found[row.contact_id, row.campaign] = contact
    return found


def _move(connection: Connection, before: Mapping[_Key, TaggedContact], now: Mapping[_Key, TaggedContact]) -> None:
    """Move the tallies from where the contacts were counted to where they belong now."""
    gains: Counter[Place] = Counter()
    for key, contact in now.items():
        was = before[key].place if key in before else None
        if was != contact.place:
            gains.update({contact.place: 1} if contact.place else {})
            gains.subtract({was: 1} if was else {})
    added = [place._asdict() | {"contacts": gain} for place, gain in gains.items() if gain > 0]
    taken = [_named(place) | {"taken": -gain} for place, gain in gains.items() if gain < 0]
    if added:
        connection.execute(_ADD, added)
    if taken:
        connection.execute(_TAKE, taken)
        connection.execute(_DROP, taken)


def _named(place: Place) -> dict[str, Any]:
    return {f"the_{name}": value for name, value in place._asdict().items()}


def _row(contact: TaggedContact, at: datetime) -> dict[str, Any]:
    return {
        "contact_id": contact.contact_id,
        "campaign": contact.campaign,
        "queue": contact.queue,
        "channel": contact.channel,
        "reason": contact.reason,
        "bucket_at": contact.place.bucket_at if contact.place else None,
        "seen_at": at,
    }


def _some(names: Collection[str]) -> Iterator[list[str]]:
    """Yield the names, some at a time: a statement takes only so many values."""
    left = iter(names)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _putting(table: Table) -> Insert:
    """Return the statement that adds rows; one with the same key gets the new values."""
    new, key = insert(table), [column.name for column in table.primary_key]
    values = {column.name: new.excluded[column.name] for column in table.columns if column.name not in key}
    return new.on_conflict_do_update(index_elements=key, set_=values)


_PUT_CONTACTS = _putting(TAGGED_CONTACTS)
_PUT_POSITION = _putting(TALLY_CHECKPOINT)
_PLACE = [CONTACT_TALLIES.c[name] == bindparam(f"the_{name}") for name in Place._fields]
_NEW = insert(CONTACT_TALLIES)
_ADD = _NEW.on_conflict_do_update(
    index_elements=Place._fields, set_={"contacts": CONTACT_TALLIES.c.contacts + _NEW.excluded.contacts}
)
_TAKE = update(CONTACT_TALLIES).where(*_PLACE).values(contacts=CONTACT_TALLIES.c.contacts - bindparam("taken"))
_DROP = delete(CONTACT_TALLIES).where(*_PLACE, CONTACT_TALLIES.c.contacts == 0)
