"""What TaskRouter's statistics mean: who waits, who is there, and which window was counted."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.floor.observation import Observation
from tests.support.vendors.twilio_taskrouter import real_time
from workers.sources.twilio_taskrouter.translate import current, windowed
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, tzinfo=UTC)
WINDOW = {"start_time": "2026-11-21T16:50:00Z", "end_time": "2026-11-21T17:20:00Z"}


def now(**said):
    return current(real_time(**said), "orders", "twilio", AT, "WQ1")


def test_pending_and_reserved_wait_and_tasks_in_conversation_do_not():
    assert now(pending="7", reserved="1", age=141) == Observation(
        "orders", AT, "twilio", backlog=8, oldest_wait_seconds=141, contacts_in_progress=3, agents_staffed=4
    )


def test_counts_may_be_texts_or_numbers():
    assert now(pending=7, reserved="1").backlog == now(pending="7", reserved=1.0).backlog == 8


def test_workers_who_are_available_though_busy_are_staffed_and_never_available():
    seen = now()
    assert (seen.agents_staffed, seen.agents_available, seen.agents_busy) == (4, None, None)


def test_nobody_waits_for_no_time():
    assert now(age=None).oldest_wait_seconds == 0


@pytest.mark.parametrize("said", [{"pending": None}, {"reserved": -1}, {"pending": ""}, {"tasks_by_status": None}])
def test_what_is_not_said_is_no_0(said):
    assert now(**{"age": 9} | said)._replace(contacts_in_progress=None) == Observation(
        "orders", AT, "twilio", oldest_wait_seconds=9, agents_staffed=4
    )


@pytest.mark.parametrize(
    "said", [{"pending": "many"}, {"age": []}, {"total_available_workers": True}, {"tasks_by_status": [1]}]
)
def test_what_makes_no_sense_is_refused(said):
    with pytest.raises(TranslateError, match=r"is no number|is no object"):
        now(**said)


@pytest.mark.parametrize("answer", [None, [], {}, {"tasks_by_status": {}}])
def test_an_answer_that_says_nothing_is_refused(answer):
    with pytest.raises(TranslateError):
        current(answer, "orders", "twilio", AT, "WQ1")


def test_an_answer_of_another_task_queue_is_not_taken_for_this_one():
    assert now(task_queue_sid="WQ1").backlog == 0
    with pytest.raises(TranslateError, match="of another task queue"):
        now(task_queue_sid="WQ2")


def test_a_window_is_as_long_as_it_says_and_ends_when_it_says():
    below = {"tasks_canceled": 1, "reservations_accepted": 12}
    said = {
        "tasks_entered": "50",
        "reservations_accepted": 40,
        "tasks_canceled": 5,
        "avg_task_acceptance_time": 17,
        "split_by_wait_time": {"20": {"above": {"reservations_accepted": 28}, "below": below}},
    }
    assert windowed(WINDOW | said, "orders", "twilio", 20) == Observation(
        "orders",
        AT - timedelta(microseconds=1),
        "twilio",
        speed_to_answer_seconds=17,
        window_seconds=1800,
        offered=50,
        answered=40,
        abandoned=5,
        answered_within_target=12,
    )


def test_no_level_where_more_were_in_time_than_answered():
    said = WINDOW | {"reservations_accepted": 1, "split_by_wait_time": {"20": {"below": {"reservations_accepted": 2}}}}
    found = windowed(said, "orders", "twilio", 20)
    assert found is not None
    assert (found.answered, found.answered_within_target) == (1, None)


def test_a_speed_of_0_answers_is_none():
    found = windowed(WINDOW | {"reservations_accepted": 0, "avg_task_acceptance_time": 0}, "orders", "twilio", 20)
    assert found is not None
    assert found.speed_to_answer_seconds is None
    assert windowed(WINDOW, "orders", "twilio", 20) is None


@pytest.mark.parametrize("window", [{}, WINDOW | {"start_time": WINDOW["end_time"]}, WINDOW | {"end_time": "later"}])
def test_counts_of_an_unknown_window_are_refused(window):
    with pytest.raises(TranslateError, match="_time"):
        windowed(window | {"tasks_entered": 3}, "orders", "twilio", 20)
