"""A replica among others on one database of PostgreSQL's: what the others changed, who is there, and who leads.

Triggers number each change of what replicas keep in memory. A replica reads anew what has another number than it
knows, told of it at once by NOTIFY or by its own look each second, and then writes down how far it has seen. Whoever
changes something waits until every replica has seen it. One that cannot say so for 7 seconds is waited for no longer:
by its own stopwatch it has known for 2 seconds by then that it may not rely on its memory.

One of them leads, by a lease that it renews each second and that ends by itself. What only the leader may write is
written in a transaction that holds on to the lease: a leader that was stopped, and goes on later, writes nothing.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy import Connection

from app import __version__
from app.errors import HoldfireError, NotDurable
from app.ports.replicas import Notices, OnlyOne, Replicas, TakeIn
from app.store import postgresql
from app.store.agreement import FORGOTTEN_SECONDS, NOTICED_SECONDS
from app.store.engine import Database

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 4.0
CONFIRMED_SECONDS = 5.0
LEASE_SECONDS = 5
LEADS_SECONDS = 4.0
NOTICES_SECONDS = 0.5

_CHANGES = "SELECT name, revision FROM changes"
_HERE = """
INSERT INTO replicas AS r (name, seen, seen_at, version) VALUES (%(me)s, %(seen)s, clock_timestamp(), %(version)s)
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, seen_at = excluded.seen_at"""
_LEASE = """
INSERT INTO leases AS l (name, holder, epoch, until)
VALUES ('lead', %(me)s, 1, clock_timestamp() + %(seconds)s * interval '1 s')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
    epoch = l.epoch + (l.holder <> excluded.holder)::int
WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
RETURNING epoch"""
_LED = "SELECT 1 FROM leases WHERE name = 'lead' AND holder <> %s AND until > clock_timestamp()"
_HOLD = "SELECT epoch FROM leases WHERE name = 'lead' AND holder = %s FOR SHARE"
_LEAVE = "DELETE FROM replicas WHERE name = %s OR seen_at < clock_timestamp() - %s * interval '1 s'"
_LET_GO = "UPDATE leases SET until = clock_timestamp() WHERE name = 'lead' AND holder = %s"


class NotLeadingError(NotDurable):
    """Another replica leads: what was to be written is for that one to write."""


class Replica:
    """The Replicas port, on PostgreSQL. To be joined before anything is read into memory."""

    def __init__(self, database: Database, name: str | None = None, notices: Notices | None = None) -> None:
        self._database, self._address = database, database.address or ""
        host = "".join(each if each.isalnum() else "-" for each in socket.gethostname())
        self.name = name or f"{host}-{os.getpid()}-{secrets.token_hex(3)}"
        self._known: dict[str, int] = {}
        self._confirmed_at = self._noticed_at = self._leads_since = float("-inf")
        self._epoch: int | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._led, self._not_led = asyncio.Event(), asyncio.Event()
        self._not_led.set()
        self._notices = notices
        database.fence, database.notices = self.hold_lease, notices

    # --- what others ask ---

    def confirmed_until(self) -> float:
        return max(self._confirmed_at + CONFIRMED_SECONDS, self._noticed_at + NOTICED_SECONDS)

    def leads(self) -> bool:
        return self._epoch is not None and monotonic() - self._leads_since < LEADS_SECONDS

    async def led(self) -> None:
        await self._led.wait()

    async def not_led(self) -> None:
        await self._not_led.wait()

    def hold_lease(self, connection: Connection) -> None:
        """Keep the lease until the end of a transaction. Raises NotLeadingError where another has or had it since."""
        found = connection.exec_driver_sql(_HOLD, (self.name,)).scalar()
        if found is None or found != self._epoch:
            raise NotLeadingError("another replica leads now, and writes this down")

    # --- life ---

    async def join(self) -> None:
        """Take note of what is changed from now on. Raises HoldfireError when the database cannot be asked.

        What is read into memory afterwards has all that was changed before.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._connect()
                self._known = await self._revisions()
        except (psycopg.Error, TimeoutError) as fault:
            raise HoldfireError(f"the database cannot be followed ({_said(fault)})") from fault

    async def run(self, stop: asyncio.Event, take_in: TakeIn) -> None:
        """Follow the others until `stop` is set, then leave. Faults are logged; a lost connection is made anew."""
        stopping = asyncio.create_task(stop.wait())
        beside = [asyncio.create_task(self._watch_lease()), asyncio.create_task(self._watch_notices())]
        try:
            while not stop.is_set():
                try:
                    await self._look(take_in)
                    await self._rest(stopping)
                except (psycopg.Error, TimeoutError, HoldfireError, OSError) as fault:
                    log.warning("replica_not_confirmed", extra={"replica": self.name, "error": _said(fault)})
                    await self._begin_anew(stopping)
                except Exception:  # what was changed may be beyond this version; it must not end following for good
                    log.exception("replica_not_following", extra={"replica": self.name})
                    await self._begin_anew(stopping)
        finally:
            for task in (stopping, *beside):
                task.cancel()
            self._lose()
            await self._leave()

    async def _begin_anew(self, stopping: asyncio.Task[bool]) -> None:
        await self._disconnect()
        await asyncio.wait([stopping], timeout=LOOK_SECONDS)

    async def _look(self, take_in: TakeIn) -> None:
        """Read anew what was changed, say how far this one has seen, and renew the lease or take it."""
        began = monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            if self._connection is None:
                await self._connect()
            revisions = await self._revisions()
        changed = {name for name, revision in revisions.items() if revision != self._known.get(name)}
        if changed:
            await take_in(changed)
        self._known = revisions
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._confirm(began)

    async def _confirm(self, began: float) -> None:
        """Write down what is known here, as it was asked for at `began`."""
        connection = self._required()
        seen = max(self._known.values(), default=0)
        who = {"me": self.name, "seen": seen, "version": __version__, "seconds": LEASE_SECONDS}
        await connection.execute(_HERE, who)
        self._confirmed_at = began
        try:
            epoch = await self._leased(connection, who)
        except psycopg.errors.LockNotAvailable:  # who has it was stopped while it wrote: that ends it in a while
            return
        if epoch is None:
            self._lose()
        elif not self.leads() or epoch != self._epoch:
            self._win(epoch, began)
        else:
            self._leads_since = began

    async def _leased(self, connection: psycopg.AsyncConnection[Any], who: Mapping[str, object]) -> int | None:
        """Renew the lease, or take it, and return its epoch; None where another one has it."""
        cursor = await connection.execute(_LED, (self.name,))
        if await cursor.fetchone() is not None:
            return None
        cursor = await connection.execute(_LEASE, who)
        held = await cursor.fetchone()
        return None if held is None else int(held[0])

    async def _revisions(self) -> dict[str, int]:
        cursor = await self._required().execute(_CHANGES)
        return dict(await cursor.fetchall())

    async def _rest(self, stopping: asyncio.Task[bool]) -> None:
        """Return when something was changed, or after a second."""
        connection = self._required()
        heard = asyncio.ensure_future(_hear(connection))
        try:
            await asyncio.wait({heard, stopping}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            heard.cancel()
            with suppress(asyncio.CancelledError):
                await heard

    # --- leading ---

    def _win(self, epoch: int, began: float) -> None:
        self._epoch, self._leads_since = epoch, began
        log.info("replica_leads", extra={"replica": self.name, "epoch": epoch})
        self._not_led.clear()
        self._led.set()

    def _lose(self) -> None:
        if self._epoch is not None:
            log.info("replica_leads_no_more", extra={"replica": self.name, "epoch": self._epoch})
        self._epoch = None
        self._led.clear()
        self._not_led.set()

    async def _watch_lease(self) -> None:
        """Give the lead up in time where the lease cannot be renewed."""
        while True:
            await asyncio.sleep(LEADS_SECONDS / 10)
            if self._epoch is not None and not self.leads():
                self._lose()

    async def _watch_notices(self) -> None:
        """Take note, again and again, whether anything was changed that is not known here; the database may be away."""
        while self._notices is not None:
            began = monotonic()
            try:
                async with asyncio.timeout(NOTICED_SECONDS):
                    await self._notices.be_there(self.name)
                    newest = await self._notices.newest()
            except (HoldfireError, TimeoutError) as fault:
                log.debug("notices_not_heard", extra={"error": _said(fault)})
            else:
                is_known = newest <= max(self._known.values(), default=0)
                self._noticed_at = began if is_known else float("-inf")
                if not is_known and self._connection is None:
                    self._confirmed_at = float("-inf")
            await asyncio.sleep(NOTICES_SECONDS)

    # --- the connection ---

    async def _connect(self) -> None:
        """Connect, hear of changes, and keep others from having the database to themselves. Raises HoldfireError."""
        connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True, **postgresql.CONNECT)
        try:
            cursor = await connection.execute(postgresql.TRY_SHARED_EVALUATION)
            is_free = (await cursor.fetchone() or [False])[0]
            await connection.execute("LISTEN holdfire_changes")
            await connection.execute("SET lock_timeout = '1s'")
            await connection.execute("SET synchronous_commit = off")  # what a crash loses is said again within a second
        except BaseException:
            await connection.close()
            raise
        if not is_free:
            await connection.close()
            raise HoldfireError("the database is being replayed into or moved, and serves nobody until that is over")
        self._connection = connection

    def _required(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None:
            raise HoldfireError("there is no connection to the database")
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()

    async def _leave(self) -> None:
        """Tell the others that nobody need wait for this one; where that fails they find out by themselves."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                connection = self._required()
                await connection.execute(_LEAVE, (self.name, FORGOTTEN_SECONDS))
                await connection.execute(_LET_GO, (self.name,))
        except (psycopg.Error, TimeoutError, HoldfireError) as fault:
            log.warning("replica_not_signed_off", extra={"replica": self.name, "error": _said(fault)})
        self._confirmed_at = float("-inf")
        await self._disconnect()


async def _hear(connection: psycopg.AsyncConnection[Any]) -> None:
    """Return at the first word of a change."""
    async for _ in connection.notifies(stop_after=1):
        return


def _said(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__


async def replicas_of(database: Database, notices: Notices | None = None) -> Replicas:
    """Return this process among those that share a database, joined: the only one where that is a file.

    notices: another way to hear of changes, None: there is none. Raises HoldfireError where it cannot be followed.
    """
    if database.address is None:
        return OnlyOne()
    replica = Replica(database, notices=notices)
    await replica.join()
    return replica
