"""Replays recorded data through the whole of holdfire, as fast as it goes, so that the decisions are those of its day.

The clock follows the data, second by second. Each second's payloads are appended to the stream under that second, as
they would have been received live; once they are durable they are read back, applied and decided upon in the same
order and at the same seconds. A replay that was broken off, or run again, goes on where it was written down.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from app.core.floor import contact, observation
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.gate.rules import MIN_GAP
from app.core.problem import Problem
from app.ports.evaluation import Checkpoint
from app.ports.stream import Appended, Payload, Stream, StreamRecord
from app.services.evaluator import SAMPLE_SECONDS, Evaluator
from app.services.published import Published

BATCH = 5_000
KEPT_REJECTIONS = 20
SECOND = timedelta(seconds=1)

LOOK_EVERY = timedelta(minutes=5)

Progress = Callable[[datetime], None]
Look = Callable[[Published], Awaitable[None]]


class MovableClock(Protocol):
    """A clock that stands still until it is moved, and never goes back."""

    def now(self) -> datetime:
        """Return where it stands."""

    def move_to(self, at: datetime) -> None:
        """Move it forward to `at`."""


@dataclass(slots=True)
class Replayed:
    """What became of the data. first_at, last_at: the instants it spans by the clock, None without any.

    rejections: the first twenty reasons, of `rejected` payloads in all. transitions: changes of gates it caused now.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    transitions: int = 0
    rejections: list[Problem] = field(default_factory=list)


class Replay:
    """Drives one evaluator, started and driven by nobody else, over a stream that stamps what it takes by `clock`.

    resumed: the checkpoint the evaluator was started from, None for a fresh installation. look: makes the outlooks of
    a publication's gates; None: those of gates that want one are missing.
    """

    def __init__(
        self,
        stream: Stream,
        evaluator: Evaluator,
        clock: MovableClock,
        resumed: Checkpoint | None = None,
        look: Look | None = None,
    ) -> None:
        self._stream, self._evaluator, self._clock, self._look = stream, evaluator, clock, look
        self._replayed = Replayed()
        self._verdicts = {gate: memory.verdict for gate, memory in resumed.memories.items()} if resumed else {}
        self._note(evaluator.published)
        self._looked_at = self._at - LOOK_EVERY

    async def run(self, payloads: Iterable[Payload], progress: Progress = lambda _: None) -> Replayed:
        """Return once all payloads are durable, decided upon, and the evaluator's checkpoint is written.

        Payloads come in the order they were received; one that is earlier than those before it came late. Raises
        NotDurable when the stream cannot keep them.
        """
        appends: list[asyncio.Task[Appended]] = []
        waiting = 0
        loop = asyncio.get_running_loop()
        for moment, group in by_second(payloads, self._clock.now()):
            good = self._good(group, moment)
            if good:
                # The loop runs what is ready in order: each append begins, and takes its time from the clock, between
                # the clock's move to its second and the move to the next one.
                loop.call_soon(self._clock.move_to, moment)
                appends.append(loop.create_task(self._stream.append(good)))
            waiting += len(good)
            if waiting >= BATCH:
                await self._decide(appends)
                waiting = 0
                progress(moment)
        await self._decide(appends)
        return self._replayed

    def _good(self, group: Sequence[Payload], moment: datetime) -> list[Payload]:
        replayed = self._replayed
        replayed.first_at = replayed.first_at or _instant(group[0])
        replayed.last_at = max(replayed.last_at or replayed.first_at, *map(_instant, group))
        good = []
        for payload in group:
            faults = _problems(payload, moment)
            if faults:
                replayed.rejected += 1
                replayed.rejections.extend(faults[: KEPT_REJECTIONS - len(replayed.rejections)])
            else:
                good.append(payload)
        return good

    async def _decide(self, appends: list[asyncio.Task[Appended]]) -> None:
        """Wait until all is durable, then evaluate what is new of it and write down where that leaves us."""
        for appended in await asyncio.gather(*appends):
            self._replayed.accepted += appended.accepted
            self._replayed.duplicates += appended.duplicates
        appends.clear()
        while records := await self._stream.read(self._evaluator.position):
            for received_at, group in groupby(records, key=lambda record: record.received_at):
                await self._look_through(received_at - SECOND)
                self._tick_through(received_at - SECOND)
                self._evaluate(list(group), max(received_at, self._at))
        await self._evaluator.flush()

    async def _look_through(self, until: datetime) -> None:
        """Look ahead every five minutes up to `until`, where any gate wants to know: at history as it is then."""
        if self._look is None or not self._wants_outlook():
            return
        while (due_at := max(self._at, self._looked_at + LOOK_EVERY)) <= until:
            self._tick_through(due_at)
            self._tick(due_at)
            await self._evaluator.flush()
            await self._look(self._evaluator.published)
            self._tick(due_at)
            self._looked_at = due_at

    def _wants_outlook(self) -> bool:
        policies = (state.policy for state in self._evaluator.published.gates.values())
        return any(policy is not None and policy.outlook is not None for policy in policies)

    def _evaluate(self, records: Sequence[StreamRecord], now: datetime) -> None:
        self._evaluator.apply(records)
        self._tick(now)

    def _tick_through(self, until: datetime) -> None:
        """Decide at every second up to `until` at which a decision may differ from the one before.

        At a second that is left out nothing was applied since the last tick, and `decide` would find
        * every value as it was, but for oldest waits on the same side of every limit: Floor.next_change_at;
        * every value as fresh as it was, no timer at its end, the same send window: Decision.next_review_at;
        * no gap in a running timer: while one runs, two looks are never further apart than MIN_GAP.
        So verdict and memory would come out the same, but for `seen_at`, which only measures gaps. History's samples
        are taken at their seconds all the same.
        """
        while self._at < until:
            reach = min(until + SECOND, self._at + MIN_GAP) if self._timer_runs() else until + SECOND
            due_at = self._evaluator.floor.next_change_at(reach, self._wait_limits())
            reviews = (state.decision.next_review_at for state in self._evaluator.published.gates.values())
            due_at = min([due_at, *(ceil_second(max(at, self._at + SECOND)) for at in reviews if at is not None)])
            self._sample(min(due_at, until + SECOND))
            if due_at > until:
                return
            self._tick(due_at)

    def _sample(self, before: datetime) -> None:
        """Take history's samples at the seconds left out before the next tick."""
        at = self._at + timedelta(seconds=SAMPLE_SECONDS - self._at.timestamp() % SAMPLE_SECONDS)
        while at < before:
            self._evaluator.sample(at)
            at += timedelta(seconds=SAMPLE_SECONDS)

    def _timer_runs(self) -> bool:
        memories = self._evaluator.memories.values()
        return any(rule.pending_since is not None for memory in memories for rule in memory.rules.values())

    def _wait_limits(self) -> tuple[float, ...]:
        """Return every limit that a gate sets to the oldest wait, in seconds."""
        policies = (state.policy for state in self._evaluator.published.gates.values())
        return tuple(
            limit
            for policy in policies
            if policy is not None
            for rule in policy.rules
            if rule.metric is Metric.OLDEST_WAIT_SECONDS
            for limit in (rule.hold_limit, rule.resume_limit)
        )

    def _tick(self, now: datetime) -> None:
        self._note(self._evaluator.tick(now))

    def _note(self, published: Published) -> None:
        self._at = published.at
        for gate, state in published.gates.items():
            if state.decision.verdict is not self._verdicts.get(gate):
                self._verdicts[gate] = state.decision.verdict
                self._replayed.transitions += 1


def by_second(payloads: Iterable[Payload], start: datetime) -> Iterator[tuple[datetime, list[Payload]]]:
    """Yield payloads by the whole second at which the clock stands when they come: from `start`, never back."""
    moment = ceil_second(start)
    group: list[Payload] = []
    for payload in payloads:
        at = ceil_second(_instant(payload))
        if at > moment and group:
            yield moment, group
            group = []
        moment = max(moment, at)
        group.append(payload)
    if group:
        yield moment, group


def ceil_second(at: datetime) -> datetime:
    """Return the first whole second not before `at`."""
    return at if not at.microsecond else at.replace(microsecond=0) + SECOND


def _instant(payload: Payload) -> datetime:
    return payload.observed_at if isinstance(payload, Observation) else payload.at


def _problems(payload: Payload, now: datetime) -> Sequence[Problem]:
    if isinstance(payload, Observation):
        return observation.problems(payload, now)
    return contact.problems(payload, now)
