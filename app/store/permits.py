"""The PermitStore port, on SQL."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    type_coerce,
    union_all,
)

from app.core.event import Event
from app.core.floor.instants import MINUTE, SECOND, instant, micros
from app.core.gate.answer import Answered
from app.core.permit.booking import counts_from, earliest, last_hour
from app.core.permit.permit import Permit, PermitState, Spent
from app.errors import Invalid, NotFound
from app.ports.permits import Grant, Granted, Held, PermitAsk, PermitChange, Repeat, Sending, SentMinute
from app.store.engine import Database
from app.store.ledger import Ledger
from app.store.ledger_line import LedgerLine
from app.store.ledger_sql import CAMPAIGN, GATE, GIVEN_BY_ALL, permit_of
from app.store.permit_tables import LIVE_ONLY, PERMIT_LEDGER, PERMIT_REPEATS, PERMIT_SENT, PERMITS

PAGE_LIMIT = 1_000
# The + keeps SQLite from reading every permit there was: those that are live have an index of their own.
_UNSORTED_GRANTED_AT = literal_column("+permits.granted_at", PERMITS.c.granted_at.type)


class SqlPermits:
    """The PermitStore port. Changes wait in line for the writer thread; reads look at what is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line = LedgerLine(database)

    def subscribe(self, listener: Callable[[Sequence[PermitChange]], None]) -> None:
        self._line.subscribe(listener)

    # --- changes ---

    async def grant(self, ask: PermitAsk) -> Grant | Answered | Repeat:
        def work(ledger: Ledger) -> Grant | Answered | Repeat:
            if (repeat := ledger.repeat(ask)) is not None:
                return repeat
            spent = ledger.spent_of_gate(ask.gate), ledger.spent_of_campaign(ask.campaign)
            outcome = ask.settle(*spent)
            if isinstance(outcome, Grant):
                ledger.grant(ask, outcome)
            return outcome

        return await self._line.settle(work, ask.at)

    async def change(
        self,
        permit_id: str,
        at: datetime,
        step: Callable[[Permit], tuple[Permit, Sequence[Event]]],
        *,
        forget: bool = False,
    ) -> Permit:
        def work(ledger: Ledger) -> Permit:
            before = ledger.permit(permit_id)
            after, events = step(before)
            ledger.put(before, after, at, events)
            if forget:
                ledger.forget_repeats(permit_id)
            return after

        return await self._line.settle(work, at)

    async def change_live(
        self,
        gate: str | None,
        campaign: str | None,
        at: datetime,
        step: Callable[[Permit], tuple[Permit, Sequence[Event]] | None],
    ) -> Sequence[Permit]:
        def work(ledger: Ledger) -> Sequence[Permit]:
            taken = [(permit, changed) for permit in ledger.live(gate, campaign) if (changed := step(permit))]
            for before, (after, events) in taken:
                ledger.put(before, after, at, events)
            return [after for _, (after, _) in taken]

        return await self._line.settle(work, at)

    async def expire_due(self, at: datetime) -> Sequence[Permit]:
        return await self._line.settle(lambda ledger: ledger.expire_due(), at)

    async def prune_repeats(self, before: datetime) -> int:
        def work(connection: Connection) -> int:
            connection.execute(delete(PERMIT_SENT).where(PERMIT_SENT.c.minute_at <= counts_from(before)))
            return connection.execute(delete(PERMIT_REPEATS).where(PERMIT_REPEATS.c.created_at < before)).rowcount

        return await self._database.write(work)

    # --- reads ---

    async def permit(self, permit_id: str) -> Permit:
        query = select(PERMITS).where(PERMITS.c.id == permit_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFound(f"there is no permit {permit_id!r}")
        return permit_of(row)

    async def permits(
        self,
        *,
        gate: str | None = None,
        campaign: str | None = None,
        states: Sequence[PermitState] = (),
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Permit]:
        """Return a page. Raises Invalid for a limit outside 1..1,000."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid(f"limit={limit} must be between 1 and {PAGE_LIMIT:,}")
        column = PERMITS.c
        wanted: list[ColumnElement[bool]] = [
            each == name for each, name in ((column.gate, gate), (column.campaign, campaign)) if name is not None
        ]
        if states:
            wanted.append(column.state.in_([state.value for state in states]))
        if before is not None:
            wanted.append(tuple_(column.granted_at, column.id) < before)
        query = select(PERMITS).where(*wanted).order_by(column.granted_at.desc(), column.id.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [permit_of(row) for row in rows]

    async def held(self, at: datetime) -> Held:
        return await self._database.read(lambda connection: _held(connection, at))

    async def recount(
        self, at: datetime, campaigns: Collection[str], then: Callable[[Held, Mapping[str, Spent]], None]
    ) -> None:
        def read(connection: Connection) -> tuple[Held, Mapping[str, Spent]]:
            return _held(connection, at), _spent_of_campaigns(connection, campaigns)

        await self._line.between(read, lambda found: then(*found))

    async def spent(self, at: datetime) -> Mapping[str, Spent]:
        return await self._database.read(lambda connection: _spent_of_gates(connection, at))

    async def spent_by_campaign(self, campaigns: Sequence[str], at: datetime) -> Mapping[str, Spent]:  # noqa: ARG002
        return await self._database.read(lambda connection: _spent_of_campaigns(connection, campaigns))

    async def sendings(self, since: datetime, *, campaign: str | None = None) -> Sequence[Sending]:
        query = _sendings(since, campaign)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [
            Sending(
                *(row.gate, row.campaign, instant(row.minute_us), row.messages, row.outstanding, row.lapsed),
                until=instant(row.until_us),
            )
            for row in rows
        ]

    async def grants(self, gate: str, start: datetime, until: datetime, step_seconds: int) -> Sequence[Granted]:
        column, step_us = PERMITS.c, step_seconds * SECOND
        first = func.min(type_coerce(column.granted_at, BigInteger))
        sums = (column.campaign, func.count(), func.sum(column.allowed), func.max(column.wave))
        given = select(first, *sums).where(column.gate == gate, column.granted_at >= start, column.granted_at < until)
        step = (type_coerce(column.granted_at, BigInteger) - micros(start)) // step_us
        query = given.group_by(step, column.campaign).order_by(first)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Granted(instant(at), *rest) for at, *rest in rows]


def _sendings(since: datetime, campaign: str | None) -> Select[Any]:
    """Return the query behind sendings. Two searches, as each has an index of its own."""
    column = PERMITS.c
    rest = case((column.allowed > column.sent, column.allowed - column.sent), else_=0)
    outstanding = case((LIVE_ONLY, rest), else_=0)
    lapsed = case((column.state == PermitState.EXPIRED.value, rest), else_=0)
    minute_us = type_coerce(column.granted_at, BigInteger) // MINUTE * MINUTE
    changed_at = func.coalesce(column.changed_at, column.granted_at)
    until = case((changed_at > column.expires_at, column.expires_at), else_=changed_at)
    each = select(
        column.gate,
        column.campaign,
        minute_us.label("minute_us"),
        column.sent,
        outstanding.label("outstanding"),
        lapsed.label("lapsed"),
        type_coerce(until, BigInteger).label("until_us"),
    )
    if campaign is not None:
        each = each.where(column.campaign == campaign)
    old = each.where(LIVE_ONLY, since > _UNSORTED_GRANTED_AT)
    found = union_all(each.where(column.granted_at >= since), old).subquery("found").c
    by = found.gate, found.campaign, found.minute_us
    messages, left, lost = (func.sum(each) for each in (found.sent, found.outstanding, found.lapsed))
    sums = select(
        *(*by, messages.label("messages"), left.label("outstanding"), lost.label("lapsed")),
        func.max(found.until_us).label("until_us"),
    ).group_by(*by)
    return sums.having(messages + left + lost > 0).order_by(found.minute_us, found.gate, found.campaign.nulls_first())


def _held(connection: Connection, at: datetime) -> Held:
    live = [permit_of(row) for row in connection.execute(select(PERMITS).where(LIVE_ONLY))]
    minutes = PERMIT_SENT.c
    counted = select(minutes.gate, minutes.minute_at, minutes.sent).where(minutes.minute_at > counts_from(at))
    sums = PERMIT_LEDGER.c
    ever = select(sums.name, sums.given).where(sums.kind == GATE)
    given = {row.name: row.given for row in connection.execute(ever)}
    return Held(live, [SentMinute(*row) for row in connection.execute(counted)], given)


def _spent_of_gates(connection: Connection, at: datetime) -> Mapping[str, Spent]:
    minutes: defaultdict[str, dict[datetime, int]] = defaultdict(dict)
    counted = select(PERMIT_SENT).where(PERMIT_SENT.c.minute_at > counts_from(at))
    for row in connection.execute(counted):
        minutes[row.gate][row.minute_at] = row.sent
    sums = PERMIT_LEDGER.c
    kept = select(sums.name, sums.outstanding, sums.given).where(sums.kind == GATE, sums.given > 0)
    ends = _ends(connection, PERMITS.c.gate)
    spent, by_all = {}, int(connection.execute(GIVEN_BY_ALL).scalar_one())
    for gate, outstanding, given in connection.execute(kept):
        booked = last_hour(minutes.get(gate, {}), at)
        frees_at = earliest(ends.get(gate), booked.frees_at)
        spent[gate] = Spent(outstanding, booked.sent, frees_at, given, by_all - given)
    return spent


def _spent_of_campaigns(connection: Connection, campaigns: Collection[str]) -> Mapping[str, Spent]:
    names, columns = list(campaigns), PERMIT_LEDGER.c
    kept = select(columns.name, columns.outstanding, columns.sent).where(
        columns.kind == CAMPAIGN, columns.name.in_(names), columns.outstanding + columns.sent > 0
    )
    ends = _ends(connection, PERMITS.c.campaign, PERMITS.c.campaign.in_(names))
    return {row.name: Spent(row.outstanding, row.sent, ends.get(row.name)) for row in connection.execute(kept)}


def _ends(connection: Connection, owner: Column[Any], *wanted: ColumnElement[bool]) -> Mapping[str, datetime]:
    """Return by owner when the first of their live permits ends."""
    first = func.min(PERMITS.c.expires_at, type_=PERMITS.c.expires_at.type)
    query = select(owner, first).where(LIVE_ONLY, *wanted).group_by(owner)
    return dict(tuple(row) for row in connection.execute(query))
