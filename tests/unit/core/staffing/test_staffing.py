from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.core.staffing.staffing import Asked, Basis, Planned, staffing, usual_agents

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
MINUTES = 180
NOTHING = np.full(MINUTES, np.nan)
LATER = NOW + timedelta(days=3)


def flat(agents, start=0, end=MINUTES):
    found = NOTHING.copy()
    found[start:end] = agents
    return found


def planned(scheduled=NOTHING, week_before=NOTHING, usual=NOTHING, ends_at=None, most_seen=None):
    known = not (np.isnan(scheduled) & np.isnan(week_before)).all()
    return Planned(scheduled, week_before, usual, ends_at or (LATER if known else None), most_seen)


def answer(plan, present=None, is_open=None, concurrency=1.0):
    is_open = np.ones(MINUTES, dtype=np.bool_) if is_open is None else is_open
    return staffing(Asked("orders", NOW, present, is_open, concurrency), plan)


def test_a_schedule_counts_as_it_is_and_fractions_are_dropped():
    found = answer(planned(flat(12.9)))
    assert found.agents.tolist() == [12] * MINUTES
    assert found.agents.dtype == np.int64
    assert found.basis is Basis.SCHEDULE
    assert found.said == "orders: agents as scheduled. How many are really here is not known."


def test_without_a_schedule_those_who_are_here_stay_and_it_is_said():
    found = answer(planned(), present=40)
    assert found.agents.tolist() == [40] * MINUTES
    assert found.basis is Basis.PRESENT
    assert found.said == "orders has no schedule: the 40 agents here now are taken to stay."


def test_with_nothing_known_it_is_unknown_and_not_a_number():
    found = answer(planned())
    assert found.basis is Basis.UNKNOWN
    assert found.agents.tolist() == [0] * MINUTES
    assert "it is not known" in found.said


def test_nobody_here_is_known_and_not_unknown():
    found = answer(planned(), present=0)
    assert (found.basis, found.agents.max()) == (Basis.PRESENT, 0)


def test_with_fewer_here_than_scheduled_the_same_share_counts_and_then_evenly_more():
    found = answer(planned(flat(40.0)), present=30)
    assert found.agents[:31].tolist() == [30] * 31
    assert found.agents[45] == 35
    assert found.agents[60:].tolist() == [40] * 120
    assert found.said == (
        "orders: agents as scheduled. 10 fewer are here now than scheduled (30 of 40): 75% of the scheduled ones are "
        "counted for 30 min, then evenly more until all are, 60 min from now."
    )


def test_the_share_is_taken_of_what_is_scheduled_then():
    found = answer(planned(np.where(np.arange(MINUTES) < 15, 40.0, 60.0)), present=20)
    assert (found.agents[0], found.agents[20], found.agents[60]) == (20, 30, 60)


def test_more_here_than_scheduled_are_not_counted_on():
    found = answer(planned(flat(40.0)), present=45)
    assert found.agents.tolist() == [40] * MINUTES
    assert "5 more are here now than scheduled (45 of 40); they are not counted on." in found.said


def test_a_fraction_of_an_agent_is_not_missed():
    found = answer(planned(flat(12.5)), present=12)
    assert found.agents.tolist() == [12] * MINUTES
    assert found.said == "orders: agents as scheduled."


def test_nobody_scheduled_now_says_nothing_about_later():
    found = answer(planned(np.where(np.arange(MINUTES) < 10, 0.0, 40.0)), present=12)
    assert (found.agents[0], found.agents[10]) == (0, 40)


def test_nobody_here_though_scheduled_means_nobody_for_half_an_hour():
    found = answer(planned(flat(40.0)), present=0)
    assert found.agents[:31].tolist() == [0] * 31


def test_closed_hours_have_nobody():
    is_open = np.arange(MINUTES) < 60
    found = answer(planned(flat(40.0)), 40, is_open)
    assert found.agents.tolist() == [40] * 60 + [0] * 120
    assert found.said.endswith("It is closed for part of that time: nobody is counted then.")
    assert "It is closed all that time" in answer(planned(), 5, np.zeros(MINUTES, dtype=np.bool_)).said


def test_agents_who_handle_several_at_once_are_slots_rounded_down_together():
    assert answer(planned(flat(12.5)), concurrency=2).agents[0] == 25
    assert answer(planned(flat(8.2)), concurrency=5).agents[0] == 41
    assert answer(planned(flat(3.0)), concurrency=2.5).agents[0] == 7
    assert answer(planned(flat(3.0)), concurrency=2.5).said.endswith("Each agent handles 2.5 contacts at once.")


def test_where_a_schedule_ends_that_of_the_week_before_counts():
    plan = planned(flat(40.0, 0, 60), week_before=flat(35.0), ends_at=NOW + timedelta(hours=1))
    found = answer(plan, present=40)
    assert found.agents.tolist() == [40] * 60 + [35] * 120
    assert found.said == (
        "orders: agents as scheduled. Its schedule ends at 2026-11-23 15:00 UTC; from then on counts that of the same "
        "weekday a week before."
    )


def test_where_a_schedule_ends_and_no_other_is_known_at_most_those_here_count():
    plan = planned(flat(40.0, 0, 60), ends_at=NOW + timedelta(hours=1))
    assert answer(plan, present=50).agents.tolist() == [40] * MINUTES
    assert answer(plan, present=30).agents[60:].tolist() == [30] * 120
    blind = answer(plan)
    assert blind.agents.tolist() == [40] * 60 + [0] * 120
    assert blind.said.endswith("from then on counts that of the same weekday a week before, else nobody.")


def test_a_day_that_is_missing_in_a_schedule_is_said_as_such():
    found = answer(planned(flat(40.0, 0, 60), usual=flat(20.0, 60)), present=40)
    assert found.agents[60:].tolist() == [20] * 120
    assert "It has none for 2026-11-23 15:00 UTC; from then on counts" in found.said
    assert found.said.endswith("a week before, else what is usual.")


def test_without_a_schedule_what_is_usual_counts_corrected_by_who_is_here():
    found = answer(planned(usual=flat(40.5)), present=20)
    assert found.basis is Basis.HISTORY
    assert (found.agents[0], found.agents[60]) == (20, 40)
    assert "orders has no schedule: agents as usual at these hours of the last weeks. 20.5 fewer are here" in found.said


def test_what_is_usual_for_a_part_alone_leaves_those_here_or_the_last_known_for_the_rest():
    found = answer(planned(usual=flat(10.0, 0, 60)), present=12)
    assert found.agents.tolist() == [10] * MINUTES


@pytest.mark.parametrize("present", [-1, float("nan"), float("inf")])
def test_a_head_count_of_no_world_is_an_error(present):
    with pytest.raises(ValueError, match="must be a number from 0 on"):
        answer(planned(), present)


@pytest.mark.parametrize("concurrency", [0, 0.5, float("nan"), float("inf")])
def test_a_concurrency_below_one_is_an_error(concurrency):
    with pytest.raises(ValueError, match="must be a number from 1 on"):
        answer(planned(), 5, concurrency=concurrency)


def test_what_is_usual_is_the_median_of_at_least_two_weeks():
    weeks = np.array([[10.0, 10.0, np.nan], [12.0, np.nan, np.nan], [50.0, np.nan, np.nan]])
    np.testing.assert_array_equal(usual_agents(weeks), [12.0, np.nan, np.nan])
    np.testing.assert_array_equal(usual_agents(weeks, 1), [12.0, 10.0, np.nan])
    assert np.isnan(usual_agents(np.full((0, 2), np.nan))).all()


@pytest.mark.parametrize("present", [None, 20, 28])
def test_a_schedule_of_a_hundred_times_as_many_as_were_ever_here_is_not_believed(present):
    found = answer(planned(flat(2_800.0), most_seen=28.0), present=present)
    assert found.agents.max() == 28
    assert found.agents[0] == (28 if present is None else present)
    assert found.said.endswith(
        "Up to 2800 are scheduled, more than 3 times the 28 that were ever seen here at once: where it is so, no more "
        "than 28 are counted."
    )


def test_only_the_minutes_that_have_too_many_are_held_to_what_was_seen():
    found = answer(planned(flat(30.0, end=60), flat(300.0, start=60), most_seen=28.0))
    assert (found.agents[:60].tolist(), found.agents[60:].tolist()) == ([30] * 60, [28] * 120)


@pytest.mark.parametrize(("agents", "present", "most_seen"), [(84, None, 28.0), (150, 50, 28.0), (2_800, None, None)])
def test_three_times_as_many_as_seen_or_where_nobody_was_seen_any_number_is_believed(agents, present, most_seen):
    found = answer(planned(flat(float(agents)), most_seen=most_seen), present=present)
    assert found.agents[-1] == agents
    assert "ever seen" not in found.said
