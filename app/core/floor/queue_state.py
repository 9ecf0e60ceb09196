"""One queue: its contacts, what sources reported of it, and which of both is read."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from app.core.floor.contact import ContactEvent
from app.core.floor.contacts import Contacts, QueueCounters
from app.core.floor.derived import METRICS, ContactReadings
from app.core.floor.flow import FlowDelta
from app.core.floor.formulas import AVERAGES
from app.core.floor.instants import LONG_AGO, MINUTE, SECOND, instant, micros, span
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.observation import Observation
from app.core.floor.reported import Reported
from app.core.floor.rollup import RollupDelta, Rollups
from app.core.floor.targets import QueueTargets
from app.core.floor.view import Reading

_GAUGES = frozenset(Metric) - frozenset(AVERAGES)
_SAMPLED = (Metric.BACKLOG, Metric.OLDEST_WAIT_SECONDS, Metric.CONTACTS_IN_PROGRESS)


class SourceClock:
    """The newest instant in anything one source sent, about any queue."""

    __slots__ = ("at", "at_us", "name")

    def __init__(self, name: str, at: datetime, at_us: int) -> None:
        self.name, self.at, self.at_us = name, at, at_us


class KnownQueue(NamedTuple):
    """What to remember of a queue for a time without its records: when it was last heard, and what was reported."""

    heard_at: datetime
    metrics: tuple[Metric, ...]


class Moment:
    """One look at the floor: the time it is taken at. Two looks are two moments, even at the same time."""

    __slots__ = ("now_us",)

    def __init__(self, now_us: int) -> None:
        self.now_us = now_us


class QueueState:
    """What is known of one queue. Its readings are taken at a `now` that never goes back."""

    __slots__ = (
        "_changed",
        "_clocks",
        "_contacts",
        "_expires_us",
        "_followed_us",
        "_heard_us",
        "_keep_us",
        "_moment",
        "_of_contacts",
        "_readings",
        "_recalled",
        "_reported",
        "_rollups",
        "_sampled_us",
        "_seen",
        "_targets",
        "heard_at",
    )

    def __init__(self, name: str, targets: QueueTargets, *, expires_us: int, keep_seconds: int) -> None:
        self._targets = targets
        self._rollups = Rollups(name, targets.service_level_variant)
        self._contacts = Contacts(targets, self._rollups, expires_us=expires_us, keep_seconds=keep_seconds)
        self._of_contacts = ContactReadings(self._contacts, targets)
        self._reported: dict[str, Reported] = {}
        self._clocks: dict[str, SourceClock] = {}  # of the sources of contacts
        self._expires_us = expires_us
        self._keep_us = keep_seconds * SECOND
        self._followed_us = self._sampled_us = self._heard_us = LONG_AGO
        self.heard_at: datetime | None = None
        self._readings: dict[tuple[Metric, float], Reading | None] = {}
        self._moment: Moment | None = None  # when the readings were last found good
        self._changed = True  # whether anything came since
        self._seen = (-1, "", LONG_AGO)
        self._recalled: dict[Metric, Reading] = {}

    @property
    def retired(self) -> bool:
        """Whether people took the queue out of use and nothing newer was heard of it."""
        retired_at = self._targets.retired_at
        return retired_at is not None and (self.heard_at is None or self.heard_at <= retired_at)

    def retarget(self, targets: QueueTargets) -> None:
        """Judge by other targets from now on."""
        if targets != self._targets:
            self._targets, self._changed = targets, True
            self._rollups.retarget(targets.service_level_variant)
            self._contacts.retarget(targets)
            self._of_contacts = ContactReadings(self._contacts, targets)

    def observe(self, observation: Observation, at_us: int) -> None:
        """Take in an observation; one that was there already changes nothing."""
        reported = self._reported_by(observation.source)
        if at_us > self._heard_us:
            self._heard_us, self.heard_at = at_us, observation.observed_at
        if reported.apply(observation, at_us):
            self._changed = True
            self._rollups.observe(observation, at_us)

    def observe_all(self, observations: Sequence[Observation], instants: Sequence[int]) -> None:
        """Take in observations of one source, as `observe` would one after the other; at least one."""
        reported = self._reported_by(observations[0].source)
        if not reported.apply_newer(observations, instants):
            for observation, at_us in zip(observations, instants, strict=True):
                self.observe(observation, at_us)
            return
        if instants[-1] > self._heard_us:
            self._heard_us, self.heard_at = instants[-1], observations[-1].observed_at
        self._changed = True
        self._rollups.observe_all(observations, instants)

    def follow(self, event: ContactEvent, at_us: int, clock: SourceClock) -> None:
        """Take in a contact event; one that was there already changes nothing."""
        self._clocks[clock.name] = clock
        self._followed_us = max(self._followed_us, at_us)
        self._rollups.flows.contacts_until_us = self._followed_us + self._expires_us
        if at_us > self._heard_us:
            self._heard_us, self.heard_at = at_us, event.at
        self._changed = True
        self._contacts.apply(event.contact_id, event.event, at_us)

    def reading(self, metric: Metric, window_seconds: float, moment: Moment) -> Reading | None:
        """Return the newest value on offer, None when there is none: see the head of app.core.floor.state."""
        if moment is not self._moment or self._changed:
            self._refresh(moment)
        key = (metric, window_seconds)
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = self._read(metric, window_seconds)
        return reading

    def _reported_by(self, source: str) -> Reported:
        reported = self._reported.get(source)
        if reported is None:
            reported = self._reported[source] = Reported(self._keep_us)
        return reported

    def _refresh(self, moment: Moment) -> None:
        """Drop the readings kept from before, unless they are as good at this moment."""
        self._moment = moment
        if self._clocks:
            self._contacts.advance(moment.now_us)
            clock = self._clock()
            seen = (self._contacts.version, clock.name, clock.at_us)
            self._changed = self._changed or seen != self._seen
            self._seen = seen
        if self._changed:
            self._changed = False
            self._readings.clear()

    def _read(self, metric: Metric, window_seconds: float) -> Reading | None:
        of_contacts = None
        if self._clocks and metric in METRICS:
            of_contacts = self._derived(metric, window_seconds)
            if not self._reported:
                return of_contacts
        window_us, variant = span(window_seconds), self._targets.service_level_variant
        offers = [reported.reading(metric, window_us, variant) for reported in self._reported.values()]
        readings = [offer for offer in offers if offer is not None]
        if of_contacts is not None:
            readings = self._beside_contacts(readings, of_contacts)
        return min(readings, key=_newest_first, default=self._recalled.get(metric))

    def known(self, window_seconds: float, moment: Moment, before: KnownQueue | None = None) -> KnownQueue | None:
        """Return what `recall` needs to stand by this queue later; None when nothing was ever heard of it.

        before: what this returned last. A gauge that was reported stays so, and need not be read again.
        """
        if self.heard_at is None:
            return None
        still = _GAUGES.intersection(before.metrics) if before else frozenset[Metric]()
        reported = (m for m in Metric if m in still or self.reading(m, window_seconds, moment) is not None)
        return KnownQueue(self.heard_at, tuple(reported))

    def recall(self, known: KnownQueue, before: datetime) -> None:
        """Stand by what was known of this queue, heard last before `before`: its metrics are stale, not unheard of."""
        at = min(known.heard_at, before)
        if self.heard_at is None:
            self.heard_at, self._heard_us = known.heard_at, micros(known.heard_at)
        for metric in known.metrics:
            unit = DEFINITIONS[metric].unit
            self._recalled[metric] = Reading(
                metric, None, unit, None, "an earlier run", at, 0, "reported before the last start"
            )
        self._changed = True

    def sample(self, now_us: int) -> None:
        """Add the gauges that contacts give to history, unless their source has said nothing since the last time."""
        if not self._clocks or self._clock().at_us <= self._sampled_us:
            return
        self._sampled_us = self._clock().at_us
        self._rollups.flows.hear(self._sampled_us // MINUTE)
        self._contacts.advance(now_us)
        for metric in _SAMPLED:
            value = self._derived(metric, 0).value
            self._rollups.gauge(metric, instant(now_us), value or 0)

    def next_change_us(self, now_us: int, until_us: int, wait_limits_us: Iterable[int]) -> int:
        """Return the next whole second, at most until_us, from which time alone may move a reading.

        What was observed does not change by time; only contacts do.
        """
        if not self._clocks:
            return until_us
        self._contacts.advance(now_us)
        return self._contacts.next_change_us(until_us, wait_limits_us)

    def counters(self, now_us: int) -> QueueCounters:
        """Return how the queue's contacts were accounted for."""
        self._contacts.advance(now_us)
        return self._contacts.counters()

    def drain(self, now_us: int) -> Iterator[RollupDelta]:
        """Yield what history gained since the last drain."""
        self._contacts.advance(now_us)
        return self._rollups.drain()

    def forget_gains(self, now_us: int) -> None:
        """Clear what history gained, as if it were drained at this instant."""
        self._contacts.advance(now_us)
        self._rollups.forget()

    def drain_flows(self) -> Iterator[FlowDelta]:
        """Yield what came in and went out since the last such drain."""
        return self._rollups.drain_flows()

    def _beside_contacts(self, readings: list[Reading], of_contacts: Reading) -> list[Reading]:
        """Return what is on offer with what contacts give, which its source's own observations are never newer than.

        Unless these went on long after the contacts themselves stopped coming: then contacts give nothing.
        """
        lapsed_us = self._followed_us + self._expires_us
        if any(micros(reading.observed_at) > lapsed_us for reading in readings if reading.source in self._clocks):
            return readings
        return [of_contacts, *readings]

    def _derived(self, metric: Metric, window_seconds: float) -> Reading:
        clock = self._clock()
        return self._of_contacts.reading(metric, window_seconds, clock.name, clock.at)

    def _clock(self) -> SourceClock:
        if len(self._clocks) == 1:
            return next(iter(self._clocks.values()))
        return min(self._clocks.values(), key=lambda clock: (-clock.at_us, clock.name))


def _newest_first(reading: Reading) -> tuple[int, str]:
    return -micros(reading.observed_at), reading.source
