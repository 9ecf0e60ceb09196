"""What Zendesk Talk's current queue activity means: who waits, and what of it is of no use."""

from datetime import UTC, datetime

import pytest

from app.core.floor.observation import Observation
from tests.support.vendors.zendesk_talk import activity
from workers.sources.zendesk_talk.translate import Lines, translate
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, tzinfo=UTC)


def read(numbers=(), *, callbacks=False, **said):
    answer = {"current_queue_activity": activity(**said)}
    return translate(answer, Lines("orders", numbers), "zendesk", AT, callbacks=callbacks)


def test_calls_wait_callbacks_do_not_and_the_average_since_midnight_is_not_read():
    assert read(calls=5, longest=130) == Observation(
        "orders", AT, "zendesk", "voice", backlog=5, oldest_wait_seconds=130, agents_staffed=6
    )


def test_callbacks_wait_where_the_table_says_so():
    assert read(calls=5, callbacks=True).backlog == 8
    assert read(calls=0, longest=90, callbacks=True).oldest_wait_seconds == 90
    assert read(calls=5, callbacks=True, callbacks_waiting=None).backlog is None


def test_agents_online_are_no_available_ones_and_said_of_the_whole_account_only():
    assert (read().agents_staffed, read().agents_available, read().agents_busy) == (6, None, None)
    assert read(numbers=("1", "2")).agents_staffed is None


def test_nobody_waits_for_no_time():
    assert read(calls=0, longest=130).oldest_wait_seconds == 0


@pytest.mark.parametrize("nothing", [None, "", -1])
def test_what_is_not_said_is_no_0(nothing):
    seen = read(calls=nothing, longest=nothing, agents_online=3)
    assert (seen.backlog, seen.oldest_wait_seconds, seen.agents_staffed) == (None, None, 3)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"current_queue_activity": []},
        {"current_queue_activity": {"average_wait_time": 44}},
        {"current_queue_activity": {"calls_waiting": "many"}},
        {"current_queue_activity": {"calls_waiting": True}},
    ],
)
def test_what_makes_no_sense_is_refused(answer):
    with pytest.raises(TranslateError):
        translate(answer, Lines("orders", ()), "zendesk", AT, callbacks=False)
