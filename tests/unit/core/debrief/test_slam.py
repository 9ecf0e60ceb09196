import numpy as np
import pytest

from app.core.debrief.debrief import Estimate, Method
from app.core.debrief.floor import Calculated, Sums
from app.core.debrief.question import Limit
from app.core.debrief.slam import slam
from app.core.floor.metric import Metric

BACKLOG = Limit(Metric.BACKLOG, 10.0, is_least=False)
LEVEL = Limit(Metric.SERVICE_LEVEL_RATIO, 0.8, is_least=True)
ANSWER = Limit(Metric.SPEED_TO_ANSWER_SECONDS, 30.0, is_least=False)
TOLD = Estimate(
    Method.JOINT, 300.0, 200.0, 400.0, 10.0, 8.0, 12.0, is_distinguishable=True, detection_limit=None, said=""
)
DOUBTFUL = Estimate(
    Method.JOINT, 5.0, -20.0, 30.0, 1.0, -4.0, 6.0, is_distinguishable=False, detection_limit=None, said=""
)


def sums(backlog, level=1.0, answer=5.0) -> Sums:
    """A queue's steps: ten contacts each, of which a share came in time, answered after so many seconds."""
    backlog = np.array(backlog, dtype=float)
    ten = np.full(len(backlog), 10.0)
    return Sums(ten, ten, ten * np.asarray(level), ten, ten * np.asarray(answer), backlog)


def known(measured, **ways) -> Calculated:
    """One queue, as measured, as sent (as measured unless told otherwise), all at once, and with nothing sent."""
    as_sent = ways.get("as_sent", measured)
    own = [as_sent, ways.get("at_once", as_sent), ways.get("nothing", as_sent)]
    return Calculated({"orders": measured}, {"orders": own}, ())


def test_minutes_count_the_steps_in_which_any_queue_is_past_any_limit():
    both = Calculated({"orders": sums([0, 12, 0, 0]), "billing": sums([11, 11, 0, 0])}, {}, ())
    assert slam(both, [BACKLOG], TOLD).measured_minutes == 10.0
    one = known(sums([0, 12, 0, 0], level=[1, 1, 0.7, 1], answer=[5, 5, 5, 31]))
    assert slam(one, [BACKLOG, LEVEL, ANSWER], TOLD).measured_minutes == 15.0
    assert slam(one, [LEVEL], TOLD).measured_minutes == 5.0


def test_a_value_at_its_limit_is_not_past_it():
    at_limit = known(sums([10, 10], level=0.8, answer=30))
    assert slam(at_limit, [BACKLOG, LEVEL, ANSWER], TOLD).measured_minutes == 0.0


def test_all_at_once_is_what_was_measured_changed_by_what_the_calculations_differ_in():
    found = slam(known(sums([0, 4, 8, 12]), as_sent=sums([2, 2, 2, 2]), at_once=sums([9, 9, 9, 0])), [BACKLOG], TOLD)
    # 7, 11, 15, 10: the second and the third
    assert (found.measured_minutes, found.at_once_minutes, found.avoided_minutes) == (5.0, 10.0, 5.0)
    assert found.said == "Some queue was past a limit for 5 minutes. All at once it would have been 10."


def test_what_went_all_at_once_has_avoided_nothing_however_wrong_the_calculation_is():
    found = slam(known(sums([0, 40, 0, 40]), as_sent=sums([0, 0, 0, 0])), [BACKLOG], TOLD)
    assert (found.measured_minutes, found.avoided_minutes) == (10.0, 0.0)


def test_it_can_be_worse_than_all_at_once():
    found = slam(known(sums([12, 12]), as_sent=sums([9, 9]), at_once=sums([2, 2])), [BACKLOG], TOLD)
    assert found.avoided_minutes == -10.0


def test_ratios_stay_ratios():
    worse = known(sums([0, 0], level=[0.9, 0.9]), as_sent=sums([0, 0], level=0.2), at_once=sums([0, 0], level=1.0))
    least = Limit(Metric.SERVICE_LEVEL_RATIO, 1.0, is_least=True)
    assert slam(worse, [least], TOLD).at_once_minutes == 0.0


def test_contacts_that_may_as_well_be_none_avoid_nothing_that_anybody_could_tell():
    found = slam(known(sums([12, 0]), at_once=sums([40, 40])), [BACKLOG], DOUBTFUL)
    assert (found.measured_minutes, found.at_once_minutes, found.avoided_minutes) == (5.0, 10.0, None)
    assert "may as well be 0" in found.said
    assert slam(known(sums([12, 0])), [BACKLOG], None).avoided_minutes is None


@pytest.mark.parametrize("limits", [[], [BACKLOG]])
def test_what_cannot_be_told_is_not_told(limits):
    nothing = np.full(2, np.nan)
    silent = Sums(nothing, nothing, nothing, nothing, nothing, nothing)
    measured = known(sums([12, 0])) if not limits else known(silent)
    found = slam(measured, limits, TOLD)
    assert (found.measured_minutes, found.at_once_minutes, found.avoided_minutes) == (None, None, None)
    assert found.said.startswith("Minutes past a limit are not known")


def test_without_a_calculation_only_what_was_measured_is_told():
    found = slam(Calculated({"orders": sums([12, 0])}, {}, ()), [BACKLOG], TOLD)
    assert (found.measured_minutes, found.avoided_minutes) == (5.0, None)


def test_a_queue_that_was_mostly_silent_is_left_out():
    silent = sums([40] * 10)
    unheard = Sums(
        *(
            np.where(np.arange(10) < 2, np.nan, values)
            for values in (
                silent.offered,
                silent.judged,
                silent.reached,
                silent.answered,
                silent.wait_seconds,
                silent.backlog,
            )
        )
    )
    both = Calculated({"orders": sums([12] + [0] * 9), "mail": unheard}, {}, ())
    found = slam(both, [BACKLOG], TOLD)
    assert (found.measured_minutes, found.queues) == (5.0, ("orders",))
