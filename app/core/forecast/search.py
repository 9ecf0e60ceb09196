"""The largest send that keeps the limits: more messages never help, so it can be searched for.

Each round tries several sizes at once. A node at which a limit breaks for a size breaks for every larger one, and one
that keeps them keeps them for every smaller one, so that later rounds look only at the nodes not decided yet. What is
found is looked at once more at all nodes; were it not safe after all, the search would go on below it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from app.core.forecast.breach import Verdict, broken_at, hold_backlog, judge
from app.core.forecast.case import Case, QueueCase
from app.core.forecast.decisive import decisive, windows_broken
from app.core.forecast.judged import spans
from app.core.forecast.series import BoolArray, FloatArray
from app.core.forecast.soundness import CaseRefused
from app.core.forecast.uncertainty import NINE, Nodes
from app.core.problem import Problem

TOLERANCE, LEAST_TOLERANCE = 0.005, 50.0
FIRST_TRIES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.8)
LARGER_TRIES = (1.5, 2.5, 4.0, 6.0)
TRIES = 7
LEAST_GUESS = 100.0
GUESS_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest safe size, the verdict on it, and that on a size that is not safe; None where `most` is safe.

    Where not even nothing is safe, size is 0 and both verdicts are those on nothing.
    """

    size: float
    verdict: Verdict
    beyond: Verdict | None


def tolerance(size: float) -> float:
    """Return by how much the largest safe size may be above the one found: 0.5 %, at least 50 messages."""
    return max(LEAST_TOLERANCE, TOLERANCE * size)


def largest_safe(
    case: Case,
    per_message: FloatArray,
    most: float,
    nodes: Nodes = NINE,
    *,
    committed: FloatArray | None = None,
    guess: float | None = None,
) -> Largest:
    """Return the largest whole size, 0 to `most`, that is safe when size x per_message is sent besides `committed`.

    per_message and committed: messages per start, shape (starts,); committed None: nothing. The size found is safe; one
    larger by the tolerance is not, unless it is beyond `most`. guess: where to begin to look. Where no contacts are
    expected, `most` is safe if nothing is. Raises CaseRefused when contacts are expected but none in a minute that is
    judged: what cannot be seen is not known to be safe.
    """
    start = np.zeros(len(case.starts)) if committed is None else committed
    if not _is_seen(case, per_message):
        return _without_contacts(case, start, most, nodes)
    search = _Search(case, per_message, start, most, nodes)
    search.bracket(first_guess(case, per_message) if guess is None else max(guess, LEAST_GUESS))
    while True:
        while search.is_open:
            search.narrow()
        found = search.found()
        if found.size == 0 or found.verdict.probability <= case.limits.max_breach_probability:
            return found
        search.reject()


def _is_seen(case: Case, per_message: FloatArray) -> bool:
    """Return whether the messages bring contacts that are judged; False: they bring none at all. Raises CaseRefused."""
    affected = [queue for queue in case.queues if queue.share > 0]
    if case.contacts_per_1000.mean <= 0 or not affected or not per_message.any():
        return False
    judged = [
        (per_message @ queue.curves[:, span.minutes]).sum() for queue in affected for span in spans(queue, case.limits)
    ]
    if max(judged) <= 0:
        problem = "no contact of the send comes in a minute that is judged; describe the minutes up to the next opening"
        raise CaseRefused([Problem("/queues/curves", problem)])
    for queue in affected:
        if _comes_back_unseen(queue, per_message, case.limits.horizon_minutes):
            problem = f"{queue.queue} closes before the horizon; describe the minutes up to its next opening"
            raise CaseRefused([Problem("/queues/scenario/agents", problem)])
    return True


def _comes_back_unseen(queue: QueueCase, per_message: FloatArray, horizon: int) -> bool:
    """Return whether contacts of the messages find the doors closed, and come back at an opening that is not described.

    Where they come all the same and nobody works, that is judged as it is.
    """
    works = queue.scenario.agents > 0
    if works[horizon - 1 :].any():
        return False
    during = slice(int(np.flatnonzero(works[:horizon])[-1]) + 1 if works[:horizon].any() else 0, horizon)
    return not (per_message @ queue.curves[:, during]).any()


def _without_contacts(case: Case, committed: FloatArray, most: float, nodes: Nodes) -> Largest:
    verdict = judge(case, committed[np.newaxis], nodes)[0]
    if verdict.probability > case.limits.max_breach_probability:
        return Largest(0.0, verdict, verdict)
    return Largest(math.floor(most), verdict, None)


def first_guess(case: Case, per_message: FloatArray) -> float:
    """Return roughly how many messages fill what the agents have left over in the first half hour, at least 100.

    Only where to begin to look: the contacts that the agents can handle, less those expected anyway, over those that
    one message brings, in the queue with the least room.
    """
    guesses = []
    for queue in case.queues:
        scenario = queue.scenario
        row = int(np.argmax(per_message > 0))
        begin = int(case.starts[row])
        during = slice(begin, begin + GUESS_MINUTES)
        room = scenario.agents[during].sum() / scenario.handle_seconds
        room -= float((scenario.arrivals_per_second[during] + queue.in_flight[during]).sum())
        brings = float((per_message @ queue.curves[:, during]).sum()) * queue.share * case.contacts_per_1000.mean / 1000
        if brings > 0:
            guesses.append(room / brings)
    return max(LEAST_GUESS, min(guesses, default=LEAST_GUESS))


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """A size, and whether it breaks a limit on windows at each node, 0 or 1."""

    size: float
    windows: FloatArray


class _Search:
    """A safe size and one that is not, coming closer."""

    def __init__(self, case: Case, per_message: FloatArray, committed: FloatArray, most: float, nodes: Nodes) -> None:
        self._case, self._per_message, self._committed, self._nodes = case, per_message, committed, nodes
        self._decisive = decisive(case, nodes)
        self._most = math.floor(most)
        self._safe: _Tried | None = None
        self._unsafe: _Tried | None = None

    @property
    def is_open(self) -> bool:
        """Whether the two sizes are further apart than the tolerance."""
        if self._safe is None or self._unsafe is None:
            return False
        return self._unsafe.size - self._safe.size > tolerance(self._safe.size)

    def bracket(self, guess: float) -> None:
        """Find a safe size and one that is not, from small sizes up: the largest ones would take long to look at."""
        sizes = self._sizes([0.0, *(guess * factor for factor in FIRST_TRIES)])
        self._try(sizes)
        while self._unsafe is None and sizes[-1] < self._most:
            sizes = self._sizes([sizes[-1] * factor for factor in LARGER_TRIES])
            self._try(sizes)

    def narrow(self) -> None:
        """Try sizes between the two."""
        if self._safe is not None and self._unsafe is not None:
            self._try(np.unique(np.floor(np.linspace(self._safe.size, self._unsafe.size, TRIES + 2)[1:-1])))

    def reject(self) -> None:
        """Take the safe size for one that is not: all nodes together said so. Then look at all nodes, from 0 on."""
        size, every = (0.0 if self._safe is None else self._safe.size), np.ones_like(self._decisive.look)
        self._safe, self._unsafe = None, _Tried(size, every.astype(np.float64))
        self._decisive = replace(self._decisive, look=every)
        self._try(np.zeros(1))

    def found(self) -> Largest:
        """Return the safe size, and the verdicts at all nodes."""
        size = 0.0 if self._safe is None else self._safe.size
        looked_at = [size] if self._unsafe is None else [size, self._unsafe.size]
        verdicts = judge(self._case, self._schedules(np.array(looked_at)), self._nodes)
        return Largest(size, verdicts[0], verdicts[1] if len(verdicts) > 1 else None)

    def _sizes(self, wanted: list[float]) -> FloatArray:
        return np.unique(np.floor(np.minimum(np.array(wanted), self._most)))

    def _try(self, sizes: FloatArray) -> None:
        """Look at sizes in ascending order, and keep the largest safe one and the smallest that is not."""
        windows = self._windows(sizes)
        for size, at_nodes, is_safe in zip(
            sizes.tolist(), windows, self._is_safe(sizes, windows).tolist(), strict=True
        ):
            if not is_safe:
                self._unsafe = _Tried(size, at_nodes)
                return
            self._safe = _Tried(size, at_nodes)

    def _is_safe(self, sizes: FloatArray, windows: FloatArray) -> BoolArray:
        """Return whether each size is safe, the backlog included: looked at only where windows leave it open."""
        allowed, weights = self._case.limits.max_breach_probability, self._nodes.weights
        within: BoolArray = windows @ weights <= allowed
        if self._case.limits.backlog is None or not within.any():
            return within
        highest = self._backlog(sizes[within][-1:])
        if (_broken(windows[within][-1:], highest) @ weights)[0] <= allowed:
            return within  # the largest of them is safe, hence all
        within[within] = _broken(windows[within], self._backlog(sizes[within])) @ weights <= allowed
        return within

    def _backlog(self, sizes: FloatArray) -> FloatArray:
        held = hold_backlog(self._case, self._schedules(sizes), self._nodes)
        return broken_at(held, (len(sizes), len(self._nodes.weights)))

    def _windows(self, sizes: FloatArray) -> FloatArray:
        """Return whether a limit on windows breaks: looked at only where the two sizes known do not agree."""
        low = np.zeros(len(self._nodes.weights)) if self._safe is None else self._safe.windows
        high = np.ones(len(self._nodes.weights)) if self._unsafe is None else self._unsafe.windows
        undecided: BoolArray = low != high
        found = windows_broken(self._case, self._schedules(sizes), self._nodes, self._decisive, undecided)
        return np.maximum(low, found)

    def _schedules(self, sizes: FloatArray) -> FloatArray:
        return self._committed + sizes[:, np.newaxis] * self._per_message


def _broken(windows: FloatArray, backlog: FloatArray) -> FloatArray:
    broken: FloatArray = 1 - (1 - windows) * (1 - backlog)
    return broken
