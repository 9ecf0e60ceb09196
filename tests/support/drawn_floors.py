"""A gate's queue as an outlook described it, simulated event by event, on days that differ as it said they may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import numpy as np

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.forecast.case import Case, QueueCase
from app.core.simulation.campaign import Campaign
from app.core.simulation.plan import FloorPlan, QueuePlan, Shift
from app.core.simulation.randomness import Exponential, LogNormal
from app.core.simulation.rates import Rates
from app.core.simulation.simulation import Simulation

DELIVERY_SECONDS = 300.0
TALK_CV = 1.32  # of the real bank's talk times, which are lognormal
Law = LogNormal | Exponential


@dataclass(frozen=True, slots=True)
class DrawnDay:
    """What happened until the horizon: the most who waited at once, and the service level of each window."""

    longest_backlog: int
    service_levels: tuple[float, ...]

    def breaks(self, case: Case) -> bool:
        """Tell whether what happened is beyond a limit on backlog or service level, in any window or at any instant."""
        limits = case.limits
        assert limits.speed_to_answer_seconds is None
        assert limits.abandonment_ratio is None
        too_long = limits.backlog is not None and self.longest_backlog > limits.backlog
        level = limits.service_level_ratio
        return too_long or (level is not None and any(each < level for each in self.service_levels))


def talks(mean_seconds: float, cv: float | None = TALK_CV) -> Law:
    """Return how long contacts take: lognormal as real ones, or as the outlook takes them to be, cv None."""
    return Exponential(mean_seconds) if cv is None else LogNormal.of(mean_seconds, cv)


def draw(case: Case, sends: Sequence[tuple[int, float]], seed: int, cv: float | None = TALK_CV) -> DrawnDay:
    """Return one day on which these (minute, messages) are sent. The same seed has the same level and response.

    The level of the arrivals is lognormal and the contacts per message are Gamma, as the case says; what comes of them
    is a Poisson stream. The queue's staff must stay as it is until the horizon.
    """
    (queue,) = case.queues
    horizon = case.limits.horizon_minutes
    dice = np.random.default_rng(seed)
    level_z, shape = dice.standard_normal(), case.contacts_per_1000.cv**-2
    response = dice.gamma(shape, 1 / shape)
    floor = FloorPlan((_plan(queue, level_z, horizon, cv),))
    simulation = Simulation(floor, case.at, lambda name: Random(f"{seed}/{name}"), observe_every_seconds=None)
    per_1000 = case.contacts_per_1000.mean * response
    for number, (minute, messages) in enumerate(sends):
        campaign = Campaign(
            f"part-{number}", round(messages), per_1000, {queue.queue: 1.0}, delivery_seconds=DELIVERY_SECONDS
        )
        simulation.launch(campaign, case.at + timedelta(minutes=minute))
    happened = simulation.advance(case.at + timedelta(minutes=horizon))
    return _account(case, [each for each in happened if isinstance(each, ContactEvent)])


def broken_share(case: Case, sends: Sequence[tuple[int, float]], seeds: range, cv: float | None = TALK_CV) -> float:
    """Return the share of days on which a limit breaks."""
    return float(np.mean([draw(case, sends, seed, cv).breaks(case) for seed in seeds]))


def _plan(queue: QueueCase, level_z: float, horizon: int, cv: float | None) -> QueuePlan:
    scenario = queue.scenario
    agents = set(scenario.agents[:horizon].tolist())
    assert len(agents) == 1, "staff that changes is not drawn here"
    assert not queue.in_flight.any(), "what was sent before is not drawn here"
    variance = np.log1p(queue.arrivals_cv[:horizon] ** 2)
    levels = np.exp(np.sqrt(variance) * level_z - variance / 2)
    per_second = tuple((scenario.arrivals_per_second[:horizon] * levels).tolist())
    return QueuePlan(
        queue.queue,
        Rates(per_second, 60.0),
        talks(scenario.handle_seconds, cv),
        (Shift(agents.pop(), 0.0, horizon * 60.0 + 86_400.0),),
        patience_seconds=scenario.patience_seconds,
        present_at_start=scenario.busy + scenario.waiting,
    )


def _account(case: Case, events: Sequence[ContactEvent]) -> DrawnDay:
    came: dict[str, float] = {}
    waits: dict[str, tuple[float, bool]] = {}
    for event in events:
        at = (event.at - case.at).total_seconds()
        if event.event is ContactEventKind.QUEUED:
            came[event.contact_id] = at
        elif event.event in (ContactEventKind.ANSWERED, ContactEventKind.ABANDONED):
            waits[event.contact_id] = at - came[event.contact_id], event.event is ContactEventKind.ANSWERED
    target, window = case.limits.service_level_seconds, case.limits.window_seconds
    in_time = {each: waited <= target and answered for each, (waited, answered) in waits.items()}
    offered: list[list[bool]] = [[] for _ in range(round(case.limits.horizon_minutes * 60 / window))]
    for contact, at in came.items():
        if at < len(offered) * window:
            offered[int(at // window)].append(in_time.get(contact, False))
    levels = tuple(float(np.mean(each)) for each in offered if each)
    return DrawnDay(_longest_backlog(came, waits), levels)


def _longest_backlog(came: dict[str, float], waits: dict[str, tuple[float, bool]]) -> int:
    changes = []
    for contact, at in came.items():
        waited, _ = waits.get(contact, (np.inf, False))
        if waited > 0:
            changes += [(at, 1), (at + waited, -1)]
    changes.sort()
    return int(np.cumsum([change for _, change in changes]).max(initial=0))
