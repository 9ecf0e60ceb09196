"""What a campaign brought: estimates of its lift, each with an interval that says what it rests on.

Two estimates for contacts that do not name their campaign. The frozen one subtracts the forecast that stood when the
first message went: it assumes nothing of when people call, and is as wrong as such forecasts have been. The joint one
also knows when the campaign's contacts should come: three times as sharp if the kernel is right, and far too low if
people come much later than it says. A random share of the list that is sent nothing needs neither.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from app.core.forecast.in_flight import in_flight
from app.core.forecast.learn import GammaRate
from app.core.forecast.refused import refuse
from app.core.forecast.series import FloatArray
from app.core.forecast.watch import Watch

INTERVAL = 0.90
AGREEMENT_SDS = 1.5
ENOUGH_ERRORS = 40
_Z = float(ndtri((1 + INTERVAL) / 2))
_NOTHING_KNOWN = GammaRate.of_moments(10.0, 1e8)


class LiftMethod(StrEnum):
    """How a lift was estimated."""

    FROZEN = "frozen"
    JOINT = "joint"
    HOLD_OUT = "hold_out"


@dataclass(frozen=True, slots=True)
class Lift:
    """How many contacts a campaign brought in the intervals that were watched, with a 90 % interval.

    Below 0: fewer came than were forecast. sd belongs to contacts. The contacts per 1,000 delivered have an interval
    of their own, which also holds the chance of who happened to call. detection_limit: a lift this large or smaller
    could not have been told from none. is_distinguishable: the interval of contacts does not hold 0. said: all this
    in a sentence.
    """

    contacts: float
    low: float
    high: float
    sd: float
    contacts_per_1000: float
    contacts_per_1000_low: float
    contacts_per_1000_high: float
    detection_limit: float
    method: LiftMethod
    is_distinguishable: bool
    said: str


class Group(NamedTuple):
    """So many people, and the contacts they made in the time looked at."""

    people: int
    contacts: float


def frozen_lift(watch: Watch, past_error_ratios: FloatArray) -> Lift:
    """Return the counts beyond the base that was forecast before the first message, of one campaign.

    watch: from the first message on, with one row per_rate. past_error_ratios: (sum of counts - sum of base) / sum of
    base over spans as long as this one, on days without campaigns, from forecasts made as this one was. From 40 of them
    on the interval is what nine in ten of them kept, before that Student's. Raises ResponseRefused when there are
    fewer than 2, or nothing was counted.
    """
    errors = past_error_ratios[np.isfinite(past_error_ratios)]
    detail = f"has {len(errors)} numbers; how wrong such forecasts are takes at least 2 to say"
    refuse((len(errors) < 2, "/past_error_ratios", detail))  # noqa: PLR2004 - one number has no spread
    volume, exposure = _watched(watch)
    contacts = float((watch.counts - watch.base)[watch.seen].sum())
    sd = volume * float(np.sqrt(np.mean(errors**2)))
    return _lift(LiftMethod.FROZEN, contacts, sd, volume * _reach(errors), exposure=exposure, chance=max(contacts, 0.0))


def joint_lift(watch: Watch, stretch: float = 1.0) -> Lift:
    """Return the lift that fits the counts together with the level of the day, of one campaign; as of in_flight.

    watch: best from an hour before the first message on, with one row per_rate, by the right or the learned kernel.
    What is believed of the campaign's rate plays no part. stretch: as of interval_stretch. Raises ResponseRefused when
    nothing was counted.
    """
    _, exposure = _watched(watch)
    refuse((not stretch >= 1, "/stretch", f"is {stretch}; an interval may only be made wider, by at least 1"))
    fitted = in_flight([watch], [_NOTHING_KNOWN])
    contacts, sd = float(fitted.rates[0]) * exposure, float(fitted.rate_sds[0]) * exposure * stretch
    return _lift(LiftMethod.JOINT, contacts, sd, _Z * sd, exposure=exposure)


def holdout_lift(treated: Group, held_out: Group, response_share: float = 1.0) -> Lift:
    """Return the lift told from people picked at random who were sent nothing.

    Contacts of both groups over the same days, whoever they named as their reason. response_share: the share of the
    kernel that lay in that time, above 0. Both counts are Poisson; one is added to each for its variance, so that a
    group in which nobody called does not count as certain. Raises ResponseRefused for an empty group.
    """
    for name, group in (("treated", treated), ("held_out", held_out)):
        refuse(
            (not group.people > 0, f"/{name}/people", f"are {group.people}; a comparison needs at least 1"),
            (not 0 <= group.contacts < np.inf, f"/{name}/contacts", f"are {group.contacts}; a number >= 0 is needed"),
        )
    refuse((not 0 < response_share <= 1, "/response_share", f"is {response_share}; it must be above 0, at most 1"))
    ratio = treated.people / held_out.people
    contacts = treated.contacts - ratio * held_out.contacts
    sd = sqrt(treated.contacts + 1 + ratio**2 * (held_out.contacts + 1))
    return _lift(LiftMethod.HOLD_OUT, contacts, sd, _Z * sd, exposure=treated.people / 1000 * response_share)


def headline(frozen: Lift, joint: Lift, *, kernel_is_learned: bool) -> Lift:
    """Return the estimate to show first, and in `said` also why it is that one.

    The joint one when its kernel was learned from past campaigns, or when the two differ by no more than 1.5 standard
    deviations of the frozen one, whose error is the larger by far; else the frozen one.
    """
    apart = abs(frozen.contacts - joint.contacts) / frozen.sd if frozen.sd > 0 else np.inf
    if kernel_is_learned:
        return replace(joint, said=f"{joint.said} It rests on when the contacts of past campaigns came.")
    if apart <= AGREEMENT_SDS:
        beside = f"The forecast alone gives {frozen.contacts:,.0f}, which agrees."
        return replace(joint, said=f"{joint.said} {beside}")
    beside = f"By when contacts usually come it would be {joint.contacts:,.0f}, but that was never seen here."
    return replace(frozen, said=f"{frozen.said} {beside}")


def interval_stretch(null_lifts: FloatArray, stated_sds: FloatArray) -> float:
    """Return how much wider joint intervals must be to hold the truth nine times in ten, at least 1.

    null_lifts: joint estimates over spans of past days in which no campaign ran, with the standard deviations stated
    of them. With fewer than 40 there is nothing to go by: 1.
    """
    refuse(
        (null_lifts.shape != stated_sds.shape, "/stated_sds", "must be as many as the lifts"),
        (not bool((stated_sds > 0).all()), "/stated_sds", "must be above 0"),
        (not bool(np.isfinite(null_lifts).all()), "/null_lifts", "must be numbers"),
    )
    if len(null_lifts) < ENOUGH_ERRORS:
        return 1.0
    return max(1.0, float(np.quantile(np.abs(null_lifts) / stated_sds, INTERVAL)) / _Z)


def _watched(watch: Watch) -> tuple[float, float]:
    """Return the base forecast, and the contacts to expect at 1 per 1,000, of the intervals with known counts."""
    volume = float(watch.base[watch.seen].sum())
    exposure = float(watch.per_rate[:, watch.seen].sum())
    refuse(
        (len(watch.per_rate) != 1, "/per_rate", f"has {len(watch.per_rate)} campaigns; a lift is of exactly one"),
        (not volume > 0, "/counts", "are not known where contacts were expected: the lift is unknown"),
        (not exposure > 0, "/per_rate", "is 0 where counts are known: nothing of the campaign was seen yet"),
    )
    return volume, exposure


def _reach(errors: FloatArray) -> float:
    """Return the size that an error keeps within, nine times in ten."""
    if len(errors) >= ENOUGH_ERRORS:
        return float(np.quantile(np.abs(errors), INTERVAL))
    return float(stdtrit(len(errors), (1 + INTERVAL) / 2) * np.sqrt(np.mean(errors**2)))


def _lift(
    method: LiftMethod, contacts: float, sd: float, reach: float, *, exposure: float, chance: float = 0.0
) -> Lift:
    """Return the lift contacts +- reach; chance: the variance that the contacts would have at a known rate."""
    low, high = contacts - reach, contacts + reach
    wide = sqrt(reach**2 + _Z**2 * chance)
    told = not low <= 0 <= high
    limits = ((contacts - wide) / exposure, (contacts + wide) / exposure)
    said = _said(contacts, low, high, reach, told=told)
    return Lift(contacts, low, high, sd, contacts / exposure, *limits, reach, method, told, said)


def _said(contacts: float, low: float, high: float, limit: float, *, told: bool) -> str:
    interval = f"90 % interval {low:,.0f} to {high:,.0f}"
    if not told:
        return f"Not distinguishable from zero ({interval}): a lift below {limit:,.0f} contacts cannot be seen here."
    if contacts < 0:
        return f"{-contacts:,.0f} contacts fewer than without the campaign ({interval})."
    return f"{contacts:,.0f} contacts ({interval})."
