"""Talks that began while nobody listened, and the contact events that all of this source tells. Pure.

A list shows an agent on a call that no event told of, and does not say whose call it is. So that it is counted while it
lasts, it is a contact of its own, without a wait: from that list to the agent's AgentComplete.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from app.core.floor.contact import ContactEvent, ContactEventKind
from workers.sources.asterisk_ami.agents import Talk
from workers.sources.naming import acceptable

MISSED_SECONDS = 2.0  # an event is never so long on its way

Seat: TypeAlias = tuple[str, str]  # (queue, interface)

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Telling:
    """Makes contact events of instants by Asterisk's clock, which is offset_seconds ahead of ours."""

    def __init__(self, source: str, channel: str | None) -> None:
        self.offset_seconds = 0.0
        self._source, self._channel = source, channel

    def event(
        self,
        contact_id: str,
        queue: str,
        kind: ContactEventKind,
        at: float,
        *,
        agent: str | None = None,
        reason: str | None = None,
    ) -> ContactEvent:
        """Return what happened to a contact at `at`, epoch seconds."""
        instant = _EPOCH + timedelta(seconds=at - self.offset_seconds)
        named = None if agent is None else acceptable(agent)
        return ContactEvent(contact_id, queue, kind, instant, self._source, self._channel, named, None, reason)


class UnheardTalks:
    """The talks that began unheard and are not over, by who has them."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._open: dict[Seat, str] = {}
        self._puzzling: dict[Seat, float] = {}  # agents on a call that nothing told of, since when

    def __contains__(self, seat: Seat) -> bool:
        return seat in self._open

    def end(self, seat: Seat, at: float) -> Iterator[ContactEvent]:
        """Yield the end of the talk an agent has, if it is one of these."""
        contact_id = self._open.pop(seat, None)
        if contact_id is not None:
            yield self._telling.event(contact_id, seat[0], ContactEventKind.COMPLETED, at)

    def listed(
        self, talks: Mapping[str, Mapping[str, Talk]], at: float, *, told: Collection[Seat], first: bool
    ) -> Iterator[ContactEvent]:
        """Yield what a list of all talks, by queue and interface, means: some begin, others are over.

        told: of whom it is known which caller they have. first: the session's first list; after it, an AgentConnect
        may still be on its way, so a talk begins with the second list that shows it.
        """
        for seat in [seat for seat in self._open if seat[1] not in talks.get(seat[0], ())]:
            yield from self.end(seat, at)
        before, self._puzzling = self._puzzling, {}
        for queue, seats in talks.items():
            for interface, talk in seats.items():
                seat = queue, interface
                since = before.get(seat, at)
                if seat in told or seat in self._open:
                    continue
                if first or at - since >= MISSED_SECONDS:
                    self._open[seat] = acceptable(f"talk/{queue}/{interface}/{talk.after or int(at) // _DAY}")
                    yield self._telling.event(self._open[seat], queue, ContactEventKind.ANSWERED, at, agent=talk.agent)
                else:
                    self._puzzling[seat] = since
