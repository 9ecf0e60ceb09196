"""Whatever the gate says, in whatever order: a release never goes faster than its pace allows."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.campaign.pace import FULL_PERCENT, PROBE_PERCENT, STEP_PERCENT, Outcome, Pace, judge, next_wave

OUTCOMES = st.lists(st.sampled_from(Outcome), max_size=40)
FULL = st.integers(1, 10**9)


def after(outcomes):
    pace = Pace()
    for outcome in outcomes:
        pace = judge(pace, outcome)
    return pace


@given(OUTCOMES, FULL, st.integers(0, 10**9))
def test_a_wave_is_between_one_and_a_full_wave_and_never_more_than_are_left(outcomes, full, left):
    pace = after(outcomes)
    assert PROBE_PERCENT <= pace.percent <= FULL_PERCENT
    wave = next_wave(pace, full, left)
    assert min(1, left) <= wave <= min(full, left)


@given(OUTCOMES, st.lists(st.sampled_from([Outcome.HELD, Outcome.BAD]), max_size=5), FULL)
def test_the_first_wave_after_a_hold_is_a_probe_whatever_came_between(outcomes, troubles, full):
    pace = after([*outcomes, Outcome.HELD, *troubles, Outcome.GOOD])
    assert next_wave(pace, full, full) <= max(1, full * PROBE_PERCENT // 100)


@given(OUTCOMES, FULL)
def test_a_good_look_adds_at_most_one_step_and_takes_nothing_away(outcomes, full):
    before = after(outcomes)
    better = judge(before, Outcome.GOOD)
    grown = next_wave(better, full, full) - next_wave(before, full, full)
    assert 0 <= grown <= full * STEP_PERCENT // 100 + 1


@given(OUTCOMES, st.sampled_from([Outcome.HELD, Outcome.BAD]), FULL)
def test_trouble_never_makes_the_next_wave_bigger(outcomes, trouble, full):
    before = after(outcomes)
    worse = judge(before, trouble)
    assert next_wave(worse, full, full) <= next_wave(before, full, full)
    if before.last is Outcome.GOOD:
        assert next_wave(worse, full, full) <= max(1, full * PROBE_PERCENT // 100, next_wave(before, full, full) // 2)
        assert judge(worse, trouble) == worse


@given(OUTCOMES)
def test_enough_good_looks_always_lead_back_to_full_waves(outcomes):
    assert after([*outcomes, *[Outcome.GOOD] * 5]).percent == FULL_PERCENT
