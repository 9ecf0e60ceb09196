"""All that is known of a gate when its future is looked into, and the case that it makes.

Plain values that can be kept beside the answer, so that the same answer can be made again. Minutes count from `at`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, inf

import numpy as np

from app.core.forecast.case import STARTS_EVERY_MINUTES, Case, QueueCase, Rate
from app.core.forecast.foresee import GateCase, Sender, Shares
from app.core.forecast.kernel import Kernel, log_logistic_kernel
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.response import Response, Sent, in_flight_curve, response_curves
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, BoolArray, FloatArray, IntArray
from app.core.forecast.soundness import CaseRefused, rate_problems
from app.core.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class QueueKnown:
    """What is known of one queue.

    expected: contacts in each step of step_seconds, the first of which began step_offset_seconds before `at`; cv: the
    coefficient of variation of their level, per step. agents and is_open: one value per minute; opened_before: whether
    it was open in the minutes before `at`, the last one being minute -1. busy None: nobody says; then as many as the
    agents and the load allow. patience_seconds None: nobody gives up; is_patience_known: whether it was observed.
    """

    queue: str
    expected: FloatArray
    cv: FloatArray
    step_seconds: float
    step_offset_seconds: float
    agents: IntArray
    is_open: BoolArray
    opened_before: BoolArray
    busy: int | None
    waiting: int
    handle_seconds: float
    patience_seconds: float | None
    is_patience_known: bool


@dataclass(frozen=True, slots=True)
class SendKnown:
    """What one campaign has sent already: (minute, 0 or less; messages), and what is believed of its contacts."""

    campaign: str
    rate: Rate
    shares: Shares
    messages: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A gate's queues, what was sent through it, who may send, and what must be kept.

    may_start: whether the gate's send windows are open at minute 0, 5, 10, ...; a send is looked at that begins at one
    of these. kernel: when the contacts of a send come.
    """

    at: datetime
    limits: OutlookLimits
    queues: tuple[QueueKnown, ...]
    sent: tuple[SendKnown, ...]
    senders: tuple[Sender, ...]
    may_start: BoolArray
    kernel: Kernel = field(default_factory=log_logistic_kernel)

    @property
    def minutes(self) -> int:
        """How many minutes are described."""
        return len(self.queues[0].agents)


def gate_case(known: Known) -> GateCase:
    """Return the case to look into. Raises CaseRefused or ResponseRefused for what makes no sense, also later."""
    if problems := list(_problems(known)):
        raise CaseRefused(problems)
    starts = np.arange(0, known.minutes, STARTS_EVERY_MINUTES, dtype=np.int64)[: len(known.may_start)]
    response = Response(known.kernel)
    queues = tuple(_queue_case(known, queue, response, starts) for queue in known.queues)
    first = known.senders[0]
    case = Case(known.at, queues, first.rate, known.limits, starts)
    return GateCase(case, known.senders, known.may_start[: len(starts)])


def _problems(known: Known) -> Iterator[Problem]:
    """Yield what is wrong with what the case is made of; the case itself is checked before anything is made of it."""
    for index, queue in enumerate(known.queues):
        if not 0 < queue.step_seconds < inf:
            yield Problem(f"/queues/{index}/step_seconds", f"{queue.step_seconds} must be a number of seconds > 0")
        if not 0 <= queue.step_offset_seconds < inf:
            yield Problem(f"/queues/{index}/step_offset_seconds", f"{queue.step_offset_seconds} must be a number >= 0")
    for index, send in enumerate(known.sent):
        for problem in rate_problems(send.rate):
            yield Problem(f"/sent/{index}{problem.pointer}", problem.detail)
        if wrong := [share for _, share in send.shares if not 0 <= share <= 1]:
            yield Problem(f"/sent/{index}/shares", f"{wrong[0]} must be 0 to 1, the queue's part of the contacts")


def _queue_case(known: Known, queue: QueueKnown, response: Response, starts: IntArray) -> QueueCase:
    arrivals, cv = _by_minute(queue)
    in_flight, in_flight_cv = _in_flight(known, queue, response)
    scenario = Scenario(
        arrivals,
        queue.agents,
        queue.handle_seconds,
        queue.patience_seconds,
        _busy(queue, arrivals),
        queue.waiting,
        known.limits.service_level_seconds,
    )
    curves = response_curves(response, queue.is_open, starts, len(queue.agents))
    return QueueCase(
        queue.queue,
        scenario,
        cv,
        in_flight,
        in_flight_cv,
        share=1.0,
        curves=curves,
        patience_known=queue.is_patience_known,
    )


def _by_minute(queue: QueueKnown) -> tuple[FloatArray, FloatArray]:
    """Return contacts per second, and the cv of their level, for each minute."""
    middles = queue.step_offset_seconds + (np.arange(len(queue.agents)) + 0.5) * MINUTE_SECONDS
    steps = np.minimum((middles // queue.step_seconds).astype(np.int64), len(queue.expected) - 1)
    return queue.expected[steps] / queue.step_seconds, queue.cv[steps]


def _busy(queue: QueueKnown, arrivals: FloatArray) -> int:
    """Return the contacts being handled; where nobody says, as many as the agents can have, for all we know."""
    if queue.busy is not None:
        return queue.busy
    agents, load = int(queue.agents[0]), float(arrivals[0] * queue.handle_seconds)
    return agents if queue.waiting or not load < agents else ceil(load)


def _in_flight(known: Known, queue: QueueKnown, response: Response) -> tuple[FloatArray, float]:
    """Return contacts per second still to come of what was sent, and the cv of their number: campaigns differ apart."""
    total, variance, contacts = np.zeros(len(queue.agents)), 0.0, 0.0
    for send in known.sent:
        per_message = dict(send.shares).get(queue.queue, 0.0) * send.rate.mean / 1000
        if per_message <= 0:
            continue
        sends = [Sent(minute, messages) for minute, messages in send.messages]
        curve = in_flight_curve(response, queue.is_open, sends, len(queue.agents), opened_before=queue.opened_before)
        total += per_message * curve
        expected = per_message * float(curve.sum())
        contacts, variance = contacts + expected, variance + (expected * send.rate.cv) ** 2
    return total, float(np.sqrt(variance)) / contacts if contacts > 0 else 0.0
