"""What becomes of contacts that find the contact center closed."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from app.core.forecast.series import BoolArray, FloatArray


def through_opening(wanted: FloatArray, opening: BoolArray, deferral_ratio: float, mean_minutes: float) -> FloatArray:
    """Return the contacts that come in each minute, of those `wanted` in it: both have shape (rows, minutes).

    In open minutes people come when they want to. Of those who want to in closed minutes, deferral_ratio (0..1) comes
    back, at a time after the next opening that is exponential with mean_minutes of open time; the others never do.
    Who would come after the last minute is not in the answer.
    """
    contacts = np.where(opening, wanted, 0.0)
    waiting = np.zeros(len(wanted))
    for begin, end, is_open in _runs(opening):
        if is_open:
            left = np.exp(-np.arange(end - begin + 1) / mean_minutes)
            contacts[:, begin:end] += np.outer(waiting, left[:-1] - left[1:])
            waiting = waiting * left[-1]
        else:
            waiting = waiting + deferral_ratio * wanted[:, begin:end].sum(axis=1)
    return contacts


def _runs(opening: BoolArray) -> Iterator[tuple[int, int, bool]]:
    edges = [0, *(np.flatnonzero(np.diff(opening)) + 1).tolist(), len(opening)]
    for begin, end in pairwise(edges):
        yield begin, end, bool(opening[begin])
