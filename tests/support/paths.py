"""Days of one queue drawn at random: first come, first served, exact, many at a time."""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.case import Case, QueueCase


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Contacts of some paths, each array (paths, contacts): arrival in seconds (infinite: none), wait, answered."""

    arrivals: np.ndarray
    waits: np.ndarray
    answered: np.ndarray

    def windows(self, seconds: float, count: int, target_seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Return service level and speed to answer of each window of each path, NaN where there is none."""
        paths = len(self.arrivals)
        window = np.minimum(np.where(np.isfinite(self.arrivals), self.arrivals, np.inf) / seconds, count).astype(int)
        index = (np.arange(paths)[:, None] * (count + 1) + window).ravel()

        def total(values: np.ndarray) -> np.ndarray:
            sums = np.bincount(index, weights=values.ravel().astype(float), minlength=paths * (count + 1))
            return sums.reshape(paths, count + 1)[:, :count]

        offered, answered = total(np.ones_like(self.waits)), total(self.answered)
        quick, waited = total(self.answered & (self.waits <= target_seconds)), total(self.waits * self.answered)
        level = np.divide(quick, offered, out=np.full_like(offered, np.nan), where=offered > 0)
        speed = np.divide(waited, answered, out=np.full_like(offered, np.nan), where=answered > 0)
        return level, speed

    def longest_backlog(self) -> np.ndarray:
        """Return how many waited at most at the same time, for each path."""
        return np.array([_longest(arrivals, waits) for arrivals, waits in zip(self.arrivals, self.waits, strict=True)])


def draw_levels(case: Case, paths: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return for each path the level of the arrivals, lognormal, and the contacts per message relative to the mean."""
    variance = np.log1p(case.queues[0].arrivals_cv[0] ** 2)
    levels = np.exp(np.sqrt(variance) * rng.standard_normal(paths) - variance / 2)
    shape = case.contacts_per_1000.cv**-2
    return levels, rng.gamma(shape, 1 / shape, paths)


def rates_of(case: Case, audience: float, levels: np.ndarray, responses: np.ndarray) -> np.ndarray:
    """Return contacts per second, (paths, minutes), when `audience` is sent at once on days with these levels."""
    queue = case.queues[0]
    caused: np.ndarray = audience * case.contacts_per_1000.mean / 1000 * queue.share * queue.curves[0]
    rates: np.ndarray = levels[:, None] * queue.scenario.arrivals_per_second + responses[:, None] * caused
    return rates


def draw_paths(queue: QueueCase, rates: np.ndarray, rng: np.random.Generator) -> Paths:
    """Return a path for each row of contacts per second, (paths, minutes); nobody waits at first, staff stays as it is.

    A contact is handled by the agent who is free first, unless it gives up before: the recursion of Kiefer and
    Wolfowitz (Trans. AMS 78, 1955), in which those who give up keep nobody busy.
    """
    scenario = queue.scenario
    assert scenario.waiting == 0
    arrivals = _arrivals(rates, rng)
    paths, most = arrivals.shape
    handling = rng.exponential(scenario.handle_seconds, arrivals.shape)
    patience = rng.exponential(scenario.patience_seconds or np.inf, arrivals.shape)
    free = np.zeros((paths, int(scenario.agents[0])))
    free[:, : scenario.busy] = rng.exponential(scenario.handle_seconds, (paths, scenario.busy))
    waits, answered, every = np.zeros(arrivals.shape), np.zeros(arrivals.shape, dtype=bool), np.arange(paths)
    for number in range(most):
        at = arrivals[:, number]
        there = np.isfinite(at)
        agent = free.argmin(axis=1)
        begins = np.maximum(free[every, agent], np.where(there, at, 0.0))
        wait = np.where(there, begins - np.where(there, at, 0.0), 0.0)
        stays = there & (wait <= patience[:, number])
        free[every, agent] = np.where(stays, begins + handling[:, number], free[every, agent])
        waits[:, number], answered[:, number] = np.minimum(wait, patience[:, number]), stays
    return Paths(arrivals, waits, answered)


def _arrivals(rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    counts = rng.poisson(rates * 60.0)
    arrivals = np.full((len(rates), int(counts.sum(axis=1).max())), np.inf)
    for path, count in enumerate(counts):
        minutes = np.repeat(np.arange(len(count)), count)
        arrivals[path, : len(minutes)] = np.sort(60.0 * (minutes + rng.random(len(minutes))))
    return arrivals


def _longest(arrivals: np.ndarray, waits: np.ndarray) -> int:
    waiting = np.isfinite(arrivals) & (waits > 0)
    ends = arrivals[waiting] + waits[waiting]
    changes = np.concatenate([np.ones(len(ends)), -np.ones(len(ends))])
    order = np.argsort(np.concatenate([arrivals[waiting], ends]), kind="stable")
    return int(np.cumsum(changes[order]).max(initial=0))
