"""What an outlook is made from, gathered from everybody who knows a part of it: as of one instant, for one gate.

What is missing is said, and never guessed in favour of a send: without a fresh backlog, a forecast of arrivals, a
handle time and somebody to answer there is no outlook.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

import numpy as np

from app.core.floor.targets import QueueTargets
from app.core.forecast.arrivals import LONGEST_MINUTES, ArrivalForecast
from app.core.forecast.case import STARTS_EVERY_MINUTES
from app.core.forecast.foresee import Sender
from app.core.forecast.known import Known, QueueKnown
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.series import MINUTE_SECONDS, BoolArray
from app.core.gate.decide import select
from app.core.gate.foresight import Elsewhere
from app.core.gate.outlook_part import has_limit, limits_of_rules
from app.core.gate.policy import Policy
from app.core.gate.windows import open_spans
from app.core.staffing.hours import open_minutes
from app.core.staffing.staffing import Basis
from app.services.capacities import Capacities
from app.services.flows import Flows
from app.services.fresh_readings import FreshReadings, NotKnown
from app.services.opening_hours import Hours
from app.services.outlook_mail import BEHIND_MINUTES, OutlookMail, Watched, volumes
from app.services.published import GateState, Published
from app.services.staffing import Staffings

AHEAD_MINUTES = 30 * 60


@dataclass(frozen=True, slots=True)
class QueueNotes:
    """Where what is known of a queue is from, in sentences."""

    queue: str
    arrivals: str
    agents: str
    handle_time: str
    patience: str


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What is known, what the gate, and others, had given away by then, and where the numbers are from.

    readings_at: the instant of the oldest gauge of any queue that it starts from, at stale_after_seconds too old.
    """

    known: Known
    given: int
    notes: tuple[QueueNotes, ...]
    readings_at: datetime
    stale_after_seconds: float
    elsewhere: Elsewhere | None = None

    def good_for_seconds(self, longest: float) -> float:
        """Return how long an outlook of this may be used, counted from its own instant; `longest` at most.

        That is until the oldest gauge it starts from is as old as that, or as the policy lets a gauge be, if that is
        longer: no gate goes by the age of an outlook on top of the age of its readings.
        """
        age_seconds = max(0.0, (self.known.at - self.readings_at).total_seconds())
        return min(longest, max(longest, self.stale_after_seconds) - age_seconds)

    def sender(self, campaign: str | None) -> Sender:
        """Return how a campaign was reckoned with; one that was not, as mail of no known campaign."""
        senders = {sender.campaign: sender for sender in self.known.senders}
        return senders.get(campaign or "") or senders[""]


@dataclass(frozen=True, slots=True)
class OutlookInputs:
    """Gathers. targets: of the queues, as people set them."""

    arrivals: Flows
    capacities: Capacities
    agents: Staffings
    hours: Hours
    mail: OutlookMail
    targets: Callable[[], Mapping[str, QueueTargets]]

    async def gather(self, state: GateState, published: Published, now: datetime) -> Gathered:
        """Return what is known of a gate's queues at `now`. Raises NotKnown for the first thing that is not."""
        view = published.view
        policy = state.policy
        if policy is None:
            raise NotKnown("the gate has no policy")
        queues, unmatched = select(policy.queues, tuple(view.queues()))
        if unmatched or not queues:
            raise NotKnown(f"no queue on the floor matches {(unmatched or policy.queues)[0]!r}")
        wanted = minutes = await self._minutes_wanted(queues, limits_for(policy).horizon_minutes, now)
        forecasts = list[ArrivalForecast]()
        for queue in queues:  # the first that is not known ends it: many more would be forecast for nothing
            forecasts.append(await self.arrivals.forecast(queue, now, wanted))
            minutes = min(minutes, _minutes_known(queue, forecasts[-1], limits_for(policy), now))
        fresh = [FreshReadings(view, queue, policy.stale_after_seconds, now) for queue in queues]
        found = [
            await self._queue(readings, forecast, minutes) for readings, forecast in zip(fresh, forecasts, strict=True)
        ]
        known = tuple(queue for queue, _ in found)
        watched = Watched(state, published.gates, tuple(view.queues()), volumes(known), minutes, now)
        gathered = Known(
            now,
            limits_for(policy),
            known,
            await self.mail.sent_lately(watched),
            self.mail.senders(watched),
            may_start(policy, now),
            self.mail.lessons.kernel(),
        )
        notes = tuple(notes for _, notes in found)
        oldest_at = min(readings.oldest_at() for readings in fresh)
        return Gathered(
            gathered, state.spent.given, notes, oldest_at, policy.stale_after_seconds, self.mail.elsewhere(watched)
        )

    def including(self, gathered: Gathered, campaign_id: str | None, kind: str = "") -> Gathered:
        """Return the same with a campaign that need not be on its way, a draft, reckoned with by its own numbers.

        kind: of mail without a campaign; it takes the place of mail of no known campaign.
        """
        known = gathered.known
        if kind and not campaign_id:
            others = (sender for sender in known.senders if sender.campaign)
            mail = self.mail.sender_of_kind(kind, volumes(known.queues))
            return replace(gathered, known=replace(known, senders=(mail, *others)))
        campaign = self.mail.campaigns.known(campaign_id) if campaign_id else None
        if campaign is None or any(sender.campaign == campaign.id for sender in known.senders):
            return gathered
        senders = (*known.senders, self.mail.sender(campaign, volumes(known.queues)))
        return replace(gathered, known=replace(known, senders=senders))

    # --- queues ---

    async def _minutes_wanted(self, queues: Sequence[str], horizon: int, now: datetime) -> int:
        """Return how many minutes to look at: 30 hours, or more where a queue is about to close for longer.

        Then until a horizon after its next opening, within a week: what goes on Friday evening comes back on Monday.
        """
        wanted = AHEAD_MINUTES
        for hours in await self.hours.of_any(queues):
            is_open = open_minutes(hours, now, LONGEST_MINUTES - horizon)
            if is_open[:horizon].any() and not is_open[horizon - 1] and is_open[horizon:].any():
                wanted = max(wanted, horizon + int(np.argmax(is_open[horizon:])) + horizon)
        return wanted

    async def _queue(
        self, fresh: FreshReadings, forecast: ArrivalForecast, minutes: int
    ) -> tuple[QueueKnown, QueueNotes]:
        queue, now = fresh.queue, fresh.now
        quiet = await self.arrivals.quiet(queue, now)
        if quiet is not None and (waiting := fresh.came_within(*quiet)):
            raise NotKnown(
                f"{queue}: nobody is reported to have come in from {quiet[0]:%H:%M} to {quiet[1]:%H:%M} UTC, yet "
                f"{waiting} wait, the first of whom came then; its source does not count who comes in"
            )
        capacity = await self.capacities.capacity(queue, now)
        if capacity.handle_seconds is None:
            raise NotKnown(f"{queue}: {capacity.handle_said}")
        staffing = await self.agents.staffing(queue, now, minutes, fresh.present())
        if staffing.basis is Basis.UNKNOWN:
            raise NotKnown(staffing.said)
        if not staffing.is_open.any():
            raise NotKnown(f"{queue}: it opens in none of the next {minutes // 60} hours, which is as far as is looked")
        step_seconds, offset_seconds = forecast.expected.step_seconds, (now - forecast.expected.start).total_seconds()
        steps = ceil((offset_seconds + minutes * MINUTE_SECONDS) / step_seconds)  # those beyond may not be known
        known = QueueKnown(
            queue,
            forecast.expected.values[:steps],
            forecast.cv[:steps],
            step_seconds,
            offset_seconds,
            staffing.agents,
            staffing.is_open,
            await self._opened_before(queue, now),
            busy=fresh.busy(self.targets().get(queue, QueueTargets()).concurrency),
            waiting=fresh.waiting(),
            handle_seconds=capacity.handle_seconds,
            patience_seconds=capacity.patience_seconds,
            is_patience_known=capacity.is_patience_known,
        )
        notes = QueueNotes(queue, forecast.basis, staffing.said, capacity.handle_said, capacity.patience_said)
        return known, notes

    async def _opened_before(self, queue: str, now: datetime) -> BoolArray:
        return open_minutes(await self.hours.of(queue), now - timedelta(minutes=BEHIND_MINUTES), BEHIND_MINUTES)


def _minutes_known(queue: str, forecast: ArrivalForecast, limits: OutlookLimits, now: datetime) -> int:
    """Return for how many minutes from now on a queue's arrivals are forecast.

    Raises NotKnown where that is less than the horizon.
    """
    minutes = int(forecast.known_minutes - (now - forecast.expected.start) / timedelta(minutes=1))
    if minutes < limits.horizon_minutes:
        raise NotKnown(_too_short(queue, forecast, minutes, limits))
    return minutes


def _too_short(queue: str, forecast: ArrivalForecast, minutes: int, limits: OutlookLimits) -> str:
    if minutes < 1:
        return f"{queue}: {forecast.basis}"
    return (
        f"{queue}: what comes in is known for the next {minutes} min, the outlook takes {limits.horizon_minutes}; "
        f"opening hours would say whether it is closed then ({forecast.basis})"
    )


def limits_for(policy: Policy) -> OutlookLimits:
    """Return what the predicted floor is held to: the policy's outlook, else the hold limits of its rules.

    Raises NotKnown where neither has a limit on anything that can be predicted.
    """
    if policy.outlook is not None:
        return policy.outlook
    limits = limits_of_rules(policy.rules)
    if not has_limit(limits):
        raise NotKnown(
            "the policy limits nothing that can be predicted: backlog, service level, speed to answer, abandonment"
        )
    return limits


def may_start(policy: Policy, now: datetime) -> BoolArray:
    """Return whether a policy's send windows are open at each start from now on."""
    starts = range(0, AHEAD_MINUTES, STARTS_EVERY_MINUTES)
    if not policy.send_windows:
        return np.ones(len(starts), dtype=np.bool_)
    spans = open_spans(policy.send_windows, policy.time_zone, now, now + timedelta(minutes=AHEAD_MINUTES))
    instants = [now + timedelta(minutes=minute) for minute in starts]
    return np.array([any(opens <= at < closes for opens, closes in spans) for at in instants])
