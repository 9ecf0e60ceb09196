"""The floor: what is true of every queue, from all that was heard of it, in whatever order it came.

Theory of operation: the floor is a function of the set of records applied and of the newest `now` it was shown. Each
source has a clock: the newest instant in anything it sent, about any queue. What is derived from contacts is as old as
the newest clock among the sources of that queue's contacts: a quiet queue of a living source is not stale. Observed
values are as old as their observation. Neither is newer than its receipt. Contacts of one queue are pooled, whoever
reported them. Of the values on offer for a metric the one with the newest time is read (then the first source by name);
a source's own contacts go before what the same source observed, unless its contacts stopped coming longer ago than a
contact may last.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import gt, itemgetter
from types import MappingProxyType
from typing import NamedTuple, cast

from app.core.floor.contact import ContactEvent
from app.core.floor.contacts import QueueCounters
from app.core.floor.flow import FlowDelta
from app.core.floor.instants import LONG_AGO, instant, micros, span
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.queue_state import KnownQueue, Moment, QueueState, SourceClock
from app.core.floor.rollup import RollupDelta
from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView, Reading

_NO_TARGETS = QueueTargets()
_DRAWN_CLOSE = 1e-6  # of what lies ahead, so much is left: nothing that can be seen, and the order stays
_MANY = 4  # of fewer of one queue and source, one by one costs less
_OBSERVED_AT = itemgetter(Observation._fields.index("observed_at"))
_REPORTER = itemgetter(Observation._fields.index("queue"), Observation._fields.index("source"))
_UNREAD = Reading(Metric.BACKLOG, None, "", None, "", instant(0), None, "")  # stands for a reading not yet looked up


class FloorCounters(NamedTuple):
    """How contacts were accounted for, by queue."""

    queues: Mapping[str, QueueCounters]


class Floor:
    """The state of all queues. Applying is cheap; looking is lazy. Not for use from several threads.

    expires_after_seconds: how long a contact may wait, or be handled, before its end is taken for lost.
    keep_seconds: how far back windows reach; a longer one that is asked for is kept from then on.
    """

    def __init__(
        self,
        targets: Mapping[str, QueueTargets] | None = None,
        *,
        expires_after_seconds: float = 4 * 3600,
        keep_seconds: float = 3600.0,
        default_window_seconds: float = 300.0,
    ) -> None:
        self._targets: Mapping[str, QueueTargets] = MappingProxyType(dict(targets or {}))
        self._expires_us = span(expires_after_seconds)
        self._keep_seconds = keep_seconds
        self._default_window_seconds = default_window_seconds
        self._queues: dict[str, QueueState] = {}
        self._clocks: dict[str, SourceClock] = {}
        self._now_us = LONG_AGO
        self._roster = _Roster(self._queues)
        self._roster.forget(some_retired=_some_retired(self._targets))
        self._touched: set[str] = set()  # queues that something was applied to since the last view
        self._unknown: set[str] = set()  # those before that, since what is known was last gathered
        self._known: dict[str, KnownQueue] = {}
        self._moving: set[str] = set()  # queues with contacts, whose readings move by time alone
        self._readings: _Readings = {}  # of the last view
        self._views = 0

    @property
    def targets(self) -> Mapping[str, QueueTargets]:
        """What people set per queue. Setting it judges all windows anew, and leaves history as it was judged."""
        return self._targets

    @targets.setter
    def targets(self, targets: Mapping[str, QueueTargets]) -> None:
        """Set what people want of each queue: its windows are judged by that from now on."""
        self._targets = MappingProxyType(dict(targets))
        for name, queue in self._queues.items():
            queue.retarget(self._targets.get(name, _NO_TARGETS))
        self._touched.update(self._queues)
        self._roster.forget(some_retired=_some_retired(targets))

    def apply(self, payload: Observation | ContactEvent, received_at: datetime | None = None) -> None:
        """Take in one record, as validated; any order, repeats harmless.

        received_at, where given: what a source dates later is taken to be of then, so that a clock that is ahead
        makes nothing newer than what comes after it, and nothing fresh for longer.
        """
        if isinstance(payload, Observation):
            queue, source, at = payload.queue, payload.source, payload.observed_at
        else:
            queue, source, at = payload.queue, payload.source, payload.at
        if received_at is not None and at > received_at:
            at = _drawn_close(at, received_at)
            if isinstance(payload, Observation):
                payload = payload._replace(observed_at=at)
        at_us = micros(at)
        clock = self._set_clock(source, at, at_us)
        state = self._queues.get(queue) or self._open(queue)
        self._touched.add(queue)
        if isinstance(payload, Observation):
            state.observe(payload, at_us)
        else:
            self._moving.add(queue)
            state.follow(payload, at_us if payload.at is at else micros(payload.at), clock)

    def apply_all(self, payloads: Sequence[Observation | ContactEvent], came_at: Sequence[datetime]) -> None:
        """Take in records as `apply` would one after the other; observations at a fraction of what that costs."""
        if set(map(type, payloads)) == {Observation}:
            self._observe_all(cast("Sequence[Observation]", payloads), came_at)
        else:
            for payload, received_at in zip(payloads, came_at, strict=True):
                self.apply(payload, received_at)

    def view(self, now: datetime) -> "View":
        """Return the floor at `now`; time does not go back: an earlier `now` than before is taken for that one.

        A view computes a reading when first asked for it and then keeps it. What is first asked for after more was
        applied may already include that; `settle` the view to keep it exactly as it is. What nothing was applied to
        since the view before, it need not compute again.
        """
        self._now_us = max(self._now_us, micros(now))
        changed = frozenset(self._touched | self._moving)
        self._touched.clear()
        self._unknown |= changed
        readings = self._readings = self._readings.copy()
        for name in changed:
            readings.pop(name, None)
        self._views += 1
        look = Look(self, Moment(self._now_us), self._views, changed)
        return View(self._queues, self._roster.for_view(), look, readings, self._default_window_seconds)

    def next_change_at(self, until: datetime, wait_limits_seconds: Iterable[float] = ()) -> datetime:
        """Return the next whole second, at most `until`, from which time alone may move the value of a reading.

        Counted from the newest `now`. Before that second, and as long as nothing is applied, every reading stays the
        same, except that the oldest wait grows, without passing one of wait_limits_seconds on its way.
        """
        limits_us, until_us = [span(limit) for limit in wait_limits_seconds], micros(until)
        changes = (queue.next_change_us(self._now_us, until_us, limits_us) for queue in self._queues.values())
        return instant(min(changes, default=until_us))

    def sample(self, now: datetime) -> None:
        """Add backlog, oldest wait and contacts in progress at `now` to history, where the source was heard since."""
        self._now_us = max(self._now_us, micros(now))
        for queue in self._queues.values():
            queue.sample(self._now_us)

    def counters(self) -> FloorCounters:
        """Return how contacts were accounted for up to the newest `now`."""
        return FloorCounters({name: queue.counters(self._now_us) for name, queue in self._queues.items()})

    def known(self) -> dict[str, KnownQueue]:
        """Return what to remember of every queue, for a later floor to `recall`."""
        moment = Moment(self._now_us)
        for name in self._unknown | self._touched | self._moving:
            known = self._queues[name].known(self._default_window_seconds, moment, self._known.get(name))
            if known is not None:
                self._known[name] = known
        self._unknown.clear()
        return self._known.copy()

    def recall(self, known: Mapping[str, KnownQueue], before: datetime) -> None:
        """Stand by queues of an earlier run: what was not reported again since `before` is stale, not unheard of.

        Without this, a queue that was silent for longer than the stream's tail reaches back would be forgotten by a
        restart, and a gate over all queues would no longer miss it.
        """
        for name, queue in known.items():
            (self._queues.get(name) or self._open(name)).recall(queue, before)
        self._touched.update(known)

    def drain_rollups(self) -> list[RollupDelta]:
        """Return what history gained since the last call."""
        return [delta for queue in self._queues.values() for delta in queue.drain(self._now_us)]

    def drain_flows(self) -> list[FlowDelta]:
        """Return what came in and went out by queue and minute, since the last call."""
        return [delta for queue in self._queues.values() for delta in queue.drain_flows()]

    def forget_gains(self) -> None:
        """Clear what history gained since the last drains, which is written down already, at less than they cost."""
        for queue in self._queues.values():
            queue.forget_gains(self._now_us)

    def _observe_all(self, observations: Sequence[Observation], came_at: Sequence[datetime]) -> None:
        """Take in observations by queue and source: nothing that one source says of one queue touches another's."""
        if any(map(gt, map(_OBSERVED_AT, observations), came_at)):
            observations = list(map(_not_ahead, observations, came_at))
        groups: dict[tuple[str, str], list[Observation]] = defaultdict(list)
        for reporter, observation in zip(map(_REPORTER, observations), observations, strict=True):
            groups[reporter].append(observation)
        for (queue, source), group in groups.items():
            if len(group) < _MANY:
                for observation in group:
                    self.apply(observation)
                continue
            instants = [micros(observation.observed_at) for observation in group]
            newest = max(instants)
            self._set_clock(source, group[instants.index(newest)].observed_at, newest)
            (self._queues.get(queue) or self._open(queue)).observe_all(group, instants)
            self._touched.add(queue)

    def _set_clock(self, source: str, at: datetime, at_us: int) -> SourceClock:
        """Return a source's clock, put forward to an instant it spoke of."""
        clock = self._clocks.get(source)
        if clock is None:
            clock = self._clocks[source] = SourceClock(source, at, at_us)
        elif at_us > clock.at_us:
            clock.at_us, clock.at = at_us, at
        return clock

    def _open(self, name: str) -> QueueState:
        self._roster.forget()
        self._touched.add(name)
        state = self._queues[name] = QueueState(
            name,
            self._targets.get(name, _NO_TARGETS),
            expires_us=self._expires_us,
            keep_seconds=round(self._keep_seconds),
        )
        return state


def _not_ahead(observation: Observation, received_at: datetime) -> Observation:
    at = observation.observed_at
    return observation if at <= received_at else observation._replace(observed_at=_drawn_close(at, received_at))


def _drawn_close(at: datetime, received_at: datetime) -> datetime:
    """Return what stands for an instant that lay ahead when it was received: just after that, in the same order."""
    return received_at + (at - received_at) * _DRAWN_CLOSE


def _some_retired(targets: Mapping[str, QueueTargets]) -> bool:
    return any(target.retired_at is not None for target in targets.values())


_Readings = dict[str, dict[tuple[Metric, float], Reading | None]]


class Look(NamedTuple):
    """What makes one view of a floor: when, the how manieth, and which queues may read differently than in the last.

    floor: the same object for all views of one floor.
    """

    floor: object
    moment: Moment
    number: int
    changed: frozenset[str]


class _Roster:
    """The names of the queues in use, sorted: the same tuple as long as no queue came or went."""

    __slots__ = ("_names", "_queues", "_some_retired")

    def __init__(self, queues: Mapping[str, QueueState]) -> None:
        self._queues = queues
        self._names: tuple[str, ...] | None = None
        self._some_retired = False

    def forget(self, *, some_retired: bool | None = None) -> None:
        """Gather the names anew when next asked."""
        self._names = None
        if some_retired is not None:
            self._some_retired = some_retired

    def for_view(self) -> "_Roster":
        """Return the roster for one view more; a retired queue comes back with newer data, so then it is not kept."""
        if self._some_retired:
            self._names = None
        return self

    def names(self) -> tuple[str, ...]:
        """Return the names."""
        if self._names is None:
            self._names = tuple(sorted(name for name, queue in self._queues.items() if not queue.retired))
        return self._names


class View:
    """The floor at one instant: a FloorView. Looking changes nothing that can be seen."""

    __slots__ = ("_default_window_seconds", "_names", "_queues", "_readings", "_roster", "at", "look")

    def __init__(
        self,
        queues: Mapping[str, QueueState],
        roster: _Roster,
        look: Look,
        readings: _Readings,
        default_window_seconds: float,
    ) -> None:
        self.at = instant(look.moment.now_us)
        self._queues, self._roster, self.look, self._readings = queues, roster, look, readings
        self._default_window_seconds = default_window_seconds
        self._names: tuple[str, ...] | None = None

    def queues(self) -> tuple[str, ...]:
        """Return the names of all queues in use, sorted; retired ones are left out."""
        if self._names is None:
            self._names = self._roster.names()
        return self._names

    def reading(self, queue: str, metric: Metric, window_seconds: float | None = None) -> Reading | None:
        """Return the newest reading of a metric, None when no source ever reported it for this queue."""
        state = self._queues.get(queue)
        if state is None:
            return None
        window = self._default_window_seconds if window_seconds is None else window_seconds
        kept, key = self._readings.setdefault(queue, {}), (metric, window)
        reading = kept.get(key, _UNREAD)
        if reading is _UNREAD:
            reading = kept[key] = state.reading(metric, window, self.look.moment)
        return reading

    def last_heard_at(self, queue: str) -> datetime | None:
        """Return the newest instant, by the sources' time, at which any source spoke of this queue."""
        state = self._queues.get(queue)
        return None if state is None else state.heard_at

    def settle(self) -> None:
        """Compute every reading at the default window now, so that what is applied later cannot show."""
        for queue in self.queues():
            for metric in Metric:
                self.reading(queue, metric)


def changes(earlier: FloorView, later: FloorView) -> Collection[str] | None:
    """Return the queues whose readings may differ between two views; None: these are not two in a row of one floor."""
    if not (isinstance(earlier, View) and isinstance(later, View)):
        return None
    before, after = earlier.look, later.look
    return after.changed if after.floor is before.floor and after.number == before.number + 1 else None
