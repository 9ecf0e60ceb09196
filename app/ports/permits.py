"""Where permits are kept, and headroom is given away in one serialised transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol

from app.core.event import Event
from app.core.gate.answer import Answered
from app.core.permit.permit import Permit, PermitState, Spent
from app.ports.decisions import DecisionRow


@dataclass(frozen=True, slots=True)
class Grant:
    """What a granted ask writes down, all or nothing: permit, decision, events, and the answer kept for repeats.

    body: the finished JSON answer, given again word for word to who sends the same key and the same request.
    """

    permit: Permit
    decision: DecisionRow
    events: Sequence[Event]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Repeat:
    """An answer given before under this idempotency key; request_sha256 tells whether the request is the same."""

    request_sha256: bytes
    permit_id: str
    body: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PermitAsk:
    """What the grant transaction needs to know. settle runs inside it, with what is spent at that instant.

    settle(of the gate, of the campaign) returns the grant to write, or the answer that refuses; it must be quick and
    pure, for it may run again when a transaction is repeated. idempotency_key None: nothing is kept for repeats.
    """

    gate: str
    campaign: str | None
    key_id: str
    at: datetime
    settle: Callable[[Spent, Spent], Grant | Answered]
    idempotency_key: str | None = None
    request_sha256: bytes = b""


class PermitChange(NamedTuple):
    """One permit before (None: it is new) and after a committed change, and the instant it was made at."""

    before: Permit | None
    after: Permit
    at: datetime


class SentMinute(NamedTuple):
    """What was reported as sent through a gate in the minute that began at minute_at."""

    gate: str
    minute_at: datetime
    sent: int


class Sending(NamedTuple):
    """What went out through a gate under the permits granted in one minute, for one campaign (None: for none).

    messages were reported as sent; outstanding may still go under live permits; lapsed was never accounted for by
    permits that expired, and may well have been sent. until: when the last of messages and lapsed can have gone, by the
    last report and by the end of the permits; None: in minute_at.
    """

    gate: str
    campaign: str | None
    minute_at: datetime
    messages: int
    outstanding: int
    lapsed: int = 0
    until: datetime | None = None


class Granted(NamedTuple):
    """What was given in one step of time to one campaign (None: to none): the first instant, how many permits, the sum.

    wave: of the only permit, or the highest of several; None where none was of a wave.
    """

    at: datetime
    campaign: str | None
    permits: int
    allowed: int
    wave: int | None


class Held(NamedTuple):
    """All that present sums are made of: every live permit, and what still counts as sent in the last hour.

    given: by gate, all that it ever gave away, whatever came back.
    """

    live: Sequence[Permit]
    sent: Sequence[SentMinute]
    given: Mapping[str, int] = MappingProxyType({})


class PermitStore(Protocol):
    """Permits and the sums they make. All changes are serialised; each is durable whole, or NotDurable is raised."""

    def subscribe(self, listener: Callable[[Sequence[PermitChange]], None]) -> None:
        """Call `listener` on the event loop after every commit, in the order of commits.

        It is called before whoever asked for the change hears of it, and also when they went away meanwhile.
        """

    async def held(self, at: datetime) -> Held:
        """Return what `spent` sums up, one by one; permits whose time is over are among the live ones until ended."""

    async def recount(
        self, at: datetime, campaigns: Collection[str], then: Callable[[Held, Mapping[str, Spent]], None]
    ) -> None:
        """Call `then` on the event loop with what `held` and `spent_by_campaign` return, between two commits.

        Listeners have heard of all that is in it, and of nothing that is not.
        """

    async def grant(self, ask: PermitAsk) -> Grant | Answered | Repeat:
        """Return what settle decided, durable; or the earlier answer under the same idempotency key, unchanged.

        First the gate's live permits whose time is over expire, in the same transaction, with their events. What
        settle raises is raised here and concerns no other ask.
        """

    async def permit(self, permit_id: str) -> Permit:
        """Return one. Raises NotFound."""

    async def permits(
        self,
        *,
        gate: str | None = None,
        campaign: str | None = None,
        states: Sequence[PermitState] = (),
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Permit]:
        """Return permits newest first by (granted_at, id); states (): in any."""

    async def change(
        self,
        permit_id: str,
        at: datetime,
        step: Callable[[Permit], tuple[Permit, Sequence[Event]]],
        *,
        forget: bool = False,
    ) -> Permit:
        """Replace a permit by what step makes of it, with events and sums, in one transaction. Raises NotFound.

        forget: also delete the answer kept for repeats of its ask, so that the same key is asked anew. What step
        raises is raised here; nothing is changed then.
        """

    async def change_live(
        self,
        gate: str | None,
        campaign: str | None,
        at: datetime,
        step: Callable[[Permit], tuple[Permit, Sequence[Event]] | None],
    ) -> Sequence[Permit]:
        """Do the same to every live permit of a gate or campaign (None: any); step returns None to leave one alone.

        Returns those that were changed.
        """

    async def expire_due(self, at: datetime) -> Sequence[Permit]:
        """Expire every live permit whose time is over at `at`, with its event, and return them."""

    async def spent(self, at: datetime) -> Mapping[str, Spent]:
        """Return what each gate has given away as of `at`; gates with nothing are left out.

        A live permit counts until it is ended, also when its time is over: what the rows say, the sums say.
        """

    async def spent_by_campaign(self, campaigns: Sequence[str], at: datetime) -> Mapping[str, Spent]:
        """Return the same by campaign. sent_last_hour of a campaign is all it ever sent."""

    async def prune_repeats(self, before: datetime) -> int:
        """Delete answers kept for repeats that were created before that; return how many.

        Minutes of sending that count no longer at that instant go, too.
        """

    async def sendings(self, since: datetime, *, campaign: str | None = None) -> Sequence[Sending]:
        """Return what was sent, summed up by gate, campaign and the minute of the grant, in the order of minutes.

        Of permits granted at `since` or later, and of all live ones however old: they may still send. campaign None:
        of all campaigns, and of permits without one. Permits under which nothing was or can be sent are left out.
        """

    async def grants(self, gate: str, start: datetime, until: datetime, step_seconds: int) -> Sequence[Granted]:
        """Return what a gate gave in [start, until), summed up by campaign and step, in order of time."""
