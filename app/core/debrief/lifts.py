"""How many contacts the campaign brought: every estimate that can be made, and the one to go by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.debrief.baseline import LED, Baselines, Past
from app.core.debrief.debrief import Contacts, Estimate, Method
from app.core.debrief.question import Question, QueueFacts
from app.core.debrief.window import STEP, Look, per_step, response_of, sent_in, tallied
from app.core.forecast.learn import GammaRate
from app.core.forecast.lift import (
    Group,
    Lift,
    LiftMethod,
    frozen_lift,
    headline,
    holdout_lift,
    interval_stretch,
    joint_lift,
)
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.response import sent_curve
from app.core.forecast.series import FloatArray
from app.core.forecast.watch import Watch
from app.core.staffing.hours import open_minutes

Z = 1.6448536269514722  # of a 90 % interval
RESPONSE_STEPS = 72 * 12
_JEFFREYS = 0.5  # of the prior under which a rate told from a count has no bias worth the name


@dataclass(frozen=True, slots=True, eq=False)
class Lifts:
    """What was found: the estimates, and what they were made from, per step of the window.

    base: the forecast of all queues, None where it was not known; per_rate: the contacts to expect at 1 per 1,000, by
    queue. unknown: what could not be told, and why.
    """

    contacts: Contacts
    base: FloatArray | None
    per_rate: dict[str, FloatArray]
    unknown: tuple[str, ...]

    @property
    def rate(self) -> float | None:
        """Contacts per 1,000 to go by, at least 0; None where nothing is known of them."""
        found = self.contacts.headline
        return None if found is None else max(0.0, found.per_1000)


def lifts(question: Question, look: Look, baselines: Baselines) -> Lifts:
    """Return every estimate of the whole campaign's lift."""
    response = {facts.queue: expected_at_one(question, facts, look, look.steps) for facts in question.queues}
    exposure = sum((row for row in response.values()), np.zeros(look.steps))
    in_window = int(tallied(question.tallies, look.start, look.steps).sum())
    unknown: list[str] = []
    frozen, joint = _compared(baselines, exposure, unknown)
    held = _held_out(question, look, exposure, unknown)
    tagged = tagged_estimate(in_window, float(exposure.sum())) if question.tallies else None
    best = _headline(question, frozen, joint, held, tagged)
    estimates = [None if each is None else estimate(each) for each in (held, joint, frozen)]
    in_all = _in_all(question, best)
    contacts = Contacts(best, estimates[0], tagged, estimates[1], estimates[2], in_all, _said(best))
    base = None if np.isnan(baselines.base).any() else baselines.base
    return Lifts(contacts, base, response, tuple(unknown))


def queue_estimate(question: Question, queue: Baselines, exposure: FloatArray, tagged: int) -> Estimate | None:
    """Return the estimate of one queue, from its own counts alone. tagged: those of them that named the campaign."""
    frozen, joint = _compared(queue, exposure, [], stretched=False)
    exact = tagged_estimate(tagged, float(exposure.sum())) if question.tallies else None
    return _headline(question, frozen, joint, None, exact)


def expected_at_one(question: Question, facts: QueueFacts, look: Look, steps: int) -> FloatArray:
    """Return the contacts that come to a queue per step of the window and beyond, at 1 per 1,000 delivered."""
    minutes = steps * 5
    opening = open_minutes(facts.calendar.hours, look.start, minutes)
    sends = sent_in(question.sends, look.start, minutes)
    return per_step(sent_curve(response_of(question), opening, sends)) / 1000 * facts.share


def estimate(lift: Lift) -> Estimate:
    """Return a lift as it is shown."""
    return Estimate(
        Method(lift.method.value),
        lift.contacts,
        lift.low,
        lift.high,
        lift.contacts_per_1000,
        lift.contacts_per_1000_low,
        lift.contacts_per_1000_high,
        lift.is_distinguishable,
        lift.detection_limit,
        lift.said,
    )


def tagged_estimate(contacts: int, exposure: float) -> Estimate | None:
    """Return what contacts that named the campaign tell: their number is exact; the rate has the chance of a count.

    exposure: contacts to expect at 1 per 1,000; without any, None.
    """
    if exposure <= 0:
        return None
    belief = GammaRate(contacts + _JEFFREYS, exposure)
    said = f"{contacts:,} contacts named the campaign."
    return Estimate(
        *(Method.TAGGED, float(contacts), float(contacts), float(contacts), contacts / exposure),
        *(belief.quantile(0.05), belief.quantile(0.95)),
        is_distinguishable=contacts > 0,
        detection_limit=None,
        said=said,
    )


def _compared(
    baselines: Baselines, exposure: FloatArray, unknown: list[str], *, stretched: bool = True
) -> tuple[Lift | None, Lift | None]:
    """Return the frozen and the joint estimate; why one is not there goes to `unknown`.

    stretched: with intervals of the joint one as wide as past days, on which nothing was sent, would have needed.
    """
    if np.isnan(baselines.base).any():
        unknown.append(f"The forecast without the campaign is not known: {_why_no_base(baselines)}.")
        return None, None
    level_sd, dispersion = baselines.spread
    frozen = joint = None
    try:
        watch = Watch(baselines.counts, baselines.base, exposure[np.newaxis], level_sd=level_sd, dispersion=dispersion)
        frozen = frozen_lift(watch, baselines.error_ratios)
    except ResponseRefused as refused:
        why = "; ".join(problem.detail for problem in refused.problems)
        unknown.append(f"The contacts beyond the forecast cannot be told: what it was compared with {why}.")
    try:
        led = _Led(exposure, level_sd, dispersion)
        joint = joint_lift(led.watch(*baselines.led), led.stretch(baselines.past) if stretched else 1.0)
    except ResponseRefused as refused:
        why = "; ".join(problem.detail for problem in refused.problems)
        unknown.append(f"When its contacts came cannot be told from the rest: what was looked at {why}.")
    return frozen, joint


@dataclass(frozen=True, slots=True, eq=False)
class _Led:
    """How counts from an hour before the first message on are looked at."""

    exposure: FloatArray
    level_sd: float
    dispersion: float

    def watch(self, counts: FloatArray, base: FloatArray) -> Watch:
        """Return counts and forecast to be explained; that hour stays unknown where it had no forecast."""
        known = ~np.isnan(base)
        counts, base = np.where(known, counts, np.nan), np.where(known, base, 0.0)
        per_rate = np.concatenate([np.zeros(LED), self.exposure])[np.newaxis]
        return Watch(counts, base, per_rate, level_sd=self.level_sd, dispersion=self.dispersion)

    def stretch(self, past: Sequence[Past]) -> float:
        """Return how much wider the interval must be, by what would have been found on past days without it."""
        found = [joint_lift(self.watch(each.counts, each.base)) for each in past]
        return interval_stretch(np.array([lift.contacts for lift in found]), np.array([lift.sd for lift in found]))


def _why_no_base(baselines: Baselines) -> str:
    look = baselines.look
    if not baselines.queues:
        return "no queue of its gate is known"
    forecasts = ((queue.facts.queue, queue.forecast(look.start, look.steps)) for queue in baselines.queues)
    return "; ".join(f"{queue}: {found.basis}" for queue, found in forecasts if not found.is_known)


def _held_out(question: Question, look: Look, exposure: FloatArray, unknown: list[str]) -> Lift | None:
    subject = question.subject
    if not subject.held_out:
        return None
    if not question.held_out_tallies:
        unknown.append(
            f"The hold-out says nothing yet: no contact named {subject.id}/holdout, so nobody can tell how often those "
            f"{subject.held_out:,} got in touch."
        )
        return None
    sent = sum(send.messages for send in question.sends)
    treated, untreated = (
        Group(people, float(tallied(tallies, look.start, look.steps).sum()))
        for people, tallies in ((sent, question.tallies), (subject.held_out, question.held_out_tallies))
    )
    share = min(1.0, float(exposure.sum()) / (sent / 1000)) if sent else 0.0
    if share <= 0:
        return None
    return holdout_lift(treated, untreated, share)


def _headline(
    question: Question, frozen: Lift | None, joint: Lift | None, held: Lift | None, tagged: Estimate | None
) -> Estimate | None:
    """Return the estimate to go by: the hold-out, else tags unless most are missing, else what the counts say."""
    if held is not None:
        return estimate(held)
    lift = _by_counts(frozen, joint, kernel_is_learned=bool(question.bin_shares))
    if tagged is not None and (lift is None or tagged.contacts >= lift.low):
        return tagged
    return None if lift is None else estimate(lift)


def _by_counts(frozen: Lift | None, joint: Lift | None, *, kernel_is_learned: bool) -> Lift | None:
    """Return the better of two estimates; where they contradict each other, the interval holds what both allow."""
    if frozen is None or joint is None:
        return frozen or joint
    best = headline(frozen, joint, kernel_is_learned=kernel_is_learned)
    if best.method is LiftMethod.JOINT:
        return best
    low, high = min(frozen.low, joint.low), max(frozen.high, joint.high)
    rates = (
        min(frozen.contacts_per_1000_low, joint.contacts_per_1000_low),
        max(frozen.contacts_per_1000_high, joint.contacts_per_1000_high),
    )
    told = not low <= 0 <= high
    said = best.said if told == frozen.is_distinguishable else "Not distinguishable from zero."
    return replace(
        best,
        low=low,
        high=high,
        contacts_per_1000_low=rates[0],
        contacts_per_1000_high=rates[1],
        is_distinguishable=told,
        said=f"{said} Both estimates together allow {low:,.0f} to {high:,.0f}.",
    )


def _in_all(question: Question, best: Estimate | None) -> float | None:
    """Return the contacts to expect by the end: all that was sent, times the rate, in the hours that are open."""
    if best is None:
        return None
    start = Look(question.sends[0].at, question.sends[0].at)
    last = math.ceil((question.sends[-1].at - question.sends[0].at) / STEP)
    steps = last + RESPONSE_STEPS
    exposure = sum(float(expected_at_one(question, facts, start, steps).sum()) for facts in question.queues)
    return max(0.0, best.per_1000) * exposure


def _said(best: Estimate | None) -> str:
    return "What the campaign brought is not known." if best is None else best.said
