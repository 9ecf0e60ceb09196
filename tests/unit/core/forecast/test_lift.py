import numpy as np
import pytest

from app.core.forecast.lift import (
    Group,
    LiftMethod,
    frozen_lift,
    headline,
    holdout_lift,
    interval_stretch,
    joint_lift,
)
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.response import Response
from app.core.forecast.watch import Watch
from tests.support.responding import response_curve

INTERVALS = 48
BASE = np.full(INTERVALS, 100.0)
KERNEL = response_curve(Response(), np.ones(240, dtype=np.bool_), 0, 240).reshape(INTERVALS, 5).sum(axis=1) * 60
PER_RATE = 60 * KERNEL[np.newaxis]  # 60,000 messages
EXPOSURE = PER_RATE.sum()
ERRORS = np.linspace(-0.06, 0.06, 61)


def a_watch(per_1000, level=1.0, **more):
    return Watch(level * BASE + per_1000 * PER_RATE[0], BASE, PER_RATE, **more)


def test_the_frozen_lift_is_what_came_beyond_the_forecast():
    lift = frozen_lift(a_watch(20), ERRORS)
    assert lift.contacts == pytest.approx(20 * EXPOSURE)
    assert lift.contacts_per_1000 == pytest.approx(20)
    assert lift.method is LiftMethod.FROZEN


def test_its_interval_is_what_nine_in_ten_past_forecasts_kept():
    lift = frozen_lift(a_watch(20), ERRORS)
    assert lift.high - lift.contacts == pytest.approx(4800 * 0.054)
    assert lift.contacts - lift.low == pytest.approx(4800 * 0.054)
    assert lift.sd == pytest.approx(4800 * np.sqrt(np.mean(ERRORS**2)))


def test_few_past_errors_make_a_wider_interval():
    many, few = np.tile([-0.03, 0.03], 15), np.array([-0.03, 0.03])
    wide, narrow = (lift.high - lift.low for lift in (frozen_lift(a_watch(20), few), frozen_lift(a_watch(20), many)))
    assert narrow == pytest.approx(2 * 1.697 * 0.03 * 4800, rel=0.001)  # Student with 30
    assert wide == pytest.approx(2 * 2.920 * 0.03 * 4800, rel=0.001)  # Student with 2


def test_the_rate_has_the_chance_of_who_called_in_its_interval_as_well():
    lift = frozen_lift(a_watch(20), ERRORS)
    known = (lift.high - lift.low) / EXPOSURE
    chance = 2 * 1.645 * np.sqrt(20 * EXPOSURE) / EXPOSURE
    assert lift.contacts_per_1000_high - lift.contacts_per_1000_low == pytest.approx(np.hypot(known, chance), rel=0.001)


def test_a_small_lift_is_not_distinguishable_from_zero():
    lift = frozen_lift(a_watch(2), ERRORS)
    assert not lift.is_distinguishable
    assert lift.detection_limit == pytest.approx(4800 * 0.054)
    assert lift.said == (
        "Not distinguishable from zero (90 % interval -192 to 326): a lift below 259 contacts cannot be seen here."
    )


def test_a_large_lift_is_said_with_its_interval():
    lift = frozen_lift(a_watch(20), ERRORS)
    assert lift.is_distinguishable
    assert lift.said == "672 contacts (90 % interval 413 to 931)."


def test_fewer_contacts_than_without_the_campaign_are_said_to_be_fewer():
    lift = frozen_lift(a_watch(0, level=0.8), ERRORS)
    assert lift.is_distinguishable
    assert lift.said == "960 contacts fewer than without the campaign (90 % interval -1,219 to -701)."


def test_intervals_without_counts_are_left_out_of_counts_forecast_and_exposure():
    watch = a_watch(20)
    watch.counts[10:30] = np.nan
    lift = frozen_lift(watch, ERRORS)
    assert lift.contacts_per_1000 == pytest.approx(20)
    assert lift.contacts < 20 * EXPOSURE
    assert joint_lift(watch).contacts_per_1000 == pytest.approx(20, abs=1)


def test_the_joint_lift_takes_the_level_of_the_day_out():
    lift, frozen = joint_lift(a_watch(20, level=0.95)), frozen_lift(a_watch(20, level=0.95), ERRORS)
    assert lift.method is LiftMethod.JOINT
    assert frozen.contacts - 20 * EXPOSURE == pytest.approx(-240)
    assert lift.contacts - 20 * EXPOSURE == pytest.approx(0, abs=30)


def test_a_stretch_widens_the_joint_interval():
    plain, stretched = joint_lift(a_watch(20)), joint_lift(a_watch(20), stretch=1.5)
    assert stretched.contacts == plain.contacts
    assert stretched.high - stretched.low == pytest.approx(1.5 * (plain.high - plain.low))
    with pytest.raises(ResponseRefused, match="/stretch"):
        joint_lift(a_watch(20), stretch=0.5)


def test_the_stretch_makes_nine_in_ten_null_lifts_fit():
    rng = np.random.default_rng(1)
    sds = rng.uniform(1, 3, 4000)
    assert interval_stretch(rng.normal(0, 1.4 * sds), sds) == pytest.approx(1.4, rel=0.05)
    assert interval_stretch(rng.normal(0, 0.5 * sds), sds) == 1
    assert interval_stretch(np.full(39, 9.0), np.ones(39)) == 1


def test_a_holdout_tells_what_a_campaign_brought():
    lift = holdout_lift(Group(90_000, 1200), Group(10_000, 100), response_share=0.5)
    assert lift.contacts == pytest.approx(1200 - 900)
    assert lift.sd == pytest.approx(np.sqrt(1201 + 81 * 101))
    assert lift.contacts_per_1000 == pytest.approx(300 / 45)
    assert lift.method is LiftMethod.HOLD_OUT


def test_a_silent_holdout_is_no_certainty():
    lift = holdout_lift(Group(900, 3), Group(100, 0))
    assert lift.contacts == 3
    assert not lift.is_distinguishable


def test_the_joint_lift_leads_when_both_agree():
    frozen, joint = frozen_lift(a_watch(20), ERRORS), joint_lift(a_watch(20))
    lift = headline(frozen, joint, kernel_is_learned=False)
    assert (lift.method, lift.contacts) == (LiftMethod.JOINT, joint.contacts)
    assert "The forecast alone gives 672, which agrees." in lift.said


def test_the_frozen_lift_leads_when_contacts_come_when_nobody_expects_them():
    late = np.where(np.arange(INTERVALS) > 24, 30.0, 0.0)
    watch = Watch(BASE + late, BASE, PER_RATE)
    frozen, joint = frozen_lift(watch, ERRORS / 4), joint_lift(watch)
    lift = headline(frozen, joint, kernel_is_learned=False)
    assert (lift.method, lift.contacts) == (LiftMethod.FROZEN, frozen.contacts)
    assert "that was never seen here" in lift.said
    assert headline(frozen, joint, kernel_is_learned=True).method is LiftMethod.JOINT


@pytest.mark.parametrize("errors", [np.array([]), np.array([0.1]), np.full(50, np.nan)])
def test_without_past_errors_there_is_no_frozen_lift(errors):
    with pytest.raises(ResponseRefused, match="/past_error_ratios"):
        frozen_lift(a_watch(20), errors)


@pytest.mark.parametrize("estimate", [joint_lift, lambda watch: frozen_lift(watch, ERRORS)])
def test_nothing_counted_is_unknown_and_not_zero(estimate):
    with pytest.raises(ResponseRefused, match="the lift is unknown"):
        estimate(Watch(np.full(INTERVALS, np.nan), BASE, PER_RATE))
    with pytest.raises(ResponseRefused, match="nothing of the campaign was seen yet"):
        estimate(Watch(BASE, BASE, 0 * PER_RATE))
    with pytest.raises(ResponseRefused, match="a lift is of exactly one"):
        estimate(Watch(BASE, BASE, np.vstack([PER_RATE, PER_RATE])))


@pytest.mark.parametrize(
    ("treated", "held_out", "share"),
    [(Group(0, 0), Group(10, 1), 1), (Group(10, 1), Group(0, 0), 1), (Group(10, -1), Group(10, 1), 1),
     (Group(10, float("nan")), Group(10, 1), 1), (Group(10, 1), Group(10, 1), 0)],
)  # fmt: skip
def test_groups_that_compare_nothing_are_refused(treated, held_out, share):
    with pytest.raises(ResponseRefused):
        holdout_lift(treated, held_out, share)
