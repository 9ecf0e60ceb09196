"""The response: the contacts that a send brings, minute by minute, while people sleep and the center closes.

Everything here is per ONE expected contact, so that a forecast is linear in what is not known: the contacts a send
brings are delivered / 1,000 x contacts per 1,000 times its curve. Minutes count from now; a message delivered within
a minute counts as delivered at its start, which makes every response a little earlier than it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from app.core.forecast.deferral import through_opening
from app.core.forecast.kernel import Kernel, log_logistic_kernel
from app.core.forecast.refused import refuse
from app.core.forecast.series import MINUTE_SECONDS, BoolArray, FloatArray, IntArray
from app.core.forecast.wanted import wanted_of_all, wanted_of_send

DEFAULT_SEND_MINUTES = 5
AnyArray = TypeVar("AnyArray", FloatArray, BoolArray)
SPENT_AFTER_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """How people answer a message: when (kernel), and what they do when the center is closed.

    deferral_ratio, 0..1: the share of those who come back after the next opening, deferral_mean_minutes (of open
    time) after it on average; the others never do. Both are judgement.
    """

    kernel: Kernel = field(default_factory=log_logistic_kernel)
    deferral_ratio: float = 0.7
    deferral_mean_minutes: float = 45.0

    def __post_init__(self) -> None:
        ratio, mean = self.deferral_ratio, self.deferral_mean_minutes
        refuse(
            (not 0 <= ratio <= 1, "/deferral_ratio", f"is {ratio}; it must be a share, 0 to 1"),
            (not 0 < mean < np.inf, "/deferral_mean_minutes", f"is {mean}; it must be above 0"),
        )


class Sent(NamedTuple):
    """So many messages delivered at a minute, 0 being now and -90 one and a half hours ago."""

    minute: float
    messages: float


def response_curves(
    response: Response,
    opening: BoolArray,
    start_minutes: IntArray,
    minutes: int,
    send_minutes: int = DEFAULT_SEND_MINUTES,
    *,
    activity: FloatArray | None = None,
) -> FloatArray:
    """Return the contacts per second, per one expected contact, of a send from each start: shape (starts, minutes).

    opening: True for each open minute from now on, at least `minutes` long. start_minutes: 0..minutes - 1 each. The
    send is delivered evenly over send_minutes (>= 1). activity: as of night_activity, as long as opening; the hazard
    of the whole send is multiplied by it. 60 x the sum over a row is the share of the contacts that comes within
    `minutes`, at most 1. Raises ResponseRefused, also when the center opens in none of the minutes: that nobody can
    come is no sign that a send is harmless.
    """
    _refuse_unsound(opening, activity, minutes)
    _refuse_unsound_send(start_minutes, minutes, send_minutes)
    _refuse_never_open(opening, minutes)
    wanted = wanted_of_send(response.kernel, send_minutes, start_minutes, minutes, activity)
    contacts = through_opening(wanted, opening[:minutes], response.deferral_ratio, response.deferral_mean_minutes)
    return contacts / MINUTE_SECONDS


def sent_curve(
    response: Response,
    opening: BoolArray,
    sends: Sequence[Sent | tuple[float, float]],
    *,
    activity: FloatArray | None = None,
) -> FloatArray:
    """Return the contacts per second in each minute of opening if each message brought one: as long as opening.

    sends: (minute, messages) as of Sent, with minutes 0..len(opening) - 1 of opening. 60 / 1,000 x its sum over the
    minutes that were watched is the exposure that a contact rate per 1,000 is learned with.
    """
    _refuse_unsound(opening, activity, len(opening))
    delivered = _delivered(sends, len(opening))
    wanted = wanted_of_all(response.kernel, delivered, len(opening), activity)
    mean = response.deferral_mean_minutes
    contacts: FloatArray = through_opening(wanted[np.newaxis], opening, response.deferral_ratio, mean)[0]
    return contacts / MINUTE_SECONDS


def in_flight_curve(
    response: Response,
    opening: BoolArray,
    sends: Sequence[Sent | tuple[float, float]],
    minutes: int,
    *,
    opened_before: BoolArray | None = None,
    activity: FloatArray | None = None,
) -> FloatArray:
    """Return the contacts per second still to come of what was sent, if each message brought one: shape (minutes,).

    Times contacts per 1,000 / 1,000 it is what to expect. sends: (minute <= 0, messages >= 0) as of Sent; none older
    than a week counts. opened_before: whether each minute up to now was open, its last one being minute -1; earlier
    ones count as open. Those who found the center closed and come back after an opening that is still ahead, or come
    back right now, are in it. activity covers opened_before and then opening. No open minute ahead: all zeros.
    """
    before = np.zeros(0, dtype=np.bool_) if opened_before is None else opened_before
    known: BoolArray = np.concatenate([before, opening])
    _refuse_unsound(known, activity, len(before) + minutes)
    _refuse_unsent(sends)
    recent = [(minute, messages) for minute, messages in sends if minute >= -SPENT_AFTER_MINUTES]
    past = int(np.ceil(max((-minute for minute, _ in recent), default=0)))
    curve = sent_curve(
        response,
        _from_minute(len(before) - past, known, len(before) + minutes),
        [(past + minute, messages) for minute, messages in recent],
        activity=None if activity is None else _from_minute(len(before) - past, activity, len(before) + minutes),
    )
    return curve[past:]


def _refuse_unsent(sends: Sequence[Sent | tuple[float, float]]) -> None:
    for index, (minute, _) in enumerate(sends):
        detail = f"is {minute}; what is in flight was sent at minute 0 or before"
        refuse((not minute <= 0, f"/sends/{index}/minute", detail))


def _delivered(sends: Sequence[Sent | tuple[float, float]], minutes: int) -> FloatArray:
    """Return the messages delivered in each minute."""
    delivered = np.zeros(minutes)
    for index, (minute, messages) in enumerate(sends):
        when, many = f"is {minute}; it must lie in the time looked at", f"are {messages}; a number >= 0 is needed"
        refuse(
            (not 0 <= minute < minutes, f"/sends/{index}/minute", when),
            (not 0 <= messages < np.inf, f"/sends/{index}/messages", many),
        )
        delivered[int(minute)] += messages
    return delivered


def _from_minute(first: int, values: AnyArray, end: int) -> AnyArray:
    """Return values[first:end], with ones for what lies before values[0] when first is negative."""
    ahead = np.ones(max(0, -first), dtype=values.dtype)
    return np.concatenate([ahead, values[max(0, first) : end]])


def _refuse_unsound(opening: BoolArray, activity: FloatArray | None, minutes: int) -> None:
    is_row = opening.ndim == 1 and opening.dtype == np.bool_
    is_active = activity is None or (activity.shape == opening.shape and bool(np.all((activity > 0) & (activity <= 1))))
    refuse(
        (minutes < 1, "/minutes", f"is {minutes}; a horizon has at least 1 minute"),
        (not is_row, "/opening", "must be one True (open) or False per minute"),
        (is_row and len(opening) < minutes, "/opening", f"has {len(opening)} minutes; {minutes} are asked for"),
        (not is_active, "/activity", "must be above 0 and at most 1 in each minute of the opening hours given"),
    )


def _refuse_unsound_send(starts: IntArray, minutes: int, send_minutes: int) -> None:
    is_inside = starts.ndim == 1 and bool(np.all((starts >= 0) & (starts < minutes)))
    refuse(
        (send_minutes < 1, "/send_minutes", f"is {send_minutes}; a send takes at least 1 minute"),
        (not is_inside, "/start_minutes", f"must lie between 0 and {minutes - 1}, within the minutes asked for"),
    )


def _refuse_never_open(opening: BoolArray, minutes: int) -> None:
    is_open = bool(opening[:minutes].any())
    refuse((not is_open, "/opening", f"the center opens in none of the {minutes} minutes: ask for more of them"))
