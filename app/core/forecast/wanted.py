"""When people want to get in touch after a send, whether or not anybody is there to answer."""

import numpy as np

from app.core.forecast.kernel import Kernel
from app.core.forecast.series import FloatArray, IntArray

NIGHT_ACTIVITY_RATIO = 0.25
_DAY_MINUTES = 24 * 60
_DAWN_MINUTE, _DUSK_MINUTE = 8 * 60, 22 * 60
_NOBODY_LEFT = 1e-12
_STARTS_AT_ONCE = 128


def night_activity(first_minute_of_day: int, minutes: int, ratio: float = NIGHT_ACTIVITY_RATIO) -> FloatArray:
    """Return for each minute how ready people are to act, relative to the day: 1 from 8 to 22 h, `ratio` at night.

    first_minute_of_day: the local time of the first minute, 0..1439. The ratio is judgement.
    """
    minute = (first_minute_of_day + np.arange(minutes)) % _DAY_MINUTES
    return np.where((minute >= _DAWN_MINUTE) & (minute < _DUSK_MINUTE), 1.0, ratio)


def wanted_of_send(
    kernel: Kernel, send_minutes: int, starts: IntArray, minutes: int, activity: FloatArray | None
) -> FloatArray:
    """Return the share of a send's contacts wanted in each minute, for each start: shape (starts, minutes).

    The send is delivered evenly over send_minutes. activity: per minute, multiplies the hazard of the whole send.
    """
    delivery = np.full(min(send_minutes, minutes), 1.0 / send_minutes)
    return _shifted(np.convolve(kernel.masses[:minutes], delivery), starts, minutes, activity)


def wanted_of_all(kernel: Kernel, delivered: FloatArray, minutes: int, activity: FloatArray | None) -> FloatArray:
    """Return the contacts wanted in each minute if each message brings one, of `delivered` per minute: (minutes,)."""
    masses = kernel.masses[:minutes]
    if activity is None:
        return _fitted(np.convolve(delivered, masses), minutes)
    starts = np.flatnonzero(delivered)
    wanted = np.zeros(minutes)
    for first in range(0, len(starts), _STARTS_AT_ONCE):  # all at once would not fit into memory
        some = starts[first : first + _STARTS_AT_ONCE]
        wanted += delivered[some] @ _shifted(masses, some, minutes, activity)
    return wanted


def _shifted(masses: FloatArray, starts: IntArray, minutes: int, activity: FloatArray | None) -> FloatArray:
    """Return the masses per minute after a start as a row per start, as they fall at the given activity."""
    if activity is None:
        return np.array(_rows(_fitted(masses, minutes), starts))
    left = np.maximum(1.0 - np.concatenate([[0.0], np.cumsum(masses)]), _NOBODY_LEFT)
    hazards = _fitted(-np.diff(np.log(left)), minutes)
    survival = np.exp(-np.cumsum(_rows(hazards, starts) * activity[:minutes], axis=1))
    return -np.diff(survival, axis=1, prepend=1.0)


def _fitted(values: FloatArray, length: int) -> FloatArray:
    return np.pad(values[:length], (0, max(0, length - len(values))))


def _rows(values: FloatArray, starts: IntArray) -> FloatArray:
    """Return `values` moved to the right by each start, without what falls off the end."""
    length = len(values)
    padded = np.concatenate([np.zeros(length), values])
    return np.lib.stride_tricks.sliding_window_view(padded, length)[length - starts]
