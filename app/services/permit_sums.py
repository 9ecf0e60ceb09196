"""What gates and campaigns have given away, from memory: the store's commits, added up as they come."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nlargest

from app.core.permit.booking import LastHour, counts_from, earliest, last_hour, minute_of
from app.core.permit.permit import LIVE, Permit, PermitState, Spent
from app.ports.permits import Held, PermitChange

KEPT = timedelta(hours=25)  # longer than an hour: a clock may be set back
Sender = tuple[str, str | None]  # a gate and a campaign: whose permits are told to stop together


@dataclass(slots=True)
class _Gate:
    """One gate's live permits in the order they end, what they may still send, all it ever gave, and what was sent."""

    outstanding: int = 0
    ends: list[tuple[datetime, str]] = field(default_factory=list)
    given: int = 0
    sent: dict[datetime, int] = field(default_factory=dict)
    minutes: list[datetime] = field(default_factory=list)  # those of sent, which is by minute, in order

    def book(self, minute: datetime, sent: int) -> None:
        """Add to what was sent in a minute; what is older than anybody asks for goes."""
        if minute not in self.sent:
            insort(self.minutes, minute)
        self.sent[minute] = self.sent.get(minute, 0) + sent
        for past in self.minutes[: bisect_right(self.minutes, minute - KEPT)]:
            del self.sent[past]
        del self.minutes[: len(self.minutes) - len(self.sent)]

    def last_hour(self, now: datetime) -> LastHour:
        """Return what counts as sent in the last hour."""
        counted = self.minutes[bisect_right(self.minutes, counts_from(now)) :]
        return last_hour({minute: self.sent[minute] for minute in counted}, now)


_NOBODY = _Gate()


class PermitSums:
    """Every live permit, and the sums: what the store would say. held: what to begin with.

    A live permit counts until it is ended, also when its time is over: that is at most until the next ask or sweep.
    """

    def __init__(self, held: Held) -> None:
        self._live: dict[str, Permit] = {}
        self._gates: defaultdict[str, _Gate] = defaultdict(_Gate)
        self._campaigns: defaultdict[str, dict[str, Permit]] = defaultdict(dict)
        self._sent: dict[str, int] = {}
        self._active: dict[Sender, int] = {}
        for permit in held.live:
            self._add(permit)
        for gate, minute_at, sent in held.sent:
            self._gates[gate].book(minute_at, sent)
        for gate, given in held.given.items():
            self._gates[gate].given = given
        self._given = sum(held.given.values())

    def watch(self, campaigns: Mapping[str, Spent]) -> None:
        """Keep all that these campaigns ever sent from now on, beginning with what the store says."""
        self._sent |= {campaign: spent.sent_last_hour for campaign, spent in campaigns.items()}

    def take_in(self, changes: Sequence[PermitChange]) -> None:
        """Follow committed changes, in their order."""
        for before, after, at in changes:
            if after.id in self._live:
                self._remove(self._live[after.id])
            if after.state in LIVE:
                self._add(after)
            given = after.given - (before.given if before else 0)
            self._gates[after.gate].given += given
            self._given += given
            if sent := after.sent - (before.sent if before else 0):
                self._book(after, at, sent)

    def of_gate(self, gate: str, now: datetime) -> Spent:
        """Return what a gate has given away."""
        known = self._gates.get(gate)
        if known is None:
            return Spent(given_elsewhere=self._given)
        booked, ends = known.last_hour(now), known.ends[0][0] if known.ends else None
        return Spent(
            known.outstanding, booked.sent, earliest(ends, booked.frees_at), known.given, self._given - known.given
        )

    def of_campaign(self, campaign: str) -> Spent:
        """Return what a campaign has given away; in place of the last hour all it ever sent, 0 unless it is watched."""
        live = self._campaigns.get(campaign, {}).values()
        ends = min((permit.expires_at for permit in live), default=None)
        return Spent(sum(permit.outstanding for permit in live), self._sent.get(campaign, 0), ends)

    def watches(self, campaign: str) -> bool:
        """Tell whether all that a campaign ever sent is known."""
        return campaign in self._sent

    def watched(self) -> Collection[str]:
        """Return the campaigns of which all that they ever sent is known."""
        return self._sent.keys()

    def live_of(self, campaign: str) -> Sequence[Permit]:
        """Return a campaign's live permits."""
        return list(self._campaigns.get(campaign, {}).values())

    def live_at(self, gate: str, limit: int) -> Sequence[Permit]:
        """Return a gate's live permits, the newest first, at most `limit`."""
        live = [self._live[permit_id] for _, permit_id in self._gates.get(gate, _NOBODY).ends]
        return nlargest(limit, live, key=lambda permit: (permit.granted_at, permit.id))

    def active(self) -> Collection[Sender]:
        """Return every gate and campaign that has an active permit."""
        return list(self._active)

    def is_due(self, now: datetime, gate: str | None = None) -> bool:
        """Tell whether some permit's time is over, of a gate or of any, that was not ended yet."""
        gates = self._gates.values() if gate is None else [self._gates.get(gate, _NOBODY)]
        return any(known.ends and known.ends[0][0] <= now for known in gates)

    def _add(self, permit: Permit) -> None:
        self._live[permit.id] = permit
        gate = self._gates[permit.gate]
        gate.outstanding += permit.outstanding
        insort(gate.ends, (permit.expires_at, permit.id))
        if permit.campaign is not None:
            self._campaigns[permit.campaign][permit.id] = permit
        if permit.state is PermitState.ACTIVE:
            sender = permit.gate, permit.campaign
            self._active[sender] = self._active.get(sender, 0) + 1

    def _remove(self, permit: Permit) -> None:
        del self._live[permit.id]
        gate = self._gates[permit.gate]
        gate.outstanding -= permit.outstanding
        del gate.ends[bisect_right(gate.ends, (permit.expires_at, permit.id)) - 1]
        if permit.campaign is not None:
            del self._campaigns[permit.campaign][permit.id]
            if not self._campaigns[permit.campaign]:
                del self._campaigns[permit.campaign]
        if permit.state is PermitState.ACTIVE:
            sender = permit.gate, permit.campaign
            self._active[sender] -= 1
            if not self._active[sender]:
                del self._active[sender]

    def _book(self, permit: Permit, at: datetime, sent: int) -> None:
        self._gates[permit.gate].book(minute_of(at), sent)
        if permit.campaign in self._sent:
            self._sent[permit.campaign] += sent
