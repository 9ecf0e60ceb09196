"""What the outlook at the time of a release says of the messages that then went out."""

from collections.abc import Sequence

import numpy as np

from app.core.debrief.question import Prediction, QueuePrediction, Spread
from app.core.debrief.window import told
from app.core.forecast.case import Rate
from app.core.forecast.foresee import Sender
from app.core.forecast.known import Known, gate_case
from app.core.forecast.learn import GammaRate
from app.core.forecast.outlook import HIGH, LOW, Band, QueueOutlook, prospect
from app.core.forecast.overload import visible
from app.core.forecast.series import FloatArray
from app.core.forecast.uncertainty import NINE

MOST_QUEUES = 8
_LEAST_CV = 1e-6
Sends = Sequence[tuple[float, float]]


def prediction(known: Known, campaign: str, sends: Sends) -> Prediction:
    """Return it. known: what that outlook was made from; sends: (minute after it, messages).

    What goes after its horizon is left out. A campaign that it did not know counts as mail of no campaign. What would
    drown the floor many times over is cut, as outlooks do. Raises CaseRefused, ResponseRefused.
    """
    gate, sender = gate_case(known), _sender(known, campaign)
    case = gate.of(sender)
    within = [(max(0.0, minute), messages) for minute, messages in sends if minute < known.limits.horizon_minutes]
    total = sum(messages for _, messages in within)
    part = visible(case, total) / total if total else 1.0
    seen, step_seconds = prospect(case, case.sends(*((minute, messages * part) for minute, messages in within)), NINE)
    low, high = _points(sender.rate)
    return Prediction(
        made_at=known.at,
        step_seconds=round(step_seconds),
        messages=round(total * part),
        per_1000=sender.rate.mean,
        per_1000_low=low,
        per_1000_high=high,
        breach_probability=seen.verdict.probability,
        queues=tuple(_queue(queue) for queue in seen.queues if queue.queue in _largest(sender)),
    )


def _sender(known: Known, campaign: str) -> Sender:
    by_campaign = {each.campaign: each for each in known.senders}
    return by_campaign.get(campaign) or by_campaign[""]


def _largest(sender: Sender) -> set[str]:
    """Return the queues that most of its contacts come to."""
    shares = sorted(((share, queue) for queue, share in sender.shares if share > 0), reverse=True)
    return {queue for _, queue in shares[:MOST_QUEUES]}


def _points(rate: Rate) -> tuple[float, float]:
    if rate.cv < _LEAST_CV or rate.mean <= 0:
        return rate.mean, rate.mean
    belief = GammaRate.of_moments(rate.mean, (rate.mean * rate.cv) ** 2)
    return belief.quantile(LOW), belief.quantile(HIGH)


def _queue(queue: QueueOutlook) -> QueuePrediction:
    bands = queue.service_level_ratio, queue.speed_to_answer_seconds, queue.backlog
    return QueuePrediction(queue.queue, told(_finite(queue.offered)), *(_spread(band) for band in bands))


def _spread(band: Band) -> Spread:
    return Spread(*(told(_finite(values)) for values in (band.mean, band.low, band.high)))


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)
