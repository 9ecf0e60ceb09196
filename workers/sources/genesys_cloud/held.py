"""How the queues stand, put together from facts that come one by one. Pure: time is given."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.core.floor.observation import Observation
from workers.sources.genesys_cloud.translate import Fact

OLDEST_DAYS = 30
LEAST_WINDOW_SECONDS = 60.0
HALF_HOUR = timedelta(minutes=30)

_BUSY = ("INTERACTING", "COMMUNICATING")
_IDLE = "IDLE"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = 1000.0
_NOTHING: Mapping[str, float] = {}


class _Queue:
    """One queue: the newest stats of now by medium, metric and qualifier; of the half hour by medium and metric."""

    def __init__(self) -> None:
        self.now: dict[tuple[str, str, str], Mapping[str, float]] = {}
        self.since: datetime | None = None
        self.half_hour: dict[tuple[str, str], Mapping[str, float]] = {}


class Held:
    """What is known of these queues. media: those that count; least_contacts: fewer make no average."""

    def __init__(self, queues: Mapping[str, str], media: Collection[str], least_contacts: int) -> None:
        self._names, self._media, self._least = queues, media, least_contacts
        self._queues: dict[str, _Queue] = {queue: _Queue() for queue in queues}
        self._meanwhile: list[Fact] | None = None

    def asked(self) -> None:
        """Note that a full answer is asked for: what is told until it comes may be newer than what it says."""
        self._meanwhile = []

    def resync(self, facts: Iterable[Fact]) -> None:
        """Replace how the queues are now by a full answer and what was told meanwhile; the rest is known no more."""
        for queue in self._queues.values():
            queue.now.clear()
        meanwhile, self._meanwhile = self._meanwhile or [], None
        self.apply([*facts, *meanwhile])

    def apply(self, facts: Sequence[Fact]) -> None:
        """Take in facts; those of other queues and media, and of half hours that are over, change nothing."""
        if self._meanwhile is not None:
            self._meanwhile.extend(facts)
        for fact in facts:
            queue = self._queues.get(fact.queue)
            if queue is None or (fact.media and fact.media not in self._media):
                continue
            if fact.since is None:
                queue.now[fact.media, fact.metric, fact.qualifier] = fact.stats
            elif queue.since is None or fact.since >= queue.since:
                if fact.since != queue.since:
                    queue.since, queue.half_hour = fact.since, {}
                queue.half_hour[fact.media, fact.metric] = fact.stats

    def observations(self, source: str, now: datetime, ahead: timedelta) -> list[Observation]:
        """Return how each queue that anything is known of stands now. ahead: how far Genesys's clock is before ours."""
        seen = (self._observed(queue, Observation(name, now, source), ahead) for queue, name in self._names.items())
        return [each for each in seen if each is not None]

    def _observed(self, queue_id: str, empty: Observation, ahead: timedelta) -> Observation | None:
        queue = self._queues[queue_id]
        waiting, interacting = _by_media(queue, "oWaiting"), _by_media(queue, "oInteracting")
        states = {
            qualifier: int(stats["count"])
            for (_, metric, qualifier), stats in queue.now.items()
            if metric == "oUserRoutingStatuses" and "count" in stats
        }
        idle, busy = states.get(_IDLE, 0), sum(states.get(each, 0) for each in _BUSY)
        seen = empty._replace(
            channel=next(iter(waiting)) if len(waiting) == 1 else None,
            backlog=_total(waiting),
            oldest_wait_seconds=_oldest(queue, waiting, empty.observed_at + ahead),
            contacts_in_progress=_total(interacting),
            agents_staffed=idle + busy if states else None,
            agents_available=idle if states else None,
            agents_busy=busy if states else None,
        )
        known = waiting or interacting or states
        return self._with_half_hour(seen, queue, empty.observed_at + ahead) if known else None

    def _with_half_hour(self, seen: Observation, queue: _Queue, now: datetime) -> Observation:
        """Return it with what was counted since :00 or :30, where that is enough to say anything and not over."""
        if queue.since is None or now >= queue.since + HALF_HOUR:
            return seen
        window = (now - queue.since).total_seconds()
        sums: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        for (_, metric), stats in queue.half_hour.items():
            for name, value in stats.items():
                sums[metric][name] += value
        answered, level, handled = sums["tAnswered"], sums["oServiceLevel"], sums["tHandle"]
        ended = answered["count"] + sums["tAbandon"]["count"]
        if window < LEAST_WINDOW_SECONDS:
            return seen
        enough = answered["count"] >= self._least
        fair = level["denominator"] >= self._least and level["numerator"] <= level["denominator"]
        return seen._replace(
            window_seconds=window,
            speed_to_answer_seconds=answered["sum"] / answered["count"] / _MS if enough else None,
            handle_time_seconds=handled["sum"] / handled["count"] / _MS if handled["count"] >= self._least else None,
            service_level_ratio=level["numerator"] / level["denominator"] if fair else None,
            abandonment_ratio=sums["tAbandon"]["count"] / ended if ended >= self._least else None,
        )


def _by_media(queue: _Queue, metric: str) -> dict[str, float]:
    """Return the counts of a metric by medium; where it is told by qualifier, too, the largest."""
    counts: dict[str, float] = {}
    for (media, name, _), stats in queue.now.items():
        if name == metric and media and "count" in stats:
            counts[media] = max(stats["count"], counts.get(media, 0.0))
    return counts


def _total(counts: Mapping[str, float]) -> int | None:
    return int(sum(counts.values())) if counts else None


def _oldest(queue: _Queue, waiting: Mapping[str, float], now: datetime) -> float | None:
    """Return the longest wait of all media in seconds; 0 when nobody waits, None when one that waits does not say."""
    if not waiting:
        return None
    ages = [_age(queue, media, now) for media, count in waiting.items() if count]
    known = [age for age in ages if age is not None]
    return max(known, default=0.0) if len(known) == len(ages) else None


def _age(queue: _Queue, media: str, now: datetime) -> float | None:
    """Return how long the oldest of a medium has waited: what comes is the instant since when, in milliseconds."""
    since = queue.now.get((media, "oLongestWaiting", ""), _NOTHING).get("calculatedMetricValue")
    if since is None:
        return None
    age = (now - _EPOCH).total_seconds() - since / _MS
    return max(0.0, age) if age < OLDEST_DAYS * 86_400 else None
