"""The evaluator: follows the stream, keeps the floor, lets every gate decide, and leaves the answers in memory.

One evaluator per process. It applies stream records as they come, ticks at least once per second of the clock
(ages grow without data), and publishes after each tick. Everything that must survive a restart, the gates'
memories, their transitions and what history gained, is written in one transaction with the stream position it
stands at: a crash loses nothing but the seconds since the last checkpoint, and those are evaluated again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.core.floor.contact import ContactEvent
from app.core.floor.flow import FlowDelta
from app.core.floor.queue_state import KnownQueue
from app.core.floor.rollup import RollupDelta
from app.core.floor.state import Floor, changes
from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView
from app.core.gate.agree import agreed
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, Verdict
from app.core.gate.overlay import last_told, lay_over, tell
from app.core.gate.policy import Policy, parse_policy
from app.core.gate.survey import Surveyor
from app.errors import Conflict, HoldfireError
from app.ports.clock import Clock
from app.ports.evaluation import Checkpoint, EvaluationStore, Transition
from app.ports.gates import GateStore, PolicyVersion
from app.ports.queues import QueueStore
from app.ports.replicas import OnlyOne, Replicas
from app.ports.stream import Stream, StreamRecord
from app.services.inputs import GateInputs, facts_of, kept_of
from app.services.published import Alone, Beside, GateState, Published
from app.services.shapes import check_shape, reason_shape, summary

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
TICK = timedelta(seconds=TICK_SECONDS)
SAMPLE_SECONDS = 5
FLUSH_SECONDS = 5.0
FAST_FLUSH_SECONDS = 1.0
KNOWN_SECONDS = 60.0
WINDOWS_SECONDS = 3600.0
MIN_TICK_WALL_SECONDS = 0.05
TICK_AFTER_ARRIVAL = timedelta(seconds=MIN_TICK_WALL_SECONDS)
RESTART_SECONDS = 1.0
REPLAYED_SILENCE = timedelta(minutes=30)
SET_BACK = timedelta(seconds=5)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)

Listener = Callable[[Published], None]


class _Unwritten(NamedTuple):
    """What is written down as one."""

    checkpoint: Checkpoint
    transitions: Sequence[Transition]
    rollups: Sequence[RollupDelta]
    flows: Sequence[FlowDelta]


class Evaluator:
    """Keeps `published` true: the floor and every gate's decision, as of now."""

    def __init__(
        self,
        *,
        stream: Stream,
        gates: GateStore,
        queues: QueueStore,
        store: EvaluationStore,
        clock: Clock,
        beside: Beside | None = None,
        expires_after_seconds: float = 4 * 3600,
        on_transition: Callable[[Transition], None] = lambda _: None,
        replicas: Replicas | None = None,
    ) -> None:
        self._stream, self._gate_store, self._queue_store, self._store = stream, gates, queues, store
        self._replicas = replicas or OnlyOne()
        self._clock = clock
        self._beside = beside or Alone()
        self._on_transition = on_transition
        self._expires_after_seconds = expires_after_seconds
        self.floor = Floor(expires_after_seconds=expires_after_seconds)
        self._policies: dict[str, tuple[Policy | None, int]] = {}
        self._saved_at: dict[str, datetime | None] = {}  # a gate made anew counts its versions from 1 again
        self._new_policies: set[str] = set()
        self._memories: dict[str, GateMemory] = {}
        self._surveyors: dict[str, Surveyor] = {}
        self._listeners: list[Listener] = []
        self._position = 0
        self._undated_until = 0
        self._sampled = 0
        self._transitions: list[Transition] = []
        self._rollups: list[RollupDelta] = []
        self._flows: list[FlowDelta] = []
        self._flushed_at = time.monotonic()
        self._flushed_for = clock.now()
        self._known: dict[str, KnownQueue] = {}
        self._known_at = 0.0
        self._woken = asyncio.Event()
        self._begun_at: datetime | None = None  # when the checkpoint was made that all not written down follows
        self._has_all = True  # what followed that checkpoint
        self._is_settled = False  # that nobody else has written since, and nobody else may
        self._successor: asyncio.Task[Evaluator | None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self.published = Published(0, datetime.fromtimestamp(0, UTC), 0.0, self.floor.view(clock.now()), {})

    @property
    def position(self) -> int:
        """The position of the last stream record that is in the floor."""
        return self._position

    @property
    def memories(self) -> Mapping[str, GateMemory]:
        """What each gate remembers from its last decision."""
        return self._memories

    @property
    def policies_saved_at(self) -> Mapping[str, datetime | None]:
        """When the policy that each gate decides by was saved; None: it has none."""
        return self._saved_at

    # --- what people change while it runs ---

    def set_policy(self, gate: str, saved: PolicyVersion | None) -> None:
        """Use a gate's new policy from the next tick on; None: the gate has none any more and is unknown."""
        self._policies[gate] = (parse_policy(saved.document), saved.version) if saved else (None, 0)
        self._saved_at[gate] = saved.saved_at if saved else None
        self._new_policies.add(gate)
        self._woken.set()

    def drop_gate(self, gate: str) -> None:
        """Forget a gate that was deleted."""
        self._policies.pop(gate, None)
        self._saved_at.pop(gate, None)
        self._memories.pop(gate, None)
        self._surveyors.pop(gate, None)
        self._woken.set()

    def wake(self) -> None:
        """Tick soon: something beside the floor has changed. To be called on the event loop."""
        self._woken.set()

    def evaluate_now(self) -> None:
        """Let what has just changed beside the floor count before this returns. To be called on the event loop."""
        if self._is_set_back():
            self._woken.set()
        else:
            self.tick(self._clock.now())

    async def reload_policies(self) -> Collection[str]:
        """Use the gates and policies that are in the store now, whoever put them there; return whose are others."""
        names = await self._gate_store.gates()
        saved = {name: await self._gate_store.policy(name) for name in names}
        gone = self._policies.keys() - saved.keys()
        for name in gone:
            self.drop_gate(name)
        changed = {
            name: policy
            for name, policy in saved.items()
            if name not in self._policies or self._saved_at.get(name) != (policy.saved_at if policy else None)
        }
        for name, policy in changed.items():
            self._load_policy(name, policy)
        return gone | changed.keys()

    async def reload_targets(self) -> None:
        """Use the queues' targets that are in the store now."""
        self.set_targets(await self._queue_store.targets())

    async def agree(self) -> None:
        """Go on with what the leader's gates remember, where this process does not lead."""
        checkpoint = await self._store.checkpoint()
        if checkpoint is None or self._replicas.leads() or checkpoint.evaluated_at == self._begun_at:
            return
        self._has_all, self._is_settled = False, False
        now = self._clock.now()
        for gate, memory in checkpoint.memories.items():
            if gate in self._memories and gate not in self._new_policies:
                self._memories[gate] = agreed(self._memories[gate], memory, now)

    def set_targets(self, targets: Mapping[str, QueueTargets]) -> None:
        """Use the queues' new targets from the next tick on."""
        self.floor.targets = targets
        self._woken.set()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each publish, on the event loop; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --- evaluation ---

    def apply(self, records: Sequence[StreamRecord]) -> None:
        """Take records into the floor. The verdicts change with the next tick."""
        if not records:
            return
        self._position = records[-1].position
        if records[0].position <= self._undated_until:
            until = self._undated_until
            records = [each for each in records if each.position > until or isinstance(each.payload, ContactEvent)]
        if records:
            _, came_at, payloads = zip(*records, strict=True)
            self.floor.apply_all(payloads, came_at)

    def tick(self, now: datetime) -> Published:
        """Let every gate decide as of `now`, publish the outcome and return it."""
        view = self.floor.view(now)
        self.sample(now)
        states = {}
        for gate, (policy, version) in self._policies.items():
            states[gate] = self._decide(gate, policy, version, view, now)
        self._new_policies.clear()
        campaigns = self._beside.campaigns(now)
        self.published = Published(
            *(self.published.seq + 1, now, time.monotonic(), view, states, campaigns),
            confirmed_until_seconds=self._replicas.confirmed_until(),
        )
        for listener in self._listeners:
            listener(self.published)
        return self.published

    def _decide(self, gate: str, policy: Policy | None, version: int, view: FloorView, now: datetime) -> GateState:
        """Let one gate decide, lay its overrides over that, and note when what everybody is told has changed."""
        before, is_new = self._memories.get(gate, _NO_MEMORY), gate in self._new_policies
        foresight = self._beside.foresight(gate, version)
        surveyor = self._surveyors.setdefault(gate, Surveyor(changes))
        basis, memory = decide(view, policy, before, now, is_new_policy=is_new, foresight=foresight, surveying=surveyor)
        overrides = tuple(self._beside.overrides(gate))
        decision, memory = tell(lay_over(basis, policy, overrides, now), before, memory, now)
        self._memories[gate] = memory
        spent = self._beside.spent(gate, now)
        inputs = GateInputs(view, policy, before, is_new_policy=is_new, foresight=foresight)
        state = GateState(gate, policy, version, decision, basis, overrides, spent, before, is_new, inputs, foresight)
        told_before, _ = last_told(before)
        if decision.verdict is not told_before:
            self._note_transition(state, told_before)
        return state

    def sample(self, now: datetime) -> None:
        """Let the floor add its gauges to history, once in each five seconds of the clock; `tick` does so too."""
        slot = int(now.timestamp()) // SAMPLE_SECONDS
        if slot != self._sampled:
            self._sampled = slot
            self.floor.sample(now)

    def _note_transition(self, state: GateState, before: Verdict | None) -> None:
        decision = state.decision
        transition = Transition(
            gate=state.gate,
            at=decision.at,
            before=before,
            after=decision.verdict,
            policy_version=state.policy_version,
            summary=summary(decision),
            reasons=[reason_shape(reason) for reason in decision.reasons],
            inputs=[check_shape(check) for check in decision.checks],
            kept=kept_of(state),
            facts=facts_of(state, decision.at),
        )
        self._transitions.append(transition)
        self._on_transition(transition)

    # --- life ---

    async def start(self) -> None:
        """Stand where the last run stood: load policies and checkpoint, replay the stream's tail, publish.

        Records received later than now tell that the clock was set back. Then no observation up to here counts: it
        may look newer than what comes next. Contacts count whenever they were; who waited may wait still.
        """
        self.floor = Floor(expires_after_seconds=self._expires_after_seconds)
        self._transitions, self._rollups, self._flows = [], [], []
        self.floor.targets = await self._queue_store.targets()
        for gate in await self._gate_store.gates():
            self._load_policy(gate, await self._gate_store.policy(gate))
        self._new_policies.clear()  # new to this process only
        checkpoint = await self._store.checkpoint()
        self._begun_at = checkpoint.evaluated_at if checkpoint else None
        self._has_all, self._is_settled = True, self._replicas.leads()
        now = self._clock.now()
        resumed_at = checkpoint.evaluated_at if checkpoint else now
        horizon = min(now, resumed_at) - self._replayed()
        end = await self._stream.position_before(END_OF_TIME)
        self._undated_until = end if await self._stream.position_before(now + SET_BACK) < end else 0
        self._position = await self._stream.position_before(horizon)
        if checkpoint:
            self._known = dict(checkpoint.known)
            self.floor.recall(checkpoint.known, horizon)
            self._memories = {gate: memory for gate, memory in checkpoint.memories.items() if gate in self._policies}
            await self._replay_written(checkpoint.position)
            await self._replay_unwritten(checkpoint.evaluated_at, now)
        else:
            await self._replay_unwritten(None, now)
        self.tick(self._clock.now())

    async def catch_up(self) -> None:
        """Evaluate all that has come since the last tick, which is not of this process's run."""
        now = self._clock.now()
        await self._replay_unwritten(self.published.at, now)
        self.tick(now)

    def _replayed(self) -> timedelta:
        """Return how far back records may still matter: open contacts, windows, and data that is not stale yet."""
        stale = (policy.stale_after_seconds for policy, _ in self._policies.values() if policy is not None)
        return timedelta(seconds=max(self._expires_after_seconds + WINDOWS_SECONDS, *stale, 0.0))

    def _load_policy(self, gate: str, saved: PolicyVersion | None) -> None:
        try:
            self.set_policy(gate, saved)
        except ValueError:
            log.exception("policy_unreadable", extra={"gate": gate})
            self._policies[gate] = (None, 0)

    async def _replay_written(self, until_position: int) -> None:
        """Rebuild the floor from records whose consequences are written down already."""
        while self._position < until_position:
            records = [r for r in await self._stream.read(self._position) if r.position <= until_position]
            if not records:
                break
            self.apply(records)
        self.floor.forget_gains()

    async def _replay_unwritten(self, evaluated_at: datetime | None, now: datetime) -> None:
        """Evaluate, at the pace of their arrival (not later than now), the records that came after the checkpoint."""
        at, arrived = evaluated_at, None
        while records := await self._stream.read(self._position):
            for record in records:
                arrives = min(record.received_at, now)
                if arrived is not None and arrives - arrived >= TICK_AFTER_ARRIVAL:
                    at, arrived = self._tick_at(arrived), None
                if at is not None and arrived is None:
                    self._tick_through(at, arrives)
                self.apply([record])
                arrived = arrived or arrives
            await asyncio.sleep(0)
        if arrived is not None:
            at = self._tick_at(arrived)
        if at is not None:
            self._tick_through(at, self._clock.now())

    def _tick_at(self, at: datetime) -> datetime:
        self.tick(at)
        return at

    def _tick_through(self, start: datetime, until: datetime) -> None:
        """Tick every second after start and before until; after half an hour of silence nothing moves but ages."""
        at = start + TICK
        while at < until and at - start < REPLAYED_SILENCE:
            self.tick(at)
            at += TICK

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the stream and tick until `stop` is set; then write the last checkpoint.

        A fault is logged and evaluation starts anew after a second; until then `published` grows late, which readers
        must answer as unknown.
        """
        while not stop.is_set():
            try:
                await self._run_until_fault(stop)
            except Exception:
                log.exception("evaluation_failed")
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RESTART_SECONDS)

    async def _run_until_fault(self, stop: asyncio.Event) -> None:
        if self._is_set_back():
            log.warning("clock_set_back", extra={"from": self.published.at.isoformat()})
            await self.start()
        tail = asyncio.create_task(self._follow(), name="evaluator-tail")
        try:
            while not stop.is_set():
                await self._wait(stop, tail)
                if self._is_set_back():
                    break
                self.tick(self._clock.now())
                if self._is_succeeding():
                    break
                if self._is_flush_due():
                    self._begin_flush()
        finally:
            tail.cancel()
            await asyncio.wait([tail])
            await self._end_flush()
            self._begin_flush()
            await self._end_flush()
        successor, self._successor = self._successor, None
        if successor is not None and successor.done() and (fresh := successor.result()) is not None:
            await fresh.catch_up()
            self._adopt(fresh)

    # --- leading and following ---

    def _is_succeeding(self) -> bool:
        """Begin to prepare to write down what the last leader left unwritten; return whether a successor is ready.

        Answers are given as before until then. What follows a checkpoint is in memory from the start on, until somebody
        else writes the next one: then it has to be evaluated anew, from where they stood.
        """
        if not self._replicas.leads():
            self._is_settled = False
            self._drop_successor()
            if not self._has_all:
                self._forget_unwritten()
        elif self._successor is None and not self._is_settled:
            self._successor = asyncio.create_task(self._succeeded(), name="evaluator-successor")
        elif self._successor is not None and self._successor.done():
            if self._successor.exception() is None and self._successor.result() is None:
                self._successor, self._is_settled = None, True
            return self._successor is not None
        return False

    async def _succeeded(self) -> "Evaluator | None":
        """Return an evaluator that stands where the last leader stood; None where this one does so itself."""
        checkpoint = await self._store.checkpoint()
        if self._has_all and (checkpoint.evaluated_at if checkpoint else None) == self._begun_at:
            return None
        fresh = Evaluator(
            stream=self._stream,
            gates=self._gate_store,
            queues=self._queue_store,
            store=self._store,
            clock=self._clock,
            beside=self._beside,
            expires_after_seconds=self._expires_after_seconds,
        )
        await fresh.start()
        return fresh

    def _adopt(self, fresh: "Evaluator") -> None:
        """Stand where a successor stands."""
        targets = self.floor.targets
        for name in _INHERITED:
            setattr(self, name, getattr(fresh, name))
        self.floor.targets = targets
        self._memories = {gate: memory for gate, memory in self._memories.items() if gate in self._policies}
        known = fresh.policies_saved_at
        self._new_policies |= {gate for gate, saved_at in self._saved_at.items() if known.get(gate) != saved_at}
        self._has_all, self._is_settled = True, False

    def _drop_successor(self) -> None:
        if self._successor is not None:
            self._successor.cancel()
            self._successor = None

    def _forget_unwritten(self) -> None:
        """Forget what the leader writes down."""
        self.floor.drain_rollups()
        self.floor.drain_flows()
        self._transitions, self._rollups, self._flows = [], [], []

    def _is_set_back(self) -> bool:
        """Tell whether the clock went back since the last tick: a floor's time cannot, so it has to be built anew."""
        return self.published.at - self._clock.now() > SET_BACK

    def _is_flush_due(self) -> bool:
        """Tell whether there is news to write down: at once for a transition, each minute of a fast clock."""
        waited = time.monotonic() - self._flushed_at
        minute_over = self.published.at - self._flushed_for >= timedelta(minutes=1)
        return bool(self._transitions) or waited >= FLUSH_SECONDS or (minute_over and waited >= FAST_FLUSH_SECONDS)

    async def _follow(self) -> None:
        async for records in self._stream.tail(self._position):
            self.apply(records)
            self._woken.set()
            await asyncio.sleep(0)

    async def _wait(self, stop: asyncio.Event, tail: asyncio.Task[None]) -> None:
        """Return at the next tick's time: a second of the clock, or sooner when records came; never a busy loop."""
        started = time.monotonic()
        waits = [
            asyncio.ensure_future(self._clock.sleep(TICK_SECONDS)),
            asyncio.ensure_future(self._woken.wait()),
            asyncio.ensure_future(stop.wait()),
        ]
        await asyncio.wait([*waits, tail], return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if tail.done():
            tail.result()
        pause = MIN_TICK_WALL_SECONDS - (time.monotonic() - started)
        if pause > 0 and not stop.is_set():
            await asyncio.sleep(pause)
        self._woken.clear()

    # --- writing down ---

    async def flush(self) -> None:
        """Write checkpoint, transitions and history gains in one transaction; on failure all are kept for next time."""
        await self._flush(self._unwritten())

    def _unwritten(self) -> _Unwritten:
        """Return how far evaluation has come, and all that is to be written down up to there."""
        self._rollups.extend(self.floor.drain_rollups())
        self._flows.extend(self.floor.drain_flows())
        checkpoint = Checkpoint(
            *(self._position, self.published.at, dict(self._memories), self._known_queues()), follows=self._begun_at
        )
        return _Unwritten(checkpoint, list(self._transitions), list(self._rollups), list(self._flows))

    async def _flush(self, unwritten: _Unwritten) -> None:
        checkpoint, transitions, rollups, flows = unwritten
        await self._store.flush(checkpoint, transitions, rollups, flows)
        self._begun_at = self._flushed_for = checkpoint.evaluated_at
        del self._transitions[: len(transitions)]
        del self._rollups[: len(rollups)]
        del self._flows[: len(flows)]
        self._flushed_at = time.monotonic()

    def _known_queues(self) -> dict[str, KnownQueue]:
        """Return what is to be remembered of each queue; gathered anew for a new queue, else once a minute."""
        started = time.monotonic()
        if len(self.published.view.queues()) > len(self._known) or started - self._known_at >= KNOWN_SECONDS:
            self._known, self._known_at = self.floor.known(), started
        return self._known

    def _begin_flush(self) -> None:
        """Begin to write down what has been evaluated up to now, if that is this process's to do and not being done.

        Evaluation goes on meanwhile: a database that does not answer holds nobody up.
        """
        is_busy = self._writing is not None and not self._writing.done()
        if not is_busy and self._replicas.leads() and self._is_settled:
            self._writing = asyncio.create_task(self._flush_or_log(self._unwritten()), name="evaluator-flush")

    async def _end_flush(self) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _flush_or_log(self, unwritten: _Unwritten) -> None:
        try:
            await self._flush(unwritten)
        except Conflict:  # perhaps one of its own, written after all: what follows that one is evaluated anew
            self._has_all, self._is_settled = False, False
            log.warning("checkpoint_overtaken", extra={"follows": str(unwritten.checkpoint.follows)})
        except (HoldfireError, OSError) as fault:
            self._flushed_at = time.monotonic()
            log.warning("checkpoint_failed", extra={"error": str(fault), "kept_transitions": len(self._transitions)})


_NO_MEMORY = GateMemory()
# What an evaluator has from its successor: all that follows from the stream, and how far that is written down.
_INHERITED = (
    *("floor", "_position", "_undated_until", "_sampled", "_memories", "_known", "_known_at"),
    *("_transitions", "_rollups", "_flows", "_begun_at"),
)
