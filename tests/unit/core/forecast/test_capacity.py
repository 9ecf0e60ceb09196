import numpy as np
import pytest

from app.core.forecast.capacity import (
    NO_THROUGHPUT,
    Throughput,
    handle_time,
    patience,
    throughput,
    usual_patience,
)

NAN = np.nan


def minutes(count, value):
    return np.full(count, float(value))


def test_a_team_that_does_what_was_reported_keeps_its_handle_time():
    seen = throughput(minutes(240, 8), minutes(240, 5), minutes(240, 40))
    assert seen.effective(300) == pytest.approx(300)


def test_a_slower_team_is_found_out_the_more_the_longer_there_is_a_queue():
    slow = [
        throughput(minutes(count, 4), minutes(count, 5), minutes(count, 40)).effective(300) for count in (5, 60, 600)
    ]
    assert 300 < slow[0] < 400
    assert slow == sorted(slow)
    assert 540 < slow[2] < 600


def test_what_is_older_weighs_half_for_every_two_hours():
    done = np.concatenate([[1.0], np.zeros(119), [1.0]])
    seen = throughput(done, minutes(121, 1), minutes(121, 0) + (done > 0))
    newest = 0.5 ** (1 / 120)
    assert seen.contacts == pytest.approx(newest * 1.5)
    assert seen.agent_seconds == pytest.approx(60 * newest * 1.5)


def test_minutes_without_a_queue_or_not_known_say_nothing():
    done, waiting, agents = minutes(4, 6), np.array([0.0, NAN, 3.0, 3.0]), np.array([9.0, 9.0, NAN, 0.0])
    assert throughput(done, waiting, agents) == NO_THROUGHPUT
    assert throughput(np.array([NAN, 1.0]), minutes(2, 3), minutes(2, 9)).agent_seconds < 60 * 9
    assert NO_THROUGHPUT.effective(280) == 280


def test_a_source_that_counts_no_completions_slows_nobody_down():
    assert throughput(minutes(60, 0), minutes(60, 5), minutes(60, 40)) == NO_THROUGHPUT
    assert throughput(minutes(60, NAN), minutes(60, 5), minutes(60, 40)) == NO_THROUGHPUT


@pytest.mark.parametrize("seconds", [0, -1, NAN, float("inf")])
def test_a_handle_time_that_is_none_is_refused(seconds):
    with pytest.raises(ValueError, match="must be a number > 0"):
        Throughput(10, 3000).effective(seconds)


def test_handle_time_is_the_mean_over_contacts_where_both_are_known():
    assert handle_time(np.array([10.0, 30.0, NAN]), np.array([1000.0, 9000.0, 5.0])) == 250
    assert handle_time(minutes(1, 19), minutes(1, 1900)) is None
    assert handle_time(minutes(1, 40), minutes(1, 0)) is None
    assert handle_time(minutes(3, NAN), minutes(3, NAN)) is None


def test_patience_is_all_waiting_over_those_who_gave_up():
    waits, gave_up, at_once = np.array([4000.0, NAN, 8000.0]), np.array([15.0, 99.0, 20.0]), np.array([0.0, NAN, 5.0])
    assert patience(waits, gave_up, at_once) == 400
    assert patience(waits, gave_up - 6, at_once) is None
    assert patience(minutes(3, NAN), gave_up, at_once) is None


def test_patience_is_found_back_from_exponential_waits():
    rng = np.random.default_rng(5)
    patient, offered = rng.exponential(372, 20_000), rng.exponential(60, 20_000)
    gave_up = patient < offered
    quick = gave_up & (patient <= 5)
    found = patience(*(np.array([float(x)]) for x in (np.minimum(patient, offered).sum(), gave_up.sum(), quick.sum())))
    assert found == pytest.approx(372, rel=0.12)


def test_where_too_few_gave_up_what_is_usual_stands_in():
    assert [usual_patience(queue) for queue in ("orders-voice", "", "orders-chat", "Webchat")] == [240, 240, 90, 90]
