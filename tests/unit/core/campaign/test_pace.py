import pytest

from app.core.campaign.pace import RAMP_GAP_SECONDS, Outcome, Pace, gap_seconds, judge, next_wave

GOOD, BAD, HELD = Outcome.GOOD, Outcome.BAD, Outcome.HELD


def paced(*outcomes, pace=None):
    """Return the waves of 1,000 that looks with these outcomes lead to, None where none may go."""
    pace = pace or Pace()
    waves = []
    for outcome in outcomes:
        pace = judge(pace, outcome)
        waves.append(next_wave(pace, 1_000, 10_000) if outcome is GOOD else None)
    return waves


def test_waves_are_full_while_nothing_is_wrong():
    assert paced(GOOD, GOOD, GOOD) == [1_000, 1_000, 1_000]


def test_after_a_hold_one_small_wave_probes_and_each_good_look_adds_a_quarter_of_a_full_wave():
    assert paced(GOOD, HELD, HELD, GOOD, GOOD, GOOD, GOOD, GOOD, GOOD) == [
        *(1_000, None, None),
        *(100, 350, 600, 850, 1_000, 1_000),
    ]


def test_a_look_that_cannot_tell_halves_the_next_wave():
    assert paced(GOOD, BAD, GOOD, GOOD) == [1_000, None, 500, 750]


def test_trouble_that_lasts_halves_once():
    assert paced(GOOD, BAD, BAD, BAD, GOOD) == [1_000, None, None, None, 500]


def test_trouble_after_trouble_halves_again_but_never_below_the_probe():
    waves = paced(GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD)
    assert [wave for wave in waves if wave] == [1_000, 500, 250, 120, 100]


def test_a_hold_that_fades_into_not_knowing_still_probes():
    assert paced(HELD, BAD, GOOD) == [None, None, 100]


def test_a_hold_after_not_knowing_probes():
    assert paced(GOOD, BAD, HELD, GOOD) == [1_000, None, None, 100]


def test_only_the_wave_right_after_a_hold_is_the_probe():
    held = judge(Pace(), HELD)
    assert held.is_probing
    assert not judge(held, GOOD).is_probing


@pytest.mark.parametrize(("full", "left", "wave"), [(5, 100, 1), (1, 100, 1), (1_000, 40, 40), (1_000, 0, 0)])
def test_a_probe_has_at_least_one_and_never_more_than_are_left(full, left, wave):
    assert next_wave(judge(Pace(), HELD), full, left) == wave


def test_small_waves_without_a_gap_of_their_own_keep_a_distance():
    assert gap_seconds(Pace(), None) == 0
    assert gap_seconds(judge(Pace(), HELD), None) == RAMP_GAP_SECONDS
    assert gap_seconds(judge(Pace(), HELD), 60.0) == 60
