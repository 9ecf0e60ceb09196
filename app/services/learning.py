"""Learning: what past campaigns say of the next one. Answers come from memory; debriefs are what it is learned from."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import numpy as np

from app.core.campaign.campaign import Campaign
from app.core.debrief.lesson import Lags, Lesson
from app.core.debrief.window import STEP
from app.core.forecast.kernel import Kernel, log_logistic_kernel
from app.core.forecast.kernel_learning import WatchedLags, learned_kernel
from app.core.forecast.learn import PRESETS_PER_1000, GammaRate, kind_key, prior_rate
from app.core.forecast.pooling import PastRate, pooled_rate
from app.core.forecast.queue_mix import learned_mix
from app.core.forecast.series import FloatArray
from app.errors import HoldfireError
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.ports.learning import DebriefStore, Lift

log = logging.getLogger(__name__)

REFRESH_SECONDS = 300.0
LIFTS_OF = timedelta(days=150)
MOST_LAGS = 30  # of the newest campaigns: when people call changes over the years


class Learning:
    """Contact rates, queues and lags, learned from debriefs; and what campaigns brought, for histories to leave out."""

    def __init__(self, store: DebriefStore, computing: Computing, clock: Clock) -> None:
        self._store, self._computing, self._clock = store, computing, clock
        self._lessons: list[Lesson] = []
        self._live: dict[str, Lesson] = {}
        self._lifts: dict[str, list[tuple[str, datetime, FloatArray]]] = {}
        self._kernel: Kernel | None = None
        self._pooled: dict[tuple[str, float | None], GammaRate] = {}
        self._changed = asyncio.Event()

    async def load(self) -> None:
        """Read what was learned, also by other processes. Raises HoldfireError; what was known before stays then."""
        lessons = [msgspec.convert(lesson, Lesson) for lesson in await self._store.lessons()]
        lifts = await self._store.lifts(self._clock.now() - LIFTS_OF)
        if lessons != self._lessons:
            watched = [_watched(each.lags) for each in lessons if each.lags is not None][-MOST_LAGS:]
            self._kernel = await self._computing.run(learned_kernel, watched)
        self._lessons, self._lifts = lessons, _by_queue(lifts)
        finished = {lesson.campaign for lesson in lessons} & self._live.keys()
        for campaign in finished:
            del self._live[campaign]
        self._pooled.clear()

    async def load_soon(self) -> None:
        """Let `run` read anew soon: another process has learned. That may take long, and nobody waits for it."""
        self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Read anew when others learned, and every five minutes, until `stop` is set."""
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            changed = asyncio.create_task(self._changed.wait())
            await asyncio.wait({stopping, changed}, timeout=REFRESH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            self._changed.clear()
            if not stop.is_set():
                await self._load_or_log()
        stopping.cancel()

    async def _load_or_log(self) -> None:
        try:
            await self.load()
        except (HoldfireError, OSError) as fault:
            log.warning("learning_not_refreshed", extra={"error": str(fault)})

    def watch(self, lesson: Lesson) -> None:
        """Take what a campaign that is under way says so far: of itself, and of what it brings its queues."""
        self._live[lesson.campaign] = lesson

    def forget(self, campaign_id: str) -> None:
        """Drop what was watched of a campaign."""
        self._live.pop(campaign_id, None)

    # --- what is believed ---

    def rate_for(self, campaign: Campaign | None) -> GammaRate:
        """Return what is believed of a campaign's contacts per 1,000, with what it has shown so far.

        None: of a campaign that nobody knows.
        """
        believed = self.rate_before(campaign)
        live = None if campaign is None else self._live.get(campaign.id)
        if live is None or live.per_1000 is None or live.sd is None:
            return believed
        return _updated(believed, live.per_1000, live.sd)

    def rate_before(self, campaign: Campaign | None) -> GammaRate:
        """Return what was believed of a campaign before any of it was sent: by what people said, and by its kind."""
        return (
            self.rate_of_kind("") if campaign is None else self.rate_of_kind(campaign.kind, campaign.contacts_per_1000)
        )

    def rate_of_kind(self, kind: str, given: float | None = None) -> GammaRate:
        """Return what is believed of mail of a kind ("" for any), given: the contacts per 1,000 that people expect."""
        key = kind, given or None
        if key not in self._pooled:
            past = [
                PastRate(lesson.per_1000, lesson.sd, lesson.kind)
                for lesson in self._lessons
                if lesson.per_1000 is not None and lesson.sd is not None
            ]
            self._pooled[key] = pooled_rate(past, kind, prior_rate(kind, given) if given else None)
        return self._pooled[key]

    def said_of(self, campaign: Campaign) -> str:
        """Return in words what that belief rests on."""
        return self.said_of_kind(campaign.kind, campaign.contacts_per_1000)

    def said_of_kind(self, kind: str, per_1000: float | None = None) -> str:
        """Return in words what the belief in mail of a kind rests on. per_1000: what people expect of it."""
        own = sum(lesson.kind == kind and lesson.per_1000 is not None for lesson in self._lessons)
        known = sum(lesson.per_1000 is not None for lesson in self._lessons)
        of_kind = f"of kind {kind!r}" if kind else "without a kind"
        given = "as its plan says" if per_1000 else f"what campaigns {of_kind} are taken to bring"
        if not known:
            return given
        past = "1 past campaign" if known == 1 else f"{known} past campaigns"
        return f"{given}, and {past}, {own} of them {of_kind}"

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of which something is known, in the order of the alphabet: learned, or a published prior."""
        known = {
            kind_key(kind): kind for kind in (*PRESETS_PER_1000, *(lesson.kind for lesson in self._lessons)) if kind
        }
        return tuple(sorted(known.values()))

    def mix_for(self, campaign: Campaign | None, volumes: Mapping[str, float]) -> Mapping[str, float]:
        """Return which share of a campaign's contacts comes to which queue: as it was given, and as its kind's did.

        volumes: of the queues' own contacts. Only these queues and those given are named; the shares add up to 1.
        Raises ResponseRefused where nothing says anything.
        """
        return self.mix_of_kind(
            campaign.kind if campaign else "", dict(campaign.queue_mix) if campaign else {}, volumes
        )

    def mix_of_kind(self, kind: str, given: Mapping[str, float], volumes: Mapping[str, float]) -> Mapping[str, float]:
        """Return the same of mail of a kind ("" for any). given: (queue, share) as people said; raises as mix_for."""
        tagged: defaultdict[str, float] = defaultdict(float)
        for lesson in (*self._lessons, *self._live.values()):
            if lesson.kind == kind:
                for queue, contacts in lesson.mix:
                    if queue in volumes or queue in given:
                        tagged[queue] += contacts
        return learned_mix(tagged, volumes, given or None)

    def kernel(self) -> Kernel:
        """Return when the contacts of a message come: learned from 3 campaigns on, the published lag before."""
        return self._kernel or log_logistic_kernel()

    def bin_shares(self) -> tuple[float, ...]:
        """Return the learned lag as its 12 bins; () while none is learned."""
        return () if self._kernel is None else tuple(float(share) for share in self._kernel.bin_masses())

    def lift(self, queue: str, start: datetime, until: datetime, *, without: str | None = None) -> FloatArray:
        """Return the contacts per five minutes of [start, until) that campaigns brought to a queue.

        start begins one of the five minutes. without: a campaign that is left out.
        """
        found = np.zeros(max(0, -(-(until - start) // STEP)))
        live = [
            (lesson.campaign, each.start, np.array(each.contacts))
            for lesson in self._live.values()
            for each in lesson.lifts
            if each.queue == queue
        ]
        for campaign, begins, contacts in (*self._lifts.get(queue, ()), *live):
            place = (begins - start) // STEP
            low, high = max(0, place), min(len(found), place + len(contacts))
            if low < high and campaign != without:
                found[low:high] += contacts[low - place : high - place]
        return found


def _updated(believed: GammaRate, per_1000: float, sd: float) -> GammaRate:
    """Return a belief after an estimate that was made without it: both weigh by their precision."""
    weights = np.array([1 / believed.sd**2, 1 / sd**2])
    mean = float(np.average([believed.mean, per_1000], weights=weights))
    variance = float(1 / weights.sum())
    return GammaRate.of_moments(max(mean, 0.5 * variance**0.5), variance)


def _watched(lags: Lags) -> WatchedLags:
    counts = np.array(lags.counts)
    return WatchedLags(counts, np.zeros(len(counts)), np.array(lags.per_bin), lags.thousands)


def _by_queue(lifts: Iterable[Lift]) -> dict[str, list[tuple[str, datetime, FloatArray]]]:
    found: defaultdict[str, list[tuple[str, datetime, FloatArray]]] = defaultdict(list)
    for lift in lifts:
        found[lift.queue].append((lift.campaign, lift.start, np.array(lift.contacts)))
    return dict(found)
