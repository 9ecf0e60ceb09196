"""Permits and the sums they make, as one transaction sees and changes them.

The sums are kept in rows of their own, so that what a grant costs does not depend on how many permits there are or
were. Every change of a permit goes through `Ledger.put`, which moves the sums along: they are what the rows say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from app.core.event import Event
from app.core.permit.booking import counts_from, earliest, last_hour, minute_of
from app.core.permit.permit import LIVE, NOTHING_SPENT, Permit, Spent
from app.core.permit.steps import expire
from app.errors import NotFound
from app.ports.decisions import DecisionRow
from app.ports.permits import Grant, PermitAsk, PermitChange, Repeat
from app.store import ledger_sql as sql
from app.store.decisions import record_decisions
from app.store.events import append_events
from app.store.permit_tables import LIVE_ONLY, PERMIT_REPEATS, PERMITS

KEPT_FOR_REPEATS = timedelta(hours=24)


class _Owner(NamedTuple):
    """Whose sums: a gate's or a campaign's."""

    kind: str
    name: str


@dataclass(slots=True)
class _Account:
    """One owner's sums. frees_at: when the first of its live permits ends, or earlier where that was changed here."""

    outstanding: int
    sent: int
    given: int
    frees_at: datetime | None
    is_changed: bool = False


@dataclass(slots=True)
class _Minutes:
    """What was sent through one gate by minute, of those that count, and what was added here."""

    sent: dict[datetime, int]
    added: dict[datetime, int] = field(default_factory=dict)


class Ledger:
    """One transaction's picture as of `at`. Changes are gathered and written together by `write`; the caller commits.

    Whoever changes something looks first and puts last: what raises in between leaves nothing behind.
    """

    def __init__(self, connection: Connection, at: datetime) -> None:
        self._connection, self.at = connection, at
        self.changes: list[PermitChange] = []
        self._permits: dict[str, Permit] = {}
        self._new: dict[str, Permit] = {}
        self._changed: dict[str, Permit] = {}
        self._accounts: dict[_Owner, _Account] = {}
        self._minutes: dict[str, _Minutes] = {}
        self._given: int | None = None
        self._cleared: set[str] = set()
        self._decisions: list[DecisionRow] = []
        self._events: list[Event] = []
        self._repeats: dict[tuple[str, str], dict[str, Any]] = {}

    # --- looking ---

    def permit(self, permit_id: str) -> Permit:
        """Return one as it is now. Raises NotFound."""
        if (known := self._permits.get(permit_id)) is not None:
            return known
        found = self._permits_of(sql.PERMIT, {"id": permit_id})
        if not found:
            raise NotFound(f"there is no permit {permit_id!r}")
        return found[0]

    def live(self, gate: str | None = None, campaign: str | None = None) -> Sequence[Permit]:
        """Return the live permits of a gate, of a campaign, or of all."""
        columns = ((PERMITS.c.gate, gate), (PERMITS.c.campaign, campaign))
        wanted = [column == name for column, name in columns if name is not None]
        return self._permits_of(select(PERMITS).where(LIVE_ONLY, *wanted), {})

    def expire_due(self, gate: str | None = None) -> Sequence[Permit]:
        """Expire the live permits of a gate, or of all, whose time is over; return them."""
        now = {"now": self.at}
        due = (
            self._permits_of(sql.DUE, now) if gate is None else self._permits_of(sql.DUE_OF_GATE, now | {"gate": gate})
        )
        ended = [expire(permit, self.at) for permit in due]
        for permit, (after, events) in zip(due, ended, strict=True):
            self.put(permit, after, self.at, events)
        if ended:
            self.write()
            self._accounts.clear()  # when the next of their permits ends has to be read again
        return [after for after, _ in ended]

    def spent_of_gate(self, gate: str) -> Spent:
        """Return what a gate has given away; permits whose time is over are expired first."""
        if gate not in self._cleared:
            self.expire_due(gate)
            self._cleared.add(gate)
        account, booked = self._account(_Owner(sql.GATE, gate)), last_hour(self._minutes_of(gate).sent, self.at)
        frees_at = earliest(account.frees_at, booked.frees_at)
        return Spent(account.outstanding, booked.sent, frees_at, account.given, self._given_by_all() - account.given)

    def spent_of_campaign(self, campaign: str | None) -> Spent:
        """Return what a campaign has given away, and in place of the last hour all it ever sent."""
        if campaign is None:
            return NOTHING_SPENT
        account = self._account(_Owner(sql.CAMPAIGN, campaign))
        return Spent(account.outstanding, account.sent, account.frees_at)

    def repeat(self, ask: PermitAsk) -> Repeat | None:
        """Return the answer given before under an ask's idempotency key, None without one in the last 24 hours."""
        if ask.idempotency_key is None:
            return None
        key = (ask.key_id, ask.idempotency_key)
        if (kept := self._repeats.get(key)) is not None:
            return Repeat(kept["request_sha256"], kept["permit_id"], kept["body"], kept["created_at"])
        given = {"key_id": key[0], "idempotency_key": key[1], "since": ask.at - KEPT_FOR_REPEATS}
        row = self._connection.execute(sql.REPEAT, given).first()
        return None if row is None else Repeat(*row)

    # --- changing ---

    def grant(self, ask: PermitAsk, grant: Grant) -> None:
        """Take in a new permit with all that belongs to it."""
        self.put(None, grant.permit, ask.at, grant.events)
        self._decisions.append(grant.decision)
        if ask.idempotency_key is not None:
            self._repeats[ask.key_id, ask.idempotency_key] = {
                "key_id": ask.key_id,
                "idempotency_key": ask.idempotency_key,
                "request_sha256": ask.request_sha256,
                "permit_id": grant.permit.id,
                "body": grant.body,
                "created_at": ask.at,
            }

    def put(self, before: Permit | None, after: Permit, at: datetime, events: Sequence[Event]) -> None:
        """Replace a permit (before None: add one), and move the sums by as much as it moved."""
        if before == after:
            return
        outstanding = after.outstanding - (before.outstanding if before else 0)
        sent = after.sent - (before.sent if before else 0)
        given = after.given - (before.given if before else 0)
        if self._given is not None:
            self._given += given
        for owner in _owners(after):
            account = self._account(owner)
            account.outstanding += outstanding
            account.sent += sent
            account.given += given
            account.frees_at = earliest(account.frees_at, after.expires_at if after.state in LIVE else None)
            account.is_changed = True
        if sent:
            minutes, minute = self._minutes_of(after.gate), minute_of(at)
            minutes.sent[minute] = minutes.sent.get(minute, 0) + sent
            minutes.added[minute] = minutes.added.get(minute, 0) + sent
        staged = self._new if before is None or after.id in self._new else self._changed
        staged[after.id] = self._permits[after.id] = after
        self._events.extend(events)
        self.changes.append(PermitChange(before, after, at))

    def forget_repeats(self, permit_id: str) -> None:
        """Delete the answer kept for who asks for this permit again."""
        self.write()
        self._connection.execute(PERMIT_REPEATS.delete().where(PERMIT_REPEATS.c.permit_id == permit_id))
        self._repeats = {key: kept for key, kept in self._repeats.items() if kept["permit_id"] != permit_id}

    def write(self) -> None:
        """Write everything gathered so far."""
        if self._new:
            self._connection.execute(sql.ADD_PERMIT, [sql.values_of(permit) for permit in self._new.values()])
        if self._changed:
            self._connection.execute(sql.CHANGE_PERMIT, [sql.changes_of(permit) for permit in self._changed.values()])
        self._write_sums()
        if self._decisions:
            record_decisions(self._connection, self._decisions)
        append_events(self._connection, self._events)
        if self._repeats:
            self._connection.execute(sql.PUT_REPEATS, list(self._repeats.values()))
        for gathered in (self._new, self._changed, self._decisions, self._events, self._repeats):
            gathered.clear()

    def _write_sums(self) -> None:
        changed = [(owner, account) for owner, account in self._accounts.items() if account.is_changed]
        sums = [
            {**owner._asdict(), "outstanding": each.outstanding, "sent": each.sent, "given": each.given}
            for owner, each in changed
        ]
        if sums:
            self._connection.execute(sql.PUT_SUMS, sums)
        added = [
            {"gate": gate, "minute_at": minute, "sent": sent}
            for gate, each in self._minutes.items()
            for minute, sent in each.added.items()
        ]
        if added:
            self._connection.execute(sql.ADD_SENT, added)
        for _, account in changed:
            account.is_changed = False
        for each in self._minutes.values():
            each.added.clear()

    # --- what is read once ---

    def _permits_of(self, query: Select[Any], given: Mapping[str, object]) -> list[Permit]:
        if self._new or self._changed:
            self.write()
        found = [sql.permit_of(row) for row in self._connection.execute(query, given)]
        self._permits |= {permit.id: permit for permit in found}
        return found

    def _account(self, owner: _Owner) -> _Account:
        account = self._accounts.get(owner)
        if account is None:
            row = self._connection.execute(sql.SUMS, owner._asdict()).first()
            outstanding, sent, given = (row.outstanding, row.sent, row.given) if row else (0, 0, 0)
            first_end = sql.FIRST_END[owner.kind]
            ends = self._connection.execute(first_end, {"name": owner.name}).scalar() if outstanding else None
            account = self._accounts[owner] = _Account(outstanding, sent, given, ends)
        return account

    def _given_by_all(self) -> int:
        """Return what all gates ever gave away."""
        if self._given is None:
            self._write_sums()
            self._given = int(self._connection.execute(sql.GIVEN_BY_ALL).scalar_one())
        return self._given

    def _minutes_of(self, gate: str) -> _Minutes:
        minutes = self._minutes.get(gate)
        if minutes is None:
            rows = self._connection.execute(sql.MINUTES, {"gate": gate, "since": counts_from(self.at)}).all()
            minutes = self._minutes[gate] = _Minutes({row.minute_at: row.sent for row in rows})
        return minutes


def _owners(permit: Permit) -> Sequence[_Owner]:
    gate = _Owner(sql.GATE, permit.gate)
    return (gate,) if permit.campaign is None else (gate, _Owner(sql.CAMPAIGN, permit.campaign))
