"""What campaigns caused: tallies of the contacts that name one, and the debriefs that are learned from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from app.core.debrief.tagging import Tally as Tally
from app.core.event import Event
from app.core.floor.contact import ContactEvent


class TallyStore(Protocol):
    """Contacts that name a campaign, each counted once, with how far in the stream they are counted."""

    async def position(self) -> int:
        """Return the position up to which the stream is counted; 0 on a fresh installation."""

    async def has_tagged(self) -> bool:
        """Return whether any contact that is still remembered names a campaign."""

    async def tagged_among(self, contact_ids: Collection[str]) -> set[str]:
        """Return those of the contacts that are remembered as naming a campaign."""

    async def count(self, events: Sequence[ContactEvent], position: int, at: datetime) -> None:
        """Count what these events, and earlier ones of the same contacts, say; note the position in one transaction.

        The same again, in any order and at any time, changes nothing. at: the present instant.
        """

    async def tallies(self, campaigns: Collection[str]) -> Sequence[Tally]:
        """Return all tallies of these campaigns, sorted by their members."""

    async def forget_contacts(self, seen_before: datetime) -> int:
        """Forget which contacts were counted that nothing was heard of since; return how many. The tallies stay."""


class Lift(NamedTuple):
    """The contacts that a campaign brought to a queue, per five minutes from start on."""

    campaign: str
    queue: str
    start: datetime
    contacts: Sequence[float]


@dataclass(frozen=True, slots=True)
class KeptDebrief:
    """A campaign's final debrief, JSON-ready. inputs: all that it was made from, compressed; they make it again.

    lesson: what it teaches about its kind; None where nothing can be learned from it.
    """

    campaign: str
    made_at: datetime
    document: Mapping[str, object]
    inputs: bytes
    lesson: Mapping[str, object] | None = None
    lifts: Sequence[Lift] = ()


class DebriefStore(Protocol):
    """Final debriefs, one per campaign."""

    async def save_debrief(self, kept: KeptDebrief, event: Event) -> bool:
        """Keep one with its event. Returns False, and changes nothing, when the campaign has one already."""

    async def debrief(self, campaign_id: str) -> KeptDebrief | None:
        """Return a campaign's final debrief, None while there is none."""

    async def debriefed(self) -> set[str]:
        """Return the ids of all campaigns that have their final debrief."""

    async def lessons(self) -> Sequence[Mapping[str, object]]:
        """Return what all debriefs teach, in the order in which they were made."""

    async def lifts(self, since: datetime) -> Sequence[Lift]:
        """Return the lifts of the debriefs made since then."""
