import numpy as np
import pytest

from app.core.forecast.kernel import Kernel, log_logistic_kernel
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.response import Response, in_flight_curve, response_curves
from app.core.forecast.wanted import night_activity
from tests.support.responding import response_curve

OPEN_4_H = np.ones(240, dtype=np.bool_)


def opening(minutes, *closed):
    hours = np.ones(minutes, dtype=np.bool_)
    for begin, end in closed:
        hours[begin:end] = False
    return hours


def test_a_send_of_20_000_at_10_per_1000_brings_112_contacts_in_4_hours():
    curve = response_curve(Response(), OPEN_4_H, 0, 240)
    assert 20 * 10 * 60 * curve.sum() == pytest.approx(112.0, abs=0.1)


def test_the_worst_minutes_of_a_blast_are_the_first():
    quarters = response_curve(Response(), OPEN_4_H, 0, 240).reshape(-1, 15).sum(axis=1)
    assert np.argmax(quarters) == 0


def test_a_send_within_one_minute_gives_the_kernel_itself():
    curve = response_curve(Response(), OPEN_4_H, 30, 240, send_minutes=1)
    assert np.all(curve[:30] == 0)
    assert 60 * curve[30:] == pytest.approx(log_logistic_kernel().masses[:210])


def test_a_slow_send_is_the_mean_of_its_minutes():
    each = [response_curve(Response(), OPEN_4_H, 10 + minute, 240, send_minutes=1) for minute in range(60)]
    assert response_curve(Response(), OPEN_4_H, 10, 240, send_minutes=60) == pytest.approx(np.mean(each, axis=0))


def test_many_starts_at_once_are_the_same_as_one_by_one():
    hours, starts = opening(240, (60, 120)), np.array([0, 55, 90, 239])
    curves = response_curves(Response(), hours, starts, 240)
    assert curves.shape == (4, 240)
    for start, curve in zip(starts, curves, strict=True):
        assert curve == pytest.approx(response_curve(Response(), hours, start, 240))


def test_contacts_that_find_the_center_closed_come_back_after_it_opens():
    kernel = Kernel(np.array([0.2, 0.5, 0.3]))
    response = Response(kernel, deferral_ratio=0.6, deferral_mean_minutes=20)
    curve = 60 * response_curve(response, opening(400, (1, 3)), 0, 400, send_minutes=1)
    assert curve[:3] == pytest.approx([0.2, 0, 0])
    assert curve[3] == pytest.approx(0.6 * 0.8 * (1 - np.exp(-1 / 20)))
    assert curve[4] / curve[3] == pytest.approx(np.exp(-1 / 20))
    assert curve.sum() == pytest.approx(0.2 + 0.6 * 0.8)


def test_who_has_not_come_back_by_closing_time_comes_after_the_next_opening():
    response = Response(Kernel(np.array([1.0])), deferral_ratio=1.0, deferral_mean_minutes=30)
    curve = 60 * response_curve(response, opening(1000, (0, 10), (20, 500)), 0, 1000, send_minutes=1)
    assert curve[10:20].sum() == pytest.approx(1 - np.exp(-10 / 30))
    assert curve[500] / curve[19] == pytest.approx(np.exp(-1 / 30))
    assert curve.sum() == pytest.approx(1)


def test_people_act_less_at_night_and_do_so_later():
    activity = night_activity(20 * 60, 1440)
    assert (activity[119], activity[120], activity[719], activity[720]) == (1, 0.25, 0.25, 1)
    awake = response_curve(Response(), opening(1440), 0, 1440)
    asleep = response_curve(Response(), opening(1440), 0, 1440, activity=activity)
    assert asleep[:120] == pytest.approx(awake[:120])
    assert np.all(asleep[121:720] < awake[121:720])
    assert np.all(asleep[720:] > awake[720:])


def test_full_activity_changes_nothing():
    plain = response_curve(Response(), OPEN_4_H, 20, 240)
    assert response_curve(Response(), OPEN_4_H, 20, 240, activity=np.ones(240)) == pytest.approx(plain)


def test_in_flight_is_what_the_sends_still_bring():
    both = in_flight_curve(Response(), OPEN_4_H, [(-60, 1000), (0, 500)], 240)
    masses = log_logistic_kernel().masses
    assert 60 * both == pytest.approx(1000 * masses[60:300] + 500 * masses[:240])


def test_nothing_sent_brings_nothing():
    assert np.all(in_flight_curve(Response(), OPEN_4_H, [], 240) == 0)


def test_in_flight_continues_the_curve_that_was_forecast():
    hours = opening(2880, (300, 900), (1740, 2340))
    forecast = response_curve(Response(), hours, 100, 2880, send_minutes=1)
    for now in (150, 600, 910, 2000):
        left = in_flight_curve(Response(), hours[now:], [(100 - now, 1)], 2880 - now, opened_before=hours[:now])
        assert left == pytest.approx(forecast[now:]), now


def test_in_flight_continues_the_curve_by_day_and_night():
    activity = night_activity(9 * 60, 2880)
    forecast = response_curve(Response(), opening(2880), 100, 2880, send_minutes=1, activity=activity)
    left = in_flight_curve(Response(), opening(1880), [(-900, 1)], 1880, opened_before=opening(1000), activity=activity)
    assert left == pytest.approx(forecast[1000:])


def test_hours_before_the_known_ones_count_as_open():
    known = in_flight_curve(Response(), OPEN_4_H, [(-600, 1)], 240, opened_before=opening(600))
    assert in_flight_curve(Response(), OPEN_4_H, [(-600, 1)], 240) == pytest.approx(known)


def test_what_was_sent_more_than_a_week_ago_is_spent():
    assert np.all(in_flight_curve(Response(), OPEN_4_H, [(-8 * 1440, 1e6)], 240) == 0)


def test_a_center_that_never_opens_is_no_reason_to_send():
    with pytest.raises(ResponseRefused, match="opens in none of the 240 minutes"):
        response_curve(Response(), ~OPEN_4_H, 0, 240)


@pytest.mark.parametrize(
    ("start", "minutes", "send_minutes", "pointer"),
    [(0, 0, 5, "/minutes"), (0, 300, 5, "/opening"), (240, 240, 5, "/start_minutes"), (-1, 240, 5, "/start_minutes"),
     (0, 240, 0, "/send_minutes")],
)  # fmt: skip
def test_a_send_that_cannot_be_is_refused(start, minutes, send_minutes, pointer):
    with pytest.raises(ResponseRefused) as refused:
        response_curve(Response(), OPEN_4_H, start, minutes, send_minutes)
    assert pointer in [problem.pointer for problem in refused.value.problems]


@pytest.mark.parametrize("activity", [np.zeros(240), np.full(240, np.nan), np.full(240, 2.0), np.ones(10)])
def test_impossible_activity_is_refused(activity):
    with pytest.raises(ResponseRefused, match="/activity"):
        response_curve(Response(), OPEN_4_H, 0, 240, activity=activity)


@pytest.mark.parametrize("send", [(5, 10.0), (float("nan"), 10.0), (-5, -1.0), (-5, float("nan")), (-5, float("inf"))])
def test_what_cannot_have_been_sent_is_refused(send):
    with pytest.raises(ResponseRefused, match="/sends/0"):
        in_flight_curve(Response(), OPEN_4_H, [send], 240)


@pytest.mark.parametrize(
    "more", [{"deferral_ratio": 1.1}, {"deferral_ratio": float("nan")}, {"deferral_mean_minutes": 0}]
)
def test_impossible_deferral_is_refused(more):
    with pytest.raises(ResponseRefused, match="/deferral"):
        Response(**more)
