"""The ports over plain lists and dictionaries: real implementations for tests, nothing is durable.

They keep the promises written in app.ports, so a service cannot tell them from the database.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from app.core.client_profile import ClientProfile
from app.core.event import Event
from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.flow import FlowDelta
from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.core.floor.targets import QueueTargets
from app.errors import Conflict, Invalid, NotDurable, NotFound
from app.ports.clock import Clock
from app.ports.decisions import DecisionRow, Turn
from app.ports.evaluation import Checkpoint, Transition
from app.ports.gates import PolicyVersion
from app.ports.history import ContactTotals, HistoryPoint
from app.ports.keys import ApiKey
from app.ports.stream import Appended, Payload, StreamRecord

Life = dict[ContactEventKind, datetime]


class SteppedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)
        await asyncio.sleep(0)

    def wall_seconds(self, seconds: float) -> float:
        return seconds


class MemoryStream:
    """A stream in a list. `broken` makes it refuse everything as not durable."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.records: list[StreamRecord] = []
        self.broken = False
        self._position = 0
        self._seen: set[tuple[object, ...]] = set()
        self._grown = asyncio.Event()

    async def append(self, payloads: Sequence[Payload]) -> Appended:
        if self.broken:
            raise NotDurable("the stream cannot be written to: no space left on device")
        received_at = self._clock.now()
        await asyncio.sleep(0)  # let others have their turn, as a store does
        accepted = 0
        for payload in payloads:
            key = _identity(payload)
            if key not in self._seen:
                self._seen.add(key)
                self._position += 1
                self.records.append(StreamRecord(self._position, received_at, payload))
                accepted += 1
        if accepted:
            self._grown.set()
            self._grown = asyncio.Event()
        return Appended(accepted, len(payloads) - accepted)

    async def read(self, after: int, limit: int = 10_000) -> Sequence[StreamRecord]:
        return [record for record in self.records if record.position > after][:limit]

    async def position_before(self, at: datetime) -> int:
        later = (record.position - 1 for record in self.records if record.received_at >= at)
        return min(later, default=self._position)

    async def tail(self, after: int) -> AsyncIterator[Sequence[StreamRecord]]:
        while True:
            grown = self._grown
            if batch := await self.read(after):
                after = batch[-1].position
                yield batch
            else:
                await grown.wait()

    async def prune(self, before: datetime) -> int:
        kept = [record for record in self.records if record.received_at >= before]
        pruned, self.records = len(self.records) - len(kept), kept
        self._seen = {_identity(record.payload) for record in kept}
        return pruned


def _identity(payload: Payload) -> tuple[object, ...]:
    if isinstance(payload, ContactEvent):
        return "contact", payload.contact_id, payload.event
    return "observation", payload.source, payload.queue, payload.observed_at


class MemoryGateStore:
    """Gates and policies in a dictionary of lists."""

    def __init__(self) -> None:
        self._policies: dict[str, list[PolicyVersion]] = {}
        self.events: list[Event] = []

    async def gates(self) -> Sequence[str]:
        return sorted(self._policies)

    async def create_gate(self, name: str, at: datetime, event: Event) -> None:
        assert at.tzinfo is UTC
        if name in self._policies:
            raise Conflict(f"there is a gate {name!r} already")
        self._policies[name] = []
        self.events.append(event)

    async def delete_gate(self, name: str, event: Event) -> None:
        versions = self._of(name)
        del self._policies[name]
        self.events.append(replace(event, before=_side(versions)))

    async def policy(self, gate: str, version: int | None = None) -> PolicyVersion | None:
        versions = self._of(gate)
        if version is None:
            return versions[-1] if versions else None
        return next((saved for saved in versions if saved.version == version), None)

    async def policy_versions(self, gate: str, before: int | None, limit: int) -> Sequence[PolicyVersion]:
        newest_first = reversed(self._of(gate))
        return [saved for saved in newest_first if before is None or saved.version < before][:limit]

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
        versions = self._of(gate)
        if len(versions) != expected:
            raise Conflict(f"gate {gate!r} is at version {len(versions)}, not {expected}")
        saved = PolicyVersion(gate, expected + 1, dict(document), author, reason, at)
        before = _side(versions)
        versions.append(saved)
        self.events.append(replace(event, before=before, after=_side(versions)))
        return saved

    def _of(self, gate: str) -> list[PolicyVersion]:
        if gate not in self._policies:
            raise NotFound(f"there is no gate {gate!r}; known: {', '.join(sorted(self._policies)) or 'none yet'}")
        return self._policies[gate]


def _side(versions: Sequence[PolicyVersion]) -> dict[str, object] | None:
    return {"version": versions[-1].version, "policy": versions[-1].document} if versions else None


class MemoryQueueStore:
    """Queue targets in a dictionary."""

    def __init__(self) -> None:
        self._targets: dict[str, QueueTargets] = {}
        self.events: list[Event] = []

    async def targets(self) -> Mapping[str, QueueTargets]:
        return dict(self._targets)

    async def save_targets(self, queue: str, targets: QueueTargets, event: Event) -> None:
        former = self._targets.get(queue)
        if former != targets:
            self._targets[queue] = targets
            self.events.append(replace(event, before=asdict(former) if former else None, after=asdict(targets)))


class MemoryKeyStore:
    """API keys in a dictionary."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self.events: list[Event] = []

    async def keys(self) -> Sequence[ApiKey]:
        return sorted(self._keys.values(), key=lambda key: (key.created_at, key.id))

    async def add_key(self, key: ApiKey, event: Event) -> None:
        if key.id in self._keys:
            raise Conflict(f"key {key.id!r} exists already")
        self._keys[key.id] = key
        self.events.append(event)

    async def save_profile(self, key_id: str, profile: ClientProfile, event: Event) -> ApiKey:
        if key_id not in self._keys:
            raise NotFound(f"there is no key {key_id!r}")
        former = self._keys[key_id]
        key = self._keys[key_id] = replace(former, profile=profile)
        if former.profile != profile:
            self.events.append(replace(event, before=asdict(former.profile), after=asdict(profile)))
        return key

    async def revoke_key(self, key_id: str, at: datetime, event: Event) -> ApiKey:
        if key_id not in self._keys:
            raise NotFound(f"there is no key {key_id!r}")
        key = self._keys[key_id]
        if key.revoked_at is None:
            key = self._keys[key_id] = replace(key, revoked_at=at)
            named = {"name": key.name, "scopes": sorted(map(str, key.scopes))}
            self.events.append(replace(event, before=named | {"revoked_at": None}, after=named | {"revoked_at": at}))
        return key


class MemoryHistory:
    """Rollups added up per minute, and exact totals from a stream's contact events."""

    def __init__(self, stream: MemoryStream | None = None) -> None:
        self._stream = stream
        self._minutes: list[RollupDelta] = []
        self._hours_only: list[RollupDelta] = []

    def add(self, rollups: Sequence[RollupDelta]) -> None:
        self._minutes.extend(rollups)

    async def history(
        self, queue: str, metric: Metric, start: datetime, until: datetime, step_seconds: int
    ) -> Sequence[HistoryPoint]:
        if step_seconds <= 0 or step_seconds % 60:
            raise Invalid(f"a step of {step_seconds} s is no multiple of 60 s")
        kept = self._minutes if step_seconds % 3600 else self._hours_only + self._minutes
        steps: dict[int, list[RollupDelta]] = defaultdict(list)
        for delta in kept:
            if (delta.queue, delta.metric) == (queue, metric) and start <= delta.bucket_at < until:
                steps[int((delta.bucket_at - start).total_seconds() // step_seconds)].append(delta)
        return [
            _point(start + timedelta(seconds=number * step_seconds), deltas) for number, deltas in sorted(steps.items())
        ]

    async def histories(
        self, queue: str, metrics: Sequence[Metric], start: datetime, until: datetime, step_seconds: int
    ) -> Mapping[Metric, Sequence[HistoryPoint]]:
        return {metric: await self.history(queue, metric, start, until, step_seconds) for metric in metrics}

    async def contact_totals(self, start: datetime, until: datetime, target_seconds: float) -> Sequence[ContactTotals]:
        contacts: dict[tuple[str, str], Life] = defaultdict(dict)
        for record in self._stream.records if self._stream else ():
            if isinstance(record.payload, ContactEvent):
                event = record.payload
                contacts[event.queue, event.contact_id][event.event] = event.at
        queues: dict[str, list[Life]] = defaultdict(list)
        for (queue, _), life in contacts.items():
            if ContactEventKind.QUEUED in life and start <= life[ContactEventKind.QUEUED] < until:
                queues[queue].append(life)
        return [_totals(queue, lives, target_seconds) for queue, lives in sorted(queues.items())]

    async def prune_rollups(self, minutes_before: datetime) -> int:
        old = [delta for delta in self._minutes if delta.bucket_at < minutes_before]
        self._minutes = [delta for delta in self._minutes if delta.bucket_at >= minutes_before]
        self._hours_only.extend(old)
        return len(old)


def _point(at: datetime, deltas: Sequence[RollupDelta]) -> HistoryPoint:
    weight, total = sum(delta.weight for delta in deltas), sum(delta.total for delta in deltas)
    lows = [delta.minimum for delta in deltas if delta.minimum is not None]
    highs = [delta.maximum for delta in deltas if delta.maximum is not None]
    value = total / weight if weight else None
    return HistoryPoint(at, value, min(lows, default=None), max(highs, default=None), weight)


def _totals(queue: str, lives: Sequence[Life], target: float) -> ContactTotals:
    kinds = ContactEventKind
    answered = [life for life in lives if kinds.ANSWERED in life]
    waits = [_seconds(life[kinds.QUEUED], life[kinds.ANSWERED]) for life in answered]
    ends = [(life, [life[end] for end in (kinds.COMPLETED, kinds.TRANSFERRED) if end in life]) for life in answered]
    handled = [_seconds(life[kinds.ANSWERED], min(end)) for life, end in ends if end]
    return ContactTotals(
        queue=queue,
        offered=len(lives),
        answered=len(answered),
        abandoned=sum(kinds.ABANDONED in life and kinds.ANSWERED not in life for life in lives),
        answered_within_target=sum(wait <= target for wait in waits),
        wait_seconds_sum=sum(waits),
        handled=len(handled),
        handle_seconds_sum=sum(handled),
        first_at=min(life[kinds.QUEUED] for life in lives),
        last_at=max(life[kinds.QUEUED] for life in lives),
    )


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


class MemoryDecisionLog:
    """The decision log in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[str, DecisionRow] = {}

    async def record(self, rows: Sequence[DecisionRow]) -> None:
        for row in rows:
            known = self._rows.get(row.id)
            self._rows[row.id] = replace(known, count=row.count, last_at=row.last_at) if known else row

    async def decision(self, decision_id: str) -> DecisionRow:
        if decision_id not in self._rows:
            raise NotFound(f"there is no decision {decision_id!r}")
        return self._rows[decision_id]

    async def decisions(
        self,
        *,
        gate: str | None = None,
        kind: str | None = None,
        verdict: str | None = None,
        asked_by: Collection[str] = (),
        campaign: str | None = None,
        overridden: bool = False,
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[DecisionRow]:
        if not 1 <= limit <= 1_000:
            raise Invalid(f"a page of {limit} decisions is outside 1 to 1,000")
        found = [
            row
            for row in self._rows.values()
            if (gate is None or row.gate == gate)
            and (kind is None or row.kind == kind)
            and (verdict is None or row.verdict == verdict)
            and (not asked_by or row.asked_by in asked_by)
            and (campaign is None or row.campaign == campaign)
            and (not overridden or row.override_id is not None or _is_overridden_change(row))
            and (start is None or row.at >= start)
            and (until is None or row.at < until)
            and (before is None or (row.at, row.id) < before)
            and (after is None or (row.at, row.id) > after)
        ]
        found = sorted(found, key=lambda row: (row.at, row.id), reverse=True)
        return found[-limit:] if after else found[:limit]

    async def turns(self, gate: str, start: datetime, until: datetime, limit: int) -> Sequence[Turn]:
        own = sorted(
            (Turn(row.at, row.verdict) for row in self._rows.values() if (row.kind, row.gate) == ("transition", gate)),
            reverse=True,
        )
        inside = [turn for turn in own if start <= turn.at < until][:limit]
        before = [turn for turn in own if turn.at < start][: 1 if len(inside) < limit else 0]
        return [*inside, *before][::-1]


def _is_overridden_change(row: DecisionRow) -> bool:
    return row.kind == "transition" and "overrides" in (row.facts or {})


class MemoryEvaluationStore:
    """The evaluator's notebook: transitions go to the decision log, rollups to the history."""

    def __init__(self, log: MemoryDecisionLog | None = None, history: MemoryHistory | None = None) -> None:
        self._log, self._history = log, history
        self._checkpoint: Checkpoint | None = None
        self.transitions: list[Transition] = []
        self.flows: list[FlowDelta] = []

    async def checkpoint(self) -> Checkpoint | None:
        return self._checkpoint

    async def flush(
        self,
        checkpoint: Checkpoint,
        transitions: Sequence[Transition],
        rollups: Sequence[RollupDelta],
        flows: Sequence[FlowDelta] = (),
    ) -> None:
        if checkpoint.follows is not None and checkpoint.follows != (
            self._checkpoint and self._checkpoint.evaluated_at
        ):
            raise Conflict("it does not follow the last checkpoint")
        self.flows.extend(flows)
        known = {(one.gate, one.at, one.after) for one in self.transitions}
        fresh = [one for one in transitions if (one.gate, one.at, one.after) not in known]
        self.transitions.extend(fresh)
        self._checkpoint = checkpoint
        if self._history:
            self._history.add(rollups)
        if self._log:
            await self._log.record([_logged(one) for one in fresh])


def _logged(one: Transition) -> DecisionRow:
    return DecisionRow(
        id=f"dec_{one.gate}_{one.at.timestamp():.0f}_{one.after}",
        kind="transition",
        gate=one.gate,
        at=one.at,
        verdict=one.after,
        before=one.before,
        policy_version=one.policy_version,
        summary=one.summary,
        reasons=tuple(one.reasons),
        inputs=tuple(one.inputs),
    )
