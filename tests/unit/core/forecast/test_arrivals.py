from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.forecast.arrivals import forecast
from app.core.forecast.calendar import Calendar
from app.core.forecast.errors import ErrorCv
from app.core.forecast.usual import Method, Usuals
from app.core.staffing.hours import Open, OpeningHours
from tests.support.arriving import MONDAY, a_history, at, steady, usuals

ERRORS = ErrorCv(0.04, 0.05, 0.06, 0.09, days=20)


def per_hour(made):
    """Return the forecast in contacts per hour."""
    return made.expected.values.reshape(-1, 12).sum(axis=1)


def test_a_queue_that_repeats_itself_is_forecast_as_it_was():
    made = forecast(usuals(70), at(63, 10), 180)
    assert made.method is Method.WEEKDAY_MEDIAN
    assert made.ratio == pytest.approx(1)
    assert made.expected.start == at(63, 10)
    assert made.expected.values == pytest.approx(np.full(36, 20.0))
    assert made.basis.startswith("the median of the last 8 same weekdays, at 1.00 of it in the last 5 open days; ")
    assert made.basis.endswith("; what came in lately is 1.00 of that")


def test_the_first_step_is_the_one_that_now_is_in_and_the_last_one_reaches_the_horizon():
    made = forecast(usuals(70), at(63, 10) + timedelta(minutes=7, seconds=1), 60)
    assert made.expected.start == at(63, 10) + timedelta(minutes=5)
    assert len(made.expected.values) == 13
    assert len(made.cv) == 13


def test_today_running_half_as_high_again_raises_the_rest_of_the_day_as_far_as_it_is_trusted():
    busy = a_history(64, lambda day, hour: steady(day, hour) * (1.5 if day == MONDAY + timedelta(days=63) else 1))
    weights, prior = 0.5 ** (np.arange(1, 289) / 12), 0.5 * 12 * 20
    usual = np.where(np.arange(1, 289) <= 120, 20, 10)
    expected = (prior + weights @ np.where(usual > 10, 30, 10)) / (prior + weights @ usual)
    made = forecast(Usuals(busy, Calendar()), at(63, 10), 60)
    assert made.ratio == pytest.approx(expected)
    assert made.expected.values == pytest.approx(np.full(12, 20 * expected))


def test_after_midnight_todays_ratio_fades():
    around = usuals(63, lambda _day, _hour: 10.0).history
    busy = replace(around, contacts=np.where(np.arange(63)[:, None] == 62, 20.0, around.contacts))
    made = forecast(Usuals(busy, Calendar()), at(62, 22), 6 * 60)
    hourly = per_hour(made) / 120
    assert hourly[0] == hourly[1] == pytest.approx(made.ratio)
    assert made.ratio > 1.5
    assert list(hourly[1:]) == sorted(hourly[1:], reverse=True)
    assert hourly[-1] < 1 + (made.ratio - 1) / 2


def test_a_forecast_reaches_36_hours_into_tomorrow_of_another_weekday():
    made = forecast(usuals(70), at(63, 10), 36 * 60)
    assert per_hour(made) == pytest.approx([240.0] * 14 + [120.0] * 22)
    assert made.is_known


@pytest.mark.parametrize("minutes", [0, -5, 7 * 24 * 60 + 1])
def test_other_horizons_are_refused(minutes):
    with pytest.raises(ValueError, match=str(minutes)):
        forecast(usuals(70), at(63, 10), minutes)


@settings(max_examples=20, deadline=None)
@given(hour=st.integers(0, 23), junk=st.floats(0, 1e6))
def test_nothing_from_now_on_plays_a_part(hour, junk):
    history = a_history(30)
    later = history.contacts.copy()
    later[28, hour * 12 :] = later[29] = junk
    seen, blind = (
        forecast(Usuals(replace(history, contacts=contacts), Calendar()), at(28, hour), 600)
        for contacts in (later, history.contacts)
    )
    assert np.array_equal(seen.expected.values, blind.expected.values)


class TestClosedTimes:
    HOURS = OpeningHours("UTC", ((Open(8 * 60, 18 * 60),),) * 5 + ((), ()), frozenset({MONDAY + timedelta(days=64)}))

    def test_the_forecast_is_zero_while_closed_even_if_contacts_came_then(self):
        made = forecast(usuals(70, lambda *_: 10.0, Calendar(hours=self.HOURS)), at(63, 17), 120)
        assert made.expected.values == pytest.approx([10.0] * 12 + [0.0] * 12)

    def test_a_closed_day_ahead_brings_nothing(self):
        made = forecast(usuals(70, calendar=Calendar(hours=self.HOURS)), at(63, 19), 24 * 60)
        assert made.method is Method.CLOSED
        assert not made.expected.values.any()
        assert not made.cv.any()
        assert made.basis == "the queue is closed until the horizon"

    def test_holidays_of_the_past_are_no_part_of_the_profile(self):
        holidays = frozenset(MONDAY + timedelta(days=7 * week) for week in range(2, 9))
        quiet = a_history(70, lambda day, hour: steady(day, hour) / (100 if day in holidays else 1))
        made = forecast(Usuals(quiet, Calendar(closed_days=holidays)), at(63, 10), 60)
        assert made.expected.values == pytest.approx(np.full(12, 20.0))

    def test_days_with_less_than_half_of_the_usual_are_left_out_untold(self):
        odd = {MONDAY + timedelta(days=day) for day in (42, 49, 56, 58, 60, 62)}
        quiet = a_history(70, lambda day, hour: steady(day, hour) * (0.4 if day in odd else 1))
        made = forecast(Usuals(quiet, Calendar()), at(63, 10), 60)
        assert made.expected.values == pytest.approx(np.full(12, 20.0), rel=0.001)


class TestLittleHistory:
    def test_before_two_weeks_the_same_weekday_stands_in(self):
        made = forecast(usuals(10), at(7, 10), 60)
        assert made.method is Method.HOUR_OF_WEEK
        assert made.expected.values == pytest.approx(np.full(12, 20.0), rel=0.001)
        assert set(made.cv) == {0.20}
        assert made.basis.startswith("little history of this weekday: the mean of 1 days")

    def test_without_the_same_weekday_all_days_stand_in(self):
        made = forecast(usuals(5), at(4, 10), 60)
        assert made.method is Method.HOUR_OF_WEEK
        assert made.expected.values == pytest.approx(np.full(12, 10.0), rel=0.3)

    def test_before_three_days_the_present_rate_is_taken_as_it_is(self):
        made = forecast(usuals(1, lambda *_: 4.0), at(0, 10), 120)
        assert made.method is Method.FLAT
        assert made.expected.values == pytest.approx(np.full(24, 4.0))
        assert set(made.cv) == {0.30}

    def test_with_less_than_half_an_hour_nothing_is_known(self):
        history = a_history(1, lambda *_: 4.0)
        history.contacts[0, : 10 * 12 - 5] = np.nan
        made = forecast(Usuals(history, Calendar()), at(0, 10), 60)
        assert made.method is Method.UNKNOWN
        assert np.isnan(made.expected.values).all()
        assert np.isnan(made.cv).all()
        assert not made.is_known
        assert "less than half an hour" in made.basis

    @pytest.mark.parametrize("days", [1, 6, 40])
    def test_a_history_without_contacts_is_unknown_and_not_zero(self, days):
        made = forecast(usuals(days, lambda *_: 0.0), at(days - 1, 10), 60)
        assert made.method is Method.UNKNOWN
        assert np.isnan(made.expected.values).all()
        assert "no contact" in made.basis

    def test_times_that_history_cannot_tell_are_not_known_and_the_others_are(self):
        history = a_history(70, lambda *_: 10.0)
        history.contacts[:, 12 * 12 :] = np.nan
        made = forecast(Usuals(history, Calendar()), at(63, 11), 120)
        assert np.isnan(made.expected.values).tolist() == [False] * 12 + [True] * 12
        assert (made.is_known, made.known_minutes) == (False, 60)

    def test_times_that_no_same_weekday_knows_are_told_by_the_other_days(self):
        history = a_history(70, lambda *_: 10.0)
        history.contacts[::7, 12 * 12 :] = np.nan
        made = forecast(Usuals(history, Calendar()), at(63, 11), 120)
        assert made.expected.values == pytest.approx(np.full(24, 10.0), rel=0.1)
        assert (made.is_known, made.known_minutes) == (True, 120)


class TestDaysWithoutContacts:
    @staticmethod
    def weekdays_only(day, _hour):
        return 10.0 * (day.weekday() < 5)

    def test_a_weekday_that_never_has_any_is_taken_for_what_it_seems(self):
        made = forecast(usuals(70, self.weekdays_only), at(67, 22), 26 * 60)
        assert per_hour(made) == pytest.approx([120.0] * 2 + [0.0] * 24)

    def test_unless_contacts_come_after_all(self):
        history = a_history(70, self.weekdays_only)
        history.contacts[68, 9 * 12 : 10 * 12] = 6.0
        made = forecast(Usuals(history, Calendar()), at(68, 10), 120)
        assert made.method is Method.FLAT
        assert made.expected.values.min() > 2.5
        assert set(made.cv) == {0.30}
        assert made.basis.startswith("contacts come at a time that usually has none")


def test_missing_steps_are_no_zeros():
    history = a_history(70)
    holes = np.random.default_rng(1).random(history.contacts.shape) < 0.3
    full, holey = (
        forecast(Usuals(replace(history, contacts=contacts), Calendar()), at(63, 11), 240)
        for contacts in (history.contacts, np.where(holes, np.nan, history.contacts))
    )
    assert holey.expected.values == pytest.approx(full.expected.values, rel=0.01)


def test_measured_errors_grow_with_the_distance_and_are_the_largest_after_an_hour_of_silence():
    made = forecast(usuals(70), at(63, 10), 300, ERRORS)
    assert made.cv.reshape(-1, 12)[:, 0].tolist() == [0.04, 0.05, 0.06, 0.06, 0.09]
    history = a_history(70)
    history.contacts[63, 10 * 12 :] = np.nan
    silent = forecast(Usuals(history, Calendar()), at(63, 12), 60, ERRORS)
    assert set(silent.cv) == {0.09}
    assert silent.basis.endswith("nothing is known of the last hour")
    assert set(forecast(usuals(70), at(63, 10), 60).cv) == {0.10}


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_of_23_or_25_hours_is_forecast_by_its_wall_clock(day, length):
    zone = Calendar("Europe/Berlin")
    local_midnight, nine_o_clock = (datetime.combine(day, time(hour), zone.zone).astimezone(UTC) for hour in (0, 9))
    first = day - timedelta(days=63)
    made = forecast(
        Usuals(a_history(63, lambda _, hour: 1 + (hour >= 9), first), zone), local_midnight, length * 60 + 60
    )
    nine = (nine_o_clock - local_midnight) // timedelta(hours=1)
    assert nine == length - 15
    expected = [12.0] * nine + [24.0] * (length - nine) + [12.0]
    assert per_hour(made) == pytest.approx(expected, rel=0.1)
