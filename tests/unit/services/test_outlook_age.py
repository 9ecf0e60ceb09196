"""How long an outlook may be used: its age and that of the readings it started from do not add up."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.gate.foresight import STALE_AFTER_SECONDS
from app.services.outlook_inputs import Gathered
from tests.support.foreseen import NOON, a_known


def gathered(age_seconds: float, stale_after_seconds: float) -> Gathered:
    return Gathered(a_known(), 0, (), NOON - timedelta(seconds=age_seconds), stale_after_seconds)


@pytest.mark.parametrize(
    ("age_seconds", "stale_after_seconds", "good_for_seconds"),
    [(0, 120, 120), (90, 120, 30), (50, 60, 70), (300, 600, 120), (550, 600, 50), (-4, 120, 120)],
)
def test_an_outlook_is_good_until_its_oldest_reading_is_too_old(age_seconds, stale_after_seconds, good_for_seconds):
    assert gathered(age_seconds, stale_after_seconds).good_for_seconds(STALE_AFTER_SECONDS) == good_for_seconds


@given(st.floats(0, 0.9999), st.floats(1, 86_400), st.sampled_from([STALE_AFTER_SECONDS, 600.0, 12_000.0]))
def test_no_reading_is_used_for_longer_than_the_longer_of_its_own_limit_and_the_outlooks(share, stale_after, longest):
    age = share * stale_after  # what an outlook starts from is fresh
    good_for = gathered(age, stale_after).good_for_seconds(longest)
    assert 0 < good_for <= longest
    assert good_for + age <= max(stale_after, longest) + 1e-5
