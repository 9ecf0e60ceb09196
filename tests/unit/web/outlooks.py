"""Outlooks made by hand: one queue over four intervals, another one beside it."""

import numpy as np

from app.core.floor.metric import Metric
from app.core.forecast.breach import Breach, Verdict
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.outlook import Band, Outlook, Prospect, QueueOutlook
from app.web.outlook.chart import Ahead
from app.web.outlook.words import Reader
from tests.support.floors import NOON

LIMITS = OutlookLimits(service_level_ratio=0.8, backlog=10)
WITHOUT = [0.95, 0.9, 0.88, 0.93]
WITH_SEND = [0.95, 0.7, 0.4, 0.6]


def a_band(means, spread=0.05) -> Band:
    mean = np.array(means, dtype=np.float64)
    return Band(mean, mean - spread, mean + spread)


def a_queue(levels, name="orders-voice", *, offered=20.0, waiting=2.0, never_recovers=False) -> QueueOutlook:
    count = len(levels)
    seconds = [120 * (1 - level) for level in levels]
    return QueueOutlook(
        name,
        np.full(count, offered),
        a_band(levels),
        a_band(seconds, 4.0),
        a_band([waiting] * count, 1.0),
        never_recovers,
    )


def a_breach(
    metric=Metric.SERVICE_LEVEL_RATIO, *, queue="orders-voice", expected=0.7, probability=0.34, limit=0.8
) -> Breach:
    return Breach(queue, metric, 300.0, 1200.0, expected, expected, limit, probability)


def a_prospect(levels, *breaches: Breach, **changes) -> Prospect:
    queues = a_queue(levels, **changes), a_queue([1.0] * len(levels), "care-chat", offered=4.0)
    return Prospect(queues, Verdict(max((each.probability for each in breaches), default=0.0), breaches))


def an_outlook(without=WITHOUT, with_send=None, *breaches: Breach, shown=None, **changes) -> Outlook:
    sent = None if with_send is None else a_prospect(with_send, *breaches, **changes)
    return Outlook(0, 300.0, shown, a_prospect(without), sent)


def an_ahead(outlook: Outlook, reader: Reader, metric=Metric.SERVICE_LEVEL_RATIO, *, audience=None, limits=LIMITS):
    return Ahead(NOON, outlook, limits, "orders-voice", metric, audience, reader)
