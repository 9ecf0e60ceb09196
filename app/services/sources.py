"""How every source is doing: who brought data, when, and what went wrong last. In memory, counted since start."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.ports.sources import Fed, Refusal, SourceHealth

MAX_SOURCES = 1_000
MAX_QUEUES = 500  # per source: those not heard of for longest are forgotten


class Sources:
    """The registry of sources' health, by source name.

    Whoever may ingest may invent names, so at most `limit` are kept: the one silent for longest makes room.
    """

    def __init__(self, limit: int = MAX_SOURCES) -> None:
        self._limit = limit
        self._health: OrderedDict[str, SourceHealth] = OrderedDict()

    def heard(
        self,
        name: str,
        *,
        accepted: int,
        duplicates: int,
        rejected: int,
        observed_at: datetime | None,
        at: datetime,
        refusals: Sequence[Refusal] = (),
        beside: bool = False,
    ) -> None:
        """Note what became of one batch of a source; `refusals` say why the last rejected ones were refused.

        beside: others of the same batch were taken, so that what was rejected is no failure.

        observed_at is the newest instant the source spoke of in this batch, None when nothing was acceptable.
        """
        health = self._of(name)
        health.refusals.extend(refusals)
        health.accepted += accepted
        health.duplicates += duplicates
        health.rejected += rejected
        if observed_at is not None:
            known = health.last_observed_at
            health.last_observed_at = observed_at if known is None else max(known, observed_at)
            health.pace.add(accepted + duplicates, observed_at, at)
        if refusals:
            health.last_error = refusals[-1].detail
        if accepted or duplicates:
            health.last_success_at, health.consecutive_failures, health.status = at, 0, "ok"
        elif rejected and not beside:
            health.consecutive_failures += 1
            health.status = "sends nothing acceptable"

    def sampled(self, name: str, sample: Observation | ContactEvent, queues: Mapping[str, Fed]) -> None:
        """Note the newest item of a source's last batch, and the queues that this batch spoke of."""
        health = self._of(name)
        health.sample = sample
        for queue, fed in queues.items():
            former = health.queues.pop(queue, None)
            newest = fed if former is None or fed.last_at >= former.last_at else former
            health.queues[queue] = newest._replace(channel=fed.channel or newest.channel)
        if len(health.queues) > MAX_QUEUES:
            for queue in list(health.queues)[:-MAX_QUEUES]:
                del health.queues[queue]

    def clock(self, name: str, ahead_seconds: float | None) -> None:
        """Note how far the clock of a source's system is ahead of ours, below 0: behind; None: it does not show it."""
        self._of(name).shown_ahead_seconds = ahead_seconds

    def failed(self, name: str, error: str, at: datetime) -> None:
        """Note that nothing could be had from, or written down for, a source; `error` is a sentence."""
        health = self._of(name)
        health.consecutive_failures += 1
        health.last_error = error
        health.status = "failing"
        health.details["failed_at"] = at

    def working(self, name: str, kind: str, status: str, at: datetime, **details: object) -> None:
        """Note what a source worker is doing now; `details` (position in a file, lines read) replace those before.

        Its failing is over with that; that all it sent was refused is not.
        """
        health = self._of(name)
        if health.status == "failing":
            health.consecutive_failures = 0
        health.kind, health.status = kind, status
        health.details = {**details, "reported_at": at}

    def find(self, name: str) -> SourceHealth | None:
        """Return one source's health, None for one that nothing was heard of."""
        return self._health.get(name)

    def all(self) -> Sequence[SourceHealth]:
        """Return the health of every source, sorted by name."""
        return sorted(self._health.values(), key=lambda health: health.name)

    def _of(self, name: str) -> SourceHealth:
        health = self._health.get(name)
        if health is None:
            health = self._health[name] = SourceHealth(name)
            if len(self._health) > self._limit:
                self._health.popitem(last=False)
        self._health.move_to_end(name)
        return health
