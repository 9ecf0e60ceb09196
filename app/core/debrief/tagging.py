"""Which campaign a contact names, and where it is counted: by queue, channel, reason tag and five minutes.

A contact counts once for each campaign that any of its events names, in the five minutes in which it queued. What is
said last counts: an agent who wraps up knows the reason better than the menu the customer came through.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.core.floor.contact import ContactEvent, ContactEventKind

BUCKET = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = {kind: place for place, kind in enumerate(ContactEventKind)}


class Place(NamedTuple):
    """Where a contact is counted. channel and reason are "" where nobody said; bucket_at begins five minutes."""

    campaign: str
    queue: str
    channel: str
    reason: str
    bucket_at: datetime


class Tally(NamedTuple):
    """So many contacts that name a campaign queued in the five minutes from bucket_at on.

    channel and reason are "" where nobody said.
    """

    campaign: str
    queue: str
    channel: str
    reason: str
    bucket_at: datetime
    contacts: int


@dataclass(frozen=True, slots=True)
class TaggedContact:
    """What is known of one contact that names a campaign. queued_at None: when it queued is not known yet."""

    contact_id: str
    campaign: str
    queue: str
    channel: str = ""
    reason: str = ""
    queued_at: datetime | None = None

    @property
    def place(self) -> Place | None:
        """Where it is counted; None while it is not, because it has not queued as far as is known."""
        if self.queued_at is None:
            return None
        bucket_at = self.queued_at - (self.queued_at - _EPOCH) % BUCKET
        return Place(self.campaign, self.queue, self.channel, self.reason, bucket_at)

    def after(self, before: "TaggedContact | None") -> "TaggedContact":
        """Return it with what was known `before` and is not any more: old events are forgotten, tallies are not."""
        if before is None:
            return self
        return replace(
            self,
            queue=before.queue if before.queued_at else self.queue,
            channel=self.channel or before.channel,
            reason=self.reason or before.reason,
            queued_at=before.queued_at or self.queued_at,
        )


def tagged_contacts(events: Iterable[ContactEvent], named_before: Iterable[str] = ()) -> Sequence[TaggedContact]:
    """Return one entry for each campaign that the events of ONE contact name, in any order; () when they name none.

    named_before: campaigns that it is known to have named, in events that are forgotten.
    """
    ordered = sorted(events, key=lambda event: (event.at, _PLACE[event.event]))
    campaigns = {event.campaign for event in ordered if event.campaign is not None} | set(named_before)
    return tuple(_tagged(campaign, ordered) for campaign in sorted(campaigns))


def _tagged(campaign: str, ordered: Sequence[ContactEvent]) -> TaggedContact:
    """Return what is said of a contact for one campaign; what belongs to another one says nothing of this one."""
    own = [event for event in ordered if event.campaign in (campaign, None)]
    queued = next((event for event in ordered if event.event is ContactEventKind.QUEUED), None)
    return TaggedContact(
        contact_id=ordered[0].contact_id,
        campaign=campaign,
        queue=(queued or ordered[0]).queue,
        channel=next((event.channel for event in reversed(ordered) if event.channel), ""),
        reason=next((event.reason for event in reversed(own) if event.reason), ""),
        queued_at=queued.at if queued else None,
    )
