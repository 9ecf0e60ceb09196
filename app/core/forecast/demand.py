"""The arrivals of a queue under each of some schedules of sends, at each node of uncertainty."""

import numpy as np

from app.core.forecast.case import QueueCase, Rate
from app.core.forecast.series import FloatArray
from app.core.forecast.uncertainty import Nodes


def arrivals(queue: QueueCase, rate: Rate, schedules: FloatArray, nodes: Nodes, minutes: slice) -> FloatArray:
    """Return contacts per second: shape (schedules, nodes, minutes).

    schedules: messages per start, shape (schedules, starts). The level of the day moves the arrivals that come anyway;
    the contacts per message move those of the new sends and, by their own coefficient of variation, those in flight.
    """
    anyway = queue.scenario.arrivals_per_second[minutes] * nodes.levels(queue.arrivals_cv[minutes])
    anyway = anyway + np.outer(nodes.responses(queue.in_flight_cv), queue.in_flight[minutes])
    expected = schedules * (queue.share * rate.mean / 1000)
    caused = expected @ queue.curves[:, minutes]
    responses = nodes.responses(rate.cv)
    every: FloatArray = anyway + caused[:, np.newaxis, :] * responses[:, np.newaxis]
    return every
