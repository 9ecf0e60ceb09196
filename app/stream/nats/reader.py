"""Reading the stream from any position on; what NATS keeps no more is read from history."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.core.floor.instants import micros
from app.ports.stream import StreamRecord
from app.stream.nats.codec import Unreadable, records_of
from app.stream.nats.follower import Follower
from app.stream.nats.history import History
from app.stream.nats.pull import Broken, Message, Pull
from app.stream.nats.search import Found, first_where, last_of
from app.stream.nats.session import Moved, Session, State, Unreachable

KEPT_PLACES = 4


@dataclass(slots=True)
class _Place:
    """How far somebody has read: what was fetched already, and the sequence it goes on with."""

    session: Session
    sequence: int
    records: list[StreamRecord] = field(default_factory=list)
    pull: Pull | None = None


class Reader:
    """Reads over the follower's connection. Who goes on where the last read ended does not search again."""

    def __init__(self, follower: Follower, history: History) -> None:
        self._follower, self._history = follower, history
        self._places: OrderedDict[int, _Place] = OrderedDict()

    async def read(self, after: int, limit: int) -> Sequence[StreamRecord]:
        """Return up to `limit` records above a position. Raises Unreachable."""
        session = self._session()
        state = await session.state()
        place = self._places.pop(after, None)
        if place is None or place.session is not session:
            found = await first_where(session, state.first, state.last, lambda front: front.head > after)
            if found is None:
                return []
            if found.message.sequence == state.first and (older := await self._older(after, found.front.base, limit)):
                return older
            place = _Place(session, found.message.sequence + 1, _above(after, found.message))
        await self._fetch(place, state, limit)
        records, place.records = place.records[:limit], place.records[limit:]
        await self._keep(place, state, records)
        return records

    async def position_before(self, at: datetime) -> int:
        """Return the highest position below everything received at or after `at`. Raises Unreachable."""
        session, wanted = self._session(), micros(at)
        state = await session.state()
        found = await first_where(session, state.first, state.last, lambda front: front.high >= wanted)
        if found is None:
            newest = await last_of(session, state.first, state.last)
            return newest.front.head if newest else self._follower.head
        first = await first_where(session, state.first, state.last, lambda _: True)
        if first is not None and first.front.base == found.front.base > 0:
            older = await self._history.position_before(at)
            if older < found.front.base:
                return older
        since = (record.position for record in records_of(found.message.data) if record.received_at >= at)
        return next(since, found.front.head + 1) - 1

    async def prune(self, before: datetime) -> int:
        """Delete messages of which all was received before that; return how many records they had."""
        session, wanted = self._session(), micros(before)
        state = await session.state()
        first = await first_where(session, state.first, state.last, lambda _: True)
        kept = await first_where(session, state.first, state.last, lambda front: front.high >= wanted)
        if first is None or (not first.front.number and first.message.sequence == state.last):
            return 0
        if kept is None:
            kept = await self._marked(session)
        if kept is None:
            return 0
        await session.purge(kept.message.sequence)
        return kept.front.base - first.front.base

    async def close(self) -> None:
        """Give up all places."""
        while self._places:
            await _leave(self._places.popitem()[1])

    def _session(self) -> Session:
        if self._follower.session is None:
            raise Unreachable("there is no connection to NATS, where the stream is")
        return self._follower.session

    async def _marked(self, session: Session) -> Found | None:
        """Return a new mark at the end, which remembers the positions when all is deleted; None when others write."""
        try:
            sequence = await self._follower.mark()
        except Moved:
            return None
        return await last_of(session, sequence, sequence)

    async def _older(self, after: int, base: int, limit: int) -> Sequence[StreamRecord]:
        if after >= base:
            return ()
        return [record for record in await self._history.read(after, limit) if record.position <= base]

    async def _fetch(self, place: _Place, state: State, limit: int) -> None:
        """Fetch until there is enough, or all that was there at the beginning."""
        while len(place.records) < limit and place.sequence <= state.last:
            if place.pull is None:
                place.pull = await place.session.pull(place.sequence)
            try:
                messages = await place.session.next_of(place.pull)
            except Broken as fault:
                raise Unreachable(f"the stream could not be read ({fault})") from fault
            if not messages:  # deleted meanwhile
                break
            for message in messages:
                place.records += _above(0, message)
            place.sequence = messages[-1].sequence + 1

    async def _keep(self, place: _Place, state: State, given: Sequence[StreamRecord]) -> None:
        """Remember the place for who reads on, among the last few; at the end there is nothing to remember."""
        if not given or (not place.records and place.sequence > state.last):
            await _leave(place)
            return
        self._places[given[-1].position] = place
        while len(self._places) > KEPT_PLACES:
            await _leave(self._places.popitem(last=False)[1])


def _above(after: int, message: Message) -> list[StreamRecord]:
    try:
        return [record for record in records_of(message.data) if record.position > after]
    except Unreadable:
        return []  # the follower has said so


async def _leave(place: _Place) -> None:
    if place.pull is not None:
        await place.pull.close()
