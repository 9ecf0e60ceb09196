"""Everything that is kept, opened and closed as one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from sqlalchemy import Connection

from app.core.event import HOLDFIRE, Event, EventType
from app.core.gate.policy import default_policy_document
from app.ports.archive import RecordArchive
from app.ports.clock import Clock
from app.ports.decisions import DecisionLog
from app.ports.evaluation import EvaluationStore
from app.ports.gates import GateStore, PolicyVersion
from app.ports.history import HistoryReader
from app.ports.keys import KeyStore
from app.ports.queues import QueueStore
from app.ports.stream import Stream
from app.store.briefings import SqlBriefings
from app.store.callbacks import SqlCallbacks
from app.store.campaigns import SqlCampaigns
from app.store.decisions import SqlDecisions
from app.store.displays import SqlDisplays
from app.store.engine import Database, open_database
from app.store.evaluation import SqlEvaluation
from app.store.events import SqlEvents
from app.store.feed_tokens import SqlFeedTokens
from app.store.flows import SqlFlows
from app.store.gates import SqlGates, add_policy, create_gate
from app.store.history import SqlHistory
from app.store.keys import SqlKeys
from app.store.learning import SqlDebriefs
from app.store.migrate import schema_fault
from app.store.minutes import SqlMinutes
from app.store.notes import SqlNotes
from app.store.outlooks import SqlOutlooks
from app.store.overrides import SqlOverrides
from app.store.packing import SqlMinutePacks
from app.store.permits import SqlPermits
from app.store.positions import known_position
from app.store.queues import SqlQueues
from app.store.scores import SqlScores
from app.store.sole import sole_evaluator
from app.store.staffing import SqlHours, SqlSchedules
from app.store.tables import INSTALLATION
from app.store.tallies import SqlTallies
from app.store.upsert import insert
from app.store.values import SqlValues
from app.store.webhooks import SqlWebhooks
from app.stream.archive import SqlArchive
from app.stream.nats.stream import NatsStream, Place
from app.stream.sql import SqlStream

DEFAULT_GATE = "default"


class OpenStream(Stream, Protocol):
    """A stream that somebody has to close."""

    async def close(self) -> None:
        """Answer what waits, end the tails, and take nothing more. Closing twice is fine."""


@dataclass(frozen=True, slots=True)
class Store:
    """One adapter per port, over one database; the stream may be elsewhere.

    written: the records of the stream as far as the database has them; archive: writes down there what the stream
    brings, None where the database is the stream.
    """

    stream: OpenStream
    written: Stream
    archive: RecordArchive | None
    gates: GateStore
    queues: QueueStore
    keys: KeyStore
    evaluation: EvaluationStore
    decisions: DecisionLog
    history: HistoryReader
    flows: SqlFlows
    minutes: SqlMinutes
    packs: SqlMinutePacks
    events: SqlEvents
    overrides: SqlOverrides
    notes: SqlNotes
    permits: SqlPermits
    campaigns: SqlCampaigns
    briefings: SqlBriefings
    feed_tokens: SqlFeedTokens
    displays: SqlDisplays
    webhooks: SqlWebhooks
    callbacks: SqlCallbacks
    schedules: SqlSchedules
    hours: SqlHours
    outlooks: SqlOutlooks
    tallies: SqlTallies
    debriefs: SqlDebriefs
    scores: SqlScores
    values: SqlValues
    database: Database

    async def schema_fault(self) -> str | None:
        """Return what is wrong with the database's schema, None when it is up to date."""
        return await self.database.read(schema_fault)

    async def close(self) -> None:
        """Finish what was begun and close the database. Closing twice is fine."""
        await self.stream.close()
        await self.database.close()


@asynccontextmanager
async def open_store(
    url: str, clock: Clock, *, alone: bool = False, place: Place | None = None
) -> AsyncIterator[Store]:
    """Yield the store at `url`, brought up to date, with the default gate in a new one; close it at the end.

    alone: for who evaluates; only one at a time may. place: where the stream is, None: in the database. Raises Invalid
    when the URL, the path or the file cannot be used, another HoldfireError when the stream cannot be reached.
    """
    with sole_evaluator(url) if alone else nullcontext():
        async with _opened(url, clock, place) as store:
            yield store


@asynccontextmanager
async def _opened(url: str, clock: Clock, place: Place | None) -> AsyncIterator[Store]:
    database = await asyncio.to_thread(open_database, url)
    written = SqlStream(database, clock)
    elsewhere = NatsStream(place, clock, written, partial(known_position, database)) if place else None
    store = Store(
        stream=elsewhere or written,
        written=written,
        archive=SqlArchive(database) if elsewhere else None,
        gates=SqlGates(database),
        queues=SqlQueues(database),
        keys=SqlKeys(database),
        evaluation=SqlEvaluation(database),
        decisions=SqlDecisions(database),
        history=SqlHistory(database),
        flows=SqlFlows(database),
        minutes=SqlMinutes(url),
        packs=SqlMinutePacks(database),
        events=SqlEvents(database),
        overrides=SqlOverrides(database),
        notes=SqlNotes(database),
        permits=SqlPermits(database),
        campaigns=SqlCampaigns(database),
        briefings=SqlBriefings(database),
        feed_tokens=SqlFeedTokens(database),
        displays=SqlDisplays(database),
        webhooks=SqlWebhooks(database),
        callbacks=SqlCallbacks(database),
        schedules=SqlSchedules(database),
        hours=SqlHours(database),
        outlooks=SqlOutlooks(database),
        tallies=SqlTallies(database),
        debriefs=SqlDebriefs(database),
        scores=SqlScores(database),
        values=SqlValues(database),
        database=database,
    )
    try:
        await _seed(database, clock)
        if elsewhere:
            await elsewhere.start()
        yield store
    finally:
        await store.close()


async def _seed(database: Database, clock: Clock) -> None:
    """Give a new database its default gate, once: a gate that was deleted later does not come back."""
    now = clock.now()
    policy = PolicyVersion(
        DEFAULT_GATE, 1, default_policy_document(), "holdfire", "where a new installation starts", now
    )

    def seed(connection: Connection) -> None:
        mark = insert(INSTALLATION).values(id=1, seeded_at=now).on_conflict_do_nothing()
        if connection.execute(mark).rowcount == 1:
            made = Event(EventType.GATE_CREATED, now, HOLDFIRE, f"gate/{DEFAULT_GATE}", policy.reason, DEFAULT_GATE)
            create_gate(connection, DEFAULT_GATE, now, made)
            add_policy(connection, policy, replace(made, type=EventType.POLICY_SAVED))

    await database.write(seed)
