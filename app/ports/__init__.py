"""What the services need from the outside world, each need one small protocol, in core's own types.

Adapters in app.stream, app.store and app.clocks implement these; one contract test suite per port runs on each.
All instants are aware UTC.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from app.core.client_profile import PLAIN, ClientProfile
from app.core.event import Event
from app.core.floor.contact import ContactEvent
from app.core.floor.flow import FlowDelta as FlowDelta
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.queue_state import KnownQueue
from app.core.floor.rollup import RollupDelta as RollupDelta
from app.core.floor.targets import QueueTargets
from app.core.gate.decision import GateMemory, Verdict

Payload = Observation | ContactEvent


class Clock(Protocol):
    """The one clock everything reads. A demo runs it fast; a replay lets the data move it."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many of this clock's seconds."""

    def wall_seconds(self, seconds: float) -> float:
        """Return how long so many of this clock's seconds last for people and programs outside."""


# --- the stream -----------------------------------------------------------------------------------------------------


class StreamRecord(NamedTuple):
    """One accepted payload: its place in the stream (1, 2, ...), when it was accepted, and what it says."""

    position: int
    received_at: datetime
    payload: Payload


class Appended(NamedTuple):
    """What became of one append: how many payloads are now durable, and how many were there already."""

    accepted: int
    duplicates: int


class Stream(Protocol):
    """The append-only truth. Idempotent on (source, queue, observed_at) and on (contact_id, event)."""

    async def append(self, payloads: Sequence[Payload]) -> Appended:
        """Return once every new payload is durable. Raises NotDurable when that cannot be had; then nothing counts."""

    async def read(self, after: int, limit: int = 10_000) -> Sequence[StreamRecord]:
        """Return up to `limit` records with a position above `after`, in order."""

    async def position_before(self, at: datetime) -> int:
        """Return the highest position below everything received at or after `at`: reading on from it misses none."""

    def tail(self, after: int) -> AsyncIterator[Sequence[StreamRecord]]:
        """Yield batches of records above `after`, in order and without gaps, for ever."""

    async def prune(self, before: datetime) -> int:
        """Delete raw records received before `before`; return how many."""


# --- gates and policies ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One saved policy of a gate: version 1, 2, ...; the document as saved; who saved it, when and why."""

    gate: str
    version: int
    document: Mapping[str, object]
    author: str
    reason: str
    saved_at: datetime


class GateStore(Protocol):
    """Gates and the versions of their policies. A change's event gets its `before` from what the change found."""

    async def gates(self) -> Sequence[str]:
        """Return all gates' names, sorted."""

    async def create_gate(self, name: str, at: datetime, event: Event) -> None:
        """Add a gate without a policy. Raises Conflict when the name is taken."""

    async def delete_gate(self, name: str, event: Event) -> None:
        """Remove a gate; its decisions stay. Raises NotFound."""

    async def policy(self, gate: str, version: int | None = None) -> PolicyVersion | None:
        """Return one version (default: the newest), None when there is none. Raises NotFound for an unknown gate."""

    async def policy_versions(self, gate: str, before: int | None, limit: int) -> Sequence[PolicyVersion]:
        """Return versions below `before` (default: all), newest first, at most `limit`. Raises NotFound."""

    async def save_policy(
        self,
        gate: str,
        document: Mapping[str, object],
        *,
        author: str,
        reason: str,
        at: datetime,
        expected: int,
        event: Event,
    ) -> PolicyVersion:
        """Append a version. Raises NotFound, or Conflict unless `expected` is the newest version (0: none yet)."""


# --- queues ---------------------------------------------------------------------------------------------------------


class QueueStore(Protocol):
    """What people told us about queues: targets, and which are retired. An event gets its `before` from the row."""

    async def targets(self) -> Mapping[str, QueueTargets]:
        """Return the targets of every queue that has its own."""

    async def save_targets(self, queue: str, targets: QueueTargets, event: Event) -> None:
        """Add or replace a queue's targets; the same again is no change and no event."""


# --- keys -----------------------------------------------------------------------------------------------------------


class Scope(str):
    """One of: ingest, readiness, permits, campaigns, policies, read, admin."""

    __slots__ = ()


SCOPES: tuple[Scope, ...] = tuple(
    Scope(name) for name in ("ingest", "readiness", "permits", "campaigns", "policies", "read", "admin")
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret: only the secret's SHA-256 is kept. expires_at or revoked_at None: not so.

    profile: how its holder is answered.
    """

    id: str
    name: str
    scopes: frozenset[str]
    secret_sha256: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    profile: ClientProfile = PLAIN


class KeyStore(Protocol):
    """API keys."""

    async def keys(self) -> Sequence[ApiKey]:
        """Return all keys, revoked ones too, oldest first."""

    async def add_key(self, key: ApiKey, event: Event) -> None:
        """Add a key. Raises Conflict when its id is taken."""

    async def revoke_key(self, key_id: str, at: datetime, event: Event) -> ApiKey:
        """Mark a key revoked (again: no change and no event) and return it. Raises NotFound."""

    async def save_profile(self, key_id: str, profile: ClientProfile, event: Event) -> ApiKey:
        """Replace a key's profile (by the same: no change and no event) and return the key. Raises NotFound."""


# --- browser sessions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: the SHA-256 of its cookie's random id, and the key whose holder it is."""

    id_sha256: bytes
    key_id: str
    created_at: datetime
    expires_at: datetime


class SessionStore(Protocol):
    """Who is signed in. Ids are kept hashed: reading the database lets nobody in."""

    async def add_session(self, session: Session) -> None:
        """Add a session."""

    async def session(self, id_sha256: bytes) -> Session | None:
        """Return a session, also one past its expiry; None when there is none."""

    async def delete_session(self, id_sha256: bytes) -> None:
        """Delete a session; no error when it is gone already."""

    async def prune_sessions(self, expired_before: datetime) -> int:
        """Delete sessions that expired before that; return how many."""


# --- what decisions were made from ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptInputs:
    """What decisions were made from: a JSON text under its SHA-256, kept once however many decisions share it.

    policy: the text of the policy that belongs to it, kept the same way; None where there was none.
    """

    sha256: bytes
    body: bytes
    policy: "KeptInputs | None" = None


# --- what the evaluator writes down ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transition:
    """A gate changed its verdict. reasons, inputs and facts are JSON-ready.

    kept and facts are all that the decision was made from, so that it can be made again; inputs are left out of the
    log where they are in kept.
    """

    gate: str
    at: datetime
    before: Verdict | None
    after: Verdict
    policy_version: int
    summary: str
    reasons: Sequence[Mapping[str, object]]
    inputs: Sequence[Mapping[str, object]]
    kept: KeptInputs | None = None
    facts: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far evaluation is written down: everything up to position, as evaluated at evaluated_at.

    known: every queue ever heard of, which outlives its records.
    """

    position: int
    evaluated_at: datetime
    memories: Mapping[str, GateMemory]
    known: Mapping[str, KnownQueue] = field(default_factory=dict)


class EvaluationStore(Protocol):
    """The evaluator's own notebook."""

    async def checkpoint(self) -> Checkpoint | None:
        """Return the last checkpoint, None on a fresh installation."""

    async def flush(
        self,
        checkpoint: Checkpoint,
        transitions: Sequence[Transition],
        rollups: Sequence[RollupDelta],
        flows: Sequence[FlowDelta] = (),
    ) -> None:
        """Write all of it in one transaction, with an event for each transition.

        A transition already there (gate, at, after) is not doubled, and neither is its event.
        """


# --- the decision log -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One line of the decision log.

    kind "transition": the gate changed by itself. kind "asked": somebody asked; count says how often the same answer
    went to the same key between at and last_at. requested None: no audience named. allow None: no limit.
    override_id: the override that took part in the answer.
    kept and facts are all that it was made from: what the gate decided by, and what belongs to this ask alone;
    None for a row written before they were kept.
    """

    id: str
    kind: str
    gate: str
    at: datetime
    verdict: str
    policy_version: int
    summary: str
    reasons: Sequence[Mapping[str, object]] = ()
    inputs: Sequence[Mapping[str, object]] = ()
    before: str | None = None
    asked_by: str | None = None
    campaign: str | None = None
    requested: int | None = None
    accept_partial: bool = False
    allow: int | None = None
    status: int | None = None
    count: int = 1
    last_at: datetime | None = None
    override_id: str | None = None
    kept: KeptInputs | None = None
    facts: Mapping[str, object] | None = None


class DecisionLog(Protocol):
    """Every change of every gate, and every answer given."""

    async def record(self, rows: Sequence[DecisionRow]) -> None:
        """Insert rows, each with its event; a row whose id is there already updates count and last_at."""

    async def decision(self, decision_id: str) -> DecisionRow:
        """Return one row. Raises NotFound."""

    async def decisions(
        self,
        *,
        gate: str | None = None,
        kind: str | None = None,
        verdict: str | None = None,
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[DecisionRow]:
        """Return rows newest first by (at, id); `before` is the last (at, id) of the page before; limit 1..1,000."""


# --- history --------------------------------------------------------------------------------------------------------


class HistoryPoint(NamedTuple):
    """One bucket of one metric: its start, value (None: no data), lowest and highest reading, and weight behind it."""

    at: datetime
    value: float | None
    minimum: float | None
    maximum: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class ContactTotals:
    """Exact sums over the contacts queued in a span, from the raw events. within_target: answered in the target."""

    queue: str
    offered: int
    answered: int
    abandoned: int
    answered_within_target: int
    wait_seconds_sum: float
    handled: int
    handle_seconds_sum: float
    first_at: datetime | None = None
    last_at: datetime | None = None


class HistoryReader(Protocol):
    """The past, from rollups; exact totals from raw events while those are kept."""

    async def history(
        self, queue: str, metric: Metric, start: datetime, until: datetime, step_seconds: int
    ) -> Sequence[HistoryPoint]:
        """Return one point per step of [start, until) that has data, in order; step a multiple of 60."""

    async def contact_totals(self, start: datetime, until: datetime, target_seconds: float) -> Sequence[ContactTotals]:
        """Return one entry per queue with contacts queued in [start, until), sorted by queue."""

    async def prune_rollups(self, minutes_before: datetime) -> int:
        """Delete 1-minute rollups older than that, and flows (1-hour rollups stay); return how many rollups."""


# --- the services' shared picture of sources ------------------------------------------------------------------------


@dataclass(slots=True)
class SourceHealth:
    """How one source is doing: counts since start, last good word, last error sentence."""

    name: str
    kind: str = "push"
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    last_success_at: datetime | None = None
    last_observed_at: datetime | None = None
    consecutive_failures: int = 0
    last_error: str | None = None
    status: str = "never heard"
    details: dict[str, object] = field(default_factory=dict)
